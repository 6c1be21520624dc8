package analysis

import (
	"netlab/captures"
)

// ipProtocols are Wireshark's names of what IP carries, beside TCP and UDP.
var ipProtocols = map[uint8]string{
	1: "icmp", 2: "igmp", 4: "ip", 41: "ipv6", 47: "gre", 50: "esp", 51: "ah", 58: "icmpv6", 88: "eigrp", 89: "ospf", 103: "pim",
	112: "vrrp", 132: "sctp", 136: "udplite",
}

// linkNames are Wireshark's names of the link headers.
var linkNames = map[uint16]string{
	captures.LinkEthernet: "eth", captures.LinkNull: "null", captures.LinkLoop: "null", captures.LinkLinuxSLL: "sll",
	captures.LinkLinuxSLL2: "sll",
}

// addProtocols counts a frame at its places in the hierarchy.
func (a *Analyzer) addProtocols(f *Frame, known bool) {
	size := uint64(f.Packet.Length)
	at := &a.root
	if !known {
		at.count("data", size)
		return
	}
	h := f.Headers
	if name := linkNames[f.LinkType]; name != "" {
		at = at.count(name, size)
	}
	if outer := outerType(f); outer == 0x8100 || outer == 0x88a8 {
		at = at.count("vlan", size)
	}
	switch h.EtherType() {
	case 0x0800:
		at = at.count("ip", size)
	case 0x86dd:
		at = at.count("ipv6", size)
	case etherARP:
		at.count("arp", size)
		return
	case 0x88cc:
		at.count("lldp", size)
		return
	default:
		if h.EtherType() < 0x600 && f.LinkType == captures.LinkEthernet {
			at.count("llc", size)
		} else {
			at.count("data", size)
		}
		return
	}
	if f.Marks.Has(MarkBroken) && h.Problem() != "" {
		return
	}
	if _, offset, _ := h.Fragment(); offset > 0 {
		at.count("data", size) // later fragments
		return
	}
	switch h.Protocol() {
	case protoTCP:
		at = at.count("tcp", size)
	case protoUDP:
		at = at.count("udp", size)
	default:
		if name := ipProtocols[h.Protocol()]; name != "" {
			at.count(name, size)
		} else {
			at.count("data", size)
		}
		return
	}
	a.addApplications(f, at, size)
}

// addApplications counts what became complete with the frame: TLS, and below it what it holds.
func (a *Analyzer) addApplications(f *Frame, at *Protocol, size uint64) {
	if len(f.Protocols) == 0 {
		return
	}
	if f.Stream != nil && f.Stream.TLS != nil {
		at = at.count("tls", size)
	}
	for _, name := range f.Protocols {
		if name != "tls" {
			at.count(name, size)
		}
	}
}

// outerType is the type in the Ethernet header, before any VLAN tag.
func outerType(f *Frame) uint16 {
	if b := f.Packet.Data; f.LinkType == captures.LinkEthernet && len(b) >= 14 {
		return uint16(b[12])<<8 | uint16(b[13])
	}
	return 0
}

// count counts a frame at the child of that name and returns the child.
func (p *Protocol) count(name string, size uint64) *Protocol {
	for _, c := range p.Children {
		if c.Name == name {
			c.Frames++
			c.Bytes += size
			return c
		}
	}
	c := &Protocol{Name: name, Frames: 1, Bytes: size}
	p.Children = append(p.Children, c)
	return c
}
