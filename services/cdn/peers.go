package cdn

import (
	"context"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"netlab/http"
	"netlab/netem"
	"netlab/services"
	"netlab/services/balance"
	"netlab/services/secure"
	"netlab/services/upstream"
	"netlab/tcp"
	"netlab/units"
)

// peers are the servers of the cluster, this one among them. Nil is a cluster of one.
type peers struct {
	env       *services.Env
	runner    *runner
	scheme    string
	list      []*peer
	addresses []netip.Addr // of the others
	transport *nethttp.Transport

	mu   sync.Mutex
	ring balance.Algorithm
}

// peer is one of them. Until is when it is asked again after it didn't answer, since the start of the run.
type peer struct {
	address string // host:port
	self    bool
	until   time.Duration
}

// newPeers returns the cluster of an incarnation of the host. Each server makes the same ring of it.
func newPeers(ctx context.Context, env *services.Env, r *runner) (*peers, error) {
	c := &r.config
	if len(c.Cluster) == 0 {
		return nil, nil
	}
	p := &peers{env: env, runner: r, scheme: "http"}
	_, port, err := net.SplitHostPort(string(c.Listen))
	if err != nil {
		return nil, err
	}
	p.list = []*peer{{address: net.JoinHostPort(env.Host.Name(), port), self: true}}
	for _, t := range c.Cluster {
		call := call("cluster", t, c.peerPort())
		address := net.JoinHostPort(call.Host, strconv.Itoa(int(call.Port)))
		if address == p.list[0].address {
			continue
		}
		found, err := upstream.Resolve(ctx, env, services.Nodes{call.Host})
		if err != nil {
			return nil, fmt.Errorf("cluster: %w", err)
		}
		p.list = append(p.list, &peer{address: address})
		p.addresses = append(p.addresses, found...)
	}
	if p.ring, err = balance.New(balance.Config{Algorithm: "consistent-hash"}, nil); err != nil {
		return nil, err
	}
	slices.SortFunc(p.list, func(a, b *peer) int { return strings.Compare(a.address, b.address) })
	var ring []balance.Backend
	for _, one := range p.list {
		ring = append(ring, balance.Backend{Name: one.address, Weight: 1})
	}
	p.ring.Set(ring)
	o := &http.TransportOptions{Version: http.HTTP1, Dial: p.dial}
	if c.TLS.On {
		p.scheme = "https"
		if o.TLS, err = (&secure.Client{}).Config(env, "peers", "http/1.1"); err != nil {
			return nil, err
		}
	}
	p.transport = http.NewTransport(env.Host, o)
	return p, nil
}

func (p *peers) close() {
	if p != nil {
		p.transport.CloseIdleConnections()
	}
}

func (p *peers) dial(ctx context.Context, address string) (net.Conn, error) {
	ctx, cancel := p.env.WithTimeout(ctx, p.runner.config.peerTimeout())
	defer cancel()
	conn, err := tcp.Dial(ctx, p.env.Host, address)
	if err != nil {
		return nil, err // not a nil *tcp.Conn
	}
	return conn, nil
}

// sent says whether a request comes from another server of the cluster.
func (p *peers) sent(r *nethttp.Request) bool {
	return p != nil && slices.Contains(p.addresses, addressOf(r))
}

// owner returns the peer that an object belongs to, nil if it is this server's.
func (p *peers) owner(url string) *peer {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.env.Elapsed()
	i, ok := p.ring.Pick(&balance.Request{Now: now, Key: url, Exclude: func(i int) bool { return now < p.list[i].until }})
	if !ok || p.list[i].self {
		return nil
	}
	return p.list[i]
}

// others returns the peers but for this server, those that didn't answer included.
func (p *peers) others() (list []*peer) {
	if p == nil {
		return nil
	}
	for _, one := range p.list {
		if !one.self {
			list = append(list, one)
		}
	}
	return list
}

// ask sends a request to a peer. One that doesn't answer in time is not asked for a while, unless it is the client that went.
func (p *peers) ask(to *peer, r *nethttp.Request) (*nethttp.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	host := p.env.Host
	timer := host.Network().AfterFunc(host.Owner(), netem.KindDeadline, p.runner.config.peerTimeout(), func() { cancel(os.ErrDeadlineExceeded) })
	out := r.Clone(ctx)
	out.URL.Scheme, out.URL.Host = p.scheme, to.address
	response, err := p.transport.RoundTrip(out)
	timer.Stop()
	if err != nil {
		cancel(nil)
		if r.Context().Err() == nil {
			p.mu.Lock()
			to.until = p.env.Elapsed() + PeerPause
			p.mu.Unlock()
			p.runner.count.add(func(r *Result) { r.PeerFailures++ })
		}
		return nil, err
	}
	response.Request = r
	response.Body = &peerBody{ReadCloser: response.Body, count: p.runner.count, done: func() { cancel(nil) }}
	return response, nil
}

// peerBody counts the content that comes from a peer.
type peerBody struct {
	io.ReadCloser
	count *counters
	done  func()
}

// Read implements io.Reader.
func (b *peerBody) Read(to []byte) (int, error) {
	n, err := b.ReadCloser.Read(to)
	b.count.add(func(r *Result) { r.BytesFromPeers += units.Bytes(n) })
	return n, err
}

// Close implements io.Closer.
func (b *peerBody) Close() error {
	err := b.ReadCloser.Close()
	b.done()
	return err
}
