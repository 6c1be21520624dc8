package units

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseLinkRate(t *testing.T) {
	for _, test := range []struct{ text, canonical string }{
		{"unlimited", "unlimited"},
		{"10Mbit/s", "10Mbit/s"},
		{"1MB/s", "8Mbit/s"},
		{"10mbit", "10Mbit/s"},
		{"steps(0s 10Mbit/s)", "steps(0s 10Mbit/s)"},
		{"steps(0s 10Mbit/s, 10s 1Mbit/s, every 30s)", "steps(0s 10Mbit/s, 10s 1Mbit/s, every 30s)"},
		{"steps(0ms 10000kbit/s,10000ms 1Mbit/s,every 0.5m)", "steps(0s 10Mbit/s, 10s 1Mbit/s, every 30s)"},
		{"ramp(0s 10Mbit/s, 10s 1Mbit/s, 20s 10Mbit/s, every 20s)", "ramp(0s 10Mbit/s, 10s 1Mbit/s, 20s 10Mbit/s, every 20s)"},
		{"ramp(0s 10Mbit/s, 1m30s 1Mbit/s)", "ramp(0s 10Mbit/s, 1m30s 1Mbit/s)"},
		{`mahimahi("traces/lte.trace")`, `mahimahi("traces/lte.trace")`},
	} {
		t.Run(test.text, func(t *testing.T) {
			r, err := ParseLinkRate(test.text)
			require.NoError(t, err)
			reads(t, ParseLinkRate, test.text, r, test.canonical)
			again, err := ParseLinkRate(test.canonical)
			require.NoError(t, err)
			require.True(t, r == again)
		})
	}
	require.False(t, mustLinkRate(t, "steps(0s 1Mbit/s)") == mustLinkRate(t, "ramp(0s 1Mbit/s)"))
	require.False(t, mustLinkRate(t, "steps(0s 1Mbit/s)") == mustLinkRate(t, "steps(0s 1Mbit/s, every 1s)"))
}

func TestParseLinkRateRefuses(t *testing.T) {
	const wrong = ` is not a link rate`
	const want = `: want a bit rate such as "10Mbit/s", "unlimited", or a schedule such as "steps(0s 10Mbit/s, 10s 1Mbit/s)"`
	for text, message := range map[string]string{
		"":                              `""` + wrong + want,
		"fast":                          `"fast"` + wrong + want,
		"0bit/s":                        `"0bit/s"` + wrong + `: want more than that, or "unlimited"`,
		"10":                            `"10" has no unit: want a bit rate such as "10Mbit/s"`,
		"10Mbps":                        `"10Mbps" is ambiguous (tc reads it as megabytes): write "10Mbit/s" or "10MB/s"`,
		"10 Mbit/s":                     `"10 Mbit/s" is not a bit rate; did you mean 10Mbit/s?`,
		"0 Mbit/s":                      `"0 Mbit/s" is not a bit rate: want a number and a unit, such as "10Mbit/s"`,
		"-1bit/s":                       `"-1bit/s" is not a bit rate: it must not be negative`,
		" 10Mbit/s":                     `" 10Mbit/s"` + wrong + `; did you mean 10Mbit/s?`,
		"unlimted":                      `"unlimted"` + wrong + `; did you mean unlimited?`,
		"step(0s 1Mbit/s)":              `"step(0s 1Mbit/s)"` + wrong + `; did you mean steps?`,
		"Ramp(0s 1Mbit/s)":              `"Ramp(0s 1Mbit/s)"` + wrong + `; did you mean ramp?`,
		`file("lte.trace")`:             `"file(\"lte.trace\")"` + wrong + `; did you mean mahimahi?`,
		"mahimahi(lte.trace)":           `"mahimahi(lte.trace)"` + wrong + `; did you mean mahimahi("lte.trace")?`,
		"sine(1Mbit/s)":                 `"sine(1Mbit/s)"` + wrong + `: want a bit rate, or one of steps, ramp, mahimahi, unlimited`,
		"steps":                         `"steps"` + wrong + `: want "steps(0s 10Mbit/s, 10s 1Mbit/s, every 30s)"`,
		"steps(0s 1Mbit/s":              `"steps(0s 1Mbit/s"` + wrong + `: want "steps(0s 10Mbit/s, 10s 1Mbit/s, every 30s)"`,
		"steps()":                       `"steps()"` + wrong + `: point 1 is "": want an offset and a rate, as in "10s 1Mbit/s"`,
		"steps(every 30s)":              `"steps(every 30s)"` + wrong + `: want points before the period, as in "steps(0s 10Mbit/s, 10s 1Mbit/s, every 30s)"`,
		"steps(0s 1Mbit/s, 10s)":        `"steps(0s 1Mbit/s, 10s)"` + wrong + `: point 2 is "10s": want an offset and a rate, as in "10s 1Mbit/s"`,
		"steps(1s 1Mbit/s)":             `"steps(1s 1Mbit/s)"` + wrong + `: point 1: the first offset is 1s: want 0s`,
		"steps(0s 1Mbit/s, 0s 2Mbit/s)": `"steps(0s 1Mbit/s, 0s 2Mbit/s)"` + wrong + `: point 2: the offset 0s does not come after 0s`,
		"ramp(0s 1Mbit/s, 2s 2Mbit/s, 1s 1Mbit/s)": `"ramp(0s 1Mbit/s, 2s 2Mbit/s, 1s 1Mbit/s)"` + wrong + `: point 3: the offset 1s does not come after 2s`,
		"steps(0s 1Mbit/s, 1s 0bit/s)":             `"steps(0s 1Mbit/s, 1s 0bit/s)"` + wrong + `: point 2: the rate is 0bit/s: want more than that`,
		"steps(0s 1Mbit/s, 1sec 1Mbit/s)":          `"steps(0s 1Mbit/s, 1sec 1Mbit/s)"` + wrong + `: point 2: "1sec" is not a duration; did you mean 1s?`,
		"steps(0s 10Mbps)":                         `"steps(0s 10Mbps)"` + wrong + `: point 1: "10Mbps" is ambiguous (tc reads it as megabytes): write "10Mbit/s" or "10MB/s"`,
		"steps(0s unlimited)":                      `"steps(0s unlimited)"` + wrong + `: point 1: "unlimited" is not a bit rate: want a number and a unit, such as "10Mbit/s"`,
		"steps(0s 1Mbit/s, every 0s)":              `"steps(0s 1Mbit/s, every 0s)"` + wrong + `: the period is 0s: want more than that`,
		"steps(0s 1Mbit/s, every 5)":               `"steps(0s 1Mbit/s, every 5)"` + wrong + `: the period "5" has no unit: want a duration such as "50ms"`,
		"steps(0s 1Mbit/s, 9s 2Mbit/s, every 9s)":  `"steps(0s 1Mbit/s, 9s 2Mbit/s, every 9s)"` + wrong + `: the period is 9s: want more than the last offset, 9s`,
		"ramp(0s 1Mbit/s, 9s 2Mbit/s, every 8s)":   `"ramp(0s 1Mbit/s, 9s 2Mbit/s, every 8s)"` + wrong + `: the period is 8s: want at least the last offset, 9s`,
		"steps(every 30s, 0s 1Mbit/s)":             `"steps(every 30s, 0s 1Mbit/s)"` + wrong + `: point 1: "every" is not a duration: want a number and a unit, such as "50ms"`,
		"steps( 0s  1Mbit/s , 1s 2Mbit/s )":        `"steps( 0s  1Mbit/s , 1s 2Mbit/s )"` + wrong + `; did you mean steps(0s 1Mbit/s, 1s 2Mbit/s)?`,
	} {
		t.Run(text, func(t *testing.T) { refuses(t, ParseLinkRate, text, message) })
	}
	_, err := ParseLinkRate("steps(" + strings.Repeat(" ", maxLinkRateText) + ")")
	require.ErrorContains(t, err, "the text is too long")
}

// TestLongestSchedule: as many points as there may be, each with a text as long as
// it gets, can be written and read.
func TestLongestSchedule(t *testing.T) {
	points := []string{"0s 9223372036854775807bit/s"}
	for i := 1; i < maxPoints; i++ {
		points = append(points, fmt.Sprintf("2562047h46m16.%09ds 9223372036854775807bit/s", 111111110+i))
	}
	text := "steps(" + strings.Join(points, ", ") + ", every 2562047h47m16.854775807s)"
	require.Less(t, len(text), maxLinkRateText)
	r := mustLinkRate(t, text)
	roundTrips(t, ParseLinkRate, r)
	_, err := ParseLinkRate("steps(" + strings.Join(points, ", ") + ", 2562047h47m1s 1bit/s)")
	require.ErrorContains(t, err, "point 1001: want at most 1000 points")
}

func FuzzParseLinkRate(f *testing.F) {
	fuzzes(f, ParseLinkRate, "10Mbit/s", "unlimited", "steps(0s 10Mbit/s, 10s 1Mbit/s, every 30s)", "0bit/s", "0 bit/s", "1 Mbit/s",
		"ramp(0s 10Mbit/s, 10s 1Mbit/s, 20s 10Mbit/s, every 20s)", `mahimahi("lte.trace")`, "steps( 0s 1bit/s )", "step(0s 1bit/s)")
}
