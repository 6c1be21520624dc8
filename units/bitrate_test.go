package units

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseBitRate(t *testing.T) {
	for _, test := range []struct {
		text      string
		want      BitRate
		canonical string
	}{
		{"0bit/s", 0, "0bit/s"},
		{"10Mbit/s", 10e6, "10Mbit/s"},
		{"1Gbit/s", 1e9, "1Gbit/s"},
		{"2.5Gbit/s", 2500e6, "2.5Gbit/s"},
		{"1Tbit/s", 1e12, "1Tbit/s"},
		{"500kbit/s", 500e3, "500kbit/s"},
		{"9600bit/s", 9600, "9600bit/s"},
		{"9.6kbit/s", 9600, "9600bit/s"},
		{"1B/s", 8, "8bit/s"},
		{"1kB/s", 8e3, "8kbit/s"},
		{"1MB/s", 8e6, "8Mbit/s"},
		{"1MiB/s", 8 << 20, "8388608bit/s"},
		{"0.125B/s", 1, "1bit/s"},
		{"10mbit", 10e6, "10Mbit/s"},
		{"10Mbit", 10e6, "10Mbit/s"},
		{"1gbit", 1e9, "1Gbit/s"},
		{"100kbit", 100e3, "100kbit/s"},
		{"9600bit", 9600, "9600bit/s"},
		{"1kibit", 1024, "1024bit/s"},
		{"9223372036854775807bit/s", math.MaxInt64, "9223372036854775807bit/s"},
	} {
		t.Run(test.text, func(t *testing.T) { reads(t, ParseBitRate, test.text, test.want, test.canonical) })
	}
}

func TestParseBitRateRefuses(t *testing.T) {
	for text, message := range map[string]string{
		"":                         `"" is not a bit rate: want a number and a unit, such as "10Mbit/s"`,
		"10":                       `"10" has no unit: want a bit rate such as "10Mbit/s"`,
		"-1bit/s":                  `"-1bit/s" is not a bit rate: it must not be negative`,
		"10 Mbps":                  `"10 Mbps" is ambiguous (tc reads it as megabytes): write "10Mbit/s" or "10MB/s"`,
		"10mbps":                   `"10mbps" is ambiguous (tc reads it as megabytes): write "10Mbit/s" or "10MB/s"`,
		"10kbps":                   `"10kbps" is ambiguous (tc reads it as kilobytes): write "10kbit/s" or "10kB/s"`,
		"10bps":                    `"10bps" is ambiguous (tc reads it as bytes): write "10bit/s" or "10B/s"`,
		"1Gb/s":                    `"1Gb/s" is ambiguous (b may be bits or bytes): write "1Gbit/s" or "1GB/s"`,
		"10mb":                     `"10mb" is ambiguous (b may be bits or bytes): write "10Mbit/s" or "10MB/s"`,
		"1KB/s":                    `"1KB/s" is ambiguous (1000 or 1024 bytes): write "1kB/s" or "1KiB/s"`,
		"10mbit/s":                 `"10mbit/s" is not a bit rate; did you mean 10Mbit/s?`,
		"10Mbits/s":                `"10Mbits/s" is not a bit rate; did you mean 10Mbit/s?`,
		"10MB":                     `"10MB" is not a bit rate; did you mean 10MB/s?`,
		"10 Mbit/s":                `"10 Mbit/s" is not a bit rate; did you mean 10Mbit/s?`,
		"0.5bit/s":                 `"0.5bit/s" is not a whole number of bits per second`,
		"9223372036854775808bit/s": `"9223372036854775808bit/s" is too large: want at most "9223372036854775807bit/s"`,
		"1152921504606846976B/s":   `"1152921504606846976B/s" is too large: want at most "9223372036854775807bit/s"`,
	} {
		t.Run(text, func(t *testing.T) { refuses(t, ParseBitRate, text, message) })
	}
}

func TestBitRateRoundTrip(t *testing.T) {
	manyInts(func(v int64) { roundTrips(t, ParseBitRate, BitRate(v)) })
	_, err := BitRate(-1).MarshalText()
	require.EqualError(t, err, "units: cannot write the bit rate -1bit/s: want 0bit/s or more")
}

func TestTransmitTime(t *testing.T) {
	for _, test := range []struct {
		rate BitRate
		n    int
		want time.Duration
	}{
		{10e6, 1500, 1200 * time.Microsecond}, // with 20 ms of propagation: 21.2 ms
		{1e9, 1500, 12 * time.Microsecond},
		{1e9, 1, 8},
		{3, 1, 2666666667}, // 8/3 s, rounded up
		{8e9, 1, 1},
		{16e9, 1, 1}, // half a nanosecond, rounded up
		{math.MaxInt64, 1, 1},
		{1, 65536, 524288 * time.Second},
		{1, 0, 0},
		{0, 1500, 0},
		{0, 0, 0},
		{1, math.MaxInt, math.MaxInt64},
		{8e9, math.MaxInt, math.MaxInt64},
		{math.MaxInt64, math.MaxInt, 8e9},
	} {
		require.Equal(t, test.want, test.rate.TransmitTime(test.n), "%d bytes at %v", test.n, test.rate)
	}
	require.Panics(t, func() { BitRate(1).TransmitTime(-1) })
	require.Panics(t, func() { BitRate(-1).TransmitTime(1) })
}

// TestTransmitTimeIsExact compares with arbitrary precision.
func TestTransmitTimeIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 10_000 {
		rate := BitRate(1 + r.Uint64()>>1>>r.UintN(63))
		n := r.IntN(1 << 30)
		want := new(big.Int).Mul(big.NewInt(int64(n)), big.NewInt(8e9))
		want.Add(want, big.NewInt(int64(rate)-1))
		want.Quo(want, big.NewInt(int64(rate)))
		require.Equal(t, want.Int64(), int64(rate.TransmitTime(n)), "%d bytes at %d bit/s", n, rate)
	}
}

func BenchmarkTransmitTime(b *testing.B) {
	for b.Loop() {
		BitRate(10e6).TransmitTime(1500)
	}
}

func FuzzParseBitRate(f *testing.F) {
	fuzzes(f, ParseBitRate, "10Mbit/s", "1MiB/s", "10mbit", "10 Mbps", "1Gb/s", "0.125B/s")
}
