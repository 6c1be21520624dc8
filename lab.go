package netlab

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"netlab/dns"
	"netlab/ip"
	"netlab/netem"
	"netlab/topology"
	"netlab/topology/plan"
)

// Lab is a topology that is ready to run. It can run several times, one after the other.
type Lab struct {
	topology *topology.Topology // resolved
	plan     *plan.Plan
	ends     [][2]int // nodes at the ends of each link
	variant  string
	sweep    *topology.Sweep
}

func newLab(resolved *topology.Topology) (*Lab, error) {
	p, err := resolved.Plan()
	if err != nil {
		return nil, err
	}
	l := &Lab{topology: resolved, plan: p, ends: make([][2]int, len(resolved.Links))}
	for node, ports := range p.Ports {
		for _, at := range ports {
			l.ends[at.Link][at.End] = node
		}
	}
	return l, nil
}

// Name returns the lab's name.
func (l *Lab) Name() string { return l.topology.Name }

// Variant returns the name of the file's variant that this lab is, or "".
func (l *Lab) Variant() string { return l.variant }

// Sweep is what the file says of runs with several seeds and values, or nil. [Lab.Run] plays one run all the same.
func (l *Lab) Sweep() *topology.Sweep { return l.sweep }

// Topology returns the lab's topology as netlab understood it. It is to be treated as read-only.
func (l *Lab) Topology() *topology.Topology { return l.topology }

// world is a lab while it runs: everything that was built for one run.
type world struct {
	lab     *Lab
	engine  *netem.Engine
	net     *netem.Network
	nodes   []*worldNode // by index in the topology
	byName  map[string]int
	names   *ip.Names
	linkIDs map[string]int
	// telemetry is what is taken down of the run, nil if nothing is.
	telemetry *recording
}

// build makes nodes, links, addresses and routes, and what takes telemetry down if record says that it is wanted.
func (l *Lab) build(e *netem.Engine, log *slog.Logger, record bool) (*world, error) {
	w := &world{lab: l, engine: e, net: netem.NewNetwork(e, l.topology.Seed), byName: map[string]int{},
		names: &ip.Names{}, linkIDs: map[string]int{}}
	if record {
		var err error
		if w.telemetry, err = newRecording(w); err != nil {
			return nil, err
		}
	}
	if err := w.buildNodes(); err != nil {
		return nil, err
	}
	ports, err := w.buildLinks()
	if err != nil {
		return nil, err
	}
	return w, w.configure(ports)
}

func (w *world) buildNodes() error {
	for name, config := range w.lab.topology.Nodes.All() {
		n := &worldNode{name: name, config: config}
		id := netem.NodeID(len(w.nodes))
		var err error
		switch config.Kind {
		case topology.Switch:
			n.sw, err = netem.NewSwitch(time.Duration(config.Ageing))
		case topology.Router:
			n.router = ip.NewRouter(w.net, name, id)
		default:
			var h *ip.Host
			h, err = ip.NewHost(w.net, ip.HostConfig{
				Name: name, Node: id,
				IPv4:       config.IP != topology.IPv6Only,
				IPv6:       config.IP != topology.IPv4Only,
				PreferIPv6: config.Prefer == topology.IPv6Only,
				Names:      w.names,
				TCP:        tcpConfig(config.TCP),
				Disk:       diskConfig(config.Disk),
				Probe:      w.telemetry.probeOf(name),
			})
			n.live.Store(h)
		}
		if err != nil {
			return err
		}
		w.byName[name] = len(w.nodes)
		w.nodes = append(w.nodes, n)
	}
	return nil
}

func tcpConfig(t topology.TCP) ip.TCPConfig {
	off := func(p *bool) bool { return p != nil && !*p }
	return ip.TCPConfig{
		NoSACK: off(t.SACK), NoRACK: off(t.RACK), Nagle: off(t.NoDelay),
		SendBuffer: t.SendBuffer, ReceiveBuffer: t.ReceiveBuffer,
		KeepAlive: t.KeepAlive.Std(), UserTimeout: t.UserTimeout.Std(),
		Backlog: t.Backlog, SYNCookies: ip.SYNCookies(t.SYNCookies),
	}
}

// diskConfig converts what the file says of a disk; without it there are no limits.
func diskConfig(d *topology.Disk) ip.DiskConfig {
	if d == nil {
		return ip.DiskConfig{}
	}
	return ip.DiskConfig(*d)
}

// buildLinks makes the ports of all nodes and joins them. It returns the ports of each link's two ends.
func (w *world) buildLinks() ([][2]*netem.Port, error) {
	var ports [][2]*netem.Port
	for i := range w.lab.topology.Links {
		link := &w.lab.topology.Links[i]
		var ends [2]*netem.Port
		for end, iface := range w.lab.plan.Interfaces[i] {
			ends[end] = w.newPort(w.lab.ends[i][end], iface)
		}
		forward, backward := link.Directions()
		if _, err := w.net.Connect(link.Name, ends[0], ends[1], forward.Params(), backward.Params()); err != nil {
			return nil, err
		}
		w.linkIDs[link.Name] = i
		ports = append(ports, ends)
	}
	return ports, nil
}

func (w *world) newPort(node int, iface plan.Interface) *netem.Port {
	n := w.nodes[node]
	c := netem.PortConfig{Node: netem.NodeID(node), Host: n.name, Name: iface.Name, MAC: net.HardwareAddr(iface.MAC[:])}
	if n.sw != nil {
		return n.sw.NewPort(w.net, c)
	}
	c.Passive = n.router != nil
	return w.net.NewPort(c)
}

// configure gives hosts and routers their interfaces, addresses and routes.
func (w *world) configure(ports [][2]*netem.Port) error {
	known := w.staticSegments()
	for n := range w.nodes {
		node := w.nodes[n]
		if node.sw != nil {
			continue
		}
		for _, at := range w.lab.plan.Ports[n] {
			iface := &w.lab.plan.Interfaces[at.Link][at.End]
			port := ports[at.Link][at.End]
			i := ip.Interface{Port: port, Addresses: iface.Addresses}
			if peer := w.lab.ends[at.Link][1-at.End]; w.nodes[peer].sw != nil {
				i.Switched = true
				i.Neighbors = known[peer]
			}
			for _, a := range iface.Addresses {
				w.net.SetAddress(a.Addr(), netem.NodeID(n))
				w.names.Add(node.name, a.Addr())
				if i.Neighbors != nil {
					i.Neighbors.Add(a.Addr(), port.MAC())
				}
			}
			if node.host() != nil {
				node.host().AddInterface(i)
			} else {
				node.router.AddInterface(i)
			}
		}
	}
	w.nameAddresses()
	for n := range w.nodes {
		node := w.nodes[n]
		routes := make([]ip.Route, 0, len(node.config.Routes))
		for _, r := range w.lab.plan.Routes[n] {
			routes = append(routes, ip.Route(r))
		}
		var err error
		switch {
		case node.host() != nil:
			err = node.host().Start(routes)
		case node.router != nil:
			err = node.router.SetRoutes(routes)
		}
		if err != nil {
			return fmt.Errorf("node %s: %w", node.name, err)
		}
		if err := w.giveAddresses(node); err != nil {
			return fmt.Errorf("node %s: %w", node.name, err)
		}
	}
	for _, n := range w.nodes {
		if err := w.setResolver(n); err != nil {
			return fmt.Errorf("node %s: %w", n.name, err)
		}
		if n.router == nil {
			continue
		}
		if err := w.configureRouter(n); err != nil {
			return fmt.Errorf("node %s: %w", n.name, err)
		}
	}
	return nil
}

// setResolver makes a host ask its name servers, by address as resolv.conf has them. All hosts must have been started.
func (w *world) setResolver(n *worldNode) error {
	d := n.config.DNS
	if n.host() == nil || len(d.Servers) == 0 {
		return nil
	}
	c := dns.ResolverConfig{Search: d.Search, Timeout: d.Timeout.Std(), Attempts: d.Attempts, NoCache: d.Cache != nil && !*d.Cache}
	for _, name := range d.Servers {
		address, ok := dns.AddressFor(n.host(), w.nodes[w.byName[name]].host())
		if !ok {
			return fmt.Errorf("the name server %s has no address that it can use", name)
		}
		c.Servers = append(c.Servers, netip.AddrPortFrom(address, dns.Port))
	}
	resolver, err := dns.NewResolver(n.host(), c)
	if err != nil {
		return err
	}
	n.host().SetResolver(resolver)
	return nil
}

// staticSegments returns, by switch, the table of those segments whose members know each other from the start. One switch
// that says so decides for its segment.
func (w *world) staticSegments() map[int]*ip.Neighbors {
	known := map[int]*ip.Neighbors{}
	for _, s := range w.lab.plan.Segments {
		var table *ip.Neighbors
		for _, n := range s.Switches {
			if w.nodes[n].config.Neighbors == topology.Static && table == nil {
				table = &ip.Neighbors{}
			}
		}
		for _, n := range s.Switches {
			known[n] = table
		}
	}
	return known
}

// hosts returns the hosts in file order.
func (w *world) hosts() []*ip.Host {
	var list []*ip.Host
	for _, n := range w.nodes {
		if n.host() != nil {
			list = append(list, n.host())
		}
	}
	return list
}
