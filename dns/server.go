package dns

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"sync"
	"time"

	"netlab/ip"
	"netlab/tcp"
	"netlab/udp"
)

// Port is the port of name servers.
const Port = 53

// idleTimeout is how long a server keeps a TCP connection without a query (RFC 7766, section 6.2.3: a few seconds).
const idleTimeout = 10 * time.Second

// Server serves a zone. Its zero value, with a zone, is ready to use.
type Server struct {
	Zone *Zone
	// Log is told of what goes wrong with single clients. Nil drops it.
	Log *slog.Logger
	// Go starts goroutines. Nil means the host's Go.
	Go func(fn func())

	mu       sync.Mutex
	stats    ServerStats
	failures []*Failure // in force, the latest last
}

// ServerStats is what a server has counted.
type ServerStats struct {
	// Queries counts by type ("A"), Replies by response code ("NOERROR").
	Queries, Replies map[string]uint64
	// TCP counts queries over TCP, Truncated replies over UDP that did not fit.
	TCP, Truncated uint64
	// Malformed counts what was no query.
	Malformed uint64
	// Failed counts queries that a [Failure] decided on. Unanswered of them got no reply and are in Queries alone.
	Failed, Unanswered uint64
}

// Stats returns a copy of what was counted so far.
func (s *Server) Stats() ServerStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Queries, stats.Replies = maps.Clone(stats.Queries), maps.Clone(stats.Replies)
	return stats
}

// Serve answers queries over UDP and TCP at ":port" or "address:port" of a host until ctx ends or the host crashes; then it
// returns nil once all its goroutines have. It may be called again then, with other values in the fields, such as for the next
// incarnation of the host: what was counted goes on, and failures stay in force.
//
// A host with several addresses, among them shared and anycast ones, answers from the one that was asked, if the way to the client leads
// over its link. Otherwise it answers over UDP from the address of the link by which the answer leaves; clients don't take that for an
// answer: see [AddressFor].
func (s *Server) Serve(ctx context.Context, h *ip.Host, address string) error {
	start := s.Go
	if start == nil {
		start = h.Go
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	socket, err := udp.Listen(h, address)
	if err != nil {
		return err
	}
	listener, err := tcp.Listen(h, address)
	if err != nil {
		socket.Close()
		return err
	}
	defer context.AfterFunc(ctx, func() {
		socket.Close()
		listener.Close()
	})()
	var running sync.WaitGroup
	spawn := func(fn func()) {
		running.Add(1)
		start(func() {
			defer running.Done()
			fn()
		})
	}
	spawn(func() { s.serveUDP(socket) })
	err = s.accept(ctx, h, listener, spawn)
	cancel()
	socket.Close()
	running.Wait()
	return err
}

func (s *Server) serveUDP(c *udp.Conn) {
	buffer := make([]byte, 1<<16)
	for {
		n, origin, err := c.ReadOrigin(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // a client that is gone
		}
		reply, note := s.respond(buffer[:n], origin.From.Addr(), true)
		s.count(note, false)
		if reply == nil {
			continue
		}
		if _, err := c.Answer(reply, origin); err != nil {
			s.complain("reply not sent", origin.From, err)
		}
	}
}

func (s *Server) accept(ctx context.Context, h *ip.Host, listener *tcp.Listener, spawn func(func())) error {
	for {
		conn, err := listener.AcceptTCP()
		if err != nil {
			listener.Close()
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		spawn(func() {
			defer context.AfterFunc(ctx, func() { conn.Abort() })()
			defer conn.Close()
			if err := s.serveTCP(h, conn); err != nil && ctx.Err() == nil {
				s.complain("connection failed", conn.RemoteAddr(), err)
			}
		})
	}
}

// serveTCP answers the queries of a connection, in order, until the client ends it or is idle for too long.
func (s *Server) serveTCP(h *ip.Host, conn *tcp.Conn) error {
	client, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return err
	}
	for {
		if err := conn.SetDeadline(deadline(h, idleTimeout)); err != nil {
			return err
		}
		packet, err := readMessage(conn)
		if err != nil {
			if errors.Is(err, io.EOF) || isTimeout(err) {
				return nil
			}
			return err
		}
		reply, note := s.respond(packet, client.Addr().Unmap(), false)
		s.count(note, true)
		switch {
		case reply != nil:
		case note.silent:
			continue // until the client gives up
		default:
			return nil
		}
		if err := writeMessage(conn, reply); err != nil {
			return err
		}
	}
}

func (s *Server) count(n note, tcp bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.rcode == "" && !n.silent {
		s.stats.Malformed++
		return
	}
	if s.stats.Queries == nil {
		s.stats.Queries, s.stats.Replies = map[string]uint64{}, map[string]uint64{}
	}
	if n.qtype != "" {
		s.stats.Queries[n.qtype]++
	}
	if n.failed {
		s.stats.Failed++
	}
	if n.silent {
		s.stats.Unanswered++
	} else {
		s.stats.Replies[n.rcode]++
	}
	if tcp {
		s.stats.TCP++
	}
	if n.truncated {
		s.stats.Truncated++
	}
}

func (s *Server) complain(what string, client any, err error) {
	if s.Log != nil {
		s.Log.Debug(what, "client", client, "error", err)
	}
}

// deadline is d from now on the lab's clock.
func deadline(h *ip.Host, d time.Duration) time.Time {
	return h.Network().Epoch().Add(h.Network().Elapsed() + d)
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// readMessage reads a message over TCP: its length in two bytes, and then itself (RFC 1035, section 4.2.2).
func readMessage(r io.Reader) ([]byte, error) {
	var size [2]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	packet := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(r, packet); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return packet, nil
}

// writeMessage writes a message over TCP, with its length in one piece (RFC 7766, section 8).
func writeMessage(w io.Writer, packet []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(packet))), packet...))
	return err
}
