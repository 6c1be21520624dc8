package captures

import (
	"fmt"
	"net/netip"
	"slices"
)

// Filter chooses frames by what is in their headers. A nil Filter chooses all.
//
// The language is a small part of tcpdump's:
//
//	tcp, udp               IPv4 and IPv6 packets of that protocol, later fragments too
//	icmp, icmp4, icmp6     ICMP of either version, or of one
//	arp, ip, ip6           ARP, IPv4 and IPv6
//	host NAME, host ADDR   sent from or to an address of that node, or that address; ARP asking or telling of it too
//	src host X, dst host X sent from, or to, X
//	port N                 a TCP or UDP port at either end; fragments other than the first have no ports
//	src port N, dst port N the sender's, or the receiver's
//	tcp port N             short for "tcp and port N"; so are "udp dst port N" and the like
//	not F, ! F             frames that F doesn't choose; it binds tightest
//	F and G, F && G        frames that both choose
//	F or G, F || G         frames that one of them chooses
//	( F )                  grouping
//
// "a and b or c" means "(a and b) or c". But "a or b and c" is an error that asks for parentheses, because tcpdump reads it
// as "(a or b) and c" and most other languages the other way. An empty text chooses all.
type Filter struct {
	text string
	root node
}

// FilterError is a mistake in the text of a filter.
type FilterError struct {
	// Offset is where the mistake begins in the text, in bytes from 0.
	Offset int
	// Problem says what was found and what was wanted.
	Problem string
}

// Error returns offset and problem.
func (e *FilterError) Error() string {
	return fmt.Sprintf("filter, at offset %d: %s", e.Offset, e.Problem)
}

// String returns the text that the filter was made from, and "" for nil.
func (f *Filter) String() string {
	if f == nil {
		return ""
	}
	return f.text
}

// Match reports whether the filter chooses an Ethernet frame. It allocates nothing and takes any bytes.
func (f *Filter) Match(frame []byte) bool {
	if f == nil {
		return true
	}
	var v view
	v.dissect(frame)
	return f.root.match(&v)
}

// operator is what a node of a filter's tree does.
type operator uint8

const (
	opAll operator = iota // every frame
	opAnd
	opOr
	opNot
	opProto // the IP protocol in value, of that IP version or, if 0, of both
	opEther // the Ethernet type in value
	opHost  // an address of addrs
	opPort  // the port in value
)

// side is the end of a packet at which a node looks.
type side uint8

const (
	either side = iota
	source
	destination
)

// node is a node of a filter's tree.
type node struct {
	op      operator
	version uint8
	side    side
	value   uint16
	addrs   []netip.Addr
	kids    []node
}

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
	case opPort:
		return v.hasPorts && (n.side != destination && v.srcPort == n.value || n.side != source && v.dstPort == n.value)
	}
	panic(fmt.Sprintf("captures: filter operator %d: want one of the above", n.op))
}
