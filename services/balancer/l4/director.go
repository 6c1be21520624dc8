package l4

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"netlab/ip"
	"netlab/netem"
	"netlab/services"
	"netlab/services/backend"
)

// director is a balancer of the modes nat and direct in one incarnation of its host. The engine's loop runs most of it.
type director struct {
	*Balancer
	config   *Config
	protocol uint8
	env      *services.Env
	host     *ip.Host
	pool     *backend.Pool
	members  []*member // by index
	port     uint16    // of the service
	ports    portCursor

	addresses []netip.Addr // of the service; none means all that the host has

	mu    sync.Mutex // for the table
	table *table
	timer *netem.Timer
	over  bool
}

// gone is a context that has ended: nothing may wait for a backend in the engine's loop.
var gone = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// Numbers of protocols.
const (
	protocolTCP = 6
	protocolUDP = 17
)

// run takes packets until ctx ends or the host goes.
func (d *director) run(ctx context.Context, env *services.Env) {
	network := env.Host.Network()
	d.timer = network.NewTimer(env.Host.Owner(), netem.KindTimer, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.expire(network.Elapsed())
	})
	stop := env.Host.Intercept(d.see)
	select {
	case <-ctx.Done():
	case <-env.Host.Gone():
	}
	stop()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
	d.timer.Stop()
}

// expire forgets the connections whose time is over, and comes again when the next one's is.
func (d *director) expire(at time.Duration) {
	for e := d.table.oldest(); e != nil; e = d.table.oldest() {
		if e.end > at {
			d.timer.ResetAt(e.end)
			return
		}
		d.counters.add(func(r *Result) { r.Expired++ })
		d.forget(e)
	}
}

// forget forgets a connection.
func (d *director) forget(e *entry) {
	d.settle(e, e.state == stateSYN)
	d.table.remove(e)
	d.counters.mu.Lock()
	defer d.counters.mu.Unlock()
	d.counters.closed(e.backend.counters)
}

// settle tells the pool, once, what became of a connection.
func (d *director) settle(e *entry, failed bool) {
	e.lease.Done(backend.Outcome{Failed: failed})
}

// see takes the packets of the service's connections, and in the mode nat all others that are on their way through the host.
func (d *director) see(p *ip.Packet) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		return false
	}
	d.expire(p.At())
	switch p.Kind() {
	case ip.OpeningPacket, ip.ContinuingPacket:
		if flow := p.Flow(); flow.Protocol == d.protocol {
			if d.connection(p, flow) {
				return true
			}
		}
	case ip.ErrorPacket:
		if e, direction := d.table.find(p.Quoted().Inverse()); e != nil {
			d.counters.add(func(r *Result) { r.Errors++ })
			d.send(p, e, direction)
			return true
		}
	case ip.FragmentPacket:
		if d.passes(p) {
			d.counters.add(func(r *Result) { r.Dropped.Fragments++ })
			p.Drop()
			return true
		}
	}
	if d.passes(p) {
		p.Route()
		return true
	}
	return false
}

// passes says whether a packet is for somebody else, and the host is the gateway of its backends.
func (d *director) passes(p *ip.Packet) bool {
	return d.config.mode() == NAT && !d.config.SourceNAT && !p.Own()
}

// connection handles a packet of the balancer's protocol. It returns false when the packet is no business of its.
func (d *director) connection(p *ip.Packet, flow ip.Flow) bool {
	e, direction := d.table.find(flow)
	opens := p.Kind() == ip.OpeningPacket
	if e != nil && opens && direction == forward && d.protocol == protocolTCP && e.tcp.over() {
		d.forget(e)
		e = nil
	}
	if e != nil {
		d.follow(p, e, direction)
		return true
	}
	if !d.serves(p, flow.Destination) {
		return false
	}
	if !opens {
		d.counters.add(func(r *Result) { r.Dropped.OutOfState++ })
		return false // the host's stack answers with a reset: nobody listens there
	}
	d.open(p, flow)
	return true
}

// serves says whether clients find the service where a packet goes.
func (d *director) serves(p *ip.Packet, to netip.AddrPort) bool {
	return to.Port() == d.port && p.Own() && (d.addresses == nil || slices.Contains(d.addresses, to.Addr()))
}

// open gives a new connection to a backend.
func (d *director) open(p *ip.Packet, flow ip.Flow) {
	if d.table.count >= d.table.most {
		if d.config.Table.WhenFull != Oldest {
			d.counters.add(func(r *Result) { r.Dropped.TableFull++ })
			p.Drop()
			return
		}
		d.forget(d.table.oldest())
	}
	refuse := func(reason func(r *Result)) {
		d.counters.add(reason)
		p.Refuse()
	}
	l, err := d.pool.Pick(gone, d.request(flow.Source, flow.Destination))
	if err != nil {
		refuse(func(r *Result) { r.Dropped.NoBackend++ })
		return
	}
	e := &entry{backend: d.members[l.Index()], lease: l, tcp: tcpState{blind: d.config.mode() == Direct}}
	to, ok := e.backend.address(flow.Destination.Addr().Is6())
	if !ok {
		l.Done(backend.Outcome{Failed: true})
		refuse(func(r *Result) { r.Dropped.NoRoute++ })
		return
	}
	if !d.translate(e, flow, to) {
		l.Done(backend.Outcome{Abandoned: true})
		refuse(func(r *Result) { r.Dropped.Ports++ })
		return
	}
	if old := d.table.entries[e.arrives[backward]]; old != nil && d.config.mode() == NAT {
		d.forget(old) // the client used its port again, for another address of the service
	}
	d.table.add(e, d.config.mode() == NAT)
	d.counters.mu.Lock()
	d.counters.opened(e.backend.counters)
	d.counters.mu.Unlock()
	l.OnCut(func() {
		d.host.Network().AfterFunc(d.host.Owner(), netem.KindTimer, 0, func() { d.cut(e) })
	})
	d.follow(p, e, forward)
}

// translate fills in the flows of a connection. It returns false when no port is free.
func (d *director) translate(e *entry, flow ip.Flow, to netip.AddrPort) bool {
	e.arrives[forward] = flow
	e.leaves[forward] = ip.Flow{Protocol: flow.Protocol, Source: flow.Source, Destination: to}
	e.leaves[backward] = flow.Inverse()
	if d.config.mode() == Direct {
		return true
	}
	e.arrives[backward] = e.leaves[forward].Inverse()
	if !d.config.SourceNAT {
		return true
	}
	own, ok := e.backend.near(to.Addr().Is6())
	return ok && d.ports.find(flow.Source.Port(), func(port uint16) bool {
		e.leaves[forward].Source = netip.AddrPortFrom(own, port)
		e.arrives[backward] = e.leaves[forward].Inverse()
		return d.table.entries[e.arrives[backward]] == nil
	})
}

// follow sends a packet of a known connection on.
func (d *director) follow(p *ip.Packet, e *entry, direction int) {
	if d.protocol == protocolUDP {
		d.table.heard(e, stateUDP, p.At())
	} else {
		d.table.heard(e, e.tcp.see(direction, p.Flags()), p.At())
		if next, _ := p.Next(); p.Flags()&ip.SYN != 0 || int32(next-e.next[direction]) > 0 {
			e.next[direction] = next
		}
		if e.tcp.over() {
			d.settle(e, !e.tcp.established)
		}
	}
	d.timer.ResetAt(d.table.oldest().end)
	d.counters.mu.Lock()
	d.counters.passed(e.backend.counters, direction, 1, p.Size())
	d.counters.mu.Unlock()
	d.send(p, e, direction)
}

// send sends a packet on, or an ICMP error that goes back like one.
func (d *director) send(p *ip.Packet, e *entry, direction int) {
	if d.config.mode() == NAT {
		p.Forward(e.leaves[direction])
		return
	}
	if !p.Deliver(e.leaves[forward].Destination.Addr()) {
		d.counters.add(func(r *Result) { r.Dropped.NoRoute++ })
		p.Drop()
	}
}

// down resets the connections of a backend that was found dead. The engine's loop calls it.
func (d *director) down(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		return
	}
	var dead []*entry
	for i := range d.table.lists {
		for e := d.table.lists[i].first; e != nil; e = e.after {
			if e.backend.name == name && !e.tcp.over() {
				dead = append(dead, e)
			}
		}
	}
	for _, e := range dead {
		d.settle(e, true)
		d.reset(e)
	}
}

// reset resets a connection towards the client. What the client sends until it knows is reset by the host's stack.
func (d *director) reset(e *entry) {
	d.host.SendReset(e.leaves[backward], e.next[backward])
	d.counters.add(func(r *Result) { r.Reset++ })
	d.forget(e)
}

// cut ends a connection that has taken longer than the draining of its backend allows. The engine's loop calls it.
func (d *director) cut(e *entry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over || d.table.entries[e.arrives[forward]] != e {
		return
	}
	d.settle(e, false)
	switch {
	case d.protocol == protocolUDP || d.config.mode() == Direct:
		d.forget(e)
	default:
		d.host.SendReset(e.leaves[forward], e.next[forward])
		d.reset(e)
	}
}

// portCursor chooses ports for source_nat. Those from 16000 on are what the host's own sockets use.
type portCursor struct{ last uint16 }

const (
	firstPort = 1024
	lastPort  = 15999
)

// find tries the wanted port and then all others after the one that was found last, until one is free.
func (c *portCursor) find(wanted uint16, free func(port uint16) bool) bool {
	if wanted >= firstPort && wanted <= lastPort && free(wanted) {
		return true
	}
	for range lastPort - firstPort + 1 {
		c.last++
		if c.last < firstPort || c.last > lastPort {
			c.last = firstPort
		}
		if free(c.last) {
			return true
		}
	}
	return false
}
