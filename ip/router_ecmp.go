package ip

import (
	"encoding/binary"
	"math/bits"

	"gvisor.dev/gvisor/pkg/tcpip/header"

	"netlab/internal/random"
)

// flowKey is what a packet's way is chosen by, where several are equal: its addresses, its protocol and its ports. Fragments and
// protocols without ports have none. ICMP errors have the key of the flow that they are about, so that they reach the one host of several
// with an anycast address that wants them.
type flowKey struct {
	src, dst [16]byte
	protocol uint8
	ports    uint32
}

// hash mixes the key with a router's seed (the multiplication and folding of wyhash).
func (k *flowKey) hash(seed uint64) uint64 {
	h := mix(seed, half(&k.src, 0)^bits.RotateLeft64(half(&k.src, 8), 17))
	h = mix(h, half(&k.src, 8))
	h = mix(h, half(&k.dst, 0)^bits.RotateLeft64(half(&k.dst, 8), 17))
	h = mix(h, half(&k.dst, 8))
	return mix(h, uint64(k.protocol)<<32|uint64(k.ports))
}

func half(a *[16]byte, at int) uint64 { return binary.BigEndian.Uint64(a[at:]) }

func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0x9e3779b97f4a7c15, b^0xd6e8feb86659fd93)
	return hi ^ lo
}

// inverse returns the key of packets that go the other way.
func (k flowKey) inverse() flowKey {
	k.src, k.dst = k.dst, k.src
	k.ports = bits.RotateLeft32(k.ports, 16)
	return k
}

// keyOf reads the key of a valid packet. Of an ICMP error it is that of the flow that the error is about.
func keyOf(d []byte, v6 bool) flowKey {
	k, rest := keyOfHeader(d, v6)
	if len(rest) < 8 || !isICMPError(k.protocol, rest[0]) {
		return k
	}
	quoted := rest[8:]
	if v6 && len(quoted) >= header.IPv6MinimumSize || !v6 && len(quoted) >= header.IPv4MinimumSize {
		inner, _ := keyOfHeader(quoted, v6)
		return inner.inverse()
	}
	return k
}

// keyOfHeader reads the key of a packet, or of the beginning of one, that has a whole IP header, and returns what follows that header.
func keyOfHeader(d []byte, v6 bool) (k flowKey, rest []byte) {
	piece := false
	if v6 {
		k.src, k.dst, k.protocol = [16]byte(d[8:24]), [16]byte(d[24:40]), d[header.IPv6NextHeaderOffset]
		rest = d[header.IPv6MinimumSize:]
	} else {
		const moreOrOffset = 0x3fff
		copy(k.src[:], d[12:16])
		copy(k.dst[:], d[16:20])
		k.protocol = d[9]
		rest = d[min(len(d), max(header.IPv4MinimumSize, int(d[0]&15)*4)):]
		piece = binary.BigEndian.Uint16(d[6:])&moreOrOffset != 0
	}
	const tcp, udp = 6, 17
	switch {
	case piece:
		rest = nil
	case (k.protocol == tcp || k.protocol == udp) && len(rest) >= 4:
		k.ports = binary.BigEndian.Uint32(rest)
	}
	return k, rest
}

// isICMPError says whether a message of that type quotes the packet that it is about (RFC 792, RFC 4443).
func isICMPError(protocol, kind uint8) bool {
	switch protocol {
	case uint8(header.ICMPv4ProtocolNumber):
		return kind == uint8(header.ICMPv4DstUnreachable) || kind == uint8(header.ICMPv4TimeExceeded) || kind == uint8(header.ICMPv4ParamProblem)
	case uint8(header.ICMPv6ProtocolNumber):
		return kind < 128
	}
	return false
}

// choose returns the hop of those that are equal by which a packet goes: always the same for a flow, as long as the routes are the same.
// With n of them each flow has the same chance of each; when one goes, flows of the others move as well (modulo-N hashing, RFC 2992).
func (n *nextHop) choose(r *Router, d []byte, v6 bool) *nextHop {
	k := keyOf(d, v6)
	hi, _ := bits.Mul64(k.hash(r.flowSeed()), uint64(len(n.equal)))
	return n.equal[hi]
}

// flowSeed makes routers choose independently of each other; otherwise a router behind another one would see only flows that choose
// alike.
func (r *Router) flowSeed() uint64 {
	if r.hashSeed == 0 {
		r.hashSeed = random.Stream(r.net.Seed(), "nodes."+r.name+".ecmp", 0).Uint64() | 1
	}
	return r.hashSeed
}
