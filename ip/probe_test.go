package ip

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A segment with five bytes, and its acknowledgement over IPv6.
const (
	dataFrame = "020000000002 020000000001 0800" +
		"4500002d 00004000 40060000 0a000001 0a000002" +
		"ac440050 000003e8 000007d0 50180200 00000000 68656c6c6f"
	ackFrame = "020000000001 020000000002 86dd" +
		"60000000 0014 06 40 fd000000000000000000000000000002 fd000000000000000000000000000001" +
		"0050ac44 000007d0 000003ed 50100200 00000000"
)

func frameOf(t testing.TB, text string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	require.NoError(t, err)
	return b
}

func TestParseSegment(t *testing.T) {
	s, ok := parseSegment(frameOf(t, dataFrame))
	require.True(t, ok)
	require.Equal(t, []any{uint16(0xac44), uint16(80), uint32(1000), uint32(2000), uint8(0x18), 5, false},
		[]any{s.srcPort, s.dstPort, s.seq, s.ack, s.flags, s.payload, s.v6})
	key := segmentKey{local: s.src, remote: s.dst, v6: s.v6}
	require.Equal(t, []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")}, []netip.Addr{key.address(key.local), key.address(key.remote)})
	s, ok = parseSegment(frameOf(t, ackFrame))
	require.True(t, ok)
	require.Equal(t, []any{uint16(80), uint16(0xac44), uint32(2000), uint32(1005), uint8(0x10), 0, true},
		[]any{s.srcPort, s.dstPort, s.seq, s.ack, s.flags, s.payload, s.v6})
}

// What isn't a whole TCP segment is none: shorter frames, fragments, other protocols, headers that make no sense.
func TestParseSegmentRefuses(t *testing.T) {
	for _, text := range []string{dataFrame, ackFrame} {
		frame := frameOf(t, text)
		for n := 14; n < len(frame); n++ {
			_, ok := parseSegment(frame[:n])
			require.False(t, ok, n)
		}
	}
	for name, change := range map[string]struct {
		at    int
		value byte
	}{"fragment": {21, 1}, "more fragments": {20, 0x20}, "UDP": {23, 17}, "short IP header": {14, 0x44}, "short TCP header": {46, 0x40},
		"TCP header beyond the packet": {46, 0xf0}, "other protocol": {13, 6}} {
		frame := frameOf(t, dataFrame)
		frame[change.at] = change.value
		_, ok := parseSegment(frame)
		require.False(t, ok, name)
	}
}

func FuzzParseSegment(f *testing.F) {
	f.Add(frameOf(f, dataFrame))
	f.Add(frameOf(f, ackFrame))
	f.Fuzz(func(t *testing.T, frame []byte) {
		if len(frame) < 14 {
			return
		}
		if s, ok := parseSegment(frame); ok && (s.payload < 0 || s.payload > len(frame)) {
			t.Fatalf("a payload of %d bytes in a frame of %d", s.payload, len(frame))
		}
	})
}

// newTestProbe returns the probe of a host that looks at nothing but frames.
func newTestProbe() *hostProbe { return newHostProbe(NewProbe(nil), &Host{}) }

// What is in flight is what was sent and not acknowledged, whatever is sent again; a FIN is no byte. A SYN with another number
// begins a new connection.
func TestProbeCountsFlight(t *testing.T) {
	hp := newTestProbe()
	data := frameOf(t, dataFrame)
	seq := func(frame []byte, n uint32) []byte {
		frame = append([]byte{}, frame...)
		frame[38], frame[39], frame[40], frame[41] = byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
		return frame
	}
	flags := func(frame []byte, f byte) []byte {
		frame[47] = f
		return frame
	}
	answer := func(ack uint32) []byte {
		f := append([]byte{}, data...)
		copy(f[26:30], data[30:34])
		copy(f[30:34], data[26:30])
		copy(f[34:36], data[36:38])
		copy(f[36:38], data[34:36])
		f[42], f[43], f[44], f[45] = byte(ack>>24), byte(ack>>16), byte(ack>>8), byte(ack)
		return f
	}
	flight := func() uint32 {
		require.Len(t, hp.known, 1)
		for _, c := range hp.known {
			return c.next - c.unacked
		}
		return 0
	}
	const start = uint32(0xfffffffa) // so that numbers wrap around
	hp.sent(2, seq(data, start))
	require.Equal(t, uint32(5), flight())
	hp.sent(2, seq(data, 0xffffffff))
	hp.sent(2, seq(data, start))
	require.Equal(t, uint32(10), flight())
	hp.received(2, answer(0xffffffff))
	require.Equal(t, uint32(5), flight())
	hp.received(2, answer(94))
	require.Equal(t, uint32(5), flight(), "nobody has sent that")
	hp.received(2, answer(5))
	require.Equal(t, uint32(0), flight(), "with the FIN")
	hp.received(2, answer(0xffffffff))
	require.Equal(t, uint32(0), flight(), "an old one")
	before := hp.probe.touched[0]
	hp.sent(2, flags(seq(data, 77), 2))
	for _, c := range hp.known {
		require.NotSame(t, before, c)
		require.Equal(t, uint32(77), c.initial)
	}
}
