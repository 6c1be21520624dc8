package httpclient

import (
	"context"
	"crypto/tls"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// call is one request on the wire. net/http calls the hooks of its trace, some of them from goroutines of its own.
type call struct {
	client *Client
	ctx    context.Context
	trace  httptrace.ClientTrace
	leave  func(connected bool) // the gate; nil without one
	conn   *conn                // that the request goes over

	// Times since the start of the run in nanoseconds; 0 means never.
	wrote, first atomic.Int64
}

// callKey is the key of a call in the context of its request and of the connection that it dials.
type callKey struct{}

// trace makes the hooks of a call. They are few: there are many calls.
func (c *call) hook() *httptrace.ClientTrace {
	c.trace.GotConn = c.gotConn
	c.trace.WroteRequest = c.wroteRequest
	c.trace.GotFirstResponseByte = c.gotFirstByte
	return &c.trace
}

// gotConn is called when the request has a connection.
func (c *call) gotConn(info httptrace.GotConnInfo) {
	raw := info.Conn
	if secure, ok := raw.(*tls.Conn); ok {
		raw = secure.NetConn()
	}
	c.conn, _ = raw.(*conn)
	if c.leave != nil {
		c.leave(true)
	}
}

func (c *call) wroteRequest(httptrace.WroteRequestInfo) { c.wrote.Store(int64(c.client.env.Elapsed())) }

func (c *call) gotFirstByte() { c.first.CompareAndSwap(0, int64(c.client.env.Elapsed())) }

// finish adds what the call measured to an outcome. start is when the whole request started.
func (c *call) finish(start time.Duration, o *Outcome) {
	if c.leave != nil {
		c.leave(false)
	}
	if c.conn != nil {
		o.Target = c.conn.made.Target
		if c.conn.owner == c {
			o.Dialed, o.Secured = true, o.Secured || c.conn.made.Secure
			o.DNS += c.conn.made.DNS
			o.Connect += c.conn.made.Connect
			o.TLS += c.conn.made.TLS
		}
	}
	first := time.Duration(c.first.Load())
	if first == 0 {
		return
	}
	o.Answered = true
	o.FirstByte = first - start
	if wrote := time.Duration(c.wrote.Load()); wrote > 0 {
		o.Wait += max(first-wrote, 0) // an answer may come before a request is complete
	}
	o.Transfer += c.client.env.Elapsed() - first
}
