package units

import (
	"math"
	"strconv"
	"strings"
)

// shortDigits is how many significant digits the Short functions leave.
const shortDigits = 4

// ShortDuration prints nanoseconds with four significant digits, such as 12.35ms.
func ShortDuration(ns float64) string {
	if rounded := math.Round(short(ns)); math.Abs(rounded) < math.MaxInt64 {
		return Duration(rounded).String()
	}
	return ShortNumber(ns) + "ns"
}

// ShortBytes prints a size with four significant digits: as [Bytes] does if that has no more, such as 512KiB, else in powers of 1000,
// such as 9.702MB.
func ShortBytes(n float64) string {
	if n >= 0 && n < 1<<62 && n == math.Trunc(n) {
		text := Bytes(n).String()
		if len(strings.TrimFunc(text, func(r rune) bool { return r < '0' || r > '9' })) <= shortDigits {
			return text
		}
	}
	return scaled(n, "B")
}

// ShortBitRate prints bits per second with four significant digits, such as 9.702Mbit/s.
func ShortBitRate(n float64) string { return scaled(n, "bit/s") }

// ShortNumber prints a number with four significant digits, and those before the point in any case.
func ShortNumber(f float64) string {
	f = short(f)
	if f != 0 && (math.Abs(f) < 1e-6 || math.Abs(f) >= 1e15) {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// scaled prints a number that isn't negative with the largest power of 1000 in it.
func scaled(f float64, unit string) string {
	prefixes := []string{"", "k", "M", "G", "T"}
	i := 0
	for f = max(f, 0); short(f) >= 1000 && i < len(prefixes)-1; i++ {
		f /= 1000
	}
	return ShortNumber(f) + prefixes[i] + unit
}

// short rounds to the digits that are left.
func short(f float64) float64 {
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'e', shortDigits-1, 64), 64)
	return rounded
}
