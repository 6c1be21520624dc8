package captures

import (
	"fmt"
	"net"
)

// unreachable4 are the codes of ICMP type 3 (RFC 792, RFC 1812).
var unreachable4 = map[byte]string{
	0: "network unreachable", 1: "host unreachable", 2: "protocol unreachable", 3: "port unreachable",
	5: "source route failed", 6: "network unknown", 7: "host unknown", 9: "network prohibited", 10: "host prohibited",
	13: "administratively prohibited",
}

// unreachable6 are the codes of ICMPv6 type 1 (RFC 4443).
var unreachable6 = map[byte]string{
	0: "no route", 1: "administratively prohibited", 2: "beyond the scope of the source address", 3: "address unreachable",
	4: "port unreachable", 5: "source address refused by policy", 6: "route rejected",
}

// icmp4 describes an ICMP message of IPv4.
func (d *Describer) icmp4(v *view) string {
	b := v.payload
	if len(b) < 8 {
		return "malformed: header cut short"
	}
	kind, code := b[0], b[1]
	switch kind {
	case 0:
		return echo("reply", v)
	case 8:
		return echo("request", v)
	case 3:
		if code == 4 {
			return fmt.Sprintf("fragmentation needed, MTU %d%s", be.Uint16(b[6:]), d.cause(v, etherIPv4))
		}
		return word(unreachable4, code, "unreachable") + d.cause(v, etherIPv4)
	case 5:
		return "redirect to " + d.addr(addr4(b[4:])) + d.cause(v, etherIPv4)
	case 11:
		return exceeded(code, "time to live") + d.cause(v, etherIPv4)
	case 12:
		return fmt.Sprintf("parameter problem at byte %d%s", b[4], d.cause(v, etherIPv4))
	}
	return fmt.Sprintf("type %d code %d len %d", kind, code, v.length-8)
}

// icmp6 describes an ICMP message of IPv6 or of its neighbour discovery (RFC 4861).
func (d *Describer) icmp6(v *view) string {
	b := v.payload
	if len(b) < 8 {
		return "malformed: header cut short"
	}
	kind, code := b[0], b[1]
	switch kind {
	case 1:
		return word(unreachable6, code, "unreachable") + d.cause(v, etherIPv6)
	case 2:
		return fmt.Sprintf("packet too big, MTU %d%s", be.Uint32(b[4:]), d.cause(v, etherIPv6))
	case 3:
		return exceeded(code, "hop limit") + d.cause(v, etherIPv6)
	case 4:
		return fmt.Sprintf("parameter problem at byte %d%s", be.Uint32(b[4:]), d.cause(v, etherIPv6))
	case 128:
		return echo("request", v)
	case 129:
		return echo("reply", v)
	case 135, 136:
		return d.neighbour(v)
	case 130, 131, 132, 133, 134, 137, 143:
		return icmp6Kind(kind, code)
	}
	return fmt.Sprintf("type %d code %d len %d", kind, code, v.length-8)
}

// neighbour describes a neighbour solicitation or advertisement.
func (d *Describer) neighbour(v *view) string {
	b := v.payload
	target, ok := v.neighbourTarget()
	if !ok {
		return "malformed: neighbour discovery cut short"
	}
	if b[0] == 135 {
		return fmt.Sprintf("neighbour solicitation: who has %s?", d.addr(target))
	}
	// The option with the link-layer address has type 2 and, for Ethernet, one unit of 8 bytes.
	if o := b[24:]; len(o) >= 8 && o[0] == 2 && o[1] == 1 {
		return fmt.Sprintf("neighbour advertisement: %s is at %s", d.addr(target), net.HardwareAddr(o[2:8]))
	}
	return fmt.Sprintf("neighbour advertisement: %s", d.addr(target))
}

func echo(which string, v *view) string {
	return fmt.Sprintf("echo %s id %d seq %d len %d", which, be.Uint16(v.payload[4:]), be.Uint16(v.payload[6:]), v.length-8)
}

func exceeded(code byte, what string) string {
	switch code {
	case 0:
		return what + " exceeded"
	case 1:
		return "reassembly time exceeded"
	}
	return fmt.Sprintf("time exceeded, code %d", code)
}

func word(words map[byte]string, code byte, otherwise string) string {
	if w := words[code]; w != "" {
		return w
	}
	return fmt.Sprintf("%s, code %d", otherwise, code)
}

// cause names the packet that an ICMP error quotes.
func (d *Describer) cause(v *view, etherType uint16) string {
	quoted := view{etherType: etherType}
	quoted.dissectNetwork(v.payload[8:])
	switch {
	case !quoted.src.IsValid():
		return ""
	case quoted.hasPorts:
		return fmt.Sprintf(", for %s %s > %s", protoName(quoted.proto), d.endpoint(quoted.src, quoted.srcPort), d.endpoint(quoted.dst, quoted.dstPort))
	}
	return fmt.Sprintf(", for %s %s > %s", protoName(quoted.proto), d.addr(quoted.src), d.addr(quoted.dst))
}
