package ip

import (
	"bytes"
	"fmt"
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/transport/raw"
	"gvisor.dev/gvisor/pkg/waiter"
)

// ICMPError is an ICMP error (RFC 792, RFC 4443) that a host received about a packet that it sent.
type ICMPError struct {
	// From is the router or host that sent the error.
	From netip.Addr
	// Type and Code are those of ICMP, or of ICMPv6 where From is an IPv6 address. [ICMPError.Kind] says the same for both.
	Type, Code uint8
	// MTU is that of the link that the packet was too big for; 0 in other errors.
	MTU int
	// At is when the error was read, since the start of the run. For a reader who waits that is when it arrived.
	At time.Duration
	// Protocol is the transport protocol of the packet that the error is about, such as 17 for UDP.
	Protocol uint8
	// Source and Destination are those of the packet. The ports are 0 where it was neither TCP nor UDP, or where the error
	// doesn't quote them.
	Source, Destination netip.AddrPort
}

// ErrorKind is what an ICMP error says, whatever the IP version.
type ErrorKind int

// The kinds of errors.
const (
	OtherError         ErrorKind = iota // such as a header that makes no sense
	TTLExceeded                         // the TTL or hop limit ran out on the way
	NetworkUnreachable                  // a router has no route to the destination
	HostUnreachable                     // the destination's network was reached, but not the destination
	PortUnreachable                     // the destination was reached, and nobody listens on the port
	Prohibited                          // a firewall refused the packet
	PacketTooBig                        // the packet doesn't fit on a link and can't be fragmented
	OtherUnreachable                    // the destination can't be reached for another reason
)

// Kind says what the error means.
func (e ICMPError) Kind() ErrorKind {
	if e.From.Is6() {
		return e.kind6()
	}
	return e.kind4()
}

func (e ICMPError) kind4() ErrorKind {
	code := header.ICMPv4Code(e.Code)
	switch header.ICMPv4Type(e.Type) {
	case header.ICMPv4TimeExceeded:
		if code == header.ICMPv4TTLExceeded {
			return TTLExceeded
		}
	case header.ICMPv4DstUnreachable:
		switch code {
		case header.ICMPv4NetUnreachable, header.ICMPv4DestinationNetworkUnknown:
			return NetworkUnreachable
		case header.ICMPv4HostUnreachable, header.ICMPv4DestinationHostUnknown:
			return HostUnreachable
		case header.ICMPv4PortUnreachable:
			return PortUnreachable
		case header.ICMPv4NetProhibited, header.ICMPv4HostProhibited, header.ICMPv4AdminProhibited:
			return Prohibited
		case header.ICMPv4FragmentationNeeded:
			return PacketTooBig
		}
		return OtherUnreachable
	}
	return OtherError
}

func (e ICMPError) kind6() ErrorKind {
	code := header.ICMPv6Code(e.Code)
	switch header.ICMPv6Type(e.Type) {
	case header.ICMPv6TimeExceeded:
		if code == header.ICMPv6HopLimitExceeded {
			return TTLExceeded
		}
	case header.ICMPv6PacketTooBig:
		return PacketTooBig
	case header.ICMPv6DstUnreachable:
		switch code {
		case header.ICMPv6NetworkUnreachable:
			return NetworkUnreachable
		case header.ICMPv6AddressUnreachable:
			return HostUnreachable
		case header.ICMPv6PortUnreachable:
			return PortUnreachable
		case header.ICMPv6Prohibited, header.ICMPv6Policy, header.ICMPv6RejectRoute:
			return Prohibited
		}
		return OtherUnreachable
	}
	return OtherError
}

// String describes the error for a log.
func (e ICMPError) String() string {
	return fmt.Sprintf("ICMP type %d code %d from %s about protocol %d from %s to %s", e.Type, e.Code, e.From, e.Protocol, e.Source, e.Destination)
}

// ErrorConn receives the ICMP errors of one IP version that reach a host, whichever of its sockets sent the packets. The
// stack itself tells UDP sockets only that a port is closed, and not who said so.
type ErrorConn struct {
	s     *Socket
	parse func(packet []byte) (ICMPError, bool)
}

// ListenErrors opens a raw socket for ICMP, or for ICMPv6.
func ListenErrors(h *Host, v6 bool) (*ErrorConn, error) {
	fail := func(err error) (*ErrorConn, error) { return nil, OpError("listen", "icmp", nil, nil, err) }
	s, err := h.newSocket(func(q *waiter.Queue) (tcpip.Endpoint, tcpip.Error) {
		if v6 {
			return raw.NewEndpoint(h.stack, header.IPv6ProtocolNumber, header.ICMPv6ProtocolNumber, q)
		}
		return raw.NewEndpoint(h.stack, header.IPv4ProtocolNumber, header.ICMPv4ProtocolNumber, q)
	})
	if err != nil {
		return fail(err)
	}
	c := &ErrorConn{s, parseError4}
	if v6 {
		c.parse = parseError6
	}
	return c, nil
}

// Read waits for an error until the deadline; the zero time means for ever. Several may be kept until they are read, as far
// as the socket's buffer of 32 KiB goes.
func (c *ErrorConn) Read(deadline time.Time) (ICMPError, error) {
	c.s.read.Set(deadline)
	for {
		var packet bytes.Buffer
		var result tcpip.ReadResult
		err := c.s.Do(waiter.ReadableEvents, &c.s.read, func() tcpip.Error {
			var err tcpip.Error
			packet.Reset()
			result, err = c.s.Endpoint.Read(&packet, tcpip.ReadOptions{NeedRemoteAddr: true})
			return err
		})
		if err != nil {
			return ICMPError{}, OpError("read", "icmp", nil, nil, err)
		}
		if e, ok := c.parse(packet.Bytes()); ok {
			e.From, e.At = AddrPort(result.RemoteAddr).Addr(), c.s.Host.net.Elapsed()
			return e, nil
		}
	}
}

// Close closes the socket and ends a Read that waits with net.ErrClosed.
func (c *ErrorConn) Close() error {
	c.s.Close()
	return nil
}
