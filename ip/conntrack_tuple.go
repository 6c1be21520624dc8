package ip

import "net/netip"

// endpoint is an address with a port, or with the identifier of an ICMP echo request. IPv4 addresses are in the last four bytes,
// behind zeros. It has no pointers and no padding, which makes it a fast key.
type endpoint struct {
	addr [16]byte
	port uint16
}

// tuple is what tells flows apart: the ends of a packet, its protocol and its version. Of an echo request the source's port is the
// identifier, of a reply the destination's; the other one is 0, as both are for protocols without ports.
type tuple struct {
	src, dst endpoint
	protocol uint8
	version  uint8 // 4 or 6
}

// inverse is the tuple of the packet that answers.
func (t *tuple) inverse() tuple {
	return tuple{src: t.dst, dst: t.src, protocol: t.protocol, version: t.version}
}

// addr4 puts an IPv4 address into the form that endpoints have.
func addr4(a [4]byte) (b [16]byte) {
	copy(b[12:], a[:])
	return b
}

// endpoint4 converts an IPv4 address and port.
func endpoint4(a netip.AddrPort) endpoint { return endpoint{addr4(a.Addr().As4()), a.Port()} }

// netip returns the address as the rest of the package has it. version is 4 or 6.
func (e *endpoint) netip(version uint8) netip.Addr {
	if version == 4 {
		return netip.AddrFrom4([4]byte(e.addr[12:]))
	}
	return netip.AddrFrom16(e.addr)
}

func (e *endpoint) addrPort(version uint8) netip.AddrPort {
	return netip.AddrPortFrom(e.netip(version), e.port)
}
