package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"netlab/units"
)

// printDuration prints a duration with four significant digits, and from a minute on in tenths of seconds, from an hour on
// in seconds.
func printDuration(d time.Duration) string {
	step := time.Duration(1)
	switch {
	case d >= time.Hour:
		step = time.Second
	case d >= time.Minute:
		step = time.Second / 10
	default:
		for d/step >= 10000 {
			step *= 10
		}
	}
	return units.Duration(d.Round(step)).String()
}

// printSpeed prints how much faster than the machine's clock virtual time is.
func printSpeed(virtual, wall time.Duration) string {
	if wall <= 0 {
		return "–"
	}
	return printShort(float64(virtual)/float64(wall)) + "×"
}

// printShort prints a number with about three significant digits: 0.25, 3.1, 312, 4,500, 1.2M.
func printShort(f float64) string {
	switch {
	case f >= 1e6:
		return strconv.FormatFloat(f/1e6, 'f', 1, 64) + "M"
	case f >= 1000:
		round := math.Pow(10, math.Floor(math.Log10(f))-1)
		return printCount(uint64(math.Round(f/round) * round))
	case f >= 10:
		return strconv.FormatFloat(f, 'f', 0, 64)
	case f >= 0.1:
		return strings.TrimSuffix(strconv.FormatFloat(f, 'f', 1, 64), ".0")
	}
	return strconv.FormatFloat(f, 'g', 2, 64)
}

// printCount prints a count with commas: 43,120.
func printCount(n uint64) string {
	digits := strconv.FormatUint(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// printJSON prints a value as indented JSON.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// shellWord quotes a text for a shell where that is needed.
func shellWord(s string) string {
	special := func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune("/._-+=:@%,", r)
	}
	if s != "" && !strings.ContainsFunc(s, special) && !strings.HasPrefix(s, "-") {
		return s
	}
	return fmt.Sprintf("'%s'", strings.ReplaceAll(s, "'", `'\''`))
}
