package ip

import (
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/header"

	"netlab/netem"
)

// motion is a packet's way through a router that tracks connections.
type motion struct {
	packet packet
	// known says that the packet belongs to a flow, is about one, or follows a first fragment.
	known bool
	// flow is the flow that it belongs to, and direction that in which it goes.
	flow      *flow
	direction int
	// from is the source address and to the tuple with which it leaves. Of ICMP errors, to is that of the packets that they go
	// back with.
	from [16]byte
	to   tuple
	// target is the mapping whose external port the packet came to, if no flow led it there.
	target *mapping
}

// plain makes the packet leave as it came.
func (m *motion) plain() {
	m.from, m.to = m.packet.key.src.addr, m.packet.key
}

// translated says whether the packet leaves with other addresses.
func (m *motion) translated() bool {
	return m.from != m.packet.key.src.addr || m.to.dst.addr != m.packet.key.dst.addr
}

// follow finds out where a packet goes that is known.
func (t *tracker) follow(at time.Duration, m *motion) {
	p := &m.packet
	switch p.kind {
	case opening, continuing:
		f, direction := t.find(&p.key)
		if f == nil {
			return
		}
		if p.kind == opening && p.key.protocol == protocolTCP && f.tcp.closed() {
			t.remove(f) // a new connection takes its place
			return
		}
		m.known, m.flow, m.direction = true, f, direction
		if f.translated {
			m.to = f.keys[1-direction].inverse()
			m.from = m.to.src.addr
		}
	case quoting:
		back := p.quoted.inverse()
		f, direction := t.find(&back)
		if f == nil {
			return
		}
		m.known, m.to = true, f.keys[1-direction].inverse()
		if m.to.src.addr != back.src.addr {
			m.from = m.to.src.addr // whoever sends the error, it is behind the NAT
		}
	case laterPiece:
		if way, ok := t.fragments.follow(at, p.piece); ok {
			m.known, m.from, m.to.src.addr, m.to.dst.addr = true, way.src, way.src, way.dst
		}
	}
}

// inspect4 forwards an IPv4 packet, or answers it, on a router that tracks connections.
func (r *Router) inspect4(at time.Duration, in *routerInterface, f *netem.Frame, h header.IPv4) {
	r.tracker.expire(at)
	var m motion
	m.packet.read4(h)
	m.plain()
	dst := m.packet.key.dst.netip(4)
	external := r.nat != nil && m.packet.key.dst.addr == r.nat.external
	switch {
	case r.own[dst] && !external:
		r.input(at, in, f, &m)
		return
	case dst.IsMulticast() || f.Data[0]&1 == 1:
		f.Release() // group addresses aren't routed
		return
	}
	r.tracker.follow(at, &m)
	if r.nat != nil {
		if m.flow != nil && m.to.dst.addr == r.nat.external {
			m.await()
		}
		if external && !m.known {
			switch r.nat.enter(in, &m) {
			case natLocal:
				r.input(at, in, f, &m)
				return
			case natDrop:
				f.Release()
				return
			}
		}
		if m.to.dst.addr != m.packet.key.dst.addr {
			dst = m.to.dst.netip(4)
		}
	}
	if !m.known && !r.tracker.sound(&m.packet) {
		f.Release()
		return
	}
	hop, ok := r.next4(at, in, f, h, dst)
	if !ok || !r.admit(at, in, hop.out, f, &m) {
		return
	}
	if m.translated() {
		r.nat.count(&m)
		rewrite4(h, &m.packet, m.from, &m.to)
	}
	r.pass4(at, in, hop, f, h, dst)
}

// inspect6 is inspect4 for IPv6, which isn't translated.
func (r *Router) inspect6(at time.Duration, in *routerInterface, f *netem.Frame, h header.IPv6) {
	r.tracker.expire(at)
	var m motion
	m.packet.read6(h)
	m.plain()
	dst := m.packet.key.dst.netip(6)
	if r.own[dst] || dst.IsMulticast() {
		r.input(at, in, f, &m)
		return
	}
	r.tracker.follow(at, &m)
	if !m.known && !r.tracker.sound(&m.packet) {
		f.Release()
		return
	}
	if hop, ok := r.next6(at, in, f, h, dst); ok && r.admit(at, in, hop.out, f, &m) {
		r.pass6(at, in, hop, f, h, dst)
	}
}

// sound says whether a packet without a connection can be judged at all.
func (t *tracker) sound(p *packet) bool {
	switch p.kind {
	case malformed:
		t.stats.Malformed++
		return false
	case laterPiece:
		t.stats.Fragments++
		return false
	}
	return true
}

// admit says whether a packet that can be forwarded may be, and takes it in. Otherwise it releases f.
func (r *Router) admit(at time.Duration, in, out *routerInterface, f *netem.Frame, m *motion) bool {
	p, t := &m.packet, r.tracker
	if m.known {
		if r.firewall != nil {
			r.firewall.pass(p)
		}
		if m.flow != nil {
			t.see(at, m.flow, m.direction, p)
		}
	} else {
		action := Accept
		switch {
		case p.kind == continuing && t.config.OutOfState != Accept:
			t.stats.OutOfState++
			action = t.config.OutOfState
		case r.firewall != nil:
			action = r.firewall.decide(in, out, p, m.to.dst)
		}
		if action == Accept {
			action = r.open(at, in, out, m)
		}
		if action != Accept {
			r.turnAway(at, in, f, p, action)
			return false
		}
	}
	if p.fragmented && p.kind != laterPiece {
		t.fragments.lead(at, p.piece, m.from, m.to.dst.addr)
	}
	return true
}

// open begins a flow with a packet that rules let in, and says what happens to the packet.
func (r *Router) open(at time.Duration, in, out *routerInterface, m *motion) Action {
	if r.nat != nil && m.packet.key.version == 4 && (m.target != nil || r.nat.hides(in) && out == r.nat.outside) {
		return r.nat.open(at, in, m)
	}
	if p := &m.packet; p.kind == opening || p.kind == continuing {
		if r.tracker.open(at, p, p.key.inverse()) == nil {
			return Drop
		}
	}
	return Accept
}

// input takes a packet for the router itself.
func (r *Router) input(at time.Duration, in *routerInterface, f *netem.Frame, m *motion) {
	if r.firewall != nil && r.firewall.config.Input && m.packet.kind != neighboring {
		if action := r.firewall.decide(in, nil, &m.packet, m.packet.key.dst); action != Accept {
			r.turnAway(at, in, f, &m.packet, action)
			return
		}
	}
	r.stats.Delivered++
	if m.packet.key.version == 4 {
		r.answer4(at, in, f)
	} else {
		r.answer6(at, in, f)
	}
}

// turnAway drops or rejects a packet, which isn't translated yet.
func (r *Router) turnAway(at time.Duration, in *routerInterface, f *netem.Frame, p *packet, action Action) {
	v4 := p.key.version == 4
	switch {
	case action == Drop:
		f.Release()
	case action == Reject && p.key.protocol == protocolTCP && p.kind != malformed && !p.fragmented:
		src, dst := fromNetip(p.key.src.netip(p.key.version)), fromNetip(p.key.dst.netip(p.key.version))
		if f.Data[0]&1 == 1 || p.key.dst.netip(p.key.version).IsMulticast() || !r.refuse(at, f, src, dst, p.transport) {
			f.Release()
		}
	case v4:
		r.error4(at, in, f, header.ICMPv4DstUnreachable, header.ICMPv4AdminProhibited, 0)
	default:
		r.error6(at, in, f, header.ICMPv6DstUnreachable, header.ICMPv6Prohibited, 0)
	}
}
