package ws

import (
	"bufio"
	"fmt"
	"net"
	nethttp "net/http"

	"github.com/coder/websocket"

	"netlab/ip"
	"netlab/tcp"
)

// Accept answers a request that asks for WebSocket, on the host that the server runs on. The handler owns the connection from then
// on and closes it before it returns; [Conn] tells how. The request's context still ends with the server. A request that
// doesn't ask, or asks wrongly, has been answered when Accept returns an error. Requests of any origin are taken.
func Accept(h *ip.Host, w nethttp.ResponseWriter, r *nethttp.Request, o *AcceptOptions) (*Conn, error) {
	if o == nil {
		o = &AcceptOptions{}
	}
	if err := o.check(); err != nil {
		nethttp.Error(w, nethttp.StatusText(nethttp.StatusInternalServerError), nethttp.StatusInternalServerError)
		return nil, fmt.Errorf("websocket: %w", err)
	}
	taker := &taker{ResponseWriter: w}
	lib, err := websocket.Accept(taker, r, &websocket.AcceptOptions{
		Subprotocols:       o.Subprotocols,
		CompressionMode:    modes[o.Compression],
		InsecureSkipVerify: true,
	})
	if err != nil {
		return nil, fmt.Errorf("websocket: %w", err)
	}
	return newConn(h, lib, below(taker.conn), &o.Options), nil
}

// taker sees which connection the library takes over.
type taker struct {
	nethttp.ResponseWriter
	conn net.Conn
}

// Hijack implements net/http's Hijacker.
func (t *taker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := nethttp.NewResponseController(t.ResponseWriter).Hijack()
	t.conn = conn
	return conn, rw, err
}

// below returns the TCP connection that carries another one, or nil if there is none.
func below(conn net.Conn) *tcp.Conn {
	for {
		switch c := conn.(type) {
		case *tcp.Conn:
			return c
		case interface{ NetConn() net.Conn }:
			conn = c.NetConn()
		default:
			return nil
		}
	}
}
