package page

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"netlab/units"
)

// printDuration prints a duration with four significant digits, and from a minute on in tenths of seconds.
func printDuration(d time.Duration) string {
	step := time.Duration(1)
	if d >= time.Minute || d <= -time.Minute {
		step = time.Second / 10
	} else {
		for d/step >= 10000 || d/step <= -10000 {
			step *= 10
		}
	}
	return units.Duration(d.Round(step)).String()
}

// printCount prints a number with commas between its thousands.
func printCount[N ~int | ~int64 | ~uint64](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	first := 0
	if n < 0 {
		first = 1
	}
	for i := len(digits) - 3; i > first; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// plural prints a count of things.
func plural[N ~int | ~int64 | ~uint64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return printCount(n) + " " + thing + "s"
}

// printBytes prints a size with four significant digits.
func printBytes(n int64) string { return scaled(n, "B") }

// scaled prints a number with four significant digits, and of thousands, millions and so on the prefix of the unit.
func scaled(n int64, unit string) string {
	f, prefix := float64(n), ""
	for _, p := range []string{"k", "M", "G", "T", "P", "E"} {
		if math.Abs(f) < 999.95 {
			break
		}
		f, prefix = f/1000, p
	}
	return strconv.FormatFloat(f, 'g', 4, 64) + prefix + unit
}

// short cuts a text to a number of runes.
func short(text string, runes int) string {
	list := []rune(text)
	if len(list) <= runes {
		return text
	}
	return string(list[:runes-1]) + "…"
}

// plain is a value of a topology in words: a text without its quotes, an object as its values after their names.
func plain(raw json.RawMessage) string {
	var text string
	if len(raw) == 0 || json.Unmarshal(raw, &text) == nil {
		return text
	}
	var parts []string
	flatten("", raw, func(name, value string) {
		if name == "type" || name == "share" {
			parts = append(parts, value)
			return
		}
		parts = append(parts, strings.TrimSpace(strings.ReplaceAll(name, ".", " ")+" "+value))
	})
	return strings.Join(parts, " ")
}
