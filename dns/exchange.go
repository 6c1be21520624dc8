package dns

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"

	wire "github.com/miekg/dns"

	"netlab/tcp"
	"netlab/udp"
)

// exchange asks the servers for some types of records of a name, until each is answered. Aliases that lead out of what the
// servers said are asked for as well.
func (r *Resolver) exchange(ctx context.Context, name string, types []uint16) []reply {
	replies := make([]reply, len(types))
	names := make([]string, len(types))
	for i := range types {
		names[i] = name
	}
	for depth := 0; ; depth++ {
		var pending []*asked
		for i, n := range names {
			if n != "" {
				pending = append(pending, newAsked(i, n, types[i], len(r.config.Servers)))
			}
		}
		if len(pending) == 0 || depth > maxAliases {
			return replies
		}
		r.try(ctx, pending)
		for _, q := range pending {
			replies[q.index].extend(q.reply)
			names[q.index] = q.next
		}
	}
}

// asked is a question that is being asked.
type asked struct {
	index   int // among the types that are wanted
	name    string
	qtype   uint16
	id      uint16
	done    bool
	refused []bool // by server: it said that it can't answer
	reply   reply  // with an error until it is done
	next    string // the alias to ask for then
}

func newAsked(index int, name string, qtype uint16, servers int) *asked {
	return &asked{index: index, name: name, qtype: qtype, refused: make([]bool, servers), reply: reply{err: net.ErrClosed}}
}

func (q *asked) fail(err error) {
	// That a server had nothing to say is worth less than that another was silent: it may have known.
	if _, silent := q.reply.err.(*silentError); !silent {
		q.reply.err = err
	}
}

// try asks the servers in order, as often as it is configured, until every question is answered.
func (r *Resolver) try(ctx context.Context, pending []*asked) {
	for range r.config.Attempts {
		for i, server := range r.config.Servers {
			var open []*asked
			for _, q := range pending {
				if !q.done && !q.refused[i] {
					open = append(open, q)
				}
			}
			if len(open) > 0 {
				r.askServer(ctx, i, server, open)
			}
			if ctx.Err() != nil {
				for _, q := range pending {
					if !q.done {
						q.reply.err = context.Cause(ctx)
					}
				}
				return
			}
		}
	}
}

// askServer asks one server for everything that is open, all questions at once from one port, and waits for the answers until
// the timeout.
func (r *Resolver) askServer(ctx context.Context, index int, server netip.AddrPort, open []*asked) {
	conn, err := udp.Dial(ctx, r.host, server.String())
	if err != nil {
		r.failed(open, err)
		return
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if err := conn.SetReadDeadline(deadline(r.host, r.config.Timeout)); err != nil {
		return // the run is over
	}
	for _, q := range open {
		packet, err := r.pack(q)
		if err == nil {
			_, err = conn.Write(packet)
		}
		if err != nil {
			r.failed(open, err)
			return
		}
		r.count(func(s *ResolverStats) { s.Queries++ })
	}
	var truncated []*asked
	buffer := make([]byte, wire.MaxMsgSize)
	for waiting := slices.Clone(open); len(waiting) > 0; {
		n, err := conn.Read(buffer)
		if err != nil {
			r.lost(ctx, waiting, server, err)
			break
		}
		m, i := match(buffer[:n], waiting)
		if m == nil {
			continue // an answer to something else
		}
		q := waiting[i]
		waiting = slices.Delete(waiting, i, i+1)
		if m.Truncated {
			truncated = append(truncated, q)
			continue
		}
		r.accept(q, m, index, server, false)
	}
	if len(truncated) > 0 && ctx.Err() == nil {
		r.askTCP(ctx, index, server, truncated)
	}
}

// askTCP asks a server over TCP, one question after the other over one connection, in the time that a server has.
func (r *Resolver) askTCP(ctx context.Context, index int, server netip.AddrPort, open []*asked) {
	limit := deadline(r.host, r.config.Timeout)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r.host.Go(func() {
		if r.host.Sleep(ctx, r.config.Timeout) == nil {
			cancel(&silentError{server})
		}
	})
	conn, err := tcp.Dial(ctx, r.host, server.String())
	if err != nil {
		r.lost(ctx, open, server, err)
		return
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Abort() })()
	if err := conn.SetDeadline(limit); err != nil {
		return
	}
	for i, q := range open {
		m, err := r.askOver(conn, q)
		if err != nil {
			r.lost(ctx, open[i:], server, err)
			return
		}
		r.accept(q, m, index, server, true)
	}
}

func (r *Resolver) askOver(conn net.Conn, q *asked) (*wire.Msg, error) {
	packet, err := r.pack(q)
	if err != nil {
		return nil, err
	}
	if err := writeMessage(conn, packet); err != nil {
		return nil, err
	}
	r.count(func(s *ResolverStats) { s.Queries, s.TCP = s.Queries+1, s.TCP+1 })
	for {
		packet, err := readMessage(conn)
		if err != nil {
			return nil, err
		}
		if m, _ := match(packet, []*asked{q}); m != nil {
			return m, nil
		}
	}
}

// pack makes the message of a question, with an ID of its own.
func (r *Resolver) pack(q *asked) ([]byte, error) {
	r.mu.Lock()
	q.id = uint16(r.random.Uint32())
	r.mu.Unlock()
	m := new(wire.Msg)
	m.SetQuestion(q.name, q.qtype)
	m.Id = q.id
	if r.config.UDPSize > 0 {
		m.SetEdns0(r.config.UDPSize, false)
	}
	return m.Pack()
}

// match finds the question that a packet answers: the ID and the question are the same.
func match(packet []byte, waiting []*asked) (*wire.Msg, int) {
	m := new(wire.Msg)
	if m.Unpack(packet) != nil && !m.Truncated || !m.Response {
		return nil, 0
	}
	for i, q := range waiting {
		if m.Id != q.id {
			continue
		}
		if len(m.Question) == 1 && wire.CanonicalName(m.Question[0].Name) == q.name && m.Question[0].Qtype == q.qtype {
			return m, i
		}
		if len(m.Question) == 0 && m.Rcode != wire.RcodeSuccess {
			return m, i // a server that could not read the question
		}
	}
	return nil, 0
}

// accept takes an answer. One that says that the server can't answer leaves the question to the next server.
func (r *Resolver) accept(q *asked, m *wire.Msg, index int, server netip.AddrPort, tcp bool) {
	if m.Rcode != wire.RcodeSuccess && m.Rcode != wire.RcodeNameError {
		r.count(func(s *ResolverStats) { s.Errors++ })
		q.fail(&refusedError{server, m.Rcode})
		q.refused[index] = true
		return
	}
	q.reply, q.next = read(m, q.name, q.qtype)
	q.reply.server, q.reply.tcp = server, tcp
	q.done = true
}

// lost notes questions that got no answer.
func (r *Resolver) lost(ctx context.Context, open []*asked, server netip.AddrPort, err error) {
	cause := context.Cause(ctx)
	_, late := cause.(*silentError)
	switch {
	case late || isTimeout(err):
		r.count(func(s *ResolverStats) { s.Timeouts += uint64(len(open)) })
		for _, q := range open {
			q.fail(&silentError{server})
		}
	case cause == nil && !errors.Is(err, net.ErrClosed):
		r.failed(open, err)
	}
}

// failed notes questions that could not be asked.
func (r *Resolver) failed(open []*asked, err error) {
	r.count(func(s *ResolverStats) { s.Errors += uint64(len(open)) })
	for _, q := range open {
		q.fail(err)
	}
}

func (r *Resolver) count(fn func(*ResolverStats)) {
	r.mu.Lock()
	fn(&r.stats)
	r.mu.Unlock()
}
