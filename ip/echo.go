package ip

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// EchoConn sends ICMP echo requests to one address and receives the replies.
type EchoConn struct {
	s    *Socket
	peer netip.Addr
}

// EchoReply is an answer to an echo request.
type EchoReply struct {
	Sequence uint16
	Bytes    int // of the ICMP message
	TTL      int // or hop limit, on arrival
	At       time.Duration
}

// DialEcho opens an ICMP socket (RFC 792, RFC 4443) to an address. The stack chooses the identifier.
func DialEcho(h *Host, peer netip.Addr) (*EchoConn, error) {
	transport := icmp.ProtocolNumber4
	if peer.Is6() {
		transport = icmp.ProtocolNumber6
	}
	remote := IPAddr(peer)
	s, err := h.NewSocket(transport, peer.Is6())
	if err != nil {
		return nil, OpError("dial", "icmp", nil, remote, err)
	}
	if peer.Is6() {
		s.Endpoint.SocketOptions().SetReceiveHopLimit(true)
	} else {
		s.Endpoint.SocketOptions().SetReceiveTTL(true)
	}
	if err := s.Endpoint.Connect(tcpip.FullAddress{Addr: fromNetip(peer)}); err != nil {
		s.Close()
		return nil, OpError("dial", "icmp", nil, remote, Errno(err))
	}
	return &EchoConn{s, peer}, nil
}

// Send sends an echo request with that sequence number and payload.
func (c *EchoConn) Send(sequence uint16, payload []byte) error {
	if err := c.s.Err(); err != nil {
		return OpError("write", "icmp", nil, IPAddr(c.peer), err)
	}
	m := make([]byte, header.ICMPv4MinimumSize+len(payload))
	m[0] = byte(header.ICMPv4Echo)
	if c.peer.Is6() {
		m[0] = byte(header.ICMPv6EchoRequest)
	}
	binary.BigEndian.PutUint16(m[6:], sequence)
	copy(m[header.ICMPv4MinimumSize:], payload)
	if _, err := c.s.Endpoint.Write(bytes.NewReader(m), tcpip.WriteOptions{}); err != nil {
		return OpError("write", "icmp", nil, IPAddr(c.peer), Errno(err))
	}
	return nil
}

// Receive waits for a reply until the deadline; the zero time means for ever.
func (c *EchoConn) Receive(deadline time.Time) (EchoReply, error) {
	c.s.read.Set(deadline)
	var message bytes.Buffer
	var result tcpip.ReadResult
	err := c.s.Do(waiter.ReadableEvents, &c.s.read, func() tcpip.Error {
		var err tcpip.Error
		message.Reset()
		result, err = c.s.Endpoint.Read(&message, tcpip.ReadOptions{})
		return err
	})
	if err != nil {
		return EchoReply{}, OpError("read", "icmp", nil, IPAddr(c.peer), err)
	}
	m := message.Bytes()
	if len(m) < header.ICMPv4MinimumSize {
		return EchoReply{}, OpError("read", "icmp", nil, IPAddr(c.peer), net.UnknownNetworkError("short ICMP message"))
	}
	r := EchoReply{Sequence: binary.BigEndian.Uint16(m[6:]), Bytes: len(m), At: c.s.Host.net.Elapsed()}
	switch cm := result.ControlMessages; {
	case cm.HasTTL:
		r.TTL = int(cm.TTL)
	case cm.HasHopLimit:
		r.TTL = int(cm.HopLimit)
	}
	return r, nil
}

// Close closes the socket.
func (c *EchoConn) Close() error {
	c.s.Close()
	return nil
}

// IPAddr converts an address for package net.
func IPAddr(a netip.Addr) net.Addr { return &net.IPAddr{IP: a.AsSlice(), Zone: a.Zone()} }
