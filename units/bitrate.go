package units

import (
	"fmt"
	"math"
	"math/bits"
	"strings"
	"time"
)

// BitRate is a speed of 0 bits per second or more. It is written in bits, with
// powers of 1000 ("10Mbit/s"), or in bytes, with powers of 1000 or 1024
// ("1MB/s", "1MiB/s"). The spellings of Linux's tc that are not ambiguous are
// read as well ("10mbit", "1gbit"); "10mbps", which tc reads as megabytes and
// nearly everybody else as megabits, is refused.
type BitRate int64

// bitRateUnits begins with what String writes.
var bitRateUnits = []unit{
	{"bit/s", 1}, {"kbit/s", 1e3}, {"Mbit/s", 1e6}, {"Gbit/s", 1e9}, {"Tbit/s", 1e12},
	{"B/s", 8}, {"kB/s", 8e3}, {"MB/s", 8e6}, {"GB/s", 8e9}, {"TB/s", 8e12},
	{"KiB/s", 8 << 10}, {"MiB/s", 8 << 20}, {"GiB/s", 8 << 30}, {"TiB/s", 8 << 40},
	// tc(8), RATES; with a capital letter for M, G and T as people write them.
	{"bit", 1}, {"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}, {"tbit", 1e12},
	{"Mbit", 1e6}, {"Gbit", 1e9}, {"Tbit", 1e12},
	{"kibit", 1 << 10}, {"mibit", 1 << 20}, {"gibit", 1 << 30}, {"tibit", 1 << 40},
}

// canonicalBitRateUnits is how many of bitRateUnits String chooses from.
const canonicalBitRateUnits = 5

var bitRateGrammar = quantity{
	noun:    "a bit rate",
	example: "10Mbit/s",
	base:    "bits per second",
	largest: "9223372036854775807bit/s",
	units:   bitRateUnits,
	aliases: map[string]string{
		"b": "B/s", "kb": "kB/s", "mb": "MB/s", "gb": "GB/s", "tb": "TB/s",
		"kib": "KiB/s", "mib": "MiB/s", "gib": "GiB/s", "tib": "TiB/s",
		"bits/s": "bit/s", "bits": "bit/s", "bytes/s": "B/s", "byte/s": "B/s",
	},
	ambiguous: ambiguousBitRate,
}

// ambiguousBitRate names the units in which b may be a bit or a byte.
func ambiguousBitRate(name string) (why, one, other string) {
	prefixes := map[string][2]string{ // lower case: as SI writes it, what tc counts
		"": {"", "bytes"}, "k": {"k", "kilobytes"}, "m": {"M", "megabytes"}, "g": {"G", "gigabytes"}, "t": {"T", "terabytes"},
	}
	lower := strings.ToLower(name)
	if prefix, ok := prefixes[strings.TrimSuffix(lower, "bps")]; ok && strings.HasSuffix(lower, "bps") {
		return "tc reads it as " + prefix[1], prefix[0] + "bit/s", prefix[0] + "B/s"
	}
	if name == "KB/s" || name == "KB" {
		return "1000 or 1024 bytes", "kB/s", "KiB/s"
	}
	// An upper-case B is a byte; a lower-case b may be anything.
	for _, suffix := range []string{"b/s", "b"} {
		if prefix, ok := prefixes[strings.ToLower(strings.TrimSuffix(name, suffix))]; ok && strings.HasSuffix(name, suffix) {
			return "b may be bits or bytes", prefix[0] + "bit/s", prefix[0] + "B/s"
		}
	}
	return "", "", ""
}

// ParseBitRate reads a rate such as "10Mbit/s". An error is a *ParseError: no
// unit, an unknown or ambiguous one, a sign, a part of a bit per second, or too
// large.
func ParseBitRate(s string) (BitRate, error) {
	v, err := bitRateGrammar.parse(s)
	return BitRate(v), err
}

// TransmitTime returns how long n bytes take to go on the wire at rate b:
// 8n/b, rounded up to the nanosecond, so that a frame is never finished before
// its last bit. A rate of zero has no limit: all takes 0. A result beyond the
// largest time.Duration, some 292 years, is that largest one. n and b must not
// be negative.
func (b BitRate) TransmitTime(n int) time.Duration {
	if n < 0 || b < 0 {
		panic(fmt.Sprintf("units: TransmitTime(%d) at %v: want 0 or more of both", n, b))
	}
	if b == 0 || n == 0 {
		return 0
	}
	rate := uint64(b)
	hi, lo := bits.Mul64(uint64(n), 8*uint64(time.Second))
	if hi >= rate { // the quotient has more than 64 bits
		return math.MaxInt64
	}
	quotient, remainder := bits.Div64(hi, lo, rate)
	if remainder > 0 && quotient < math.MaxInt64 {
		quotient++
	}
	return time.Duration(min(quotient, math.MaxInt64))
}

// String writes b in the power of 1000 bits per second that needs the fewest
// characters: "10Mbit/s", "9600bit/s". It is exact.
func (b BitRate) String() string {
	sign, v := magnitude(int64(b))
	return sign + shortest(v, bitRateUnits[:canonicalBitRateUnits])
}

// MarshalText writes what String writes. A negative rate is an error.
func (b BitRate) MarshalText() ([]byte, error) {
	if b < 0 {
		return nil, invalid("bit rate", b, "0bit/s or more")
	}
	return []byte(b.String()), nil
}

// UnmarshalText reads what ParseBitRate reads.
func (b *BitRate) UnmarshalText(text []byte) error {
	v, err := ParseBitRate(string(text))
	return parsed(b, v, err)
}
