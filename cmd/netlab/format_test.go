package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPrintDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                       "0s",
		12_345_678:              "12.35ms",
		4_312_345_678:           "4.312s",
		83_456_789_012:          "1m23.5s",
		36*time.Hour + 59_999e6: "36h1m",
		time.Hour + 1234567:     "1h",
	} {
		require.Equal(t, want, printDuration(d))
	}
}

func TestPrintNumbers(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0", 0.0512: "0.051", 0.25: "0.2", 1: "1", 3.14: "3.1", 31.4: "31", 314.2: "314", 4512: "4,500", 99_999: "100,000",
		1_234_567: "1.2M",
	} {
		require.Equal(t, want, printShort(f))
	}
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 43120: "43,120", 1234567: "1,234,567"} {
		require.Equal(t, want, printCount(n))
	}
	require.Equal(t, "–", printSpeed(time.Second, 0))
	require.Equal(t, "10×", printSpeed(10*time.Second, time.Second))
}

func TestShellWord(t *testing.T) {
	for s, want := range map[string]string{
		"netlab-out/a.json": "netlab-out/a.json", "with space": "'with space'", "it's": `'it'\''s'`, "": "''", "-x": "'-x'",
		"a$b": "'a$b'", "ü": "'ü'",
	} {
		require.Equal(t, want, shellWord(s))
	}
}

func TestFirstSentence(t *testing.T) {
	for s, want := range map[string]string{
		"One. Two.": "One.", "A balancer. One dies at 10.5 s": "A balancer.", "At 1.5 s? Yes.": "At 1.5 s?", "no end ": "no end", "": "",
		"Ends.": "Ends.",
	} {
		require.Equal(t, want, firstSentence(s))
	}
}
