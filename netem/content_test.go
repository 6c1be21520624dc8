package netem

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

// packets are frames with UDP in IPv4 and in IPv6, by name.
var packets = map[string][]byte{
	"IPv4": datagram(EtherTypeIPv4, 20, 100),
	"IPv6": datagram(EtherTypeIPv6, 40, 100),
}

// datagram is a frame with an IP header and a payload, of which each byte is its offset.
func datagram(etherType uint16, header, payload int) []byte {
	f := make([]byte, etherHeader+header+payload)
	for i := range f {
		f[i] = byte(i)
	}
	binary.BigEndian.PutUint16(f[etherTypeAt:], etherType)
	if etherType == EtherTypeIPv4 {
		f[etherHeader] = 0x45
	} else {
		f[etherHeader] = 0x60
	}
	return f
}

// content sends a packet n times, in groups, and returns what arrives; nothing may be changed before it leaves.
func content(t *testing.T, p Params, packet []byte, n int) (got [][]byte, w *wire) {
	t.Helper()
	const together = 1000
	var check func()
	w = onWire(t, p, func(w *wire) {
		check = stockOf(t, w.Engine, 3*min(n, together))
		w.SetTap(nil)
		w.b.SetReceive(func(_ time.Duration, f *Frame) {
			if bytes.Equal(f.Data, packet) == f.Damaged {
				t.Errorf("a frame of %d bytes says that Damaged is %v", len(f.Data), f.Damaged)
			}
			got = append(got, bytes.Clone(f.Data))
			f.Release()
		})
		for i := 0; i < n; i += together {
			w.At(0, KindControl, time.Duration(i)*time.Microsecond, func() {
				for range min(n-i, together) {
					f := w.NewFrame(len(packet))
					copy(f.Data, packet)
					w.a.Forward(w.Elapsed(), f)
				}
			})
		}
	})
	check()
	return got, w
}

// The bits that are flipped are as many as were asked for, different, behind the Ethernet header, and each as likely as any other.
func TestCorrupt(t *testing.T) {
	large(t)
	const n = 100000
	for name, packet := range packets {
		for _, count := range []int{1, 3, 100} {
			t.Run(name, func(t *testing.T) {
				n := n
				if count > 10 {
					n /= 10
				}
				got, w := content(t, Params{Corrupt: Corrupt{Probability: 0.5, Bits: count}}, packet, n)
				counts := make([]int, 8*(len(packet)-etherHeader))
				damaged := 0
				for _, data := range got {
					if !bytes.Equal(packet[:etherHeader], data[:etherHeader]) {
						t.Fatal("the Ethernet header is damaged")
					}
					flips := 0
					for i := etherHeader; i < len(data); i++ {
						d := data[i] ^ packet[i]
						flips += bits.OnesCount8(d)
						for b := 0; d != 0; b++ {
							counts[8*(i-etherHeader)+b] += int(d & 1)
							d >>= 1
						}
					}
					if flips != 0 {
						if damaged++; flips != count {
							t.Fatalf("%d bits are flipped, want %d", flips, count)
						}
					}
				}
				require.EqualValues(t, damaged, w.link.Stats(Forward).Corrupted)
				requireShare(t, 0.5, damaged, n)
				// Bits of one frame are drawn without putting back, which makes the counts vary less: the variance is that
				// of independent draws times (N-count)/(N-1). The test is sharp for 1 and careful for more.
				expected := make([]float64, len(counts))
				for i := range expected {
					expected[i] = float64(damaged*count) / float64(len(counts))
				}
				chiSquare(t, counts, expected, 1)
			})
		}
	}
}

// Pairs of bits are as likely as each other too.
func TestCorruptPairs(t *testing.T) {
	const n = 100000
	c := &corruption{Corrupt: Corrupt{1, 2}, random: (&Network{seed: 1}).Random("x")}
	counts := make([]int, 45)
	for range n {
		c.flips = nil
		c.draw(10, 2)
		counts[c.flips[1]*(c.flips[1]-1)/2+c.flips[0]]++
	}
	expected := make([]float64, 45)
	for i := range expected {
		expected[i] = n / 45.0
	}
	chiSquare(t, counts, expected, 1)
}

// Something that has fewer bits than are to be flipped has all of them flipped, and what has none stays as it is.
func TestCorruptShort(t *testing.T) {
	p := Params{Corrupt: Corrupt{1, 160}}
	got, _ := content(t, p, make([]byte, etherHeader+2), 1)
	require.Equal(t, append(make([]byte, etherHeader), 0xff, 0xff), got[0])
	got, w := content(t, p, make([]byte, etherHeader), 1)
	require.Equal(t, make([]byte, etherHeader), got[0])
	require.Zero(t, w.link.Stats(Forward).Corrupted)
	got, _ = content(t, p, make([]byte, etherHeader-5), 1)
	require.Len(t, got, 1)
}

// A size that is drawn is any that is shorter, each as likely as any other.
func TestTruncate(t *testing.T) {
	large(t)
	const n = 100000
	for name, packet := range packets {
		t.Run(name, func(t *testing.T) {
			got, w := content(t, Params{Truncate: Truncate{Probability: 0.6}}, packet, n)
			counts := make([]int, len(packet)-etherHeader)
			cut := 0
			for _, data := range got {
				if !bytes.HasPrefix(packet, data) || len(data) < etherHeader {
					t.Fatalf("%d bytes that are not the first ones of the frame", len(data))
				}
				if len(data) < len(packet) {
					counts[len(data)-etherHeader]++
					cut++
				}
			}
			requireShare(t, 0.6, cut, n)
			require.EqualValues(t, cut, w.link.Stats(Forward).Truncated)
			expected := make([]float64, len(counts))
			for i := range expected {
				expected[i] = float64(cut) / float64(len(counts))
			}
			chiSquare(t, counts, expected, 1)

			got, w = content(t, Params{Truncate: Truncate{1, 50}}, packet, 10)
			require.Len(t, got[0], etherHeader+50)
			require.EqualValues(t, 10, w.link.Stats(Forward).Truncated)
			got, w = content(t, Params{Truncate: Truncate{1, len(packet) - etherHeader}}, packet, 10)
			require.Len(t, got[0], len(packet))
			require.Zero(t, w.link.Stats(Forward).Truncated, "it is not longer")
		})
	}
}

// Copies arrive with the frame and right behind it, and are what arrived: with its damage.
func TestDuplicate(t *testing.T) {
	large(t)
	const n = 100000
	w := flood(t, Params{Latency: units.Constant(ms), Duplicate: 0.3}, n, time.Microsecond, nil)
	s := w.link.Stats(Forward)
	requireShare(t, 0.3, s.Duplicated.Frames, n)
	require.EqualValues(t, 60*s.Duplicated.Frames, s.Duplicated.Bytes)
	require.Len(t, w.arrivals, n+int(s.Duplicated.Frames))
	twice := map[uint64]bool{}
	for i, a := range w.arrivals {
		require.Equal(t, ms+time.Duration(a.id-1)*time.Microsecond, a.at)
		if i > 0 && a.id == w.arrivals[i-1].id {
			require.False(t, twice[a.id])
			twice[a.id] = true
		}
	}
	require.Len(t, twice, int(s.Duplicated.Frames))

	for name, packet := range packets {
		t.Run(name, func(t *testing.T) {
			p := Params{Duplicate: 1, Corrupt: Corrupt{1, 5}, Truncate: Truncate{Probability: 0.5}}
			got, w := content(t, p, packet, 500)
			require.Len(t, got, 1000)
			for i := 0; i < len(got); i += 2 {
				require.Equal(t, got[i], got[i+1])
				require.NotEqual(t, packet, got[i])
			}
			require.EqualValues(t, 500, w.link.Stats(Forward).Corrupted)
		})
	}
	lost, err := units.Bernoulli(1)
	require.NoError(t, err)
	w = onWire(t, Params{Duplicate: 1, Loss: lost}, func(w *wire) { w.send(0, 60) })
	require.Zero(t, w.link.Stats(Forward).Duplicated)
}

// seen is what a tap saw of a frame.
type seen struct {
	dir     Direction
	data    []byte
	comment string
}

type recorder []seen

func (r *recorder) Frame(_ time.Duration, _ PortID, dir Direction, _ uint64, data []byte, comment string) {
	*r = append(*r, seen{dir, bytes.Clone(data), comment})
}

// The sender's capture shows the frame as it was sent, the receiver's what arrived; both say what happened.
func TestDamageIsExplained(t *testing.T) {
	for name, packet := range packets {
		t.Run(name, func(t *testing.T) {
			var taps recorder
			onWire(t, Params{Corrupt: Corrupt{1, 1}, Truncate: Truncate{1, 60}, Duplicate: 1}, func(w *wire) {
				w.SetTap(&taps)
				f := w.NewFrame(len(packet))
				copy(f.Data, packet)
				w.a.Forward(0, f)
			})
			require.Len(t, taps, 3)
			require.Equal(t, packet, taps[0].data)
			words := taps[1].comment[:len(taps[1].comment)-len("; duplicate 1 of 2 on a--b")]
			require.Regexp(t, `^corrupted: flipped 0x(80|40|20|10|08|04|02|01) in byte \d+ on a--b; truncated from \d+ B to 60 B on a--b$`, words)
			require.Equal(t, words+"; duplicated on a--b", taps[0].comment)
			require.Equal(t, words+"; duplicate 2 of 2 on a--b", taps[2].comment)
			require.Len(t, taps[1].data, 74)
		})
	}
	c := &corruption{flips: []int{0, 7, 8, 100}}
	require.Equal(t, "corrupted: flipped 0x81 in byte 14, 0x80 in byte 15, 0x08 in byte 26", c.words(nil))
}
