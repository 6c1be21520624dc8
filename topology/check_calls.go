package topology

import (
	"net/netip"
	"reflect"
	"strconv"
	"strings"

	"netlab/services"
)

// checkCalls reports clients that talk to a port on which nobody listens. A host without a service that listens may be served
// by a Go program; unless there is none, it says nothing there.
func (c *checker) checkCalls() {
	for name, w := range c.t.Workloads.All() {
		c.from = c.clients(w.From)
		c.checkCallsOf(c.root.field("workloads").field(name), w.Config)
	}
	hosts := c.hostsOfEntries()
	for i, e := range c.t.Nodes.Entries() {
		entry, n := e.Name, e.Value
		c.from = hosts[i]
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
		if _, err := netip.ParseAddr(call.Host); err == nil {
			continue
		}
		targets, message := c.targets(services.TargetPattern(call.Host))
		if message != "" {
			continue
		}
		for _, t := range targets {
			if t.node < 0 || c.lab.node(t.node).NAT != nil {
				continue // several nodes, or any of its ports may lead to a host behind it
			}
			name := call.Host
			if len(targets) > 1 {
				name = c.lab.name(t.node)
			}
			if c.checkListens(at.descend(call.Field), t.node, name, listener{call.Protocol, strconv.Itoa(int(call.Port))}) {
				break
			}
		}
	}
}

// checkListens reports a port of a node on which nobody listens. name is what the node is called there.
func (c *checker) checkListens(at place, n int, name string, wanted listener) (wrong bool) {
	there, listens := c.listeners(n, wanted)
	switch {
	case listens:
		return false
	case there == "" && c.options.Complete:
		c.addf(at, "nothing listens on %s of %s; it has no services that do", wanted, name)
	case there != "":
		c.addf(at, "nothing listens on %s of %s; its services listen on %s", wanted, name, there)
	default:
		return false
	}
	return true
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
			for _, l := range listenersOf(v) {
				list = append(list, l.String()+" ("+name+")")
				found = found || l == wanted
			}
		})
	}
	return strings.Join(list, ", "), found
}
