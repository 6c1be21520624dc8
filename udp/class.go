package udp

import (
	"net/netip"

	"netlab/ip"
	"netlab/units"
)

// SetTrafficClass sets the DSCP and the ECN codepoint of the datagrams that the socket sends from now on.
func (c *Conn) SetTrafficClass(dscp units.DSCP, ecn ip.ECN) error {
	if err := c.s.SetTrafficClass(dscp, ecn); err != nil {
		return c.opError("set", err)
	}
	return nil
}

// ReceiveECN makes [Conn.ReadECN] tell the ECN codepoint of datagrams that arrive from now on.
func (c *Conn) ReceiveECN() { c.s.ReceiveClass() }

// ReadECN is [Conn.ReadFromAddrPort] that also returns the ECN codepoint with which the datagram arrived. A datagram that was
// fragmented has that of its first fragment.
func (c *Conn) ReadECN(b []byte) (n int, from netip.AddrPort, ecn ip.ECN, err error) {
	result, err := c.read(b)
	if err != nil {
		return 0, netip.AddrPort{}, ip.NotECT, err
	}
	from = ip.AddrPort(result.RemoteAddr)
	return result.Count, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), ip.ECNOf(&result.ControlMessages), nil
}
