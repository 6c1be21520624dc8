package units

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// unit is a name and what one of it is worth in the type's base unit.
type unit struct {
	name   string
	factor int64
}

// maxText is the longest text that is read, in bytes. The longest canonical
// text, that of the smallest probability, has about 330.
const maxText = 1000

var (
	errNotWhole = errors.New("not a whole number of the base unit")
	errTooLarge = errors.New("too large")
)

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// splitNumber cuts s after its leading decimal number ("21.2ms" gives "21.2"
// and "ms"). The number is "" when s does not begin with a digit. There is no
// sign and no exponent.
func splitNumber(s string) (number, rest string) {
	i := digits(s)
	if i > 0 && i < len(s) && s[i] == '.' {
		if n := digits(s[i+1:]); n > 0 {
			i += 1 + n
		}
	}
	return s[:i], s[i:]
}

// digits counts the digits that s begins with.
func digits(s string) int {
	i := 0
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return i
}

// scale multiplies a decimal number from splitNumber by factor, exactly.
func scale(number string, factor int64) (int64, error) {
	whole, fraction, _ := strings.Cut(number, ".")
	n, ok := new(big.Int).SetString(whole+fraction, 10)
	if !ok {
		panic(fmt.Sprintf("units: scale(%q): want a decimal number", number))
	}
	n.Mul(n, big.NewInt(factor))
	divisor := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(len(fraction))), nil)
	n, remainder := n.QuoRem(n, divisor, new(big.Int))
	if remainder.Sign() != 0 {
		return 0, errNotWhole
	}
	if !n.IsInt64() {
		return 0, errTooLarge
	}
	return n.Int64(), nil
}

// decimal writes v / factor, exactly. The factor must be a product of twos and
// fives, at most 2^60, so that the expansion ends.
func decimal(v, factor uint64) string {
	text := strconv.AppendUint(nil, v/factor, 10)
	rest := v % factor
	if rest > 0 {
		text = append(text, '.')
	}
	for rest > 0 {
		rest *= 10
		text = append(text, byte('0'+rest/factor))
		rest %= factor
	}
	return string(text)
}

// shifted writes v times 10^places with as many digits as it takes to read the
// same v back. It moves the decimal point of the shortest text of v, because
// multiplying would round.
func shifted(v float64, places int) string {
	text, sign := strconv.FormatFloat(math.Abs(v), 'f', -1, 64), ""
	if v < 0 {
		sign = "-"
	}
	whole, fraction, _ := strings.Cut(text, ".")
	for len(fraction) < places {
		fraction += "0"
	}
	whole = strings.TrimLeft(whole+fraction[:places], "0")
	if whole == "" {
		whole = "0"
	}
	if fraction = fraction[places:]; fraction != "" {
		whole += "." + fraction
	}
	return sign + whole
}

// shortest writes v in the unit that needs the fewest characters, the first
// one when several do. Units that are larger than v are left out.
func shortest(v uint64, units []unit) string {
	best := decimal(v, 1) + units[0].name
	for _, u := range units[1:] {
		if v < uint64(u.factor) {
			continue
		}
		if text := decimal(v, uint64(u.factor)) + u.name; len(text) < len(best) {
			best = text
		}
	}
	return best
}

// magnitude returns the sign of v ("-" or "") and its absolute value, which
// for the smallest int64 only an uint64 can hold.
func magnitude(v int64) (string, uint64) {
	if v < 0 {
		return "-", -uint64(v)
	}
	return "", uint64(v)
}
