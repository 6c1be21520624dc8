package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"net/http/httputil"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"netlab/netem"
	"netlab/services"
	"netlab/services/failures"
	"netlab/services/proxy/access"
	"netlab/services/proxy/tunnel"
	"netlab/units"
)

// exchange is one request of a client and what becomes of it. It sees what is answered.
type exchange struct {
	nethttp.ResponseWriter
	proxy        *proxy
	client, host string
	usage        access.Usage
	part         *uint64 // of what was refused
	status       int
	sent, got    atomic.Int64 // content of a request and its response
	done         bool         // it came to a proper end
}

// exchangeKey is the key of the exchange in the context of its request.
type exchangeKey struct{}

// WriteHeader implements net/http's ResponseWriter.
func (x *exchange) WriteHeader(status int) {
	if status >= nethttp.StatusOK || status == nethttp.StatusSwitchingProtocols {
		x.status = status
	}
	x.ResponseWriter.WriteHeader(status)
}

// Unwrap lets net/http's ResponseController find what it looks for.
func (x *exchange) Unwrap() nethttp.ResponseWriter { return x.ResponseWriter }

// count adds the exchange to what the proxy reports.
func (x *exchange) count() {
	x.usage.Sent += units.Bytes(x.sent.Load())
	x.usage.Received += units.Bytes(x.got.Load())
	if !x.done && !x.proxy.env.Over(x.proxy.ctx) {
		x.usage.Failed = 1 // it broke off
	}
	x.proxy.counts.add(x)
}

// refuse answers that the proxy won't do it.
func (x *exchange) refuse(status int, kind, text string) {
	x.usage.Refused, x.done = 1, true
	x.answer(status, kind, text)
}

// fail answers that it can't be done.
func (x *exchange) fail(status int, kind, text string) {
	x.usage.Failed, x.done = 1, true
	x.answer(status, kind, text)
}

// answer writes a response of the proxy's own, with the kind of trouble in RFC 9209's words.
func (x *exchange) answer(status int, kind, text string) {
	h := x.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Date", x.proxy.env.Host.Now().UTC().Format(nethttp.TimeFormat))
	h.Set("Proxy-Status", x.proxy.name+"; error="+kind)
	body := fmt.Sprintf("%d %s: %s\n", status, nethttp.StatusText(status), text)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	x.WriteHeader(status)
	io.WriteString(x, body) // a client that has gone needs no answer
}

// trouble says what an error on the way to a server means to a client.
func trouble(err error) (status int, kind, text string) {
	switch failures.Of(err) {
	case failures.Name:
		return nethttp.StatusBadGateway, "dns_error", "the host's name is unknown"
	case failures.DNSTimeout:
		return nethttp.StatusGatewayTimeout, "dns_timeout", "no name server answers"
	case failures.Refused:
		return nethttp.StatusBadGateway, "connection_refused", "the host refuses connections to this port"
	case failures.Unreachable:
		return nethttp.StatusBadGateway, "destination_ip_unroutable", "there is no way to the host"
	case failures.Timeout:
		if errors.Is(err, errNoResponse) {
			return nethttp.StatusGatewayTimeout, "http_response_timeout", "the server doesn't answer"
		}
		return nethttp.StatusGatewayTimeout, "connection_timeout", "the host doesn't answer"
	case failures.Reset, failures.Closed:
		return nethttp.StatusBadGateway, "connection_terminated", "the server broke the connection off"
	}
	return nethttp.StatusBadGateway, "http_protocol_error", "the server's answer makes no sense"
}

// tunnel leads to a host.
func (x *exchange) tunnel(r *nethttp.Request, to access.Request) {
	p := x.proxy
	server, err := p.dial(r.Context(), net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port))))
	if err != nil {
		x.fail(trouble(err))
		return
	}
	client, early, err := nethttp.NewResponseController(x.ResponseWriter).Hijack()
	if err != nil {
		server.Abort()
		return
	}
	defer p.clients.Left(r.RemoteAddr)
	x.usage.Tunnels, x.status = 1, nethttp.StatusOK
	client.SetDeadline(time.Time{})
	if _, err := io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		server.Abort()
		return
	}
	first, _ := early.Reader.Peek(early.Reader.Buffered())
	flow, err := tunnel.Join(r.Context(), p.env, client.(tunnel.Conn), server, first, p.config.IdleTimeout.Std())
	x.usage.Sent, x.usage.Received = units.Bytes(flow.Up), units.Bytes(flow.Down)
	x.done = err == nil || errors.Is(err, tunnel.ErrIdle)
}

// plain sends a request on and its response back.
func (x *exchange) plain(r *nethttp.Request) {
	if x.proxy.viaItself(r.Header) {
		x.fail(nethttp.StatusBadGateway, "proxy_loop_detected", "the request has come through this proxy before")
		return
	}
	if r.Method == nethttp.MethodOptions && r.Header.Get("Max-Forwards") == "0" { // RFC 9110, section 7.6.2
		x.done = true
		x.WriteHeader(nethttp.StatusNoContent)
		return
	}
	r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
	if r.Body != nil && r.Body != nethttp.NoBody {
		r.Body = &counted{r.Body, &x.sent}
	}
	x.proxy.forward.ServeHTTP(x, r)
	x.done = true
}

// rewrite makes the request that the server gets. What belongs to the client's connection, and Forwarded, is gone already.
func (p *proxy) rewrite(r *httputil.ProxyRequest) {
	r.Out.URL.RawQuery = r.In.URL.RawQuery // ReverseProxy leaves out what it can't read
	if left, err := strconv.ParseUint(r.In.Header.Get("Max-Forwards"), 10, 32); err == nil && left > 0 && r.In.Method == nethttp.MethodOptions {
		r.Out.Header.Set("Max-Forwards", strconv.FormatUint(left-1, 10))
	}
	via := fmt.Sprintf("%d.%d %s", r.In.ProtoMajor, r.In.ProtoMinor, p.name)
	r.Out.Header.Set("Via", strings.Join(append(r.In.Header.Values("Via"), via), ", "))
	switch p.config.Forwarded {
	case Anonymous:
		r.Out.Header.Set("Forwarded", "for=_hidden")
	case On:
		host, _, _ := net.SplitHostPort(r.In.RemoteAddr)
		node := host
		if strings.Contains(host, ":") {
			node = `"[` + host + `]"` // RFC 7239, section 6
		}
		r.Out.Header.Set("Forwarded", strings.Join(append(r.In.Header.Values("Forwarded"), "for="+node), ", "))
		r.Out.Header.Set("X-Forwarded-For", strings.Join(append(r.In.Header.Values("X-Forwarded-For"), host), ", "))
	}
}

// returning prepares a response for the client.
func (p *proxy) returning(r *nethttp.Response) error {
	x := r.Request.Context().Value(exchangeKey{}).(*exchange)
	if r.StatusCode == nethttp.StatusSwitchingProtocols {
		return nil
	}
	r.Header.Add("Via", fmt.Sprintf("%d.%d %s", r.ProtoMajor, r.ProtoMinor, p.name))
	r.Body = &counted{r.Body, &x.got}
	return nil
}

// failed answers a request that the server didn't.
func (p *proxy) failed(_ nethttp.ResponseWriter, r *nethttp.Request, err error) {
	x := r.Context().Value(exchangeKey{}).(*exchange)
	if r.Context().Err() != nil && !errors.Is(err, errNoResponse) {
		panic(nethttp.ErrAbortHandler) // the client has gone
	}
	var tooLong *nethttp.MaxBytesError
	if errors.As(err, &tooLong) {
		x.fail(nethttp.StatusRequestEntityTooLarge, "http_request_error", "the content is too large")
		return
	}
	x.fail(trouble(err))
}

// counted counts what is read.
type counted struct {
	io.ReadCloser
	n *atomic.Int64
}

// Read implements io.Reader.
func (c *counted) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.n.Add(int64(n))
	return n, err
}

// errNoResponse is why a request fails whose response doesn't come in time.
var errNoResponse = fmt.Errorf("no response came in time: %w", os.ErrDeadlineExceeded)

// timed is a transport that waits for responses for a limited time.
type timed struct {
	env   *services.Env
	limit time.Duration // 0 means none
	next  nethttp.RoundTripper
}

// RoundTrip implements net/http's RoundTripper.
func (t *timed) RoundTrip(r *nethttp.Request) (*nethttp.Response, error) {
	if t.limit == 0 {
		return t.next.RoundTrip(r)
	}
	ctx, end := context.WithCancelCause(r.Context())
	h := t.env.Host
	timer := h.Network().AfterFunc(h.Owner(), netem.KindDeadline, t.limit, func() { end(errNoResponse) })
	response, err := t.next.RoundTrip(r.WithContext(ctx))
	timer.Stop()
	if err != nil {
		if context.Cause(ctx) == errNoResponse {
			err = errNoResponse
		}
		end(nil)
		return nil, err
	}
	context.AfterFunc(r.Context(), func() { end(nil) })
	return response, nil
}
