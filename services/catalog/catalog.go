// Package catalog is the table of all services and workloads.
package catalog

import (
	"netlab/services"
	"netlab/services/balancer"
	"netlab/services/cdn"
	"netlab/services/chat"
	"netlab/services/echo"
	"netlab/services/flood"
	"netlab/services/kvcache"
	"netlab/services/load/clients"
	"netlab/services/lookup"
	"netlab/services/nameserver"
	"netlab/services/pages"
	"netlab/services/ping"
	"netlab/services/proxy/forward"
	"netlab/services/proxy/reverse"
	"netlab/services/proxy/socks"
	"netlab/services/slowstore"
	"netlab/services/store"
	"netlab/services/stream"
	"netlab/services/tier"
	"netlab/services/traceroute"
	"netlab/services/transfer"
	"netlab/services/vrrp"
	"netlab/services/web"
)

// all holds the services and then the workloads, each by name.
var all = []services.Type{
	tier.Server,
	balancer.Type,
	cdn.Edge,
	nameserver.Server,
	forward.Type,
	web.Server,
	kvcache.Server,
	reverse.Type,
	slowstore.Server,
	socks.Type,
	store.Server,
	echo.TCPServer,
	transfer.Sink,
	echo.UDPServer,
	stream.Sink,
	vrrp.Type,

	cdn.Publish,
	chat.Chat,
	clients.DNS,
	lookup.Type,
	echo.Type,
	web.Fetch,
	clients.HTTPLoad,
	pages.Type,
	clients.KV,
	ping.Type,
	flood.Slowloris,
	flood.SYN,
	clients.TCP,
	transfer.Type,
	traceroute.Type,
	clients.UDP,
	stream.Type,
	chat.Socket,
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
