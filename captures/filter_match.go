package captures

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
)

// operator is what a node of a filter's tree does. All of them look at a view in one switch and not through an interface,
// because then the view of a frame stays on the stack.
type operator uint8

const (
	opAll operator = iota // every frame
	opAnd
	opOr
	opNot
	opProto       // the IP protocol in value, of that IP version or, if 0, of both
	opEther       // the Ethernet type in value
	opHost        // an address of addrs
	opNet         // an address in net
	opPort        // a port from value to limit
	opSize        // the length of the IP packet, compared with number
	opHops        // TTL or hop limit, compared with number
	opDSCP        // the code point in value
	opECN         // the code point in value
	opFragment    // the kind of fragment in value
	opICMP        // the icmpKind in value
	opFlags       // those TCP flags of mask that are in value
	opPureAck     // a TCP segment that does nothing but acknowledge
	opData        // TCP or UDP payload
	opPayloadSize // the length of the payload, compared with number
	opPayload     // a payload that contains text
	opPrefix      // a payload that begins with text
	opTLS         // a payload that begins with a TLS record
	opTLSRecord   // the content type in value
	opTLSMessage  // the handshake type in value
	opDNS         // the kind of DNS message in value
	opDNSName     // a question about the name in text
	opHTTP        // the kind of HTTP message in value
)

// side is the end of a packet at which a node looks.
type side uint8

const (
	either side = iota
	source
	destination
)

// Kinds of fragments.
const (
	fragmentAny = iota
	fragmentFirst
	fragmentLater
)

// comparison is one of comparisons.
type comparison uint8

const (
	equal comparison = iota
	notEqual
	less
	atMost
	more
	atLeast
)

var comparisons = []string{"=", "!=", "<", "<=", ">", ">="}

func (c comparison) holds(a, b int) bool {
	switch c {
	case equal:
		return a == b
	case notEqual:
		return a != b
	case less:
		return a < b
	case atMost:
		return a <= b
	case more:
		return a > b
	case atLeast:
		return a >= b
	}
	panic(fmt.Sprintf("captures: filter comparison %d: want one of the above", c))
}

// node is a node of a filter's tree.
type node struct {
	op         operator
	version    uint8
	side       side
	mask       uint8
	comparison comparison
	value      uint16
	limit      uint16
	number     int
	text       []byte
	net        netip.Prefix
	addrs      []netip.Addr
	kids       []node
}

// flagsNode chooses segments of whose flags in mask those in set are set and the others not.
func flagsNode(mask, set uint8) node { return node{op: opFlags, mask: mask, value: uint16(set)} }

func (n *node) match(v *view) bool {
	switch n.op {
	case opAll:
		return true
	case opAnd:
		for i := range n.kids {
			if !n.kids[i].match(v) {
				return false
			}
		}
		return true
	case opOr:
		for i := range n.kids {
			if n.kids[i].match(v) {
				return true
			}
		}
		return false
	case opNot:
		return !n.kids[0].match(v)
	case opProto:
		return v.version != 0 && uint16(v.proto) == n.value && (n.version == 0 || n.version == v.version)
	case opEther:
		return v.etherType == n.value
	case opHost:
		return n.side != destination && v.src.IsValid() && slices.Contains(n.addrs, v.src) ||
			n.side != source && v.dst.IsValid() && slices.Contains(n.addrs, v.dst)
	case opNet:
		return n.side != destination && n.net.Contains(v.src) || n.side != source && n.net.Contains(v.dst)
	case opPort:
		return v.hasPorts && (n.side != destination && n.value <= v.srcPort && v.srcPort <= n.limit ||
			n.side != source && n.value <= v.dstPort && v.dstPort <= n.limit)
	case opSize:
		return v.hasAddresses() && n.comparison.holds(v.size(), n.number)
	case opHops:
		return v.hasAddresses() && n.comparison.holds(int(v.hops), n.number)
	case opDSCP:
		return v.hasAddresses() && uint16(v.trafficClass()>>2) == n.value
	case opECN:
		return v.hasAddresses() && uint16(v.trafficClass()&3) == n.value
	case opFragment:
		later := v.fragment.offset > 0
		return !v.fragment.whole() && (n.value == fragmentAny || later == (n.value == fragmentLater))
	}
	return n.matchTransport(v)
}

// matchTransport matches what comes after the header of IP.
func (n *node) matchTransport(v *view) bool {
	switch n.op {
	case opICMP:
		kind, ok := v.icmp()
		return ok && uint16(kind) == n.value
	case opFlags:
		flags, ok := v.tcpFlags()
		return ok && uint16(flags&n.mask) == n.value
	case opPureAck:
		return v.isPureAck()
	}
	data, length, ok := v.data()
	if !ok {
		return false
	}
	tcp := v.proto == protoTCP
	switch n.op {
	case opData:
		return length > 0 && (tcp || v.proto == protoUDP)
	case opPayloadSize:
		return n.comparison.holds(length, n.number)
	case opPayload:
		return bytes.Contains(data, n.text)
	case opPrefix:
		return bytes.HasPrefix(data, n.text)
	case opTLS, opTLSRecord, opTLSMessage:
		return tcp && n.matchTLS(data)
	case opDNS, opDNSName:
		return v.hasPorts && (v.srcPort == domain || v.dstPort == domain) && n.matchDNS(data, tcp)
	case opHTTP:
		return tcp && n.matchHTTP(data)
	}
	panic(fmt.Sprintf("captures: filter operator %d: want one of the above", n.op))
}
