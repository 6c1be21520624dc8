// Package tunnel joins two TCP connections, as proxies do: what one sends the other gets, and back.
//
// The end of a stream is passed on as such (a half-close), so a client that has said all it has to say still gets its answer. A reset
// is passed on as a reset. A side that doesn't read stops the other one: the tunnel holds back what it can't deliver, at most a
// buffer of 32 KiB in each direction beside what the two stacks hold. It doesn't look at what passes.
package tunnel

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"netlab/services"
	"netlab/tcp"
)

// Conn is a connection at an end of a tunnel: a [tcp.Conn], or one with TLS on it.
type Conn interface {
	net.Conn
	// CloseWrite ends the stream to the peer.
	CloseWrite() error
}

// bufferSize is that of the buffer of a direction.
const bufferSize = 32 << 10

// Flow says how much passed: Up from the client to the server, Down back.
type Flow struct {
	Up, Down int64
}

// ErrIdle is why a tunnel ends in which nothing moved for too long.
var ErrIdle = errors.New("nothing moved in the tunnel for too long")

// Join sends what each of two connections receives over the other one until both streams have ended, one of them breaks, nothing has
// moved for idle (0 means no limit), or ctx ends. early is what the client has sent already. It takes two goroutines: the caller's,
// and one that starts in an event of its own. Both connections are closed when it returns.
//
// The error is nil when both streams ended properly.
func Join(ctx context.Context, env *services.Env, client, server Conn, early []byte, idle time.Duration) (Flow, error) {
	t := &tunnel{env: env, idle: idle}
	t.moved.Store(int64(env.Elapsed()))
	limit(client)
	limit(server)
	abort := func() {
		abort(client)
		abort(server)
	}
	defer context.AfterFunc(ctx, abort)()
	var flow Flow
	var back error
	done := make(chan struct{})
	env.Go(func() {
		defer close(done)
		if flow.Down, back = t.copy(client, server, nil); back != nil {
			abort()
		}
	})
	up, forth := t.copy(server, client, early)
	if forth != nil {
		abort()
	}
	<-done
	flow.Up = up
	client.Close()
	server.Close()
	if forth == nil || errors.Is(forth, net.ErrClosed) && back != nil {
		forth = back // what came first
	}
	return flow, forth
}

type tunnel struct {
	env   *services.Env
	idle  time.Duration
	moved atomic.Int64 // when something moved last, in nanoseconds since the start of the run
}

// copy sends what one connection receives over another one, and then the end of the stream.
func (t *tunnel) copy(to, from Conn, early []byte) (n int64, err error) {
	if len(early) > 0 {
		k, err := to.Write(early)
		n += int64(k)
		if err != nil {
			return n, err
		}
	}
	buffer := make([]byte, bufferSize)
	left := t.idle
	for {
		if t.idle > 0 {
			if err := from.SetReadDeadline(time.Now().Add(left)); err != nil {
				return n, err
			}
		}
		for {
			var k int
			if k, err = from.Read(buffer); k > 0 {
				t.moved.Store(int64(t.env.Elapsed()))
				written, wrong := to.Write(buffer[:k])
				n += int64(written)
				if wrong != nil {
					return n, wrong
				}
				t.moved.Store(int64(t.env.Elapsed()))
			}
			if err != nil {
				break
			}
		}
		switch {
		case err == io.EOF:
			return n, to.CloseWrite()
		case t.idle == 0 || !errors.Is(err, os.ErrDeadlineExceeded):
			return n, err
		}
		if left = t.idle - (t.env.Elapsed() - time.Duration(t.moved.Load())); left <= 0 {
			return n, ErrIdle
		}
	}
}

// limit keeps little waiting in a connection. One with TLS passes it on to that below.
func limit(c Conn) {
	if raw := bare(c); raw != nil {
		raw.SetUnsentLimit(bufferSize)
	}
}

// abort breaks a connection off.
func abort(c Conn) {
	if raw := bare(c); raw != nil {
		raw.Abort()
		return
	}
	c.Close()
}

// bare returns the TCP connection below, nil if there is none.
func bare(c net.Conn) *tcp.Conn {
	for {
		switch x := c.(type) {
		case *tcp.Conn:
			return x
		case interface{ NetConn() net.Conn }:
			c = x.NetConn()
		default:
			return nil
		}
	}
}
