package netem

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// Rejection is the ICMP error with which a packet rule answers.
type Rejection string

// The rejections, with type and code of ICMP (RFC 792, RFC 1812) and of ICMPv6 (RFC 4443).
const (
	RejectPort  Rejection = "port-unreachable" // 3/3, 1/4
	RejectHost  Rejection = "host-unreachable" // 3/1, 1/3
	RejectNet   Rejection = "net-unreachable"  // 3/0, 1/0
	RejectAdmin Rejection = "admin-prohibited" // 3/13, 1/1
	RejectTTL   Rejection = "time-exceeded"    // 11/0, 3/0
	RejectSize  Rejection = "too-big"          // 3/4, 2/0; with an MTU
)

// rejection is how one of them looks: type and code of either version.
type rejection struct {
	name   Rejection
	v4, v6 [2]byte
}

var rejections = []rejection{
	{RejectPort, [2]byte{3, 3}, [2]byte{1, 4}},
	{RejectHost, [2]byte{3, 1}, [2]byte{1, 3}},
	{RejectNet, [2]byte{3, 0}, [2]byte{1, 0}},
	{RejectAdmin, [2]byte{3, 13}, [2]byte{1, 1}},
	{RejectTTL, [2]byte{11, 0}, [2]byte{3, 0}},
	{RejectSize, [2]byte{3, 4}, [2]byte{2, 0}},
}

func (r Rejection) message() (m rejection, err error) {
	if i := slices.IndexFunc(rejections, func(m rejection) bool { return m.name == r }); i >= 0 {
		return rejections[i], nil
	}
	var names []string
	for _, m := range rejections {
		names = append(names, string(m.name))
	}
	return m, fmt.Errorf("rejection %q: want one of %s", r, strings.Join(names, ", "))
}

func (c *RuleConfig) checkRejection() error {
	_, err := c.Rejection.message()
	switch {
	case err != nil:
		return err
	case c.Rejection == RejectSize && (c.MTU < 68 || c.MTU > 65535):
		return fmt.Errorf("%s with an MTU of %d bytes: want 68 to 65535", RejectSize, c.MTU)
	case c.Rejection != RejectSize && c.MTU != 0:
		return fmt.Errorf("an MTU is set, which belongs to %s: found %s", RejectSize, c.Rejection)
	}
	return nil
}

const icmpHeader = 8 // of an error, in bytes

// answer makes the error about the packet in a frame, from its destination to its source, or returns nil for what must not
// be answered. It quotes as much of the packet as fits into the size that every receiver takes (RFC 1812, section 4.3.2.3; RFC 4443,
// section 2.4(c)) and into room, the MTU of the link. mtu is what RejectSize says.
func (m *rejection) answer(e *Engine, f *Frame, mtu, room int) *Frame {
	p, ok := parseIP(f.Data)
	if !ok || !p.rejectable() {
		return nil
	}
	kind, protocol, header, largest := m.v4, uint8(protocolICMP), 20, 576
	if p.v6 {
		kind, protocol, header, largest = m.v6, protocolICMPv6, 40, 1280
	}
	quote := p.data[:min(len(p.data), min(largest, room)-header-icmpHeader)]
	size := icmpHeader + len(quote)
	reply, message := p.forge(e, true, protocol, size)
	copy(message, kind[:])
	copy(message[icmpHeader:], quote)
	before := uint32(0)
	if p.v6 {
		binary.BigEndian.PutUint32(message[4:], uint32(mtu))
		before = p.pseudoHeader(protocol, size)
	} else {
		binary.BigEndian.PutUint16(message[6:], uint16(mtu)) // RFC 1191, section 4
	}
	binary.BigEndian.PutUint16(message[2:], checksum(before, message))
	return reply
}

// rejectable says whether the packet may be answered with an ICMP error.
func (p *ipPacket) rejectable() bool {
	return !p.later && p.singular() && !p.icmpError()
}

// icmpError says whether the packet is, or may be, an ICMP error or a redirect.
func (p *ipPacket) icmpError() bool {
	switch {
	case p.protocol != protocolICMP && p.protocol != protocolICMPv6:
		return false
	case len(p.payload) == 0:
		return true
	case p.protocol == protocolICMP:
		switch p.payload[0] {
		case 3, 4, 5, 11, 12: // unreachable, source quench, redirect, time exceeded, parameter problem
			return true
		}
		return false
	}
	return p.payload[0] < 128 || p.payload[0] == 137 // errors, redirect
}
