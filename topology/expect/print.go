package expect

import (
	"fmt"
	"math"
	"math/big"
	"strconv"

	"netlab/units"
)

// digits is how many significant digits a printed value has.
const digits = 4

// printed returns a figure's value for people, with four significant digits or all of them.
func printed(d Dimension, value any, all bool) string {
	switch v := value.(type) {
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case string:
		return strconv.Quote(v)
	}
	q, ok := quantityOf(value)
	if !ok {
		return "no value"
	}
	return printNumber(d, q.Rat, all)
}

func printNumber(d Dimension, r *big.Rat, all bool) string {
	if r.Sign() < 0 {
		return "-" + printNumber(d, new(big.Rat).Neg(r), all)
	}
	whole := int64(-1) // r, where the units can hold it
	if r.IsInt() && r.Num().IsInt64() {
		whole = r.Num().Int64()
	}
	f, _ := r.Float64()
	if !all {
		switch d {
		case Duration:
			return units.ShortDuration(f)
		case Size:
			return units.ShortBytes(f)
		case BitRate:
			return units.ShortBitRate(f)
		}
	}
	switch d {
	case Count:
		if r.IsInt() {
			return r.Num().String()
		}
	case Share:
		percent, _ := new(big.Rat).Mul(r, big.NewRat(100, 1)).Float64()
		return decimal(percent, all) + "%"
	case Duration:
		if whole >= 0 {
			return units.Duration(whole).String()
		}
		if rounded := math.Round(round(f)); rounded < math.MaxInt64 {
			return units.Duration(rounded).String()
		}
	case Size:
		if whole >= 0 {
			return units.Bytes(whole).String()
		}
		return scaled(f, "B")
	case BitRate:
		if whole >= 0 {
			return units.BitRate(whole).String()
		}
		return scaled(f, "bit/s")
	case Rate:
		return decimal(f, all) + "/s"
	}
	return decimal(f, all)
}

// scaled prints all digits of a number with the largest power of 1000 in it.
func scaled(f float64, unit string) string {
	prefixes := []string{"", "k", "M", "G", "T"}
	i := 0
	for f = max(f, 0); round(f) >= 1000 && i < len(prefixes)-1; i++ {
		f /= 1000
	}
	return decimal(f, true) + prefixes[i] + unit
}

// round rounds to the digits of a printed value.
func round(f float64) float64 {
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'e', digits-1, 64), 64)
	return rounded
}

func decimal(f float64, all bool) string {
	if !all {
		f = round(f)
	}
	if f != 0 && (math.Abs(f) < 1e-6 || math.Abs(f) >= 1e15) {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// value returns a figure for an outcome. Where rounding would make it look equal to a literal that it isn't equal to, it
// has all its digits.
func (e *Expression) value(name string, f figure) Value {
	text := printed(f.dimension, f.value, false)
	if q, ok := quantityOf(f.value); ok {
		for _, l := range e.literals {
			if q.compare(l) != 0 && printNumber(f.dimension, l.Rat, false) == text {
				text = printed(f.dimension, f.value, true)
				break
			}
		}
	}
	return Value{Name: name, Printed: text}
}

// String returns the value as "upload.goodput = 1.52Mbit/s".
func (v Value) String() string { return fmt.Sprintf("%s = %s", v.Name, v.Printed) }
