package topology

import (
	"reflect"
	"strconv"
	"strings"

	"netlab/services"
)

// checkCalls reports clients that talk to a port on which nobody listens. A host without a service that listens may be served
// by a Go program; there it says nothing.
func (c *checker) checkCalls() {
	for name, w := range c.t.Workloads.All() {
		c.checkCallsOf(c.root.field("workloads").field(name), w.Config)
	}
	for entry, n := range c.t.Nodes.All() {
		for name, s := range n.Services.All() {
			c.checkCallsOf(c.root.field("nodes").field(entry).field("services").field(name), s.Config)
		}
	}
}

func (c *checker) checkCallsOf(at place, config services.Config) {
	caller, ok := config.(services.Caller)
	if !ok {
		return
	}
	for _, call := range caller.Calls() {
		n, ok := c.lab.nodes.Index(call.Host)
		if !ok {
			continue // an address
		}
		wanted := listener{call.Protocol, strconv.Itoa(int(call.Port))}
		there, listens := c.listeners(n, wanted)
		if !listens && there != "" {
			c.addf(at.field(call.Field), "nothing listens on %s of %s; its services listen on %s", wanted, call.Host, there)
		}
	}
}

// listeners says whether a node has a service that listens on a port, and on which ports there are services at all: "TCP port
// 80 (web), UDP port 53 (dns)".
func (c *checker) listeners(n int, wanted listener) (there string, found bool) {
	var list []string
	for name, s := range c.t.Nodes.entries[c.lab.entry[n]].Value.Services.All() {
		if s.Config == nil {
			continue
		}
		eachString(place{}, s.Config, func(_ place, v reflect.Value) {
			if l, ok := listenerOf(v); ok {
				list = append(list, l.String()+" ("+name+")")
				found = found || l == wanted
			}
		})
	}
	return strings.Join(list, ", "), found
}
