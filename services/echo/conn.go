package echo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"netlab/ip"
	"netlab/services/probe"
	"netlab/tcp"
	"netlab/udp"
)

// tcpConn sends messages over a TCP connection. They are all of one size, so they need no other frame.
type tcpConn struct{ conn *tcp.Conn }

func (c tcpConn) send(message []byte) error {
	if _, err := c.conn.Write(message); err != nil {
		return fmt.Errorf("%w: %w", probe.ErrGone, err)
	}
	return nil
}

// receive fills all of b but the last byte, which is there to notice datagrams that are too long.
func (c tcpConn) receive(b []byte) (int, error) { return io.ReadFull(c.conn, b[:len(b)-1]) }

func (c tcpConn) close() { c.conn.Close() }

// udpConn sends each message as a datagram.
type udpConn struct{ conn *udp.Conn }

func openUDP(ctx context.Context, h *ip.Host, from uint16, address string) (conn, error) {
	c, err := udp.DialFrom(ctx, h, from, address)
	if err != nil {
		return nil, err
	}
	return udpConn{c}, nil
}

// send ignores that an earlier message found nobody who listens: this one has not been sent yet.
func (c udpConn) send(message []byte) error {
	_, err := c.conn.Write(message)
	if errors.Is(err, syscall.ECONNREFUSED) {
		_, err = c.conn.Write(message)
	}
	return err
}

// receive goes on when nobody listens; the messages will be lost, and the echo may start later.
func (c udpConn) receive(b []byte) (int, error) {
	for {
		n, err := c.conn.Read(b)
		if err == nil || errors.Is(err, net.ErrClosed) || !errors.Is(err, syscall.ECONNREFUSED) {
			return n, err
		}
	}
}

func (c udpConn) close() { c.conn.Close() }
