package udp

import (
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/waiter"

	"netlab/ip"
)

// ICMPError is an ICMP message about a datagram that the socket sent.
type ICMPError struct {
	// From is the router or host that sent it.
	From netip.Addr
	// To is where the datagram was sent to.
	To netip.AddrPort
	// Type and Code are those of ICMP, or of ICMPv6 where From is an IPv6 address.
	Type, Code uint8
	// At is when it arrived, since the start of the run.
	At time.Duration
}

// SetTTL sets the TTL or hop limit of the datagrams that the socket sends, 1 to 255.
func (c *Conn) SetTTL(ttl int) error {
	option := tcpip.IPv4TTLOption
	if c.v6() {
		option = tcpip.IPv6HopLimitOption
	}
	if err := c.s.Endpoint.SetSockOptInt(option, ttl); err != nil {
		return c.opError("set", ip.Errno(err))
	}
	return nil
}

// KeepErrors makes the socket keep ICMP errors for [Conn.ReadError], as IP_RECVERR does.
func (c *Conn) KeepErrors() {
	if c.v6() {
		c.s.Endpoint.SocketOptions().SetIPv6RecvError(true)
	} else {
		c.s.Endpoint.SocketOptions().SetIPv4RecvError(true)
	}
}

func (c *Conn) v6() bool {
	if c.remote != nil {
		return c.s.Remote().Addr().Is6()
	}
	return c.s.Local().Addr().Is6()
}

// ReadError waits for an ICMP error until the read deadline.
func (c *Conn) ReadError() (ICMPError, error) {
	var found *tcpip.SockError
	err := c.s.Do(waiter.EventErr, c.s.ReadDeadline(), func() tcpip.Error {
		c.s.Endpoint.LastError() // it is in the queue too, with more to tell
		for {
			found = c.s.Endpoint.SocketOptions().DequeueErr()
			if found == nil {
				return &tcpip.ErrWouldBlock{}
			}
			if found.Cause.Origin().IsICMPErr() {
				return nil
			}
		}
	})
	if err != nil {
		return ICMPError{}, c.opError("read", err)
	}
	return ICMPError{
		From: ip.AddrPort(found.Offender).Addr(), To: ip.AddrPort(found.Dst),
		Type: found.Cause.Type(), Code: found.Cause.Code(), At: c.s.Host.Network().Elapsed(),
	}, nil
}
