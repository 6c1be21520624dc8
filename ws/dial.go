package ws

import (
	"context"
	"fmt"
	"net"
	nethttp "net/http"
	"sync/atomic"

	"github.com/coder/websocket"

	"netlab/http"
	"netlab/ip"
	"netlab/tcp"
)

// Dial connects a host to a WebSocket server: "ws://server/path", "wss://server/path", or the same with http and https. ctx is for
// the handshakes alone. The error is that of the dial, or a *HandshakeError if the server is reached but does not agree.
func Dial(ctx context.Context, h *ip.Host, url string, o *DialOptions) (*Conn, error) {
	if o == nil {
		o = &DialOptions{}
	}
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("websocket: %w", err)
	}
	// A transport for this connection alone: its dial ends with ctx, and what it dialled is known.
	var raw atomic.Pointer[tcp.Conn]
	transport := http.NewTransport(h, &http.TransportOptions{
		TLS: o.TLS, Version: http.HTTP1,
		Dial: func(_ context.Context, address string) (net.Conn, error) {
			conn, err := tcp.Dial(ctx, h, address)
			if err != nil {
				return nil, err
			}
			raw.Store(conn)
			return conn, nil
		},
	})
	defer transport.CloseIdleConnections()
	lib, response, err := websocket.Dial(ctx, url, &websocket.DialOptions{
		HTTPClient:      &nethttp.Client{Transport: transport},
		HTTPHeader:      header(o.Header),
		Subprotocols:    o.Subprotocols,
		CompressionMode: modes[o.Compression],
	})
	switch {
	case err == nil:
		return newConn(h, lib, raw.Load(), &o.Options), nil
	case response != nil:
		return nil, &HandshakeError{Status: response.StatusCode, Err: err}
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	}
	return nil, fmt.Errorf("websocket: %w", err)
}

// userAgent is what requests say unless they are told otherwise.
const userAgent = "netlab"

func header(given nethttp.Header) nethttp.Header {
	h := given.Clone()
	if h == nil {
		h = nethttp.Header{}
	}
	if h.Get("User-Agent") == "" {
		h.Set("User-Agent", userAgent)
	}
	return h
}
