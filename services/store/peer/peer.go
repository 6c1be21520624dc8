// Package peer connects the members of a store: gRPC over HTTP/2 without TLS, one connection from each member to each other one that it
// has to tell something.
//
// A connection over which nothing has come for a while is tried with a ping of HTTP/2 and given up if that isn't answered: TCP alone would
// send again and again, at longer and longer intervals, and so find out late that a partition is over.
package peer

import (
	"context"
	"errors"
	"net"
	nethttp "net/http"
	"os"
	"sync"
	"time"

	"connectrpc.com/connect"

	"netlab/http"
	"netlab/services"
	"netlab/services/store/storepb/storepbconnect"
	"netlab/tcp"
)

// Options say when a connection is given up.
type Options struct {
	// DialTimeout is how long the handshake of TCP may take.
	DialTimeout time.Duration
	// Silence is how long nothing may come before a ping is sent, and then how long the answer may take.
	Silence time.Duration
}

// Net is a member's way to the others. Several goroutines may use it.
type Net struct {
	env     *services.Env
	options Options
	members map[string]storepbconnect.PeerClient

	mu     sync.Mutex
	conns  []*tcp.Conn // in the order in which they were made
	closed bool
}

// New returns the way to members at addresses, "db1:7000", by name.
func New(env *services.Env, addresses map[string]string, o Options) *Net {
	n := &Net{env: env, options: o, members: map[string]storepbconnect.PeerClient{}}
	for name, address := range addresses {
		t := http.NewTransport(env.Host, &http.TransportOptions{Version: http.H2C, Dial: n.dial, IdleTimeout: 24 * time.Hour})
		t.HTTP2 = &nethttp.HTTP2Config{SendPingTimeout: o.Silence, PingTimeout: o.Silence}
		n.members[name] = storepbconnect.NewPeerClient(&nethttp.Client{Transport: fewHeaders{t}}, "http://"+address, clientOptions()...)
	}
	return n
}

// clientOptions are those of all clients of members.
func clientOptions() []connect.ClientOption {
	return []connect.ClientOption{connect.WithGRPC(), connect.WithAcceptCompression("gzip", nil, nil)}
}

func (n *Net) dial(ctx context.Context, address string) (net.Conn, error) {
	ctx, cancel := n.env.WithTimeout(ctx, n.options.DialTimeout)
	defer cancel()
	conn, err := tcp.Dial(ctx, n.env.Host, address)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		conn.Abort()
		return nil, net.ErrClosed
	}
	n.conns = append(n.conns, conn)
	return conn, nil
}

// Client returns the client of a member.
func (n *Net) Client(name string) storepbconnect.PeerClient { return n.members[name] }

// Close breaks all connections off, before anything that uses them is told to end: what net/http would still send on them, and whether it
// finds them idle, depends on which of its goroutines runs first.
func (n *Net) Close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	for _, c := range n.conns {
		c.Abort()
	}
}

// fewHeaders takes fields out of requests. net/http writes those of HTTP/2 in the order of a map, which is another one in each run; with
// Content-Type alone there is but one order.
type fewHeaders struct{ next nethttp.RoundTripper }

// RoundTrip implements net/http's RoundTripper.
func (f fewHeaders) RoundTrip(r *nethttp.Request) (*nethttp.Response, error) {
	r = r.Clone(r.Context())
	for name := range r.Header {
		if name != "Content-Type" && name != "User-Agent" {
			delete(r.Header, name)
		}
	}
	r.Header["User-Agent"] = nil // net/http's own would come from the map as well
	return f.next.RoundTrip(r)
}

// Serve serves other members until ctx ends.
func Serve(ctx context.Context, env *services.Env, listen string, handler storepbconnect.PeerHandler) error {
	l, err := tcp.Listen(env.Host, listen)
	if err != nil {
		return err
	}
	mux := nethttp.NewServeMux()
	mux.Handle(storepbconnect.NewPeerHandler(handler))
	return http.Serve(ctx, l, mux, &http.ServerOptions{Log: env.Log, Panicked: env.Panicked, H2C: true})
}

// Down says whether an error is that a connection couldn't be made, so that nothing was asked.
func Down(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" || errors.Is(err, os.ErrDeadlineExceeded) && connect.CodeOf(err) == connect.CodeUnavailable
}
