package analysis

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// said is what a side of a conversation said at once.
type said struct {
	side int
	b    []byte
}

// conversation is what two peers said to each other, in order as the client saw it.
type conversation []said

// cuts are ways to cut a conversation into segments; 0 leaves it in the pieces that were recorded.
var cuts = []int{0, 1, 2, 7, 100, 1460, 1 << 20}

// cut returns the conversation in segments of n bytes.
func (c conversation) cut(n int) conversation {
	if n == 0 {
		return c
	}
	var joined, out conversation
	for _, s := range c {
		if k := len(joined); k > 0 && joined[k-1].side == s.side {
			joined[k-1].b = append(joined[k-1].b, s.b...)
		} else {
			joined = append(joined, said{s.side, bytes.Clone(s.b)})
		}
	}
	for _, s := range joined {
		for len(s.b) > 0 {
			k := min(n, len(s.b))
			out = append(out, said{s.side, s.b[:k]})
			s.b = s.b[k:]
		}
	}
	return out
}

// heard is what an analysis tells of a conversation.
type heard struct {
	*Analysis
	stream   *TCPStream
	messages []string
	frames   []Frame
}

// listener feeds segments to the application of one connection, without the analyzer's TCP.
type listener struct {
	heard
	a     *Analyzer
	app   application
	frame Frame
	// still leaves the frame's number at 1, so that what is heard does not depend on how the conversation was cut.
	still bool
}

func newListener(options Options, port uint16) *listener {
	if options.Frame == nil {
		options.Frame = func(*Frame) {}
	}
	l := &listener{a: New(options)}
	l.stream = &TCPStream{Ends: [2]Address{
		{Addr: netip.MustParseAddr("10.0.0.1"), Port: 49152}, {Addr: netip.MustParseAddr("10.0.0.2"), Port: port},
	}}
	l.Analysis = l.a.analysis
	l.app = newApplication(l.a, l.stream)
	l.frame.Stream = l.stream
	return l
}

// next begins a frame.
func (l *listener) next() *Frame {
	if l.frame.Number == 0 || !l.still {
		l.frame.Number++
		l.frame.At += time.Millisecond
	}
	l.frame.Messages, l.frame.Protocols = nil, nil
	return &l.frame
}

func (l *listener) data(side int, b []byte) {
	f := l.next()
	// The application must not keep the bytes.
	own := bytes.Clone(b)
	l.app.data(f, side, own)
	clear(own)
	l.take(f)
}

func (l *listener) take(f *Frame) {
	for _, m := range f.Messages {
		l.messages = append(l.messages, m.Text)
	}
	l.frames = append(l.frames, *f)
}

func (l *listener) end(side int) {
	f := l.next()
	l.app.end(f, side)
	l.take(f)
}

// hear feeds a whole conversation.
func hear(c conversation, options Options, still bool) *heard {
	l := newListener(options, 443)
	l.still = still
	for _, s := range c {
		l.data(s.side, s.b)
	}
	l.end(Client)
	l.end(Server)
	return &l.heard
}

// hearAll feeds a conversation in all ways to cut it, requires that each tells the same, and returns what it tells.
func hearAll(t testing.TB, c conversation, options Options) *heard {
	t.Helper()
	want := hear(c, options, true)
	for _, n := range cuts[1:] {
		got := hear(c.cut(n), options, true)
		require.Equal(t, want.DNS, got.DNS, "cut at %d", n)
		require.Equal(t, want.HTTP, got.HTTP, "cut at %d", n)
		require.Equal(t, want.TLS, got.TLS, "cut at %d", n)
		require.Equal(t, want.WebSocket, got.WebSocket, "cut at %d", n)
		require.Equal(t, want.stream, got.stream, "cut at %d", n)
		// The order between the sides is that of the segments, which is the recorded one in all cuts.
		require.Equal(t, want.messages, got.messages, "cut at %d", n)
	}
	return want
}

// text makes a conversation of alternating sides.
func text(first int, parts ...string) conversation {
	var c conversation
	for i, part := range parts {
		c = append(c, said{(first + i) % 2, []byte(part)})
	}
	return c
}

// recorder notes what passes the client's end of a connection.
type recorder struct {
	net.Conn
	to *recording
}

// recording is a conversation that goes on.
type recording struct {
	sync.Mutex
	conversation
}

func (r *recording) add(side int, b []byte) {
	r.Lock()
	defer r.Unlock()
	r.conversation = append(r.conversation, said{side, bytes.Clone(b)})
}

func (r *recorder) Write(b []byte) (int, error) {
	r.to.add(Client, b)
	return r.Conn.Write(b)
}

func (r *recorder) Read(b []byte) (int, error) {
	n, err := r.Conn.Read(b)
	if n > 0 {
		r.to.add(Server, b[:n])
	}
	return n, err
}

// pipe returns the two ends of a connection, of which the client's is recorded.
func (r *recording) pipe() (client, server net.Conn) {
	near, far := net.Pipe()
	return &recorder{near, r}, newEager(far)
}

// eager is an end of a pipe that writes without waiting for the other end to read, as a socket does.
type eager struct {
	net.Conn
	sync.Mutex
	out chan []byte // nil once it is closed
}

func newEager(c net.Conn) *eager {
	e := &eager{Conn: c, out: make(chan []byte, 1<<12)}
	go func(out <-chan []byte) {
		for b := range out {
			if _, err := c.Write(b); err != nil {
				break
			}
		}
		_ = c.Close()
	}(e.out)
	return e
}

func (e *eager) Write(b []byte) (int, error) {
	e.Lock()
	defer e.Unlock()
	if e.out == nil {
		return 0, net.ErrClosed
	}
	e.out <- bytes.Clone(b)
	return len(b), nil
}

// Writes never wait.
func (e *eager) SetWriteDeadline(time.Time) error { return nil }

func (e *eager) SetDeadline(t time.Time) error { return e.SetReadDeadline(t) }

func (e *eager) Close() error {
	e.Lock()
	defer e.Unlock()
	if e.out != nil {
		close(e.out)
		e.out = nil
	}
	return nil
}

// oneConn is a listener that accepts connections from a channel.
type oneConn struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newOneConn(c ...net.Conn) *oneConn {
	l := &oneConn{conns: make(chan net.Conn, 8), done: make(chan struct{})}
	for _, c := range c {
		l.conns <- c
	}
	return l
}

func (l *oneConn) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *oneConn) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *oneConn) Addr() net.Addr { return &net.IPAddr{} }

func (l *oneConn) dial(context.Context, string, string) (net.Conn, error) { return l.Accept() }

func TestDetect(t *testing.T) {
	for _, test := range []struct {
		what, protocol string
		c              conversation
	}{
		{"request", "http", text(Client, "GET / HTTP/1.1\r\n\r\n")},
		{"response whose request was not captured", "http", text(Server, "HTTP/1.1 200 OK\r\n\r\n")},
		{"preface", "http2", text(Client, preface)},
		{"settings before the preface", "http2", text(Server, "\x00\x00\x00\x04\x00\x00\x00\x00\x00")},
		{"TLS", "tls", text(Client, "\x16\x03\x01\x00\x01\x01")},
		{"greeting", "", text(Server, "220 mail.lab ESMTP\r\n", "HELO client\r\n")},
		{"word like a method", "", text(Client, "GETTING / HTTP/1.1\r\n\r\n")},
		{"zeros", "", text(Client, "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")},
		{"too few bytes", "", text(Client, "PRI * HT")},
		{"record of an impossible length", "", text(Client, "\x16\x03\x01\xff\xff\x01")},
	} {
		require.Equal(t, test.protocol, hearAll(t, test.c, Options{}).stream.Protocol, test.what)
	}
}

// Without anyone who looks at frames there are no texts, and the counts are the same.
func TestTextsAreMadeForThoseWhoRead(t *testing.T) {
	c := text(Client, "GET / HTTP/1.1\r\nHost: web\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n")
	a := New(Options{})
	s := &TCPStream{}
	app := newApplication(a, s)
	f := &Frame{Number: 1, At: time.Millisecond, Stream: s}
	for _, said := range c {
		app.data(f, said.side, said.b)
	}
	require.Empty(t, f.Messages)
	require.Equal(t, []string{"http"}, f.Protocols)
	require.Equal(t, hear(c, Options{}, true).HTTP, a.analysis.HTTP)
}

// The lists end at the limit, the counters don't.
func TestLimit(t *testing.T) {
	var c conversation
	for i := range 5 {
		c = append(c, text(Client, fmt.Sprintf("GET /%d HTTP/1.1\r\n\r\n", i), "HTTP/1.1 204 No Content\r\n\r\n")...)
	}
	h := hear(c, Options{Limit: 2}, false)
	require.Len(t, h.HTTP.Exchanges, 2)
	require.Equal(t, 5, h.HTTP.Requests)
	require.Empty(t, hear(c, Options{Limit: -1}, false).HTTP.Exchanges)
}
