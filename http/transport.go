package http

import (
	"context"
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

// TransportOptions change what [NewTransport] makes. The zero value, and nil, are the defaults.
type TransportOptions struct {
	// NoKeepAlive closes each connection after one request.
	NoKeepAlive bool
	// MaxConnsPerServer limits the connections to each server, idle or not; further requests wait. 0 means no limit.
	MaxConnsPerServer int
	// IdlePerServer limits the idle connections to each server. 0 means DefaultIdlePerServer.
	IdlePerServer int
	// IdleTimeout is how long an idle connection is kept. 0 means DefaultIdleTimeout.
	IdleTimeout time.Duration
	// Dial replaces how connections are made; nil means tcp.Dial on the host.
	Dial func(ctx context.Context, address string) (net.Conn, error)
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
	}
	if t.MaxIdleConnsPerHost == 0 {
		t.MaxIdleConnsPerHost = DefaultIdlePerServer
	}
	if t.IdleConnTimeout == 0 {
		t.IdleConnTimeout = DefaultIdleTimeout
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
	return t
}
