package limits

import (
	"net"
	"net/netip"
	"sync"
)

// Listener resets connections beyond the limits, as soon as they are accepted.
func (l *Limiter) Listener(inner net.Listener) net.Listener {
	if l == nil || l.config.MaxConnections == 0 && l.config.ClientConnections == 0 {
		return inner
	}
	return &listener{inner, l}
}

type listener struct {
	net.Listener
	limiter *Limiter
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		var client netip.Addr
		if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
			client = l.limiter.config.clientAddress(a.AddrPort().Addr())
		}
		if run, ok := l.limiter.connect(client); ok {
			return &conn{Conn: c, limiter: l.limiter, client: client, run: run}, nil
		}
		if a, ok := c.(interface{ Abort() error }); ok {
			a.Abort()
		} else {
			c.Close()
		}
	}
}

// connect counts a connection of a client, unless it is too much.
func (l *Limiter) connect(client netip.Addr) (run int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := &l.config
	if c.MaxConnections > 0 && l.conns >= c.MaxConnections || c.ClientConnections > 0 && l.byClient[client] >= c.ClientConnections {
		l.count.ConnectionsRefused++
		return 0, false
	}
	l.conns++
	l.byClient[client]++
	l.count.MaxConnections = max(l.count.MaxConnections, uint64(l.conns))
	return l.run, true
}

// conn gives its place back when it is closed.
type conn struct {
	net.Conn
	limiter *Limiter
	client  netip.Addr
	run     int
	once    sync.Once
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.once.Do(func() {
		l := c.limiter
		l.mu.Lock()
		defer l.mu.Unlock()
		if c.run != l.run {
			return
		}
		l.conns--
		if l.byClient[c.client]--; l.byClient[c.client] == 0 {
			delete(l.byClient, c.client)
		}
	})
	return c.Conn.Close()
}

// CloseWrite ends the stream to the peer, where the connection can.
func (c *conn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return c.Close()
}

// Abort resets the connection, where it can.
func (c *conn) Abort() error {
	err := c.Close()
	if a, ok := c.Conn.(interface{ Abort() error }); ok {
		return a.Abort()
	}
	return err
}

// Result is what a limiter counted.
type Result struct {
	// Passed counts requests that were let through, of which MaxInFlight were under way at once at most.
	Passed      uint64 `json:"passed"`
	MaxInFlight uint64 `json:"max_in_flight"`
	// RateLimited counts requests beyond their client's rate (429), TotalLimited those beyond that of all (503), Shed those beyond
	// the number that may be under way (503).
	RateLimited  uint64 `json:"rate_limited"`
	TotalLimited uint64 `json:"total_limited"`
	Shed         uint64 `json:"shed"`
	// ConnectionsRefused counts connections that were reset, MaxConnections the most that there were at once; the latter only if
	// connections are limited.
	ConnectionsRefused uint64 `json:"connections_refused"`
	MaxConnections     uint64 `json:"max_connections"`
	// Limit is the number of requests under way that was found last, with target_latency.
	Limit float64 `json:"limit"`
}

// Result returns what was counted, nil for a nil limiter.
func (l *Limiter) Result() *Result {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.count
	if l.config.TargetLatency > 0 {
		r.Limit = float64(int(l.adaptive.limit*100)) / 100
	}
	return &r
}

// NetConn returns the connection below, as that of crypto/tls's Conn does.
func (c *conn) NetConn() net.Conn { return c.Conn }
