package captures

import (
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"
)

// Whatever lies below it, the segment is the same.
func TestHeadersLinkTypes(t *testing.T) {
	segment := &layers.TCP{SrcPort: 49152, DstPort: 443, Seq: 5, SYN: true, Window: 1000}
	for _, version := range []struct {
		ip     []byte
		family uint32
		ether  []byte
		number int
	}{
		{tcpFrame(t, client4, server4, segment, "hello")[14:], 2, []byte{0x08, 0x00}, 4},
		{tcpFrame(t, client6, server6, segment, "hello")[14:], 30, []byte{0x86, 0xdd}, 6},
	} {
		ip := version.ip
		join := func(parts ...[]byte) (b []byte) {
			for _, p := range parts {
				b = append(b, p...)
			}
			return append(b, ip...)
		}
		macs := make([]byte, 12)
		sll := append(make([]byte, 14), version.ether...)
		sll2 := append(append([]byte{}, version.ether...), make([]byte, 18)...)
		raw := uint16(LinkIPv4)
		if version.number == 6 {
			raw = LinkIPv6
		}
		for name, test := range map[string]struct {
			link  uint16
			frame []byte
		}{
			"Ethernet":            {LinkEthernet, join(macs, version.ether)},
			"VLAN tag":            {LinkEthernet, join(macs, []byte{0x81, 0, 0, 7}, version.ether)},
			"two VLAN tags":       {LinkEthernet, join(macs, []byte{0x88, 0xa8, 0, 7, 0x81, 0, 0, 8}, version.ether)},
			"null, little endian": {LinkNull, join(le.AppendUint32(nil, version.family))},
			"null, big endian":    {LinkNull, join(be.AppendUint32(nil, version.family))},
			"loop":                {LinkLoop, join(be.AppendUint32(nil, version.family))},
			"raw":                 {LinkRaw, join()},
			"raw of FreeBSD":      {linkRawFreeBSD, join()},
			"raw of OpenBSD":      {linkRawOpenBSD, join()},
			"IP version":          {raw, join()},
			"Linux SLL":           {LinkLinuxSLL, join(sll)},
			"Linux SLL2":          {LinkLinuxSLL2, join(sll2)},
			"Linux SLL, tagged":   {LinkLinuxSLL, join(sll[:14], []byte{0x81, 0, 0, 7}, version.ether)},
		} {
			t.Run(name, func(t *testing.T) {
				var h Headers
				require.True(t, h.Parse(test.link, test.frame))
				require.Empty(t, h.Problem())
				require.Equal(t, version.number, h.IPVersion())
				src, dst, ok := h.Ports()
				require.True(t, ok)
				require.Equal(t, []uint16{49152, 443}, []uint16{src, dst})
				require.Equal(t, ip, h.Network())
				payload, length, ok := h.Payload()
				require.True(t, ok)
				require.Equal(t, "hello", string(payload))
				require.Equal(t, 5, length)
				var s Segment
				require.True(t, h.TCP(&s))
				require.Equal(t, uint32(5), s.Seq)

				for cut := range test.frame {
					require.True(t, h.Parse(test.link, test.frame[:cut]))
					if len(test.frame)-cut > len(ip) {
						require.Zero(t, h.IPVersion(), "cut within the link header")
						require.False(t, h.TCP(&s))
					}
				}
			})
		}
	}
}

func TestHeadersUnknownLink(t *testing.T) {
	var h Headers
	require.True(t, h.Parse(LinkEthernet, tcpFrame(t, client4, server4, &layers.TCP{}, "")))
	require.False(t, h.Parse(147, make([]byte, 100)))
	require.Equal(t, "a link type that is not known", h.Problem())
	require.Zero(t, h.IPVersion(), "nothing is left of the frame before")
	d := &Describer{}
	require.Equal(t, "frame of 100 bytes, a link type that is not known", d.DescribeHeaders(&h))
	require.True(t, h.Parse(LinkRaw, nil))
	require.Equal(t, "frame of 0 bytes, empty", d.DescribeHeaders(&h))
	require.True(t, h.Parse(LinkLinuxSLL, make([]byte, 15)))
	require.Equal(t, "frame of 15 bytes, shorter than its link header", d.DescribeHeaders(&h))
	require.True(t, h.Parse(LinkRaw, []byte{0x45, 0}))
	require.Equal(t, "IPv4 malformed: header cut short", d.DescribeHeaders(&h), "there are no MAC addresses to name")
	require.True(t, h.Parse(LinkLinuxSLL, append(make([]byte, 14), 0x88, 0xcc, 1, 2, 3)))
	require.Equal(t, "LLDP len 3", d.DescribeHeaders(&h))
	require.True(t, h.Parse(LinkEthernet, make([]byte, 3)))
	require.Equal(t, "Ethernet malformed: 3 bytes, shorter than an Ethernet header", d.DescribeHeaders(&h))
}

// A stack of tags ends somewhere.
func TestHeadersManyTags(t *testing.T) {
	frame := make([]byte, 12)
	for range maxVLANTags + 1 {
		frame = append(frame, 0x81, 0, 0, 1)
	}
	frame = append(frame, 0x08, 0x00)
	frame = append(frame, tcpFrame(t, client4, server4, &layers.TCP{}, "")[14:]...)
	var h Headers
	require.True(t, h.Parse(LinkEthernet, frame))
	require.Equal(t, uint16(etherVLAN), h.EtherType())
	require.Zero(t, h.IPVersion())
}

func TestSegmentOptions(t *testing.T) {
	option := func(kind layers.TCPOptionKind, data ...byte) layers.TCPOption {
		return layers.TCPOption{OptionType: kind, OptionLength: uint8(2 + len(data)), OptionData: data}
	}
	nop := layers.TCPOption{OptionType: layers.TCPOptionKindNop}
	block := func(edges ...uint32) (b []byte) {
		for _, e := range edges {
			b = be.AppendUint32(b, e)
		}
		return b
	}
	base := Segment{Seq: 1 << 31, Ack: 9, Flags: ACK | PSH, Window: 512, Scale: -1, Data: []byte("data"), Length: 4}
	for name, test := range map[string]struct {
		options []layers.TCPOption
		want    func(*Segment)
	}{
		"none": {nil, func(*Segment) {}},
		"of a SYN": {
			[]layers.TCPOption{
				option(layers.TCPOptionKindMSS, 5, 0xb4), option(layers.TCPOptionKindSACKPermitted),
				option(layers.TCPOptionKindTimestamps, block(77, 88)...), nop, option(layers.TCPOptionKindWindowScale, 7),
			},
			func(s *Segment) {
				s.MSS, s.Scale, s.SACKPermitted, s.Timestamps, s.Value, s.Echo = 1460, 7, true, true, 77, 88
			},
		},
		"scale 0":          {[]layers.TCPOption{option(layers.TCPOptionKindWindowScale, 0)}, func(s *Segment) { s.Scale = 0 }},
		"scale beyond 14":  {[]layers.TCPOption{option(layers.TCPOptionKindWindowScale, 255)}, func(s *Segment) { s.Scale = 14 }},
		"MSS of one byte":  {[]layers.TCPOption{option(layers.TCPOptionKindMSS, 5)}, func(*Segment) {}},
		"after the end":    {[]layers.TCPOption{{OptionType: layers.TCPOptionKindEndList}, option(layers.TCPOptionKindMSS, 5, 0xb4)}, func(*Segment) {}},
		"an unknown one":   {[]layers.TCPOption{option(254, 1, 2), option(layers.TCPOptionKindMSS, 0, 9)}, func(s *Segment) { s.MSS = 9 }},
		"SACK with a rest": {[]layers.TCPOption{option(layers.TCPOptionKindSACK, append(block(1, 2), 0, 0, 0)...)}, func(s *Segment) { s.SACK[0], s.SACKBlocks = SACKBlock{1, 2}, 1 }},
		"SACK": {
			[]layers.TCPOption{nop, nop, option(layers.TCPOptionKindSACK, block(1, 2, 3, 4, 5, 6, 7, 1<<32-1)...)},
			func(s *Segment) { s.SACK, s.SACKBlocks = [4]SACKBlock{{1, 2}, {3, 4}, {5, 6}, {7, 1<<32 - 1}}, 4 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			var h Headers
			frame := tcpFrame(t, client4, server4, &layers.TCP{Seq: 1 << 31, Ack: 9, ACK: true, PSH: true, Window: 512, Options: test.options}, "data")
			require.True(t, h.Parse(LinkEthernet, frame))
			want := base
			test.want(&want)
			got := Segment{MSS: 1, SACKBlocks: 3} // of the frame before
			require.True(t, h.TCP(&got))
			require.Equal(t, want, got)
			require.Zero(t, testing.AllocsPerRun(10, func() { h.Parse(LinkEthernet, frame); h.TCP(&got) }))
		})
	}
}

func TestSegmentRefuses(t *testing.T) {
	var h Headers
	var s Segment
	whole := tcpFrame(t, client4, server4, &layers.TCP{Seq: 1, Options: []layers.TCPOption{
		{OptionType: layers.TCPOptionKindMSS, OptionLength: 4, OptionData: []byte{5, 0xb4}},
	}}, "data")
	for cut := range whole {
		require.True(t, h.Parse(LinkEthernet, whole[:cut]))
		require.Equal(t, cut >= 14+20+20, h.TCP(&s), cut)
		if cut >= 14+20+24 {
			require.Equal(t, uint16(1460), s.MSS)
			require.Len(t, s.Data, cut-58)
			require.Equal(t, 4, s.Length)
		}
	}
	for name, frame := range map[string][]byte{
		"UDP":           udpFrame(t, client4, server4, 1, 2, "12345678901234567890"),
		"ARP":           arpFrame(t, 1, client4, server4),
		"later piece":   fragment4(t, layers.IPProtocolTCP, 1480, false, make([]byte, 40)),
		"header of 16":  badHeader(t, whole, 4),
		"header of 60":  badHeader(t, whole, 15),
		"not even IPv4": build(t, ether(0x88cc), gopacket.Payload(whole[14:])),
	} {
		require.True(t, h.Parse(LinkEthernet, frame))
		require.False(t, h.TCP(&s), name)
	}
}

// badHeader sets the length of the TCP header in words.
func badHeader(t testing.TB, frame []byte, words byte) []byte {
	t.Helper()
	b := append([]byte(nil), frame...)
	b[14+20+12] = words << 4
	return b
}

// FuzzHeaders parses any bytes as any link type; what comes out lies within the frame.
func FuzzHeaders(f *testing.F) {
	for _, frame := range frameZoo(f) {
		f.Add(uint16(LinkEthernet), frame)
		if len(frame) > 14 {
			f.Add(uint16(LinkRaw), frame[14:])
			f.Add(uint16(LinkNull), append(make([]byte, 4), frame[14:]...))
		}
	}
	f.Add(uint16(LinkLinuxSLL), append(make([]byte, 14), 0x81, 0, 0, 1, 0x08, 0))
	f.Add(uint16(LinkLinuxSLL2), []byte{0x86, 0xdd})
	f.Fuzz(func(t *testing.T, link uint16, frame []byte) {
		var h Headers
		known := h.Parse(link, frame)
		if !known {
			require.NotEmpty(t, h.Problem())
		}
		require.LessOrEqual(t, len(h.Network()), len(frame))
		transport, _ := h.Transport()
		require.LessOrEqual(t, len(transport), len(frame))
		if payload, length, ok := h.Payload(); ok {
			require.LessOrEqual(t, len(payload), len(transport))
			require.LessOrEqual(t, len(payload), length)
		}
		var s Segment
		if h.TCP(&s) {
			require.GreaterOrEqual(t, s.Length, 0)
			require.LessOrEqual(t, len(s.Data), len(transport)-20)
			require.LessOrEqual(t, s.SACKBlocks, len(s.SACK))
			require.True(t, s.Scale >= -1 && s.Scale <= 14)
		} else {
			require.Zero(t, s)
		}
		_ = (&Describer{}).DescribeHeaders(&h)
	})
}
