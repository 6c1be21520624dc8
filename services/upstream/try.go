package upstream

import (
	"context"
	"errors"
	"io"
	nethttp "net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"netlab/http"
	"netlab/netem"
	"netlab/services/backend"
	"netlab/services/failures"
	"netlab/units"
)

// try is a request to one backend. What comes of it is told to the pool once, when the response is complete or the try has failed.
type try struct {
	x     *exchange
	lease *backend.Lease
	ctx   context.Context
	end   context.CancelCauseFunc
	start time.Duration
	hedge bool

	response *nethttp.Response
	err      error
	headed   time.Duration // when the header of the response was there
	told     atomic.Bool   // the pool knows
	sent     atomic.Bool   // it had a connection, so that something may have been sent
	conns    atomic.Int64  // that it had

	// Times since the start of the run in nanoseconds; 0 means never.
	wrote, first atomic.Int64
}

// begin makes a try.
func (x *exchange) begin(l *backend.Lease) *try {
	x.tries++
	x.f.count.add(func(r *Result) { r.Tries++ })
	t := &try{x: x, lease: l, start: x.f.env.Elapsed()}
	t.ctx, t.end = context.WithCancelCause(x.ctx)
	l.OnCut(func() { t.end(ErrDrained) })
	return t
}

// run sends the request and waits for the header of the response.
func (t *try) run() {
	x := t.x
	f := x.f
	network := f.env.Host.Network()
	timer := network.AfterFunc(f.env.Host.Owner(), netem.KindDeadline, or(f.config.FirstByteTimeout, DefaultFirstByteTimeout),
		func() { t.end(ErrFirstByte) })
	defer timer.Stop()
	out, leave, err := t.request()
	if err == nil {
		t.response, err = f.transport.RoundTrip(out)
	}
	if leave != nil {
		leave(false)
	}
	if n := t.conns.Load(); n > 1 {
		f.count.add(func(r *Result) { r.Reconnects += uint64(n - 1) })
	}
	if err == nil {
		t.turn()
		t.headed = f.env.Elapsed()
		took := t.headed - t.start
		f.count.answer(t.response.StatusCode, took)
		if t.good() {
			f.answered(took)
		}
		return
	}
	t.fail(err)
}

// request makes the request for the backend. leave, unless it is nil, is to be called when it is over.
func (t *try) request() (out *nethttp.Request, leave func(bool), err error) {
	x, f := t.x, t.x.f
	out = x.request.Clone(t.ctx)
	out.URL.Scheme, out.URL.Host = f.config.scheme(), t.lease.Address()
	if !f.config.preserveHost() {
		out.Host = ""
	}
	out.RequestURI = ""
	out.Trailer = x.request.Trailer // filled in while the body is read
	x.body.attach(out, f.count)
	if f.gates != nil && (f.version == http.H2C || out.URL.Scheme == "https") {
		if leave, err = f.gates.Enter(t.ctx, out.URL.Host); err != nil {
			return nil, nil, err
		}
	}
	return out.WithContext(httptrace.WithClientTrace(t.ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) {
			t.sent.Store(true)
			t.conns.Add(1)
			if leave != nil {
				leave(true)
			}
		},
		WroteRequest:         func(httptrace.WroteRequestInfo) { t.wrote.Store(int64(f.env.Elapsed())) },
		GotFirstResponseByte: func() { t.first.CompareAndSwap(0, int64(f.env.Elapsed())) },
	})), leave, nil
}

// turn lets answers go on that came together on a connection of HTTP/2 one after the other, in the order of their requests.
func (t *try) turn() {
	if t.response.ProtoMajor != 2 {
		return
	}
	begin := make(chan struct{}, 1)
	t.x.f.env.Host.Network().Turn("upstream."+t.x.f.part, t.x.number, begin)
	<-begin
}

// fail takes down why there is no answer.
func (t *try) fail(err error) {
	x := t.x
	cause := context.Cause(t.ctx)
	switch wrong := x.body.trouble(); {
	case wrong != nil:
		err = wrong
	case cause != nil:
		err = cause // the reason for what net/http says
	}
	t.err = err
	cancelled := t.cancelled()
	x.f.count.add(func(r *Result) {
		if cancelled {
			r.Cancelled++
			return
		}
		r.Errors.Count(kind(err))
		if !t.sent.Load() {
			r.Unsent++
		}
	})
	if !cancelled {
		x.f.env.WarnOnce("upstream"+string(failures.Of(kind(err))), "backend failed", "backend", t.lease.Name(), "error", err)
	}
	t.tell(backend.Outcome{Failed: true, Abandoned: cancelled})
}

// cancelled says whether a try that failed says nothing of the backend.
func (t *try) cancelled() bool {
	switch {
	case errors.Is(t.err, ErrRequestBody), errors.Is(t.err, errLost), errors.Is(t.err, ErrDrained):
		return true
	case errors.Is(t.err, ErrTimeout), errors.Is(t.err, ErrFirstByte):
		return false
	}
	return t.x.ctx.Err() != nil // the client has gone
}

// timeout is an error that failures takes for one of a timeout.
type timeout struct{ error }

// Timeout and Temporary make it a net.Error.
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }

// kind makes the timeouts of the package those that package failures knows.
func kind(err error) error {
	if errors.Is(err, ErrTimeout) || errors.Is(err, ErrFirstByte) {
		return timeout{err}
	}
	return err
}

// good says whether there is an answer after which the request isn't tried again.
func (t *try) good() bool {
	return t.err == nil && !t.x.f.config.Retry.after(t.response.StatusCode)
}

// settle returns the try as the outcome of the exchange.
func (t *try) settle() (*try, error) { return t, t.err }

// discard ends a try whose answer nobody wants.
func (t *try) discard() {
	if t.err != nil {
		return
	}
	status := t.response.StatusCode
	lost := errors.Is(context.Cause(t.ctx), errLost)
	if lost {
		t.x.f.count.add(func(r *Result) { r.Cancelled++ })
	}
	t.tell(backend.Outcome{Status: status, Abandoned: lost})
	t.x.f.env.Go(func() {
		const worth = 16 << 10 // to keep the connection
		if !lost {
			io.CopyN(io.Discard, t.response.Body, worth)
		}
		t.response.Body.Close()
		t.end(errDone)
	})
}

// tell tells the pool what came of the try.
func (t *try) tell(o backend.Outcome) {
	if t.told.CompareAndSwap(false, true) {
		t.lease.Done(o)
	}
}

// waited is how long the backend took from the last byte of the request to the first of the response.
func (t *try) waited() time.Duration {
	return max(time.Duration(t.first.Load()-max(t.wrote.Load(), int64(t.start))), 0)
}

// deliver returns the response of a good try, whose body ends the exchange.
func (t *try) deliver() *nethttp.Response {
	r := t.response
	inner := &reply{try: t, inner: r.Body}
	if w, ok := r.Body.(io.Writer); ok {
		r.Body = &duplex{inner, w}
		context.AfterFunc(t.ctx, func() { inner.inner.Close() }) // when it is cut off, or over
		return r
	}
	r.Body = inner
	if inner.inner == nethttp.NoBody {
		r.Body = nethttp.NoBody
		inner.over(nil)
	}
	return r
}

// reply is the body of a response.
type reply struct {
	try   *try
	inner io.ReadCloser
}

// Read implements io.Reader.
func (b *reply) Read(p []byte) (int, error) {
	n, err := b.inner.Read(p)
	t := b.try
	if t.response.ProtoMajor == 2 {
		t.turn()
	}
	if n > 0 {
		t.x.f.count.add(func(r *Result) { r.Received += units.Bytes(n) })
	}
	if err != nil {
		if err != io.EOF && t.ctx.Err() != nil {
			err = context.Cause(t.ctx)
		}
		b.over(err)
	}
	return n, err
}

// Close implements io.Closer.
func (b *reply) Close() error {
	err := b.inner.Close()
	b.over(errLost)
	return err
}

// over ends the exchange: nil and io.EOF are its proper end.
func (b *reply) over(err error) {
	t := b.try
	if t.told.Load() {
		return
	}
	o := backend.Outcome{Status: t.response.StatusCode}
	if err != nil && err != io.EOF {
		t.err = err
		o.Abandoned = err == errLost || t.cancelled()
		o.Failed = !o.Abandoned
		if t.response.StatusCode == nethttp.StatusSwitchingProtocols {
			o.Abandoned, o.Failed = false, false // how a tunnel ends is its users' business
		}
	}
	t.tell(o)
	t.end(errDone)
	t.x.finish()
}

// duplex is the body of a response that switches protocols: both directions of a connection.
type duplex struct {
	*reply
	io.Writer
}

// Write implements io.Writer.
func (d *duplex) Write(p []byte) (int, error) {
	n, err := d.Writer.Write(p)
	d.try.x.f.count.add(func(r *Result) { r.Sent += units.Bytes(n) })
	return n, err
}

// CloseWrite ends the direction towards the backend.
func (d *duplex) CloseWrite() error {
	if c, ok := d.Writer.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

// Read implements io.Reader. The end of one direction doesn't end the tunnel.
func (d *duplex) Read(p []byte) (int, error) {
	n, err := d.inner.Read(p)
	d.try.x.f.count.add(func(r *Result) { r.Received += units.Bytes(n) })
	return n, err
}
