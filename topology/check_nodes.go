package topology

import "netlab/units"

// The limits of TCP buffers, which are the stack's.
const (
	minBuffer units.Bytes = 4 << 10
	maxBuffer units.Bytes = 64 << 20
	// maxBacklog is that of package ip.
	maxBacklog = 1 << 16
)

// checkNodes checks each entry of the nodes by itself.
func (c *checker) checkNodes() {
	section := c.root.field("nodes")
	hosts := c.hostsOfEntries()
	for i := range c.t.Nodes.entries {
		e := &c.t.Nodes.entries[i]
		c.from = hosts[i]
		c.checkNode(section.field(e.Name), e.Name, &e.Value)
	}
	c.checkDNS(c.root.field("defaults").field("dns"), &c.t.Defaults.DNS)
	c.checkTCP(c.root.field("defaults").field("tcp"), &c.t.Defaults.TCP)
}

func (c *checker) checkNode(at place, name string, n *Node) {
	kind := n.Kind
	if kind == "" {
		kind = Host
	}
	if kind != Host {
		c.only(at, name, kind, "hosts", map[string]bool{"services": n.Services.Len() > 0, "tcp": n.TCP != (TCP{}), "prefer": n.Prefer != "",
			"dns": n.DNS.given(), "disk": n.Disk != nil})
	}
	if kind != Router {
		c.only(at, name, kind, "routers", map[string]bool{"firewall": n.Firewall != nil, "nat": n.NAT != nil})
	}
	if kind == Switch {
		c.only(at, name, kind, "hosts and routers", map[string]bool{"ip": n.IP != "", "routes": n.Routes != nil, "location": n.Location != nil})
	} else {
		c.only(at, name, kind, "switches", map[string]bool{"subnets": n.Subnets != nil, "ageing": n.Ageing != 0, "neighbors": n.Neighbors != ""})
	}
	positive(c, at.field("ageing"), n.Ageing)
	ip := n.IP
	if ip == "" {
		ip = c.t.Defaults.IP
	}
	if (ip == IPv4Only || ip == IPv6Only) && n.Prefer != "" && n.Prefer != ip {
		c.addf(at.field("prefer"), "%s prefers %s but speaks only %s", name, n.Prefer, ip)
	}
	c.checkTCP(at.field("tcp"), &n.TCP)
	c.checkDisk(at.field("disk"), n.Disk)
	dns := at.field("dns")
	c.checkDNS(dns, &n.DNS)
	if n.DNS.given() && n.DNS.Servers == nil && c.t.Defaults.DNS.Servers == nil {
		c.addf(dns, "it names no servers: want \"servers\", the nodes with a dns-server")
	}
	listeners := map[string]string{}
	for i := range n.Services.entries {
		s := &n.Services.entries[i]
		at := at.field("services").field(s.Name)
		if message := checkLabel(s.Name, maxLabel); message != "" {
			c.addf(at.name(), "%s", message)
		}
		c.checkConfig(at, s.Value.Type, s.Value.Config)
		c.checkListeners(at, s.Name, s.Value.Config, listeners)
	}
}

// only reports fields that belong to another kind of node. used says which of them are set; the file may also set one to
// nothing.
func (c *checker) only(at place, name string, kind NodeKind, owners string, used map[string]bool) {
	if kind != Host && kind != Router && kind != Switch {
		return
	}
	for _, f := range fieldsOf(nodeType) {
		set, mine := used[f.name]
		if mine && (set || at.field(f.name).given()) {
			c.addf(at.field(f.name).name(), "only %s have %s, and %s is a %s", owners, f.name, name, kind)
		}
	}
}

// checkTCP checks TCP settings.
func (c *checker) checkTCP(at place, tcp *TCP) {
	for field, size := range map[string]units.Bytes{"send_buffer": tcp.SendBuffer, "receive_buffer": tcp.ReceiveBuffer} {
		if at := at.field(field); (size != 0 || at.given()) && (size < minBuffer || size > maxBuffer) {
			c.addf(at, "found %s, wanted %s to %s", size, minBuffer, maxBuffer)
		}
	}
	positive(c, at.field("keep_alive"), tcp.KeepAlive)
	positive(c, at.field("user_timeout"), tcp.UserTimeout)
	if at := at.field("backlog"); (tcp.Backlog != 0 || at.given()) && (tcp.Backlog < 1 || tcp.Backlog > maxBacklog) {
		c.addf(at, "found %d, wanted 1 to %d", tcp.Backlog, maxBacklog)
	}
}
