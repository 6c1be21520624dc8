package http

import (
	"cmp"
	"crypto/tls"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
)

// connections are those connections of a server that net/http can't close at the end, or not without waiting.
type connections struct {
	// hijacks tells requests, of which there are many, that none has taken its connection over.
	hijacks atomic.Int64

	mu   sync.Mutex
	next uint64
	over bool
	// raw are those below TLS by their order. Closing a TLS connection writes an alert, which waits when the peer reads
	// nothing, and net/http holds a mutex meanwhile. Closed underneath it fails at once.
	raw map[net.Conn]uint64
	// hijacked are those that a handler took over.
	hijacked map[net.Conn]uint64
}

// accept adds a connection below TLS.
func (c *connections) accept(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next++
	c.raw[conn] = c.next
}

// forget removes a connection that is closed.
func (c *connections) forget(conn net.Conn) {
	secure, ok := conn.(*tls.Conn)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.raw, secure.NetConn())
}

// hijack adds a connection that a handler takes over.
func (c *connections) hijack(conn net.Conn) {
	c.mu.Lock()
	c.next++
	c.hijacked[conn] = c.next
	c.hijacks.Add(1)
	over := c.over
	c.mu.Unlock()
	if over {
		conn.Close()
	}
}

// release closes the connection of a handler that has returned, if it took it over.
func (c *connections) release(conn net.Conn) {
	if c.hijacks.Load() == 0 {
		return
	}
	c.mu.Lock()
	_, mine := c.hijacked[conn]
	if mine {
		delete(c.hijacked, conn)
		c.hijacks.Add(-1)
	}
	c.mu.Unlock()
	if mine {
		conn.Close()
		c.forget(conn)
	}
}

// close closes all of them, the oldest first.
func (c *connections) close() {
	c.mu.Lock()
	c.over = true
	all := map[net.Conn]uint64{}
	maps.Copy(all, c.raw)
	maps.Copy(all, c.hijacked)
	c.mu.Unlock()
	list := slices.SortedFunc(maps.Keys(all), func(a, b net.Conn) int { return cmp.Compare(all[a], all[b]) })
	for _, conn := range list {
		conn.Close()
	}
}

// listener counts the connections that it accepts below TLS.
type listener struct {
	net.Listener
	conns *connections
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.conns.accept(conn)
	}
	return conn, err
}
