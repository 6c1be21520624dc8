package units

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseBytes(t *testing.T) {
	for _, test := range []struct {
		text      string
		want      Bytes
		canonical string
	}{
		{"0B", 0, "0B"},
		{"1500B", 1500, "1500B"},
		{"64KiB", 65536, "64KiB"},
		{"5MB", 5_000_000, "5MB"},
		{"1.5MB", 1_500_000, "1.5MB"},
		{"1.5kB", 1500, "1500B"},
		{"0.5KiB", 512, "512B"},
		{"1024B", 1024, "1KiB"},
		{"1000B", 1000, "1kB"},
		{"2GB", 2e9, "2GB"},
		{"1TB", 1e12, "1TB"},
		{"1.5MiB", 3 << 19, "1.5MiB"},
		{"3GiB", 3 << 30, "3GiB"},
		{"1TiB", 1 << 40, "1TiB"},
		{"9223372036854775807B", math.MaxInt64, "9223372036854775807B"},
	} {
		t.Run(test.text, func(t *testing.T) { reads(t, ParseBytes, test.text, test.want, test.canonical) })
	}
}

func TestParseBytesRefuses(t *testing.T) {
	for text, message := range map[string]string{
		"":                     `"" is not a size: want a number and a unit, such as "64KiB"`,
		"KiB":                  `"KiB" is not a size: want a number and a unit, such as "64KiB"`,
		"64":                   `"64" has no unit: want a size such as "64KiB"`,
		"0":                    `"0" has no unit: want a size such as "64KiB"`,
		"-1B":                  `"-1B" is not a size: it must not be negative`,
		"64KB":                 `"64KB" is ambiguous (1000 or 1024 bytes): write "64kB" or "64KiB"`,
		"64K":                  `"64K" is ambiguous (1000 or 1024 bytes): write "64kB" or "64KiB"`,
		"5M":                   `"5M" is ambiguous (a power of 1000 or of 1024): write "5MB" or "5MiB"`,
		"64kib":                `"64kib" is not a size; did you mean 64KiB?`,
		"5mb":                  `"5mb" is not a size; did you mean 5MB?`,
		"5bytes":               `"5bytes" is not a size; did you mean 5B?`,
		"64 KiB":               `"64 KiB" is not a size; did you mean 64KiB?`,
		"64KiB ":               `"64KiB " is not a size; did you mean 64KiB?`,
		"64 KB":                `"64 KB" is ambiguous (1000 or 1024 bytes): write "64kB" or "64KiB"`,
		"1.5B":                 `"1.5B" is not a whole number of bytes`,
		"1.5b":                 `"1.5b" is not a size: want a number and a unit, such as "64KiB"`,
		"0.1KiB":               `"0.1KiB" is not a whole number of bytes`,
		"10min":                `"10min" is not a size: want a number and a unit, such as "64KiB"`,
		"10ms":                 `"10ms" is not a size: want a number and a unit, such as "64KiB"`,
		"9223372036854775808B": `"9223372036854775808B" is too large: want at most "9223372036854775807B"`,
		"8388608TiB":           `"8388608TiB" is too large: want at most "9223372036854775807B"`,
	} {
		t.Run(text, func(t *testing.T) { refuses(t, ParseBytes, text, message) })
	}
}

func TestBytesRoundTrip(t *testing.T) {
	manyInts(func(v int64) { roundTrips(t, ParseBytes, Bytes(v)) })
}

func TestBytesInt(t *testing.T) {
	require.Equal(t, 65536, Bytes(65536).Int())
}

func TestNegativeBytes(t *testing.T) {
	require.Equal(t, "-8388608TiB", Bytes(math.MinInt64).String())
	_, err := Bytes(-5).MarshalText()
	require.EqualError(t, err, "units: cannot write the size -5B: want 0B or more")
}

func FuzzParseBytes(f *testing.F) {
	fuzzes(f, ParseBytes, "64KiB", "1.5MB", "1500B", "64KB", "9223372036854775807B", "5 MB", "0.0009765625KiB")
}
