package captures

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// Describe says in one line what an Ethernet frame is, with addresses and absolute sequence numbers:
//
//	TCP 10.0.0.1:49152 > 10.0.0.2:5001 [SYN] seq 1815 win 65535 <mss 1460, sack, wscale 7>
//
// Of what is in TCP and UDP it tells what a segment shows by itself: the first line of HTTP, TLS records, DNS messages.
//
// Any bytes get a description; broken frames are called "malformed".
func Describe(frame []byte) string {
	d := Describer{absolute: true}
	return d.Describe(frame)
}

// Describer describes the frames of one capture, in the order of their times. It knows nodes by name and counts the
// sequence numbers of each TCP connection and direction from 0:
//
//	client:49152 > server:5001 [PSH, ACK] seq 1 ack 1 len 1420
//
// The SYN has number 0, as in Wireshark. Of a connection whose SYN was not captured, the first number seen in a direction
// becomes 1. Numbers start again at 0 after 4 GiB. TCP goes without saying; other protocols are named. The window is told
// when a connection opens and when it is zero, and is not scaled.
//
// After a colon comes what the application says, as far as it can be read without secrets and without putting segments
// together:
//
//	client:49152 > server:80 [PSH, ACK] seq 1 ack 1 len 83: GET / HTTP/1.1
//	server:443 > client:49153 [PSH, ACK] seq 1 ack 295 len 860: TLS ServerHello, ChangeCipherSpec, application data x4
//	UDP client:5000 > ns:53 len 25: DNS query A www.lab
//	UDP ns:53 > client:5000 len 73: DNS answer A www.lab: web1, web2, web3
//
// The first line of HTTP/1 and TLS records are told where a segment begins with them; frames of WebSocket and of HTTP/2 in
// clear, once the connection has changed to them, where they begin; DNS on port 53.
//
// The zero value is ready for use, with addresses instead of names. A Describer remembers every connection that it has
// seen. It is not safe for use by several goroutines.
type Describer struct {
	// Name returns the name of an address, or "" if it has none. It may be nil.
	Name func(netip.Addr) string

	absolute    bool
	connections map[flow]*connection
}

// line is a description in pieces, from which lines are made.
type line struct {
	protocol string
	// from and to are the ends with their ports; empty where text says it all.
	from, to string
	text     string
	// app is what the application says, "" if nothing of it is known.
	app string
}

// Describe says in one line what a frame is.
func (d *Describer) Describe(frame []byte) string {
	var v view
	v.dissect(frame)
	return d.describe(&v)
}

func (d *Describer) describe(v *view) string {
	l := d.line(v)
	s := l.text
	if l.app != "" {
		s += ": " + l.app
	}
	if l.from != "" {
		s = l.from + " > " + l.to + " " + s
	}
	if l.protocol == "TCP" && !d.absolute {
		return s
	}
	return l.protocol + " " + s
}

func (d *Describer) line(v *view) line {
	switch {
	case v.version != 0:
		return d.ip(v)
	case v.ethernet && len(v.frame) < etherHeader:
		return line{protocol: "Ethernet", text: fmt.Sprintf("malformed: %d bytes, %s", len(v.frame), v.problem)}
	case !v.ethernet && v.problem != "" && v.etherType == 0:
		return line{protocol: "frame", text: fmt.Sprintf("of %d bytes, %s", len(v.frame), v.problem)}
	case v.etherType == etherARP:
		return line{protocol: "ARP", text: d.arp(v)}
	case v.etherType < 0x600:
		return d.ether(v, "Ethernet", fmt.Sprintf("802.3 frame, length %d", v.etherType))
	}
	protocol := etherNames[v.etherType]
	if protocol == "" {
		protocol = fmt.Sprintf("Ethernet type %#04x", v.etherType)
	}
	return d.ether(v, protocol, fmt.Sprintf("len %d", len(v.network)))
}

// etherNames are the words for Ethernet types that netlab doesn't look into.
var etherNames = map[uint16]string{
	0x0842: "Wake-on-LAN",
	0x8100: "VLAN",
	0x8035: "RARP",
	0x8847: "MPLS",
	0x8863: "PPPoE discovery",
	0x8864: "PPPoE",
	0x888e: "802.1X",
	0x88a8: "802.1ad",
	0x88cc: "LLDP",
	0x88f7: "PTP",
}

// ether describes a frame by its MAC addresses, if it has any.
func (d *Describer) ether(v *view, protocol, text string) line {
	if !v.ethernet {
		return line{protocol: protocol, text: text}
	}
	return line{protocol: protocol, from: net.HardwareAddr(v.frame[6:12]).String(), to: net.HardwareAddr(v.frame[:6]).String(), text: text}
}

func (d *Describer) arp(v *view) string {
	if v.problem != "" {
		return "malformed: " + v.problem
	}
	mac := net.HardwareAddr(v.network[8:14])
	from, to := d.addr(v.src), d.addr(v.dst)
	switch op := be.Uint16(v.network[6:]); {
	case op > 2 || op == 0:
		return fmt.Sprintf("operation %d from %s to %s", op, from, to)
	case v.src == v.dst:
		return fmt.Sprintf("announcement: %s is at %s", from, mac)
	case op == 2:
		return fmt.Sprintf("%s is at %s", from, mac)
	case v.src.IsUnspecified():
		return fmt.Sprintf("probe: who has %s?", to)
	default:
		return fmt.Sprintf("who has %s? tell %s", to, from)
	}
}

// protoNames are the words for IP protocols.
var protoNames = map[uint8]string{
	protoHopByHop: "hop-by-hop options",
	protoICMPv4:   "ICMP",
	2:             "IGMP",
	4:             "IPv4 in IP",
	protoTCP:      "TCP",
	protoUDP:      "UDP",
	41:            "IPv6 in IP",
	protoRouting:  "routing header",
	protoFragment: "fragment header",
	47:            "GRE",
	50:            "ESP",
	protoAuth:     "AH",
	protoICMPv6:   "ICMPv6",
	protoNone:     "no next header",
	protoOptions:  "destination options",
	89:            "OSPF",
	132:           "SCTP",
}

func protoName(proto uint8) string {
	if name := protoNames[proto]; name != "" {
		return name
	}
	return fmt.Sprintf("IP protocol %d", proto)
}

// ip describes a packet of either version of IP.
func (d *Describer) ip(v *view) line {
	version := "IPv" + strconv.Itoa(int(v.version))
	if !v.src.IsValid() || !v.dst.IsValid() {
		return d.ether(v, version, "malformed: "+v.problem)
	}
	l := line{protocol: version, from: d.addr(v.src), to: d.addr(v.dst)}
	if v.problem != "" {
		l.text = "malformed: " + v.problem
		return l
	}
	if v.fragment.offset > 0 {
		l.text = protoName(v.proto) + " " + v.fragmentText()
		return l
	}
	l.protocol = protoName(v.proto)
	if v.hasPorts {
		l.from, l.to = d.endpoint(v.src, v.srcPort), d.endpoint(v.dst, v.dstPort)
	}
	switch {
	case v.proto == protoTCP:
		d.tcp(v, &l)
	case v.proto == protoUDP:
		d.udp(v, &l)
	case v.proto == protoICMPv4 && v.version == 4:
		l.text = d.icmp4(v)
	case v.proto == protoICMPv6 && v.version == 6:
		l.text = d.icmp6(v)
	default:
		l.text = fmt.Sprintf("len %d", v.length)
	}
	if !v.fragment.whole() {
		l.text += ", " + v.fragmentText()
	}
	return l
}

func (v *view) fragmentText() string {
	rest := "last"
	if v.fragment.more {
		rest = "more follow"
	}
	return fmt.Sprintf("fragment id %d bytes %d-%d, %s", v.fragment.id, v.fragment.offset, v.fragment.offset+v.length, rest)
}

// udp describes a datagram.
func (d *Describer) udp(v *view, l *line) {
	if len(v.payload) < 8 {
		l.text = "malformed: header cut short"
		return
	}
	n := int(be.Uint16(v.payload[4:]))
	if n < 8 {
		l.text = "malformed: length in the header is impossible"
		return
	}
	l.text = fmt.Sprintf("len %d", n-8)
	if v.srcPort == domain || v.dstPort == domain {
		l.app = shorten(d.dns(v.payload[8:min(n, len(v.payload))], n <= len(v.payload)))
	}
}

// addr returns the name of an address, or the address.
func (d *Describer) addr(a netip.Addr) string {
	if d.Name != nil {
		if name := d.Name(a); name != "" {
			return name
		}
	}
	return a.String()
}

// endpoint returns an address with a port.
func (d *Describer) endpoint(a netip.Addr, port uint16) string {
	return net.JoinHostPort(d.addr(a), strconv.Itoa(int(port)))
}
