package plan

import (
	"hash/fnv"
	"net/netip"
	"strings"
)

// How names become slots. Each run of digits in a name is taken out of it as a number; what is left, with a # for each
// number, is the stem: "web3--r1" is the stem "web#--r#" and the numbers 3 and 1. The slot is
//
//	hash(stem) + n1 + n2·m + n3·m² + …   modulo the number of slots
//
// where the hash is FNV-1a with 64 bits, its upper half folded onto the lower one. So the hosts of a range have
// neighbouring slots and can't meet each other, and the slot of web3 doesn't depend on how many others there are.
// Leading zeros belong to the stem ("web07" is "web0#" and 7), as do the digits before the last nine.

// spread is m for links, MAC addresses and hosts. It was searched for among the odd numbers below 2^22 so that links with
// two numbers stay apart although there are only 2^22 slots: two of them meet only where the differences of their numbers,
// multiplied, are at least 917,000 (links of 10,000 hosts with 100 routers don't meet, nor do those of 900 with 900). The
// same holds to some 580,000 for h3x7--r3, where a number comes twice. A pairing function such as Szudzik's would scatter
// the links over the slots like random numbers, and some twelve pairs of 10,000 links would meet.
const spread = 1513663

// segmentSpread is m for segments, of which there are only 128.
const segmentSpread = 11

// split takes the numbers out of a name and returns its stem and n1 + n2·m + n3·m² + … modulo 2^64.
func split(name string, m uint64) (stem string, index uint64) {
	var b strings.Builder
	factor := uint64(1)
	for i := 0; i < len(name); {
		if !digit(name[i]) {
			b.WriteByte(name[i])
			i++
			continue
		}
		end := i
		for end < len(name) && digit(name[end]) {
			end++
		}
		for i < end-1 && (name[i] == '0' || end-i > 9) {
			b.WriteByte(name[i])
			i++
		}
		var n uint64
		for ; i < end; i++ {
			n = n*10 + uint64(name[i]-'0')
		}
		b.WriteByte('#')
		index += n * factor
		factor *= m
	}
	return b.String(), index
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// slot returns the slot of a name among that many.
func slot(name string, m, slots uint64) uint64 {
	stem, index := split(name, m)
	h := fnv.New64a()
	h.Write([]byte(stem))
	sum := h.Sum64()
	return ((sum^sum>>32)%slots + index) % slots
}

// linkNetworks returns the networks of a point-to-point link.
func linkNetworks(id string) [2]netip.Prefix {
	n := uint32(slot(id, spread, 1<<22)) << 1
	four := [4]byte{10, 128 | byte(n>>16), byte(n >> 8), byte(n)}
	six := [16]byte{0: 0xfd, 3: 1, 13: byte(n >> 16), 14: byte(n >> 8), 15: byte(n)}
	return [2]netip.Prefix{netip.PrefixFrom(netip.AddrFrom4(four), 31), netip.PrefixFrom(netip.AddrFrom16(six), 127)}
}

// segmentNetworks returns the networks of a segment that is named after a switch.
func segmentNetworks(name string) [2]netip.Prefix {
	x := byte(slot(name, segmentSpread, 128))
	return [2]netip.Prefix{
		netip.PrefixFrom(netip.AddrFrom4([4]byte{10, x}), 16),
		netip.PrefixFrom(netip.AddrFrom16([16]byte{0: 0xfd, 7: x}), 64),
	}
}

// hostNumber returns the number of a host in a segment with these networks: from 1 to 65534, less where a network has
// less room. The all-ones number is left free, as IPv4 broadcasts to it.
func hostNumber(name string, networks [2]netip.Prefix) uint64 {
	bits := min(16, 32-networks[IPv4].Bits(), 128-networks[IPv6].Bits())
	return 1 + slot(name, spread, 1<<bits-2)
}

// plus returns the address that far behind a network's first one.
func plus(network netip.Prefix, n uint64) netip.Addr {
	if network.Addr().Is4() {
		b := network.Addr().As4()
		for i := 3; i >= 0; i-- {
			n += uint64(b[i])
			b[i] = byte(n)
			n >>= 8
		}
		return netip.AddrFrom4(b)
	}
	b := network.Addr().As16()
	for i := 15; i >= 8; i-- {
		n += uint64(b[i])
		b[i] = byte(n)
		n >>= 8
	}
	return netip.AddrFrom16(b)
}
