package units

import (
	"fmt"
	"strings"
)

// Bytes is a size of 0 bytes or more. It is written as a number and a unit: B,
// the powers of 1000 kB, MB, GB and TB, or the powers of 1024 KiB, MiB, GiB and
// TiB (IEC 80000-13): "1500B", "5MB", "64KiB".
type Bytes int64

var byteUnits = []unit{
	{"B", 1}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
}

var byteGrammar = quantity{
	noun:      "a size",
	example:   "64KiB",
	base:      "bytes",
	largest:   "9223372036854775807B",
	units:     byteUnits,
	aliases:   map[string]string{"byte": "B", "bytes": "B", "octets": "B"},
	ambiguous: ambiguousSize,
}

// ambiguousSize names the units that some read as powers of 1000 and others as
// powers of 1024.
func ambiguousSize(name string) (why, one, other string) {
	switch name {
	case "KB", "K", "k", "Kb", "kb":
		return "1000 or 1024 bytes", "kB", "KiB"
	case "M", "G", "T", "m", "g", "t":
		prefix := strings.ToUpper(name)
		return "a power of 1000 or of 1024", prefix + "B", prefix + "iB"
	}
	return "", "", ""
}

// ParseBytes reads a size such as "64KiB". An error is a *ParseError: no unit,
// an unknown or ambiguous one, a sign, a part of a byte, or too large.
func ParseBytes(s string) (Bytes, error) {
	v, err := byteGrammar.parse(s)
	return Bytes(v), err
}

// Int returns b as an int, which lengths and slices want. It panics where an
// int has 32 bits and b does not fit.
func (b Bytes) Int() int {
	if n := int(b); Bytes(n) == b {
		return n
	}
	panic(fmt.Sprintf("units: %v does not fit in an int", b))
}

// String writes b in the unit that needs the fewest characters: "64KiB",
// "5MB", "1500B". It is exact.
func (b Bytes) String() string {
	sign, v := magnitude(int64(b))
	return sign + shortest(v, byteUnits)
}

// MarshalText writes what String writes. A negative size is an error.
func (b Bytes) MarshalText() ([]byte, error) {
	if b < 0 {
		return nil, invalid("size", b, "0B or more")
	}
	return []byte(b.String()), nil
}

// UnmarshalText reads what ParseBytes reads.
func (b *Bytes) UnmarshalText(text []byte) error {
	v, err := ParseBytes(string(text))
	return parsed(b, v, err)
}
