package ip

import (
	"gvisor.dev/gvisor/pkg/tcpip"

	"netlab/units"
)

// ECN is what a packet says of explicit congestion notification (RFC 3168, section 5).
type ECN uint8

// The codepoints of ECN.
const (
	NotECT ECN = 0 // the endpoints take no part: a queue can only drop the packet
	ECT1   ECN = 1 // ECN-capable transport (1), which L4S has taken (RFC 9331)
	ECT0   ECN = 2 // ECN-capable transport (0)
	CE     ECN = 3 // a queue on the way says that there is congestion
)

// ecnMask has the bits of ECN in the type of service and the traffic class.
const ecnMask = 3

// SetTrafficClass sets what the packets of the socket say from now on: the upper six bits of IPv4's type of service and IPv6's
// traffic class are the DSCP (RFC 2474), the others ECN. The stack's TCP takes no part in ECN and leaves its bits 0.
func (s *Socket) SetTrafficClass(dscp units.DSCP, ecn ECN) error {
	class := int(dscp.Bits()<<2 | uint8(ecn)&ecnMask)
	for _, option := range []tcpip.SockOptInt{tcpip.IPv4TOSOption, tcpip.IPv6TrafficClassOption} {
		if err := s.Endpoint.SetSockOptInt(option, class); err != nil {
			return Errno(err)
		}
	}
	return nil
}

// ReceiveClass makes the socket keep what arriving packets say, for [ECNOf].
func (s *Socket) ReceiveClass() {
	s.Endpoint.SocketOptions().SetReceiveTOS(true)
	s.Endpoint.SocketOptions().SetReceiveTClass(true)
}

// ECNOf returns the ECN codepoint of a packet that was read from a socket with ReceiveClass.
func ECNOf(m *tcpip.ReceivableControlMessages) ECN {
	switch {
	case m.HasTOS:
		return ECN(m.TOS & ecnMask)
	case m.HasTClass:
		return ECN(m.TClass & ecnMask)
	}
	return NotECT
}

// SetDSCP sets the DSCP of the requests. Hosts reply with the same.
func (c *EchoConn) SetDSCP(dscp units.DSCP) error {
	if err := c.s.SetTrafficClass(dscp, NotECT); err != nil {
		return OpError("set", "icmp", nil, IPAddr(c.peer), err)
	}
	return nil
}
