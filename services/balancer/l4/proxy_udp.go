package l4

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"

	"netlab/services/backend"
	"netlab/udp"
)

const maxDatagram = 65535

// flow is a client's flow of datagrams to one address of the balancer, which answers from it: a socket of its own towards one backend,
// so that answers find their way.
type flow struct {
	*session
	conn  *udp.Conn
	watch *idle
}

// serveUDP takes datagrams until ctx ends. A datagram that arrives while the first one's backend is being chosen waits for that.
func (p *proxy) serveUDP(ctx context.Context) error {
	socket, err := udp.Listen(p.env.Host, p.listen)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { socket.Close() })()
	defer socket.Close()
	flows := map[udp.Origin]*flow{}
	ended := make(chan udp.Origin, p.options.Config.Table.entries())
	buffer := make([]byte, maxDatagram)
	for {
		n, client, err := socket.ReadOrigin(buffer)
		for more := true; more; {
			select {
			case gone := <-ended:
				delete(flows, gone)
			default:
				more = false
			}
		}
		if err != nil {
			if errors.Is(err, syscall.ECONNREFUSED) { // a client has closed its port
				continue
			}
			for _, s := range p.sessions() {
				s.reset()
			}
			p.env.Wait()
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		f := flows[client]
		if f == nil {
			if f = p.open(ctx, socket, client, func() { ended <- client }); f == nil {
				continue
			}
			flows[client] = f
		}
		f.watch.heard()
		if _, err := f.conn.Write(buffer[:n]); err == nil {
			p.counters.mu.Lock()
			p.counters.passed(f.backend.counters, forward, 1, n)
			p.counters.mu.Unlock()
		}
	}
}

// open begins a flow. It returns nil when no backend takes it.
func (p *proxy) open(ctx context.Context, socket *udp.Conn, client udp.Origin, ended func()) *flow {
	if !p.admit() {
		return nil
	}
	local := socket.LocalAddr().(*net.UDPAddr).AddrPort()
	var conn *udp.Conn
	l, err := p.choose(ctx, p.request(client.From, netip.AddrPortFrom(client.To, local.Port())), func(l *backend.Lease) (err error) {
		conn, err = udp.Dial(ctx, p.env.Host, l.Address())
		return err
	})
	if err != nil {
		p.leave()
		return nil
	}
	cut := func() { conn.Close() }
	s, end := p.begin(p.members[l.Index()], cut)
	l.OnCut(cut)
	f := &flow{session: s, conn: conn}
	f.watch = newIdle(p.env.Host, p.options.Config.idleTimeout(), func() {
		p.counters.add(func(r *Result) { r.Expired++ })
		conn.Close()
	})
	p.env.Go(func() {
		defer end()
		defer ended()
		defer f.watch.stop()
		failed := p.answers(socket, client, f)
		l.Done(p.outcome(ctx, failed))
	})
	return f
}

// answers carries a backend's datagrams to the client until the flow ends. It says whether the backend's port was closed and nothing
// ever came.
func (p *proxy) answers(socket *udp.Conn, client udp.Origin, f *flow) (failed bool) {
	buffer := make([]byte, maxDatagram)
	heard := false
	for {
		n, err := f.conn.Read(buffer)
		switch {
		case errors.Is(err, syscall.ECONNREFUSED):
			failed = !heard
			continue
		case err != nil:
			return failed
		}
		heard, failed = true, false
		f.watch.heard()
		if _, err := socket.Answer(buffer[:n], client); err == nil {
			p.counters.mu.Lock()
			p.counters.passed(f.backend.counters, backward, 1, n)
			p.counters.mu.Unlock()
		}
	}
}
