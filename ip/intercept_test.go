package ip

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"netlab/netem"
)

// intercepted is a frame as one who intercepts has it, on a bench's router.
func intercepted(b *bench, data []byte) *Packet {
	f := b.NewFrame(len(data))
	copy(f.Data, data)
	return &Packet{forwarding: &forwarding{router: b.router}, in: b.router.interfaces[0], frame: f}
}

// soundSum says whether the transport checksum of a packet is right, for packets that have all of it.
func soundSum(data []byte, v6 bool) bool {
	var src, dst tcpip.Address
	var protocol tcpip.TransportProtocolNumber
	var body []byte
	if v6 {
		h := header.IPv6(data)
		src, dst, protocol, body = h.SourceAddress(), h.DestinationAddress(), h.TransportProtocol(), h.Payload()
	} else {
		h := header.IPv4(data)
		src, dst, protocol, body = h.SourceAddress(), h.DestinationAddress(), h.TransportProtocol(), h.Payload()
	}
	sum := uint16(0)
	if protocol != header.ICMPv4ProtocolNumber {
		sum = header.PseudoHeaderChecksum(protocol, src, dst, uint16(len(body)))
	}
	return checksum.Checksum(body, sum) == 0xffff
}

// Whatever a frame holds, it can be read and passed on to another flow; nothing is lost or released twice, and what leaves has the
// length of what came and a checksum that is right if it was right.
func FuzzIntercept(f *testing.F) {
	for _, v6 := range []bool{false, true} {
		f.Add(synFrom(far(v6, 0), far(v6, 1)), v6)
		f.Add(udpTo(v6, far(v6, 1)), v6)
	}
	f.Fuzz(func(t *testing.T, data []byte, v6 bool) {
		if len(data) < header.EthernetMinimumSize || len(data) > 1500 {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			e := netem.NewEngine(netem.Config{Limit: time.Hour})
			b := newBench(t, e, 2, 0)
			check := stock(t, e)
			flow := Flow{Protocol: protocolTCP, Source: netip.AddrPortFrom(own(v6, 0), 7), Destination: netip.AddrPortFrom(far(v6, 1), 8)}
			for _, act := range []func(p *Packet){
				func(p *Packet) {
					if p.packet.key.version == 4 == v6 {
						p.Drop()
						return
					}
					flow.Protocol = p.Flow().Protocol
					kind, right := p.Kind(), soundSum(p.frame.Data[header.EthernetMinimumSize:], v6)
					before := len(b.got)
					size := p.Size()
					sent := p.Forward(flow)
					b.run(t)
					if !sent || kind != OpeningPacket && kind != ContinuingPacket || p.packet.fragmented || len(b.got) == before ||
						flow.Protocol != protocolTCP && flow.Protocol != protocolUDP {
						return
					}
					got := b.got[len(b.got)-1].data[header.EthernetMinimumSize:]
					require.Len(t, got, size)
					if right {
						require.True(t, soundSum(got, v6))
					}
				},
				func(p *Packet) {
					if p.packet.key.version == 4 == v6 || !p.Deliver(far(v6, 1)) {
						p.Drop()
					}
				},
				func(p *Packet) { p.Refuse() },
				func(p *Packet) { p.Route() },
			} {
				p := intercepted(b, bytes.Clone(data))
				if !p.read() {
					p.Drop()
					continue
				}
				p.Next()
				p.Quoted()
				act(p)
			}
			b.run(t)
			check()
		})
	})
}

// An ICMP error of each version is translated with the packet that it quotes, and its checksum stays right.
func TestForwardErrors(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		b := inBench(t, 2, 0, nil, func(b *bench) {
			quoted := synFrom(own(v6, 0), far(v6, 0))[header.EthernetMinimumSize:]
			b.At(0, netem.KindControl, 0, func() {
				p := intercepted(b, unreachableAbout(v6, quoted))
				require.True(t, p.read())
				require.Equal(t, ErrorPacket, p.Kind())
				q := p.Quoted()
				require.True(t, p.Forward(Flow{Protocol: protocolTCP, Source: q.Destination, Destination: netip.AddrPortFrom(far(v6, 1), 4242)}))
			})
		})
		require.Len(t, b.got, 1)
		got := b.got[0].data[header.EthernetMinimumSize:]
		require.True(t, soundSum(got, v6))
		inner := got[header.IPv4MinimumSize+8:]
		port := inner[header.IPv4MinimumSize:]
		if v6 {
			inner = got[header.IPv6MinimumSize+8:]
			port = inner[header.IPv6MinimumSize:]
			require.Equal(t, far(v6, 1).AsSlice(), inner[8:24])
		} else {
			require.True(t, header.IPv4(inner[:header.IPv4MinimumSize]).IsChecksumValid())
			require.Equal(t, far(v6, 1).AsSlice(), inner[12:16])
		}
		require.Equal(t, uint16(4242), binary.BigEndian.Uint16(port))
		require.True(t, soundSum(inner, v6), "the quoted packet is the one that was sent")
	}
}

// synFrom is a frame with a SYN from one address to another.
func synFrom(src, dst netip.Addr) []byte {
	h := header.TCP(make([]byte, header.TCPMinimumSize))
	h.Encode(&header.TCPFields{SrcPort: 1000, DstPort: 2000, SeqNum: 1, Flags: header.TCPFlagSyn, DataOffset: header.TCPMinimumSize, WindowSize: 100})
	h.SetChecksum(^h.CalculateChecksum(header.PseudoHeaderChecksum(header.TCPProtocolNumber, fromNetip(src), fromNetip(dst), uint16(len(h)))))
	return datagram{src: src, dst: dst, protocol: protocolTCP, payload: h}.frame()
}

// unreachableAbout is a frame from the far end of interface 0: an ICMP error, unreachable, which quotes a packet to where the error goes from.
func unreachableAbout(v6 bool, quoted []byte) []byte {
	src, dst := far(v6, 0), netip.AddrFrom4([4]byte(quoted[12:16]))
	if v6 {
		dst = netip.AddrFrom16([16]byte(quoted[8:24]))
	}
	m := append(make([]byte, 8), quoted...)
	if v6 {
		m[0] = byte(header.ICMPv6DstUnreachable)
		header.ICMPv6(m).SetChecksum(header.ICMPv6Checksum(header.ICMPv6ChecksumParams{Header: m, Src: fromNetip(src), Dst: fromNetip(dst)}))
		return datagram{src: src, dst: dst, protocol: protocolICMPv6, payload: m}.frame()
	}
	m[0] = byte(header.ICMPv4DstUnreachable)
	header.ICMPv4(m).SetChecksum(^checksum.Checksum(m, 0))
	return datagram{src: src, dst: dst, protocol: protocolICMP, payload: m}.frame()
}
