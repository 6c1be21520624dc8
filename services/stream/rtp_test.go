package stream

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHeader(t *testing.T) {
	h := header{marker: true, payloadType: 96, sequence: 0xabcd, timestamp: 0x01020304, ssrc: 0x0a0b0c0d}
	packet := make([]byte, headerSize, 40)
	h.encode(packet)
	require.Equal(t, []byte{0x80, 0xe0, 0xab, 0xcd, 1, 2, 3, 4, 10, 11, 12, 13}, packet)
	got, payload, err := decode(append(packet, 7, 8))
	require.NoError(t, err)
	require.Equal(t, h, got)
	require.Equal(t, []byte{7, 8}, payload)
}

func TestDecodeSkipsSourcesExtensionAndPadding(t *testing.T) {
	packet := []byte{0x80 | 0x20 | 0x10 | 1, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3,
		0, 0, 0, 9, // a contributing source
		0xbe, 0xde, 0, 1, 1, 2, 3, 4, // an extension of one word
		42, 0, 2} // payload, padding
	_, payload, err := decode(packet)
	require.NoError(t, err)
	require.Equal(t, []byte{42}, payload)
	for n := range 24 {
		_, _, err := decode(packet[:n])
		require.ErrorIs(t, err, errRTP, n)
	}
	packet[len(packet)-1] = 4 // more padding than payload
	_, _, err = decode(packet)
	require.ErrorIs(t, err, errRTP)
	_, _, err = decode(make([]byte, 40)) // version 0
	require.ErrorIs(t, err, errRTP)
}

func TestMark(t *testing.T) {
	m := mark{5, 3 * time.Second, plan{time.Second, 100, minSize + 8, 1e6}}
	payload := make([]byte, minSize+8-headerSize)
	m.encode(payload)
	got, err := decodeMark(payload, minSize+8)
	require.NoError(t, err)
	require.Equal(t, m, got)
	m.index = 100
	m.encode(payload)
	_, err = decodeMark(payload, minSize+8)
	require.ErrorIs(t, err, errForeign)
}

func FuzzDecode(f *testing.F) {
	packet := make([]byte, minSize)
	header{payloadType: 96}.encode(packet)
	mark{1, time.Second, plan{0, 10, minSize, 1e6}}.encode(packet[headerSize:])
	f.Add(packet)
	f.Add(packet[:headerSize])
	f.Fuzz(func(t *testing.T, data []byte) {
		_, payload, err := decode(data)
		if err != nil {
			return
		}
		m, err := decodeMark(payload, len(data))
		if err != nil {
			return
		}
		s := source{plan: m.plan}
		s.arrive(m, time.Hour, false)
		got := s.figures(2 * time.Hour)
		require.EqualValues(t, 1, got.Received)
		require.LessOrEqual(t, got.Lost+got.Received, m.plan.packets)
	})
}

func TestPlan(t *testing.T) {
	p := plan{start: time.Second, packets: 10, size: 1250, rate: 10e6} // a packet each millisecond
	require.Equal(t, 9*time.Millisecond, p.offset(9))
	require.EqualValues(t, 0, p.due(0))
	require.EqualValues(t, 0, p.due(time.Second))
	require.EqualValues(t, 1, p.due(time.Second+1))
	require.EqualValues(t, 1, p.due(time.Second+time.Millisecond))
	require.EqualValues(t, 10, p.due(time.Hour))
	slow := plan{packets: maxPackets, size: maxSize, rate: 1}
	require.EqualValues(t, math.MaxInt64, slow.offset(maxPackets-1))
}

// arrivals feeds packets, by number, each a millisecond after the one before, to a source whose packets take no time.
func arrivals(numbers ...uint64) Figures {
	s := source{plan: plan{packets: 100, size: 125, rate: 1e6}}
	for i, n := range numbers {
		at := time.Duration(i) * time.Millisecond
		s.arrive(mark{n, at, s.plan}, at, false)
	}
	return s.figures(0)
}

func TestCounting(t *testing.T) {
	for _, c := range []struct {
		name                                             string
		numbers                                          []uint64
		received, lost, reordered, duplicates, gaps, gap uint64
	}{
		{"in order", []uint64{0, 1, 2, 3}, 4, 0, 0, 0, 0, 0},
		{"one missing", []uint64{0, 2, 3}, 3, 1, 0, 0, 1, 1},
		{"the first missing", []uint64{3, 4}, 2, 3, 0, 0, 1, 3},
		{"swapped", []uint64{0, 2, 1, 3}, 4, 0, 1, 0, 0, 0},
		{"twice", []uint64{0, 1, 1, 0, 2}, 3, 0, 0, 2, 0, 0},
		{"late and twice", []uint64{0, 3, 1, 1}, 3, 1, 1, 1, 1, 1},
		{"a gap is split", []uint64{0, 6, 3}, 3, 4, 1, 0, 2, 2},
		{"a gap from both ends", []uint64{0, 6, 1, 5, 2, 4, 3}, 7, 0, 5, 0, 0, 0},
		{"two gaps", []uint64{0, 4, 9}, 3, 7, 0, 0, 2, 4},
	} {
		f := arrivals(c.numbers...)
		require.Equal(t, []uint64{c.received, c.lost, c.reordered, c.duplicates, c.gaps, c.gap},
			[]uint64{f.Received, f.Lost, f.Reordered, f.Duplicates, f.Gaps, f.LongestGap}, c.name)
	}
}

// RFC 3550, section 6.4.1: a delay that alternates between 0 and 16 ms has a jitter that comes close to 16 ms.
func TestJitter(t *testing.T) {
	s := source{plan: plan{packets: 1000, size: 125, rate: 1e6}}
	for i := range uint64(200) {
		sent := time.Duration(i) * 100 * time.Millisecond
		s.arrive(mark{i, sent, s.plan}, sent+time.Duration(i%2)*16*time.Millisecond, false)
		if i == 1 {
			require.EqualValues(t, time.Millisecond, *s.figures(0).Jitter) // a sixteenth of the first difference
		}
	}
	require.InDelta(t, 16e6, float64(*s.figures(0).Jitter), 10e3)
}
