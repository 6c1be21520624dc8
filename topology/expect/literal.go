package expect

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"netlab/units"
)

// scanLiteral returns the number with its unit that a text begins with, and its length; 0 if there is none. After a slash
// a unit of time belongs to it ("50/s", "10Mbit/s") unless a figure begins there; l knows the figures and may be nil.
func scanLiteral(text string, l *lexer) (found string, length int) {
	n := number(text)
	if n == 0 {
		return "", 0
	}
	if n < len(text) && text[n] == '%' {
		return text[:n+1], n + 1
	}
	// The unit, and more numbers with units: 1m30s.
	start := n
	for n < len(text) {
		switch c := text[n]; {
		case letter(c), digit(c) && n > start:
			n++
		case strings.HasPrefix(text[n:], "µ"), strings.HasPrefix(text[n:], "μ"):
			n += len("µ")
		case c == '.' && n > start && n+1 < len(text) && digit(text[n+1]):
			n++
		default:
			goto unit
		}
	}
unit:
	if n == len(text) || text[n] != '/' {
		return text[:n], n
	}
	per := n + 1
	for per < len(text) && letter(text[per]) {
		per++
	}
	switch text[n+1 : per] {
	case "s", "min", "h":
	case "sec", "second", "m":
		if n == start { // a division by something else than a unit
			return text[:n], n
		}
	default:
		return text[:n], n
	}
	if per < len(text) && (digit(text[per]) || text[per] == '.') || l != nil && l.figureAt(text[n+1:]) != "" {
		return text[:n], n
	}
	return text[:per], per
}

// number returns the length of the number that a text begins with.
func number(text string) int {
	n := 0
	skip := func() bool {
		start := n
		for n < len(text) && digit(text[n]) {
			n++
		}
		return n > start
	}
	if !skip() {
		return 0
	}
	if n+1 < len(text) && text[n] == '.' && digit(text[n+1]) {
		n++
		skip()
	}
	if n+1 < len(text) && text[n]|0x20 == 'e' {
		before := n
		n++
		if text[n] == '-' || text[n] == '+' {
			n++
		}
		if !skip() {
			n = before
		}
	}
	return n
}

// parseLiteral reads a number with its unit; message says what is wrong with it, or "".
func parseLiteral(text string) (q quantity, d Dimension, message string) {
	n := number(text)
	unit := text[n:]
	var err error
	switch {
	case unit == "" || unit == "%" || strings.HasPrefix(unit, "/"):
		return parsePlain(text[:n], unit)
	case strings.HasSuffix(unit, "bit") || strings.Contains(unit, "/") || strings.HasSuffix(unit, "bps"):
		var v units.BitRate
		v, err = units.ParseBitRate(text)
		q, d = quantity{Rat: new(big.Rat).SetInt64(int64(v))}, BitRate
	case strings.HasSuffix(unit, "B") || strings.HasSuffix(unit, "b") || strings.HasSuffix(unit, "byte") || strings.HasSuffix(unit, "bytes"):
		var v units.Bytes
		v, err = units.ParseBytes(text)
		q, d = quantity{Rat: new(big.Rat).SetInt64(int64(v))}, Size
	case timeUnit(unit):
		var v units.Duration
		v, err = units.ParseDuration(text)
		q, d = quantity{Rat: new(big.Rat).SetInt64(int64(v))}, Duration
	default:
		return q, d, fmt.Sprintf("%s has a unit that doesn't exist: want one such as in 150ms, 64KiB, 10Mbit/s, 50/s or 99.9%%", text)
	}
	if err != nil {
		return q, d, err.Error()
	}
	return q, d, ""
}

// timeUnit says whether a unit begins with one of time; units that are usual elsewhere get the advice of package units.
func timeUnit(unit string) bool {
	first := unit
	if i := strings.IndexFunc(first, func(r rune) bool { return r < 'A' }); i >= 0 {
		first = first[:i]
	}
	switch strings.ToLower(first) {
	case "ns", "us", "µs", "μs", "ms", "s", "m", "h", "d", "nsec", "usec", "msec", "sec", "secs", "second", "seconds", "min",
		"mins", "minute", "minutes", "hour", "hours", "day", "days":
		return true
	}
	return false
}

// parsePlain reads a number, a percentage or a rate of events.
func parsePlain(text, unit string) (q quantity, d Dimension, message string) {
	if f, err := strconv.ParseFloat(text, 64); err != nil || len(text) > 100 || f != 0 && f < 1e-300 {
		return q, d, fmt.Sprintf("%s is too large, too small or too long for a number", text)
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return q, d, fmt.Sprintf("%s is not a number", text)
	}
	scale := big.NewRat(1, 1)
	switch unit {
	case "":
	case "%":
		d = Share
		scale.SetFrac64(1, 100)
	case "/s":
		d = Rate
	case "/min":
		d = Rate
		scale.SetFrac64(1, 60)
	case "/h":
		d = Rate
		scale.SetFrac64(1, 3600)
	}
	return quantity{Rat: r.Mul(r, scale)}, d, ""
}
