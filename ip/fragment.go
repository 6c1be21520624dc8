package ip

import (
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/header"

	"netlab/netem"
)

// fragmentUnit is what fragment offsets count in, bytes (RFC 791, section 3.1).
const fragmentUnit = 8

// fragment4 cuts an IPv4 packet into fragments that fit into mtu and sends them (RFC 791, section 3.2). Options are
// repeated in each fragment.
func (r *Router) fragment4(at time.Duration, in *routerInterface, hop *nextHop, f *netem.Frame, h header.IPv4, dst netip.Addr, mtu int) {
	defer f.Release()
	r.stats.Fragmented++
	headLen := int(h.HeaderLength())
	room := (mtu - headLen) / fragmentUnit * fragmentUnit
	payload := h[headLen:]
	more := h.Flags()&header.IPv4FlagMoreFragments != 0
	base := int(h.FragmentOffset())
	for offset := 0; offset < len(payload); offset += room {
		part := payload[offset:min(offset+room, len(payload))]
		piece := r.net.NewFrame(header.EthernetMinimumSize + headLen + len(part))
		copy(piece.Data, f.Data[:header.EthernetMinimumSize+headLen])
		p := header.IPv4(piece.Data[header.EthernetMinimumSize:])
		copy(p[headLen:], part)
		flags := uint8(0)
		if more || offset+len(part) < len(payload) {
			flags = header.IPv4FlagMoreFragments
		}
		p.SetFlagsFragmentOffset(flags, uint16(base+offset))
		p.SetTotalLength(uint16(len(p)))
		p.SetChecksum(0)
		p.SetChecksum(^p.CalculateChecksum())
		hop.send(at, in, piece, dst)
	}
}
