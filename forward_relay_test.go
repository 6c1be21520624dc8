package netlab

import (
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// letters is a socket made of channels. Read gives what comes on in, Write puts it on out.
type letters struct {
	net.Conn
	in, out chan letter
	closed  chan struct{}
	moved   chan struct{}

	mu       sync.Mutex
	deadline time.Time
}

type letter struct {
	text string
	peer net.Addr
}

func newLetters() *letters {
	return &letters{in: make(chan letter, 8), out: make(chan letter, 8), closed: make(chan struct{}), moved: make(chan struct{}, 1)}
}

func (l *letters) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		var alarm <-chan time.Time
		l.mu.Lock()
		if !l.deadline.IsZero() {
			alarm = time.After(time.Until(l.deadline))
		}
		l.mu.Unlock()
		select {
		case m := <-l.in:
			return copy(b, m.text), m.peer, nil
		case <-l.closed:
			return 0, nil, net.ErrClosed
		case <-l.moved:
		case <-alarm:
			return 0, nil, &net.OpError{Op: "read", Err: timeout{}}
		}
	}
}

type timeout struct{ error }

func (timeout) Error() string { return "timeout" }
func (timeout) Timeout() bool { return true }

func (l *letters) Read(b []byte) (int, error) {
	n, _, err := l.ReadFrom(b)
	return n, err
}

func (l *letters) WriteTo(b []byte, to net.Addr) (int, error) {
	select {
	case <-l.closed:
		return 0, net.ErrClosed
	default:
		l.out <- letter{string(b), to}
		return len(b), nil
	}
}

func (l *letters) Write(b []byte) (int, error) { return l.WriteTo(b, nil) }

func (l *letters) SetReadDeadline(t time.Time) error {
	l.mu.Lock()
	l.deadline = t
	l.mu.Unlock()
	select {
	case l.moved <- struct{}{}:
	default:
	}
	return nil
}

func (l *letters) Close() error {
	close(l.closed)
	return nil
}

// A mapping stays as long as datagrams come in either direction, and idle time beyond; then the next datagram gets a new one.
func TestNATIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outside := newLetters()
		var sockets []*letters
		n := &nat{outside: outside, idle: time.Minute, log: slog.New(slog.NewTextHandler(io.Discard, nil)),
			dial: func() (net.Conn, error) {
				sockets = append(sockets, newLetters())
				return sockets[len(sockets)-1], nil
			}}
		ended := make(chan error)
		go func() { ended <- n.serve() }()
		a, b := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2}

		outside.in <- letter{"one", a}
		synctest.Wait()
		require.Len(t, sockets, 1)
		require.Equal(t, letter{"one", nil}, <-sockets[0].out)

		time.Sleep(59 * time.Second)
		sockets[0].in <- letter{text: "answer"} // keeps it
		require.Equal(t, letter{"answer", a}, <-outside.out)
		time.Sleep(59 * time.Second)
		outside.in <- letter{"two", a} // keeps it too
		outside.in <- letter{"other", b}
		synctest.Wait()
		require.Len(t, sockets, 2)
		require.Equal(t, letter{"two", nil}, <-sockets[0].out)
		require.Equal(t, letter{"other", nil}, <-sockets[1].out)
		time.Sleep(59 * time.Second)
		outside.in <- letter{"three", b}
		synctest.Wait()
		require.Equal(t, letter{"three", nil}, <-sockets[1].out)

		time.Sleep(time.Second) // a was idle for a minute
		synctest.Wait()
		<-sockets[0].closed
		require.Len(t, n.sockets, 1)
		outside.in <- letter{"four", a}
		synctest.Wait()
		require.Len(t, sockets, 3)
		require.Equal(t, letter{"four", nil}, <-sockets[2].out)

		require.NoError(t, outside.Close())
		require.ErrorIs(t, <-ended, net.ErrClosed)
		<-sockets[1].closed
		<-sockets[2].closed
	})
}
