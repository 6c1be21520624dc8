package story

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// at writes a time of the run in seconds, to the microsecond: "0.412 s".
func at(d time.Duration) string { return decimal(d, time.Second, 3, 6) + " s" }

// lasting writes how long something took, to three decimals: "20.3 ms".
func lasting(d time.Duration) string {
	switch {
	case d >= time.Second || d == 0:
		return decimal(d, time.Second, 0, 3) + " s"
	case d >= time.Millisecond:
		return decimal(d, time.Millisecond, 0, 3) + " ms"
	case d >= time.Microsecond:
		return decimal(d, time.Microsecond, 0, 3) + " µs"
	}
	return strconv.Itoa(int(d)) + " ns"
}

// decimal writes d in a unit with so many decimals, zeros at the end left out beyond the least number.
func decimal(d, unit time.Duration, least, most int) string {
	text := strconv.FormatFloat(float64(d)/float64(unit), 'f', most, 64)
	for range most - least {
		cut, ok := strings.CutSuffix(text, "0")
		if !ok {
			break
		}
		text = cut
	}
	return strings.TrimSuffix(text, ".")
}

// thousands writes a whole number with commas.
func thousands[T int | uint64](n T) string {
	text := strconv.FormatUint(uint64(max(n, 0)), 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// number writes a small number as a word.
func number(n int) string {
	words := []string{"no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"}
	if n >= 0 && n < len(words) {
		return words[n]
	}
	return thousands(n)
}

// ordinal writes "first", "second", …, "23rd".
func ordinal(n int) string {
	words := []string{"", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"}
	if n > 0 && n < len(words) {
		return words[n]
	}
	suffix := "th"
	if n/10%10 != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return thousands(n) + suffix
}

// count writes "one byte" or "5,000 bytes".
func count(n int, what string) string {
	if n == 1 {
		return "one " + what
	}
	return number(n) + " " + plural(what)
}

// plainly writes "an alert" or "two alerts".
func plainly(n int, what string) string {
	if n == 1 && strings.ContainsRune("aeiou", rune(what[0])) {
		return "an " + what
	}
	return count(n, what)
}

func plural(what string) string {
	switch {
	case strings.HasSuffix(what, "y") && !strings.HasSuffix(what, "ay"):
		return strings.TrimSuffix(what, "y") + "ies"
	case strings.HasSuffix(what, "s"):
		return what + "es"
	}
	return what + "s"
}

// volume writes a number of bytes, with the unit that people use for many beside it.
func volume(n uint64) string {
	switch {
	case n == 1:
		return "1 byte"
	case n >= 10_000_000:
		return fmt.Sprintf("%s bytes (%.1f MB)", thousands(n), float64(n)/1e6)
	}
	return thousands(n) + " bytes"
}

// rate writes bits per second with three digits.
func rate(bits float64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1e9, "Gbit/s"}, {1e6, "Mbit/s"}, {1e3, "kbit/s"}} {
		if bits >= u.size {
			return strconv.FormatFloat(bits/u.size, 'g', 3, 64) + " " + u.name
		}
	}
	return strconv.FormatFloat(bits, 'f', 0, 64) + " bit/s"
}

// list joins words: "a, b and c".
func list(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}

// few joins at most so many words and counts the rest.
func few(words []string, most int) string {
	if len(words) <= most {
		return list(words)
	}
	return list(append(words[:most-1:most-1], fmt.Sprintf("%d more", len(words)-most+1)))
}

// dropped says where and why packets were dropped: "dropped on a -> b: queue full", "dropped on a -> b by the packet rule \"x\"".
func dropped(where, reason string) string {
	if strings.HasPrefix(reason, "rule ") {
		return "dropped on " + where + " by the packet " + reason
	}
	return "dropped on " + where + ": " + reason
}

// printable writes what is not fit for a terminal as escape sequences of Go: names and texts of a capture may hold anything.
func printable(text string) string {
	if strings.IndexFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }) < 0 && utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for _, c := range text {
		switch {
		case unicode.IsPrint(c):
			b.WriteRune(c)
		case c == '\n' || c == '\t':
			b.WriteByte(' ')
		default:
			b.WriteString(strings.Trim(strconv.QuoteRune(c), "'"))
		}
	}
	return b.String()
}

// capital makes a sentence of a phrase.
func capital(text string) string {
	if text == "" || text[0] < 'a' || text[0] > 'z' {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// framesText names frames of captures: "frames 1, 2 and 3 in client.pcapng, 7 in server.pcapng".
func (t *teller) framesText(frames []Frame) string {
	var parts []string
	for i := 0; i < len(frames); {
		var numbers []string
		node := frames[i].Node
		for ; i < len(frames) && frames[i].Node == node; i++ {
			numbers = append(numbers, strconv.Itoa(frames[i].Frame))
		}
		word := "frame "
		if len(numbers) > 1 {
			word = "frames "
		}
		parts = append(parts, word+few(numbers, 6)+" in "+t.file(node))
	}
	return list(parts)
}
