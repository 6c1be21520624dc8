// Package services holds what runs on hosts: servers that wait for clients, and workloads that are the clients.
//
// Both are the same kind of thing, a [Runner]: something that runs on a host with a context, a logger and that host's
// sockets. Each lives in a package of its own below this one and describes itself with a [Type]; the table of all of
// them is in package netlab/services/catalog.
package services

import (
	"context"
	"fmt"
	"net"
	"strings"
)

// Role says where in the file a type may be used.
type Role int

const (
	// Service runs on a host from the start of the run until its end (nodes.<name>.services).
	Service Role = iota
	// Workload runs from its start until it is done (workloads).
	Workload
)

// String returns the role as it is called in the file.
func (r Role) String() string {
	if r == Service {
		return "service"
	}
	return "workload"
}

// Type describes a service or a workload: its name in the file, its configuration and what it reports.
type Type struct {
	// Name is the value of "type" in the file, in kebab-case.
	Name string
	Role Role
	// Doc is one paragraph for the schema and the documentation.
	Doc string
	// Config returns a pointer to a new configuration struct that holds the defaults. Its fields have json tags in
	// snake_case and jsonschema_description tags; from it come the decoding of the file and the JSON schema.
	Config func() Config
	// Result returns a pointer to the zero value of what Runner.Result reports, or nil where it reports nothing.
	Result func() any
	// Outcomes says that the runner of a workload tells [Env.Outcome] of its requests, so that a service level can be taken.
	Outcomes bool
	// New makes the runner for a validated configuration.
	New func(config Config, info Info) (Runner, error)
}

// Info is what a runner knows of its place before the run starts.
type Info struct {
	// Name is the service's or the workload's name in the file.
	Name string
	// Hosts are the names of the hosts that it runs on, in file order: one for a service, those of "from" for a workload.
	Hosts []string
	// Locations are those of the nodes that have one, by name.
	Locations map[string]Location
}

// Config is a configuration struct of a service or a workload.
type Config interface {
	// Validate returns nil or an error; a [FieldError] (or several, joined) lets the file's reader point at the place.
	Validate() error
	// Endless says whether the runner, so configured, goes on until the run ends. A file in which a workload
	// is endless needs a duration. Services are always endless.
	Endless() bool
}

// Shared is implemented by configurations of workloads in which something depends on how many hosts they run on.
type Shared interface {
	// ValidateFrom is [Config]'s Validate for what depends on the number of hosts.
	ValidateFrom(hosts int) error
}

// Caller is implemented by configurations of clients that know which ports they will talk to. A file is refused in which the
// services of such a host listen, but none of them on that port.
type Caller interface {
	// Calls returns the ports of a valid configuration.
	Calls() []Call
}

// Placed is implemented by configurations to which it matters where nodes are.
type Placed interface {
	// ValidateLocations is [Config]'s Validate for what depends on the locations of the lab's nodes, those that have one, by name.
	// Patterns of nodes are expanded.
	ValidateLocations(locations map[string]Location) error
}

// Storer is implemented by configurations of services that can keep something on their host's disk.
type Storer interface {
	// Stores says whether the service, so configured, does.
	Stores() bool
}

// DNSFailer is implemented by runners of name servers, which faults make fail.
type DNSFailer interface {
	// FailQueries makes the server answer every query with servfail, refused, nxdomain or silence (not at all), until undo is called.
	// Several may be in force: the latest counts. The engine's loop calls both.
	FailQueries(answer string) (undo func(), err error)
}

// Call is a port that a client talks to.
type Call struct {
	// Field is the json name of the field that names the host, as in [FieldError]; items of lists are named as in "backends[0]".
	Field string
	// Host is a name or an address, or a pattern of nodes as in a [TargetPattern].
	Host string
	// Protocol is TCP or UDP.
	Protocol Protocol
	Port     uint16
}

// Protocol is a transport protocol.
type Protocol string

// The transport protocols.
const (
	TCP Protocol = "TCP"
	UDP Protocol = "UDP"
)

// FieldError is a mistake in one field of a configuration.
type FieldError struct {
	// Field is the json name of the field; names of fields in other fields are joined by dots.
	Field string
	// Path holds the names one by one where a name may have a dot in it, as keys of objects have. Nil means those of Field.
	Path []string
	// Problem says what was found and what was wanted.
	Problem string
}

// Error implements error.
func (e *FieldError) Error() string { return e.Field + ": " + e.Problem }

// Names returns the json names that lead to the field.
func (e *FieldError) Names() []string {
	if e.Path != nil {
		return e.Path
	}
	return strings.Split(e.Field, ".")
}

// Fieldf makes a FieldError.
func Fieldf(field, format string, args ...any) error {
	return &FieldError{Field: field, Problem: fmt.Sprintf(format, args...)}
}

// FieldPathf makes a FieldError of a field whose path is given name by name.
func FieldPathf(path []string, format string, args ...any) error {
	return &FieldError{Field: strings.Join(path, "."), Path: path, Problem: fmt.Sprintf(format, args...)}
}

// Runner is a service or a workload, made for all the hosts that it runs on.
//
// A crash of a host ends ctx and all that the runner does on the host's sockets: they fail with [ip.ErrHostDown]. When the
// host comes back, Run of a service is called again, after the call before has returned, with the Env of the host's next
// incarnation. What a service holds in memory (sessions, connections, caches, queues, keys) is lost in the crash, so Run makes
// it anew; what it counts for its Result goes on. A workload ends with its host and does not come back.
type Runner interface {
	// Run runs it on one host until it is done or ctx ends. Each call has a goroutine of its own, and a host is in one call at a
	// time. Running out of ctx is no error, nor is the crash of the host.
	Run(ctx context.Context, env *Env) error
	// Result reports what was found, after every Run has returned; nil when there is nothing to report.
	Result() any
}

// Target names what a client talks to: "server" or "server:5001". A configuration field of this type is checked
// against the nodes of the file.
type Target string

// Host returns the part before the port; brackets around an IPv6 address are left out.
func (t Target) Host() string {
	if host, _, err := net.SplitHostPort(string(t)); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(string(t), "["), "]")
}

// ListenTCP and ListenUDP are the address that a service listens on, ":port". A configuration field of one of these
// types is checked: two services of a host can't listen on the same port of the same protocol.
type (
	ListenTCP string
	ListenUDP string
)
