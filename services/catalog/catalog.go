// Package catalog is the table of all services and workloads.
package catalog

import (
	"netlab/services"
	"netlab/services/echo"
	"netlab/services/ping"
	"netlab/services/stream"
	"netlab/services/traceroute"
	"netlab/services/transfer"
	"netlab/services/web"
)

// all holds the services and then the workloads, each by name.
var all = []services.Type{
	web.Server,
	echo.TCPServer,
	transfer.Sink,
	echo.UDPServer,
	stream.Sink,

	echo.Type,
	web.Fetch,
	ping.Type,
	transfer.Type,
	traceroute.Type,
	stream.Type,
}

// All returns all types, services first, then workloads, each sorted by name.
func All() []services.Type { return append([]services.Type(nil), all...) }

// Table finds types by role and name.
type Table struct{}

// Types returns what [All] does.
func (Table) Types() []services.Type { return All() }

// Lookup finds a type.
func (Table) Lookup(role services.Role, name string) (services.Type, bool) {
	for _, t := range all {
		if t.Role == role && t.Name == name {
			return t, true
		}
	}
	return services.Type{}, false
}
