package web

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	nethttp "net/http"
	"net/http/httptrace"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"netlab/http"
	"netlab/services"
	"netlab/tcp"
)

// errDigest is why a response whose content is not what its header says counts as failed.
var errDigest = errors.New("the content is not what its Content-Digest says")

// userAgent is what requests say.
const userAgent = "netlab"

// client makes the requests of one host.
type client struct {
	env       *services.Env
	config    Config
	tally     *tally
	transport *nethttp.Transport
	life      context.Context // of dials: net/http goes on with one whose request has gone
	close     func()
}

func newClient(ctx context.Context, env *services.Env, config Config, t *tally) *client {
	c := &client{env: env, config: config, tally: t}
	var end context.CancelFunc
	c.life, end = context.WithCancel(ctx)
	c.transport = http.NewTransport(env.Host, &http.TransportOptions{
		NoKeepAlive: !config.KeepAlive, IdlePerServer: config.Concurrency, Dial: c.dial,
	})
	c.close = func() {
		end()
		c.transport.CloseIdleConnections()
	}
	return c
}

func (c *client) dial(ctx context.Context, address string) (net.Conn, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.life, func() { cancel(context.Cause(c.life)) })()
	start := c.env.Elapsed()
	conn, err := tcp.Dial(ctx, c.env.Host, address)
	if err != nil {
		return nil, err
	}
	c.tally.connected(c.env.Elapsed() - start)
	return conn, nil
}

// fetch makes one request and counts what comes of it.
func (c *client) fetch(ctx context.Context) {
	start := c.env.Elapsed()
	ctx, cancel := c.env.WithTimeout(ctx, c.config.Timeout.Std())
	defer cancel()
	var first atomic.Int64 // 0 means never
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotFirstResponseByte: func() { first.CompareAndSwap(0, int64(c.env.Elapsed())) },
	})
	o := outcome{}
	o.status, o.bytes, o.err = c.request(traced)
	o.latency = c.env.Elapsed() - start
	if at := time.Duration(first.Load()); at > 0 {
		o.firstByte, o.answered = at-start, true
	}
	if o.err != nil && ctx.Err() != nil {
		o.err = context.Cause(ctx) // the reason for what net/http says
		o.cut = !errors.Is(o.err, os.ErrDeadlineExceeded)
	}
	if o.err != nil && !o.cut {
		c.env.Log.Debug("request failed", "error", o.err)
	}
	c.tally.count(o)
}

// request makes a request and reads the response to its end.
func (c *client) request(ctx context.Context) (status int, n int64, err error) {
	r, err := nethttp.NewRequestWithContext(ctx, nethttp.MethodGet, string(c.config.URL), nil)
	if err != nil {
		return 0, 0, err
	}
	r.Header.Set("User-Agent", userAgent)
	response, err := c.transport.RoundTrip(r)
	if err != nil {
		return 0, 0, err
	}
	defer response.Body.Close()
	hash := sha256.New()
	n, err = io.Copy(hash, response.Body)
	if err != nil {
		return response.StatusCode, n, err
	}
	want := response.Header.Get(digestField)
	if strings.HasPrefix(want, "sha-256=:") && want != digestValue([32]byte(hash.Sum(nil))) {
		return response.StatusCode, n, errDigest
	}
	return response.StatusCode, n, nil
}
