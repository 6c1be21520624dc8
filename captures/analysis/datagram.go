package analysis

import "net/netip"

// maxStreams is how many streams of TCP, and how many of UDP, are remembered at least. A stream that nothing was seen of while as many
// others were seen begins anew.
const maxStreams = 1 << 16

// streamKey is the two ends of a stream, the lesser first.
type streamKey struct{ a, b netip.AddrPort }

// keyOf returns the key of a packet's stream, and whether its source is the second end.
func keyOf(src, dst netip.AddrPort) (key streamKey, turned bool) {
	if dst.Compare(src) < 0 {
		return streamKey{dst, src}, true
	}
	return streamKey{src, dst}, false
}

// ends returns source and destination of a frame that has ports.
func (f *Frame) ends() (src, dst netip.AddrPort, ok bool) {
	from, to, ok := f.Headers.Ports()
	return netip.AddrPortFrom(f.Headers.Src(), from), netip.AddrPortFrom(f.Headers.Dst(), to), ok
}

// addDatagram finds the stream of a UDP datagram, or of its first fragment: others have no ports.
func (a *Analyzer) addDatagram(f *Frame) {
	src, dst, ok := f.ends()
	if !ok {
		return
	}
	key, _ := keyOf(src, dst)
	s, ok := a.udp.get(key)
	if !ok {
		s = &UDPStream{Index: a.analysis.UDPStreams, Ends: a.ends(src, dst), First: f.At}
		a.analysis.UDPStreams++
		a.udp.put(key, s)
		if a.room(len(a.analysis.UDP)) {
			a.analysis.UDP = append(a.analysis.UDP, s)
		}
	}
	side := Client
	if s.Ends[Client].Addr != src.Addr() || s.Ends[Client].Port != src.Port() {
		side = Server
	}
	s.Sent[side].add(uint64(f.Packet.Length))
	s.Last = f.At
	f.UDP, f.Side = s, side
	if !a.options.Applications || src.Port() != portDNS && dst.Port() != portDNS {
		return
	}
	if b, _, ok := f.Headers.Payload(); ok && len(b) > 0 {
		a.udpPayload(f, b)
	}
}

// ends are the ends of a stream that src opened.
func (a *Analyzer) ends(src, dst netip.AddrPort) [2]Address {
	return [2]Address{
		{Addr: src.Addr(), Port: src.Port(), Name: a.name(src.Addr())},
		{Addr: dst.Addr(), Port: dst.Port(), Name: a.name(dst.Addr())},
	}
}
