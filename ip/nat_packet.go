package ip

import (
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// natEntry says what becomes of a packet for the external address.
type natEntry int

const (
	natThrough natEntry = iota // to an inside host
	natLocal                   // to the router itself
	natDrop
)

// hides says whether the hosts behind an interface are translated.
func (n *NAT) hides(in *routerInterface) bool {
	return in.index < len(n.inside) && n.inside[in.index] // interfaces may have been added since
}

// await handles an inside host's packet to another one that didn't let it in so far, see [NAT.meet]: it is tried again.
func (m *motion) await() {
	m.known, m.flow = false, nil
	m.plain()
}

// enter says what becomes of a packet for the external address that no flow leads.
func (n *NAT) enter(in *routerInterface, m *motion) natEntry {
	p, inside := &m.packet, n.hides(in)
	if p.key.protocol != protocolTCP && p.key.protocol != protocolUDP {
		return natLocal
	}
	if !n.router.tracker.sound(p) {
		return natDrop
	}
	target := n.target(p.key.protocol, p.key.dst.port)
	switch {
	case inside && (target == nil || !n.config.Hairpin):
		return natLocal
	case target == nil:
		n.stats.Unsolicited++
		return natDrop
	case !inside && !target.admits(p.key.src): // of inside hosts the external port isn't known yet
		n.stats.Filtered++
		return natDrop
	}
	m.target, m.to.dst = target, target.key.inside
	return natThrough
}

// open begins a flow that is translated, with a packet that goes out, comes in by m.target, or both.
func (n *NAT) open(at time.Duration, in *routerInterface, m *motion) Action {
	p, t := &m.packet, n.router.tracker
	if _, ok := natProtocol(p.key.protocol); !ok || p.kind != opening && p.kind != continuing {
		n.stats.Untranslatable++
		return Drop
	}
	back := m.to.inverse()
	var source *mapping
	if n.hides(in) {
		if source = n.claim(at, p.key.protocol, p.key.src, p.key.dst); source == nil {
			if n.config.RejectExhausted {
				return prohibit
			}
			return Drop
		}
		back.dst = endpoint{n.external, source.external}
		source.flows++ // so that it stays while other flows go
		defer source.unhold()
	}
	admitted := true
	if source != nil && m.target != nil {
		admitted = n.meet(p, back.dst, m.target)
		if !admitted {
			back.src = p.key.dst // as if the packet had gone out
		}
	}
	f := t.open(at, p, back)
	if f == nil {
		return Drop
	}
	f.mappings[0] = source
	if admitted {
		f.mappings[1] = m.target
	}
	for i, side := range f.mappings {
		if side != nil {
			side.join(at, f.keys[i].dst)
		}
	}
	if !admitted {
		n.stats.Filtered++
		return Drop
	}
	m.flow = f
	m.to = back.inverse()
	m.from = m.to.src.addr
	return Accept
}

// meet says whether an inside host's packet to another's external port is let in; remote is the sender's external endpoint. Each
// of the two lets the other in by sending to it, even if what it sends isn't let in yet: so the first one's packet is tracked as if
// it had gone out, and that flow ends when the two meet or the first one tries again.
func (n *NAT) meet(p *packet, remote endpoint, target *mapping) bool {
	t := n.router.tracker
	if own := t.flows[p.key]; own != nil {
		t.remove(own)
	}
	waiting := t.flows[tuple{src: remote, dst: p.key.dst, protocol: p.key.protocol, version: 4}]
	if waiting == nil {
		return target.admits(remote)
	}
	target.flows++
	t.remove(waiting)
	target.flows--
	return true
}

// unhold ends the hold on a mapping that may have no flow.
func (m *mapping) unhold() {
	m.flows--
	if m.flows == 0 && !m.static {
		m.drop()
	}
}

// count counts a packet that is translated.
func (n *NAT) count(m *motion) {
	source, destination := m.from != m.packet.key.src.addr, m.to.dst.addr != m.packet.key.dst.addr
	switch {
	case source && destination:
		n.stats.Hairpinned++
	case source:
		n.stats.Outbound++
	default:
		n.stats.Inbound++
	}
	if m.packet.kind == quoting {
		n.stats.Errors++
	}
}

// restore makes a packet that was translated and couldn't be delivered the one that came in, for an ICMP error about it.
func (n *NAT) restore(h header.IPv4) {
	var p packet
	p.read4(h)
	if p.kind != opening && p.kind != continuing {
		return
	}
	back := p.key.inverse()
	if f, direction := n.router.tracker.find(&back); f != nil && f.translated {
		came := f.keys[1-direction]
		rewrite4(h, &p, came.src.addr, &came)
	}
}
