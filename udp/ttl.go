package udp

import (
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"

	"netlab/ip"
)

// SetTTL sets the TTL and the hop limit of the datagrams that the socket sends, 1 to 255.
func (c *Conn) SetTTL(ttl int) error {
	const most = 255
	if ttl < 1 || ttl > most {
		return c.opError("set", syscall.EINVAL)
	}
	for _, option := range []tcpip.SockOptInt{tcpip.IPv4TTLOption, tcpip.IPv6HopLimitOption} {
		if err := c.s.Endpoint.SetSockOptInt(option, ttl); err != nil {
			return c.opError("set", ip.Errno(err))
		}
	}
	return nil
}
