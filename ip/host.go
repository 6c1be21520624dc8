package ip

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"

	stacklog "gvisor.dev/gvisor/pkg/log"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"

	"netlab/internal/random"
	"netlab/netem"
)

// What all hosts share, so that it doesn't weigh on each: the protocols' constructors and the firewall's tables, which hosts
// have none of.
var (
	protocol4 = ipv4.NewProtocolWithOptions(ipv4.Options{})
	protocol6 = ipv6.NewProtocolWithOptions(ipv6.Options{
		NDPConfigs: ipv6.NDPConfigurations{HandleRAs: ipv6.HandlingRAsDisabled},
	})
	noTables stack.IPTables
)

// HostConfig describes a [Host].
type HostConfig struct {
	Name string
	Node netem.NodeID
	// IPv4 and IPv6 say which versions the host speaks; at least one.
	IPv4, IPv6 bool
	// PreferIPv6 makes names resolve to IPv6 addresses first.
	PreferIPv6 bool
	// Names is the lab's hosts table.
	Names *Names
	TCP   TCPConfig
	Disk  DiskConfig
	// Probe, when not nil, looks at the host's TCP connections.
	Probe *Probe
}

// Interface is a NIC of a host or router.
type Interface struct {
	Port *netem.Port
	// Addresses with the lengths of their networks.
	Addresses []netip.Prefix
	// Switched says that there is a switch at the other end, so that neighbours have to be found.
	Switched bool
	// Neighbors, when not nil, knows the MAC addresses behind the switch.
	Neighbors *Neighbors
}

// Route is an entry of a routing table.
type Route struct {
	To  netip.Prefix
	Via netip.Addr
}

// Host is a simulated host: a network stack with NICs. Make it with [NewHost], give it interfaces and routes, then start
// it. A host that has crashed stays down; [Host.Reborn] makes the one that takes its place.
type Host struct {
	name       string
	net        *netem.Network
	node       netem.NodeID
	owner      netem.Owner
	ipv4, ipv6 bool
	preferIPv6 bool
	names      *Names
	resolver   Resolver
	tcp        TCPConfig
	probe      *hostProbe // nil if nobody looks
	syns       *synQueue  // nil if there are SYN cookies

	machine     *machine // what outlives a crash
	incarnation uint64
	earlier     Stats // of the incarnations before

	interfaces []Interface
	given      []Route // to Start
	nics       []*nic
	lo         sync.Once                              // makes the loopback interface
	tables     map[tcpip.NICID]stack.NetworkInterface // of neighbours, of NICs that ask by ARP
	virtualMu  sync.Mutex                             // held while virtuals changes
	virtuals   atomic.Pointer[[]virtual]              // nil for none
	raws       atomic.Pointer[[]*RawConn]             // nil for none
	stack      *stack.Stack
	disk       Disk

	intercepting sync.Mutex // for changes of what follows
	intercepted  atomic.Pointer[interception]
	forwarding   atomic.Pointer[forwarding]
	current      []Route // as they are now
	withdrawn    []int   // interfaces whose networks aren't reached now

	state     atomic.Int32
	suspended atomic.Bool // by Pause
	paused    bool        // the stack's workers stand still; the engine's loop alone changes it
	destroyed bool
	replaced  bool   // by Reborn
	final     *Stats // of a host that crashed

	running sync.WaitGroup
	gone    chan struct{} // closed when the host goes
}

// silence switches off the stack's log, which goes to standard error otherwise: what it complains about is in the counters and captures.
var silence = sync.OnceFunc(func() { stacklog.SetTarget(&stacklog.MultiEmitter{}) })

// NewHost returns a host without interfaces.
func NewHost(n *netem.Network, c HostConfig) (*Host, error) {
	silence()
	if !c.IPv4 && !c.IPv6 {
		return nil, fmt.Errorf("host %s speaks neither IPv4 nor IPv6", c.Name)
	}
	if err := c.TCP.validate(); err != nil {
		return nil, fmt.Errorf("host %s: %w", c.Name, err)
	}
	if err := c.Disk.validate(); err != nil {
		return nil, fmt.Errorf("host %s: disk: %w", c.Name, err)
	}
	h := &Host{name: c.Name, net: n, node: c.Node, owner: n.NewOwner(), ipv4: c.IPv4, ipv6: c.IPv6,
		preferIPv6: c.PreferIPv6, names: c.Names, tcp: c.TCP, machine: newMachine(c.Disk), gone: make(chan struct{})}
	h.disk.host = h
	h.probe = newHostProbe(c.Probe, h)
	h.syns = c.TCP.newSYNQueue()
	return h, nil
}

// Name returns the host's name.
func (h *Host) Name() string { return h.name }

// Network returns the network that the host is on.
func (h *Host) Network() *netem.Network { return h.net }

// Owner is what the host's events belong to.
func (h *Host) Owner() netem.Owner { return h.owner }

// Stack returns the host's network stack, for packages that make sockets.
func (h *Host) Stack() *stack.Stack { return h.stack }

// TCP returns the host's TCP settings.
func (h *Host) TCP() TCPConfig { return h.tcp }

// Addresses returns the host's addresses in the order of its interfaces.
func (h *Host) Addresses() []netip.Addr {
	var list []netip.Addr
	for _, i := range h.interfaces {
		for _, p := range i.Addresses {
			list = append(list, p.Addr())
		}
	}
	return list
}

// Interfaces returns the host's interfaces.
func (h *Host) Interfaces() []Interface { return h.interfaces }

func (h *Host) speaks(a netip.Addr) bool {
	if a.Is4() || a.Is4In6() {
		return h.ipv4
	}
	return h.ipv6
}

// AddInterface adds a NIC. It must be called before Start, after the port was joined to its link.
func (h *Host) AddInterface(i Interface) { h.interfaces = append(h.interfaces, i) }

// Start builds the host's stack with these routes beyond its own networks.
func (h *Host) Start(routes []Route) error {
	h.given, h.current = routes, routes
	asks := false
	for _, i := range h.interfaces {
		asks = asks || i.Switched && i.Neighbors == nil
	}
	opts := stack.Options{
		Clock:      clock{h},
		IPTables:   &noTables,
		RandSource: random.NewLocked(h.net.Seed(), "nodes."+h.name+".stack", h.incarnation),
		SecureRNG:  random.NewLocked(h.net.Seed(), "nodes."+h.name+".stack-secrets", h.incarnation),
		TransportProtocols: []stack.TransportProtocolFactory{
			tcp.NewProtocolCUBIC, udp.NewProtocol, icmp.NewProtocol4, icmp.NewProtocol6},
	}
	if h.ipv4 {
		opts.NetworkProtocols = append(opts.NetworkProtocols, protocol4)
		if asks {
			opts.NetworkProtocols = append(opts.NetworkProtocols, h.newARP)
		}
	}
	if h.ipv6 {
		opts.NetworkProtocols = append(opts.NetworkProtocols, protocol6)
	}
	h.stack = stack.New(opts)
	if err := h.answerByAnyNIC(); err != nil {
		return fmt.Errorf("host %s: %w", h.name, err)
	}
	h.stack.SetICMPBurst(1 << 30)
	h.stack.SetICMPLimit(1 << 30)
	if err := h.tcp.apply(h.stack); err != nil {
		return fmt.Errorf("host %s: %w", h.name, err)
	}
	for i, c := range h.interfaces {
		if err := h.addNIC(tcpip.NICID(i+2), c); err != nil {
			return fmt.Errorf("host %s: interface %s: %w", h.name, c.Port, err)
		}
	}
	table, err := h.routes(routes)
	if err != nil {
		return fmt.Errorf("host %s: %w", h.name, err)
	}
	h.stack.SetRouteTable(table)
	h.pause()
	return nil
}

func (h *Host) addNIC(id tcpip.NICID, c Interface) error {
	mac := c.Port.MAC()
	n := &nic{host: h, port: c.Port, id: id, mac: tcpip.LinkAddress(mac[:]), neighbors: c.Neighbors}
	if !c.Switched {
		if peer := c.Port.Peer(); peer != nil {
			m := peer.MAC()
			n.peer = tcpip.LinkAddress(m[:])
		}
	}
	if err := h.stack.CreateNICWithOptions(id, n, stack.NICOptions{Name: c.Port.Name()}); err != nil {
		return errors.New(err.String())
	}
	for _, p := range c.Addresses {
		if err := h.addAddress(id, p); err != nil {
			return err
		}
	}
	c.Port.SetReceive(n.receive)
	h.nics = append(h.nics, n)
	return nil
}

func (h *Host) addAddress(id tcpip.NICID, p netip.Prefix) error {
	proto := ipv4.ProtocolNumber
	if p.Addr().Is6() {
		proto = ipv6.ProtocolNumber
	}
	if err := h.stack.AddProtocolAddress(id, tcpip.ProtocolAddress{
		Protocol:          proto,
		AddressWithPrefix: tcpip.AddressWithPrefix{Address: fromNetip(p.Addr()), PrefixLen: p.Bits()},
	}, stack.AddressProperties{}); err != nil {
		return fmt.Errorf("address %s: %s", p, err)
	}
	return nil
}

// routes makes the routing table: own networks directly, then what was given, longest prefix first.
func (h *Host) routes(given []Route) ([]tcpip.Route, error) {
	var table []tcpip.Route
	var rest []hop
	for i, c := range h.interfaces {
		for _, p := range c.Addresses {
			rest = append(rest, hop{to: p.Masked(), nic: tcpip.NICID(i + 2)})
		}
	}
	for _, r := range given {
		nic, ok := h.nicFor(r.Via)
		if !ok {
			return nil, fmt.Errorf("route to %s via %s: no interface is on a network with that address", r.To, r.Via)
		}
		rest = append(rest, hop{to: r.To, nic: nic, via: r.Via})
	}
	sortHops(rest)
	for _, r := range rest {
		route := tcpip.Route{Destination: subnet(r.to), NIC: r.nic}
		if r.via.IsValid() {
			route.Gateway = fromNetip(r.via)
		}
		table = append(table, route)
	}
	return table, nil
}

func (h *Host) nicFor(a netip.Addr) (tcpip.NICID, bool) {
	for i, c := range h.interfaces {
		for _, p := range c.Addresses {
			if p.Contains(a) {
				return tcpip.NICID(i + 2), true
			}
		}
	}
	return 0, false
}
