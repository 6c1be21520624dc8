package topology

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"netlab/services"
)

// checkNAT checks the NAT of some routers.
func (c *checker) checkNAT(at place, nat *NAT, routers []int) {
	c.checkTracking(at, &nat.Tracking)
	if nat.Ports != (PortRange{}) {
		c.checkPorts(at.field("ports"), nat.Ports)
	}
	for i := range nat.Forward {
		c.checkForward(at.field("forward").item(i), nat.Forward, i)
	}
	if nat.Inside != nil && len(nat.Inside) == 0 {
		c.addf(at.field("inside"), "the list is empty, so nothing would be translated; leave the field out for all interfaces but the outside one")
		return
	}
	if !c.linksKnown {
		return
	}
	for _, r := range routers {
		if where, message := c.natInterfaces(at, nat, r); message != "" {
			c.addf(where, "%s", message)
			return
		}
	}
}

// natInterfaces finds the interfaces of a NAT on a router, and says where and what is wrong with them.
func (c *checker) natInterfaces(at place, nat *NAT, router int) (place, string) {
	name, outside, inside := c.lab.name(router), at.field("outside"), at.field("inside")
	if ipv4, _ := c.lab.families(router); !ipv4 {
		return at, fmt.Sprintf("a NAT translates IPv4, and %s speaks only IPv6", name)
	}
	ports := c.lab.portsOf(router)
	out, message := ports.match(nat.Outside)
	switch {
	case message != "":
		return outside, message
	case len(out) > 1:
		var links []string
		for _, p := range out {
			links = append(links, c.lab.links[ports.links[p]].id)
		}
		return outside, fmt.Sprintf("%s stands for %d interfaces of %s: want one, named by its link: %s", quote(nat.Outside), len(out), name, few(links))
	}
	if ipv4, _ := c.lab.families(ports.peers[out[0]]); !ipv4 {
		return outside, fmt.Sprintf("a NAT translates IPv4, and the link to %s has none", c.lab.name(ports.peers[out[0]]))
	}
	if nat.Inside == nil {
		if len(ports.links) == 1 {
			return outside, fmt.Sprintf("%s has no other interface, so nothing would be translated", name)
		}
		_, message := ports.matchAll(ports.allBut(out[0]))
		return inside, message
	}
	for i, text := range nat.Inside {
		in, message := ports.match(text)
		switch {
		case message != "":
			return inside.item(i), message
		case slices.Contains(in, out[0]):
			return inside.item(i), fmt.Sprintf("the interface to %s is the outside one", quote(nat.Outside))
		}
	}
	return at, ""
}

// checkForward checks a port map of a NAT.
func (c *checker) checkForward(at place, list []PortForward, i int) {
	f := &list[i]
	if f.Protocol == "" && c.root.v == nil {
		c.addf(at.field("protocol"), "missing, wanted tcp or udp")
	}
	if f.Port == 0 && (at.field("port").given() || c.root.v == nil) {
		c.addf(at.field("port"), `"0" is not a port: want 1 to 65535`)
	}
	to := at.field("to")
	t, message := c.target(string(f.To))
	switch {
	case message != "":
		c.addf(to, "%s", message)
		return
	case t.node < 0 && t.address.IsValid() && !(t.address.Is4() && t.address.IsGlobalUnicast()):
		c.addf(to, "%s is no IPv4 address of a host; a NAT translates IPv4", quote(string(f.To)))
		return
	case t.node >= 0 && c.lab.kind(t.node) == Router:
		c.addf(to, "%s is a router: a port is mapped to a host", c.lab.name(t.node))
		return
	}
	if t.node >= 0 && c.linksKnown {
		if ipv4, _ := c.lab.addressed(t.node); !ipv4 {
			c.addf(to, "%s has no IPv4 address; a NAT translates IPv4", c.lab.name(t.node))
			return
		}
	}
	for k, other := range list[:i] {
		switch {
		case other.Protocol != f.Protocol:
		case other.Port == f.Port:
			c.addf(at.field("port"), "%s port %d is already mapped by forward[%d]", strings.ToUpper(string(f.Protocol)), f.Port, k)
		case other.target() == f.target():
			c.addf(to, "%s has %s port %d already, by forward[%d]: an inside port has one external port", f.target(),
				strings.ToUpper(string(f.Protocol)), other.Port, k)
		}
	}
	if t.node >= 0 {
		_, port := f.split()
		protocol := services.TCP
		if f.Protocol == RuleUDP {
			protocol = services.UDP
		}
		c.checkListens(to, t.node, c.lab.name(t.node), listener{protocol, port})
	}
}

// split takes apart to whom a port map leads. Without a port it is the external one.
func (f *PortForward) split() (host, port string) {
	host, port, ok := strings.Cut(string(f.To), ":")
	if !ok {
		port = strconv.Itoa(int(f.Port))
	}
	return host, port
}

// target returns the host and port to which a port map leads.
func (f *PortForward) target() string {
	host, port := f.split()
	return host + ":" + port
}

// hasIPv4 says whether a node has an IPv4 address.
func (l *lab) hasIPv4(n int) bool {
	if ipv4, _ := l.families(n); !ipv4 {
		return false
	}
	ports := l.portsOf(n)
	return slices.ContainsFunc(ports.peers, func(peer int) bool {
		ipv4, _ := l.families(peer)
		return ipv4
	})
}
