package ip

import (
	"encoding/binary"

	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// Where checksums are in transport headers.
const (
	tcpSumAt  = 16
	udpSumAt  = 6
	icmpSumAt = 2
)

// sumChange adds up what changes under an Internet checksum, so that the checksum can follow (RFC 1624, equation 3). It keeps a
// wrong checksum wrong.
type sumChange uint32

// set replaces a field of an even number of bytes.
func (c *sumChange) set(field, value []byte) {
	for i := 0; i < len(value); i += 2 {
		c.set16(field[i:], binary.BigEndian.Uint16(value[i:]))
	}
}

// set16 replaces a field of two bytes.
func (c *sumChange) set16(field []byte, value uint16) {
	*c += sumChange(^binary.BigEndian.Uint16(field)) + sumChange(value)
	binary.BigEndian.PutUint16(field, value)
}

// follow updates a checksum. Its own change counts in c if outer is not nil: where a checksum lies under another one.
func (c sumChange) follow(sum []byte, outer *sumChange) {
	s := uint32(^binary.BigEndian.Uint16(sum)) + uint32(c)&0xffff + uint32(c)>>16
	s = s&0xffff + s>>16
	s = s&0xffff + s>>16
	if outer == nil {
		outer = new(sumChange)
	}
	outer.set16(sum, ^uint16(s))
}

// rewrite4 makes the source address and the tuple of a packet other ones.
func rewrite4(h header.IPv4, p *packet, from [16]byte, to *tuple) {
	if p.kind == quoting {
		// The quoted packet becomes the one that the receiver of the error sent.
		var inner sumChange
		rewriteQuotation(p.quotation, to, &inner)
		inner.follow(p.transport[icmpSumAt:], nil)
	}
	addresses := rewriteAddresses(h, from, to.dst.addr, nil)
	if p.kind == opening || p.kind == continuing {
		rewriteTransport(p.transport, to, addresses, nil)
	}
}

// rewriteQuotation changes the packet that an error quotes into the one that is answered by packets like to. outer sums up the
// changes.
func rewriteQuotation(q header.IPv4, to *tuple, outer *sumChange) {
	sent := to.inverse()
	addresses := rewriteAddresses(q, sent.src.addr, sent.dst.addr, outer)
	rewriteTransport(q[q.HeaderLength():], &sent, addresses, outer)
}

// rewriteAddresses returns the change of the addresses, which transport checksums cover as well.
func rewriteAddresses(h header.IPv4, src, dst [16]byte, outer *sumChange) sumChange {
	var c sumChange
	c.set(h[12:16], src[12:])
	c.set(h[16:20], dst[12:])
	if outer != nil {
		*outer += c
	}
	c.follow(h[10:12], outer)
	return c
}

// rewriteTransport changes ports, or the identifier of an echo, and the checksum as far as it is there: errors may quote but
// eight bytes.
func rewriteTransport(b []byte, to *tuple, addresses sumChange, outer *sumChange) {
	var c sumChange
	sum := 0
	switch to.protocol {
	case protocolTCP, protocolUDP:
		c.set16(b, to.src.port)
		c.set16(b[2:], to.dst.port)
		sum = tcpSumAt
		if to.protocol == protocolUDP {
			sum = udpSumAt
		}
	case protocolICMP:
		switch header.ICMPv4Type(b[0]) {
		case header.ICMPv4Echo:
			c.set16(b[4:], to.src.port)
		case header.ICMPv4EchoReply:
			c.set16(b[4:], to.dst.port)
		}
		sum = icmpSumAt
		addresses = 0 // there is no pseudo-header
	default:
		return
	}
	if outer != nil {
		*outer += c
	}
	if len(b) < sum+2 {
		return
	}
	field := b[sum : sum+2]
	if to.protocol == protocolUDP && binary.BigEndian.Uint16(field) == 0 {
		return // there is no checksum
	}
	(c + addresses).follow(field, outer)
	if to.protocol == protocolUDP && binary.BigEndian.Uint16(field) == 0 {
		if outer == nil {
			outer = new(sumChange)
		}
		outer.set16(field, 0xffff) // 0 would mean that there is none
	}
}
