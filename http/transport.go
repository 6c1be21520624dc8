package http

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	nethttp "net/http"
	"time"

	"netlab/ip"
	"netlab/tcp"
)

// The limits of a transport that isn't told otherwise.
const (
	// DefaultIdlePerServer is how many idle connections a client keeps to each server.
	DefaultIdlePerServer = 100
	// DefaultIdleTimeout is how long it keeps them.
	DefaultIdleTimeout = 90 * time.Second
)

// Version is the version of HTTP that a client wants.
type Version string

// The versions that there are.
const (
	// Negotiated takes HTTP/2 or HTTP/1.1 as the server chooses by ALPN, and without TLS HTTP/1.1.
	Negotiated Version = ""
	// HTTP1 is HTTP/1.1, with TLS and without.
	HTTP1 Version = "http/1.1"
	// HTTP2 is HTTP/2 over TLS; a server that speaks something else is an error, [ErrNotHTTP2] among others.
	HTTP2 Version = "h2"
	// H2C is HTTP/2 without TLS, with prior knowledge. With TLS it is HTTP2.
	H2C Version = "h2c"
)

// ErrNotHTTP2 is why a connection fails whose server has not agreed on HTTP/2.
var ErrNotHTTP2 = errors.New("the server does not speak HTTP/2")

// TransportOptions change what [NewTransport] makes. The zero value, and nil, are the defaults.
type TransportOptions struct {
	// NoKeepAlive closes each connection after one request.
	NoKeepAlive bool
	// MaxConnsPerServer limits the connections to each server, idle or not; further requests wait. 0 means no limit, but for
	// the versions HTTP2 and H2C one connection, which takes as many requests as the server allows, and another one only when
	// these are under way.
	MaxConnsPerServer int
	// IdlePerServer limits the idle connections to each server. 0 means DefaultIdlePerServer.
	IdlePerServer int
	// IdleTimeout is how long an idle connection is kept. 0 means DefaultIdleTimeout.
	IdleTimeout time.Duration
	// Dial replaces how connections are made; nil means tcp.Dial on the host.
	Dial func(ctx context.Context, address string) (net.Conn, error)
	// DialTLS replaces how connections with TLS are made, handshake included; config is all that it needs. Nil means Dial and
	// then a handshake. Do not use it for WebSocket: it offers HTTP/2 unless Version is HTTP1.
	DialTLS func(ctx context.Context, address string, config *tls.Config) (*tls.Conn, error)
	// TLS is used for https URLs. Nil means that there are none: they fail.
	TLS *tls.Config
	// Version is the version of HTTP.
	Version Version
}

// NewTransport returns a transport for the HTTP clients of a host. It is to be closed with CloseIdleConnections.
func NewTransport(h *ip.Host, o *TransportOptions) *nethttp.Transport {
	if o == nil {
		o = &TransportOptions{}
	}
	t := &nethttp.Transport{
		Proxy:               nil, // not the machine's
		DisableCompression:  true,
		DisableKeepAlives:   o.NoKeepAlive,
		MaxConnsPerHost:     o.MaxConnsPerServer,
		MaxIdleConnsPerHost: o.IdlePerServer,
		IdleConnTimeout:     o.IdleTimeout,
		Protocols:           protocols(o.Version),
	}
	if t.MaxIdleConnsPerHost == 0 {
		t.MaxIdleConnsPerHost = DefaultIdlePerServer
	}
	if t.IdleConnTimeout == 0 {
		t.IdleConnTimeout = DefaultIdleTimeout
	}
	if t.MaxConnsPerHost == 0 && !t.Protocols.HTTP1() {
		t.MaxConnsPerHost = 1
	}
	dial := o.Dial
	if dial == nil {
		dial = func(ctx context.Context, address string) (net.Conn, error) { return tcp.Dial(ctx, h, address) }
	}
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if network != "tcp" {
			return nil, &net.OpError{Op: "dial", Net: network, Err: net.UnknownNetworkError(network)}
		}
		return dial(ctx, address)
	}
	if o.Version == HTTP2 {
		t.RegisterProtocol("http", refused{}) // net/http would speak HTTP/1.1
	}
	if o.TLS == nil {
		t.DialTLSContext = func(_ context.Context, network, address string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: network, Err: fmt.Errorf("no TLS is configured for https://%s", address)}
		}
		return t
	}
	t.TLSClientConfig = o.TLS.Clone() // net/http changes it
	if !t.Protocols.HTTP1() {
		t.TLSClientConfig.VerifyConnection = wantHTTP2(o.TLS.VerifyConnection)
	}
	if o.DialTLS != nil {
		t.DialTLSContext = dialTLS(t.TLSClientConfig.Clone(), t.Protocols, o.DialTLS)
	}
	return t
}

// dialTLS completes the configuration as net/http would.
func dialTLS(config *tls.Config, p *nethttp.Protocols, dial func(context.Context, string, *tls.Config) (*tls.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	config.NextProtos = nil
	if p.HTTP2() {
		config.NextProtos = append(config.NextProtos, "h2")
	}
	if p.HTTP1() {
		config.NextProtos = append(config.NextProtos, "http/1.1")
	}
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		c := config
		if c.ServerName == "" {
			name, _, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			c = config.Clone()
			c.ServerName = name
		}
		conn, err := dial(ctx, address, c)
		if err != nil {
			return nil, err // not a nil *tls.Conn
		}
		return conn, nil
	}
}

// protocols returns net/http's name for a version.
func protocols(v Version) *nethttp.Protocols {
	p := new(nethttp.Protocols)
	switch v {
	case Negotiated:
		p.SetHTTP1(true)
		p.SetHTTP2(true)
	case HTTP1:
		p.SetHTTP1(true)
	case HTTP2:
		p.SetHTTP2(true)
	case H2C:
		p.SetHTTP2(true)
		p.SetUnencryptedHTTP2(true)
	default:
		panic(fmt.Sprintf("http: version %q: want one of the constants", v))
	}
	return p
}

// refused fails every request.
type refused struct{}

// RoundTrip implements net/http's RoundTripper.
func (refused) RoundTrip(r *nethttp.Request) (*nethttp.Response, error) {
	if r.Body != nil {
		r.Body.Close()
	}
	return nil, fmt.Errorf("%s: version h2 is HTTP/2 over TLS: want an https URL, or version h2c", r.URL)
}

// wantHTTP2 refuses connections whose server has not chosen HTTP/2: net/http would take HTTP/1.1. next may be nil.
func wantHTTP2(next func(tls.ConnectionState) error) func(tls.ConnectionState) error {
	return func(s tls.ConnectionState) error {
		if s.NegotiatedProtocol != "h2" {
			return ErrNotHTTP2
		}
		if next != nil {
			return next(s)
		}
		return nil
	}
}
