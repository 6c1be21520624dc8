package ip

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"netlab/netem"
)

// A router cuts an IPv4 packet that may be cut into pieces that fit; they carry checksums and options, and put together they
// are the packet. A piece can be cut again.
func TestRouterFragments(t *testing.T) {
	for _, options := range [][]byte{nil, {1, 1, 1, 0}} {
		for _, size := range []int{21, 48, 49, 100, 977, 1472} {
			for _, mtu := range []int{68, 69, 576, 1000} {
				for _, again := range []bool{false, true} {
					packet := datagram{src: far4(0), dst: far4(1), protocol: udpProtocol, payload: udpData(far4(0), far4(1), size)}.frame()
					packet = slices.Insert(packet, 14+20, options...)
					h := header.IPv4(packet[14:])
					h.SetTotalLength(uint16(len(h)))
					h.SetHeaderLength(uint8(20 + len(options)))
					offset, more := 0, false
					if again {
						offset, more = 80, true
						h.SetFlagsFragmentOffset(header.IPv4FlagMoreFragments, uint16(offset))
					}
					h.SetChecksum(0)
					h.SetChecksum(^h.CalculateChecksum())
					b := inBench(t, 2, mtu, nil, func(b *bench) { b.send(0, 0, packet) })
					whole := len(h) <= mtu
					var payload []byte
					for i, r := range b.got {
						p := header.IPv4(r.data[14:])
						require.Equal(t, 2*time.Millisecond, r.at)
						require.True(t, p.IsValid(len(p)) && p.IsChecksumValid())
						require.LessOrEqual(t, len(p), mtu)
						require.EqualValues(t, 63, p.TTL())
						require.Equal(t, h.ID(), p.ID())
						require.Equal(t, string(options), string(p[20:20+len(options)]))
						require.EqualValues(t, offset+len(payload), p.FragmentOffset())
						last := i == len(b.got)-1
						require.Equal(t, !last || more, p.Flags()&header.IPv4FlagMoreFragments != 0)
						if !last {
							require.Zero(t, len(p.Payload())%8)
							require.Greater(t, len(p)+8, mtu, "as large as possible")
						}
						payload = append(payload, p.Payload()...)
					}
					require.Equal(t, []byte(h.Payload()), payload)
					s := b.router.Stats().IP
					require.EqualValues(t, 1, s.Forwarded)
					require.EqualValues(t, len(b.got), s.Sent)
					require.Equal(t, !whole, s.Fragmented == 1)
				}
			}
		}
	}
}

// Of a packet in pieces whose next hop doesn't answer, only the first piece is answered by an error.
func TestFragmentsForNobody(t *testing.T) {
	packet := datagram{src: far4(0), dst: far4(1), protocol: udpProtocol, payload: udpData(far4(0), far4(1), 1400)}.frame()
	b := inBench(t, 2, 576, []int{1}, func(b *bench) { b.send(0, 0, packet) })
	require.EqualValues(t, 3, b.router.Stats().IP.Unresolved)
	errors := slices.DeleteFunc(b.got, func(r reception) bool { return r.port == 1 })
	require.Len(t, errors, 1)
	require.EqualValues(t, 1, b.router.Stats().IP.ICMPSent)
}

// A TCP segment to a router is answered by a reset that the sender believes, unless it is a reset itself (RFC 9293, section
// 3.10.7.1).
func TestRouterRefusesConnections(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		for name, c := range map[string]struct {
			flags    header.TCPFlags
			data     int
			seq, ack uint32
			want     header.TCPFlags
		}{
			"SYN":           {flags: header.TCPFlagSyn, ack: 1001, want: header.TCPFlagRst | header.TCPFlagAck},
			"SYN with data": {flags: header.TCPFlagSyn, data: 10, ack: 1011, want: header.TCPFlagRst | header.TCPFlagAck},
			"FIN":           {flags: header.TCPFlagFin, data: 3, ack: 1004, want: header.TCPFlagRst | header.TCPFlagAck},
			"ACK":           {flags: header.TCPFlagAck, data: 5, seq: 77, want: header.TCPFlagRst},
			"SYN ACK":       {flags: header.TCPFlagSyn | header.TCPFlagAck, seq: 77, want: header.TCPFlagRst},
			"RST":           {flags: header.TCPFlagRst},
			"RST ACK":       {flags: header.TCPFlagRst | header.TCPFlagAck},
		} {
			segment := make([]byte, header.TCPMinimumSize+c.data)
			header.TCP(segment).Encode(&header.TCPFields{SrcPort: 1000, DstPort: 80, SeqNum: 1000, AckNum: 77, DataOffset: 20, Flags: c.flags})
			frame := datagram{src: far(v6, 0), dst: own(v6, 1), protocol: 6, payload: segment}.frame()
			b := inBench(t, 2, 0, nil, func(b *bench) { b.send(0, 0, frame) })
			if c.want == 0 {
				require.Empty(t, b.got, name)
				continue
			}
			require.Len(t, b.got, 1, name)
			src, dst := ends(b.got[0].data)
			require.Equal(t, own(v6, 1), src)
			require.Equal(t, far(v6, 0), dst)
			reply := header.TCP(b.got[0].data[len(b.got[0].data)-header.TCPMinimumSize:])
			require.Equal(t, []any{uint16(80), uint16(1000), c.seq, c.ack, c.want},
				[]any{reply.SourcePort(), reply.DestinationPort(), reply.SequenceNumber(), reply.AckNumber(), reply.Flags()}, name)
			sum := header.PseudoHeaderChecksum(header.TCPProtocolNumber, fromNetip(src), fromNetip(dst), header.TCPMinimumSize)
			require.EqualValues(t, 0xffff, reply.CalculateChecksum(sum), name)
			if !v6 {
				require.True(t, header.IPv4(b.got[0].data[14:]).IsChecksumValid())
			}
		}
	}
}

// A router takes in what is for its own MAC address or a group, and of that only what makes sense. It cuts the padding off.
func TestRouterAccepts(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		good := udpTo(v6, far(v6, 1))
		other, unknown := slices.Clone(good), slices.Clone(good)
		other[5] = 77
		unknown[12] = 0x99
		broken := slices.Clone(good)
		broken[14] = 0x75 // version 7
		checksum := slices.Clone(good)
		if checksum[24]++; v6 {
			checksum[18] = 0x7f // longer than the frame
		}
		padded := append(slices.Clone(good), make([]byte, 9)...)
		b := inBench(t, 2, 0, nil, func(b *bench) {
			for i, frame := range [][]byte{good, other, unknown, broken, checksum, good[:20], good[:13], padded} {
				b.send(time.Duration(i)*time.Second, 0, frame)
			}
		})
		require.Len(t, b.got, 2)
		require.Equal(t, b.got[0].data, b.got[1].data)
		s := b.router.Stats().IP
		require.EqualValues(t, 3, s.Malformed)
		require.EqualValues(t, 5, s.Received)
		require.EqualValues(t, 8, b.Links()[0].Stats(netem.Backward).Delivered.Frames)
	}
}
