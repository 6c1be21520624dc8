package ip

import (
	"cmp"
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"
)

// NAT is the address translation of a router. Only the engine's loop may use it.
type NAT struct {
	router   *Router
	config   NATConfig
	outside  *routerInterface
	inside   []bool // by interface
	external [16]byte
	random   *rand.Rand // nil without RandomPorts
	bySource map[mappingKey]*mapping
	pools    [natProtocols]pool
	stats    NATStats
}

// The protocols that are translated, each with ports of its own.
const (
	natTCP = iota
	natUDP
	natICMP
	natProtocols
)

// natProtocol returns the index of a protocol.
func natProtocol(protocol uint8) (int, bool) {
	switch protocol {
	case protocolTCP:
		return natTCP, true
	case protocolUDP:
		return natUDP, true
	case protocolICMP:
		return natICMP, true
	}
	return 0, false
}

// mappingKey is what has an external port of its own. remote is zero but for symmetric NAT.
type mappingKey struct {
	inside, remote endpoint
	protocol       uint16
}

// mapping is an external port that belongs to an inside endpoint.
type mapping struct {
	nat      *NAT
	key      mappingKey
	pool     *pool
	external uint16
	static   bool // made by a forward
	flows    int
	permits  map[[16]byte]int // number of flows by remote address; for restricted cones
	made     time.Duration
	used     time.Duration
}

// pool is the external ports of a protocol.
type pool struct {
	ports  PortRange
	free   int // among ports
	taken  [1 << 16 / 64]uint64
	byPort map[uint16]*mapping
}

func newNAT(r *Router, c NATConfig) *NAT {
	n := &NAT{router: r, config: c, outside: r.interfaces[c.Outside], inside: make([]bool, len(r.interfaces)),
		external: addr4(c.External.As4()), bySource: map[mappingKey]*mapping{}}
	for _, i := range c.Inside {
		n.inside[i] = true
	}
	if c.RandomPorts {
		n.random = r.net.Random("nodes." + r.name + ".nat")
	}
	for i := range n.pools {
		n.pools[i] = pool{ports: c.Ports, byPort: map[uint16]*mapping{}}
	}
	n.pools[natICMP].ports = PortRange{0, 65535}
	for i := range n.pools {
		n.pools[i].free = int(n.pools[i].ports.Last) - int(n.pools[i].ports.First) + 1
	}
	for _, f := range c.Forwards {
		p := f.Protocol.number(4)
		n.add(mappingKey{inside: endpoint4(f.To), protocol: uint16(p)}, f.External, 0).static = true
	}
	return n
}

// add makes a mapping with an external port that is free.
func (n *NAT) add(key mappingKey, external uint16, at time.Duration) *mapping {
	i, _ := natProtocol(uint8(key.protocol))
	m := &mapping{nat: n, key: key, pool: &n.pools[i], external: external, made: at, used: at}
	n.bySource[key] = m
	m.pool.take(external)
	m.pool.byPort[external] = m
	return m
}

// source returns the mapping that an inside endpoint has for a destination, or nil.
func (n *NAT) source(protocol uint8, inside, remote endpoint) *mapping {
	key := mappingKey{inside: inside, protocol: uint16(protocol)}
	m := n.bySource[key] // a forward, or that of a cone
	if m == nil && n.config.Kind == Symmetric {
		key.remote = remote
		m = n.bySource[key]
	}
	return m
}

// claim returns the mapping that an inside endpoint has for a destination, and makes one if there is none. It returns nil when
// no port is free.
func (n *NAT) claim(at time.Duration, protocol uint8, inside, remote endpoint) *mapping {
	if m := n.source(protocol, inside, remote); m != nil {
		return m
	}
	i, _ := natProtocol(protocol)
	p := &n.pools[i]
	wanted := inside.port
	if p.free == 0 {
		n.stats.Exhausted++
		return nil
	}
	if n.random != nil {
		wanted = p.ports.First + uint16(n.random.IntN(int(p.ports.Last)-int(p.ports.First)+1))
	}
	key := mappingKey{inside: inside, protocol: uint16(protocol)}
	if n.config.Kind == Symmetric {
		key.remote = remote
	}
	n.stats.Created++
	n.stats.Mappings++
	return n.add(key, p.next(wanted), at)
}

// target returns the mapping of an external port of TCP or UDP, or nil.
func (n *NAT) target(protocol uint8, external uint16) *mapping {
	i, _ := natProtocol(protocol)
	return n.pools[i].byPort[external]
}

// admits says whether a remote endpoint may send to the mapping's external port, apart from flows that are known.
func (m *mapping) admits(remote endpoint) bool {
	if m.static {
		return true
	}
	switch m.nat.config.Kind {
	case FullCone:
		return true
	case RestrictedCone:
		return m.permits[remote.addr] > 0
	}
	return false
}

// join counts a flow with a remote endpoint.
func (m *mapping) join(at time.Duration, remote endpoint) {
	m.flows++
	m.used = at
	if m.nat.config.Kind == RestrictedCone {
		if m.permits == nil {
			m.permits = map[[16]byte]int{}
		}
		m.permits[remote.addr]++
	}
}

// leave ends a flow; a mapping ends with its last one.
func (m *mapping) leave(remote endpoint) {
	m.flows--
	if m.permits != nil {
		if m.permits[remote.addr]--; m.permits[remote.addr] == 0 {
			delete(m.permits, remote.addr)
		}
	}
	if m.flows == 0 && !m.static {
		m.drop()
	}
}

// drop gives the external port back.
func (m *mapping) drop() {
	delete(m.nat.bySource, m.key)
	delete(m.pool.byPort, m.external)
	m.pool.give(m.external)
	m.nat.stats.Mappings--
}

func (p *pool) take(port uint16) {
	p.taken[port/64] |= 1 << (port % 64)
	if p.ports.contains(port) {
		p.free--
	}
}

func (p *pool) give(port uint16) {
	p.taken[port/64] &^= 1 << (port % 64)
	if p.ports.contains(port) {
		p.free++
	}
}

// next returns the first free port from wanted on, and after the range's last from its first on. There must be one.
func (p *pool) next(wanted uint16) uint16 {
	if !p.ports.contains(wanted) {
		wanted = p.ports.First
	}
	if port, ok := p.search(int(wanted), int(p.ports.Last)); ok {
		return port
	}
	port, ok := p.search(int(p.ports.First), int(p.ports.Last))
	if !ok {
		panic("ip: no port is free, although some are counted as free")
	}
	return port
}

func (p *pool) search(from, to int) (uint16, bool) {
	for from <= to {
		free := ^p.taken[from/64] >> (from % 64)
		if free != 0 {
			from += bits.TrailingZeros64(free)
			return uint16(from), from <= to
		}
		from = (from/64 + 1) * 64
	}
	return 0, false
}

// Mapping is an entry of a NAT's table.
type Mapping struct {
	Protocol Protocol       `json:"protocol"`
	Inside   netip.AddrPort `json:"inside"`
	External netip.AddrPort `json:"external"`
	// Remote is the only destination that a symmetric NAT's mapping is for; otherwise it is invalid.
	Remote netip.AddrPort `json:"remote,omitzero"`
	// Forward says that it is one of the port forwards and doesn't end.
	Forward bool `json:"forward,omitempty"`
	// Connections is the number of connections that use it.
	Connections int `json:"connections"`
	// Age is the time since it was made, and Idle the time since the last packet was translated by it.
	Age  time.Duration `json:"age_ns"`
	Idle time.Duration `json:"idle_ns"`
}

// Mappings returns the table as it is now, sorted by protocol (ICMP, TCP, UDP) and external port. The port of an ICMP entry is an
// echo identifier.
func (n *NAT) Mappings() []Mapping {
	at := n.router.net.Elapsed()
	n.router.tracker.expire(at)
	var list []Mapping
	for i, name := range [natProtocols]Protocol{natTCP: TCP, natUDP: UDP, natICMP: ICMP} {
		for port, m := range n.pools[i].byPort {
			entry := Mapping{Protocol: name, Inside: m.key.inside.addrPort(4), External: netip.AddrPortFrom(n.config.External, port),
				Forward: m.static, Connections: m.flows, Age: at - m.made, Idle: at - m.used}
			if m.key.remote != (endpoint{}) {
				entry.Remote = m.key.remote.addrPort(4)
			}
			list = append(list, entry)
		}
	}
	slices.SortFunc(list, func(a, b Mapping) int {
		return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.External.Port(), b.External.Port()))
	})
	return list
}

// Clear forgets all mappings but the forwards, and the connections that were translated, as a NAT does that restarts.
func (n *NAT) Clear() {
	n.router.tracker.expire(n.router.net.Elapsed())
	n.router.tracker.removeIf(func(f *flow) bool { return f.mappings != [2]*mapping{} })
	n.router.tracker.fragments = fragments{}
}

// read returns the counters.
func (n *NAT) read() *NATStats {
	s := n.stats
	return &s
}
