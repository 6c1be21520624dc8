package netem

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// packet is what tests say of an IP packet. Addresses are 10.0.0.n and fd00::n.
type packet struct {
	v6       bool
	src, dst byte
	protocol byte
	ports    [4]byte // or type, code and two more bytes of an ICMP message, of which identifier follows
	id       uint32
	offset   uint16 // of a fragment, bytes
	more     bool
	number   byte // the last byte of the packet
}

func (p packet) data() []byte {
	transport := append(append([]byte{}, p.ports[:]...), 0, 0, 0, 0, p.number)
	if p.protocol == protocolICMP || p.protocol == protocolICMPv6 {
		transport = []byte{p.ports[0], p.ports[1], p.number, p.number, p.ports[2], p.ports[3], 0, 0, p.number} // with a checksum
	}
	if p.offset > 0 {
		transport = []byte{p.number}
	}
	d := make([]byte, etherHeader)
	binary.BigEndian.PutUint16(d[12:], EtherTypeIPv4)
	flags := p.offset / 8
	if p.v6 {
		binary.BigEndian.PutUint16(d[12:], EtherTypeIPv6)
		h := make([]byte, 40)
		h[0], h[6] = 0x60, p.protocol
		h[8], h[23], h[24], h[39] = 0xfd, p.src, 0xfd, p.dst
		if p.offset > 0 || p.more {
			h[6] = protocolFragment
			h = append(h, p.protocol, 0)
			bits := flags << 3
			if p.more {
				bits |= 1
			}
			h = binary.BigEndian.AppendUint16(h, bits)
			h = binary.BigEndian.AppendUint32(h, p.id)
		}
		return slices.Concat(d, h, transport)
	}
	h := make([]byte, 20)
	h[0], h[9] = 0x45, p.protocol
	binary.BigEndian.PutUint16(h[4:], uint16(p.id))
	if p.more {
		flags |= 0x2000
	}
	binary.BigEndian.PutUint16(h[6:], flags)
	copy(h[12:], []byte{10, 0, 0, p.src, 10, 0, 0, p.dst})
	return slices.Concat(d, h, transport)
}

// leaving returns the numbers of packets in the order in which they leave, when they were sent in this one through one port.
func leaving(e *Engine, port *Port, list []packet) []byte {
	var out []departure
	for _, p := range list {
		out = append(out, departure{port: port, frame: &Frame{Data: p.data(), e: e}})
	}
	sortDepartures(out)
	var numbers []byte
	for _, d := range out {
		numbers = append(numbers, d.frame.Data[len(d.frame.Data)-1])
	}
	return numbers
}

// Whatever the order in which goroutines send, frames leave by port and then by flow, those of a flow as they were sent.
func TestDeparturesAreCanonical(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		// Three flows of each kind, three frames each: one goroutine sends those of a flow in order.
		var flows [][]packet
		for i := range byte(3) {
			flows = append(flows,
				[]packet{{protocol: protocolTCP, ports: [4]byte{0, 80, 0, i}}},
				[]packet{{protocol: protocolUDP, ports: [4]byte{0, 80, 0, i}}}, // the same ports, and another flow
				[]packet{{protocol: protocolTCP, src: 1, dst: i}})
			kind := [4]byte{8, 0, 0, i}
			protocol := byte(protocolICMP)
			if v6 {
				kind[0], protocol = 128, protocolICMPv6
			}
			flows = append(flows, []packet{{protocol: protocol, ports: kind}})
		}
		for i, f := range flows {
			f[0].v6 = v6
			f[0].number = byte(10 * i)
			flows[i] = append(f, f[0], f[0])
			flows[i][1].number += 2 // numbers don't rise, so that it isn't they by which frames are sorted
			flows[i][2].number++
		}
		r := rand.New(rand.NewPCG(1, 1))
		var want []byte
		for range 200 {
			rest := make([][]packet, len(flows))
			copy(rest, flows)
			var sent []packet
			for len(sent) < 3*len(flows) {
				if i := r.IntN(len(rest)); len(rest[i]) > 0 {
					sent = append(sent, rest[i][0])
					rest[i] = rest[i][1:]
				}
			}
			got := leaving(nil, &Port{}, sent)
			if want == nil {
				want = got
			}
			require.Equal(t, want, got)
		}
		for i := range flows {
			at := slices.Index(want, byte(10*i))
			require.Equal(t, []byte{byte(10 * i), byte(10*i + 2), byte(10*i + 1)}, want[at:at+3])
		}
	}
}

// A datagram in fragments keeps its place between others of its flow, and its fragments stay in order, also when two sockets
// send at once and their fragments come in turns.
func TestFragmentsKeepTheirOrder(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		a, b := [4]byte{1, 1, 1, 1}, [4]byte{2, 2, 2, 2}
		list := []packet{
			{ports: b, number: 11},
			{ports: a, number: 1},
			{ports: b, number: 12, id: 70, more: true},
			{ports: a, number: 2, id: 80, more: true},
			{number: 3, id: 80, offset: 1480, more: true},
			{number: 13, id: 70, offset: 1480, more: true},
			{number: 4, id: 80, offset: 2960},
			{number: 14, id: 70, offset: 2960},
			{ports: a, number: 5},
			{ports: a, number: 6, id: 81, more: true},
			{number: 7, id: 81, offset: 1480},
			{ports: b, number: 15},
		}
		for i := range list {
			list[i].v6, list[i].protocol = v6, protocolUDP
		}
		require.Equal(t, []byte{1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 14, 15}, leaving(nil, &Port{}, list))
	}
}

// A fragment whose first part was sent earlier still has a place that depends on nothing but itself.
func TestFragmentWithoutTheFirst(t *testing.T) {
	other := packet{protocol: protocolUDP, ports: [4]byte{1, 1, 1, 1}, number: 1}
	late := packet{protocol: protocolUDP, id: 9, offset: 1480, number: 2}
	require.Equal(t, leaving(nil, &Port{}, []packet{other, late}), leaving(nil, &Port{}, []packet{late, other}))
	elsewhere := late
	elsewhere.dst = 7
	require.Equal(t, []byte{2, 1, 2}, leaving(nil, &Port{}, []packet{late, elsewhere, other}))
}

func TestFlowOfShortFrames(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		full := packet{v6: v6, src: 1, dst: 2, protocol: protocolUDP, ports: [4]byte{1, 2, 3, 4}}.data()
		for n := range len(full) {
			f := Frame{Data: full[:n]}
			w := f.flow()
			require.False(t, w.fragment)
			f.Data = full
			require.NotZero(t, f.flow().key)
		}
	}
	require.Zero(t, (&Frame{Data: make([]byte, 60)}).flow())
}

// Whatever a host sends, neither its place nor the partition that it belongs to is a reason to fall over.
func FuzzFrame(f *testing.F) {
	for _, v6 := range []bool{false, true} {
		for _, p := range []packet{{protocol: protocolTCP}, {protocol: protocolUDP, more: true}, {protocol: protocolICMP},
			{protocol: protocolICMPv6, ports: [4]byte{135}}, {protocol: protocolUDP, offset: 8}} {
			p.v6 = v6
			f.Add(p.data(), byte(1))
		}
	}
	f.Add([]byte("\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x08\x06\x00\x01\x08\x00\x06\x04"), byte(0))
	f.Add([]byte{}, byte(0))
	f.Fuzz(func(t *testing.T, data []byte, cut byte) {
		frame := &Frame{Data: data}
		w := frame.flow()
		require.Equal(t, w, frame.flow())
		src, dst := endpoints(frame)
		require.Equal(t, src.IsValid(), dst.IsValid())
		require.Equal(t, src.BitLen(), dst.BitLen())
		if src.IsValid() && w.key != [37]byte{} {
			raw := src.AsSlice()
			require.Equal(t, raw, w.key[:len(raw)])
		}
		short := &Frame{Data: data[:min(len(data), int(cut))]}
		endpoints(short)
		list := []departure{{port: &Port{}, frame: frame}, {port: &Port{}, frame: short}, {port: &Port{id: 1}, frame: frame}}
		sortDepartures(list)
		require.EqualValues(t, 1, list[2].port.id)
	})
}
