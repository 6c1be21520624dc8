package units

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseOffset(t *testing.T) {
	for _, test := range []struct {
		text      string
		want      time.Duration
		canonical string
	}{
		{"+5s", 5 * time.Second, "+5s"},
		{"5s", 5 * time.Second, "+5s"},
		{"-200ms", -200 * ms, "-200ms"},
		{"-1m30s", -90 * time.Second, "-1m30s"},
		{"0s", 0, "0s"},
		{"-0s", 0, "0s"},
		{"+0ms", 0, "0s"},
		{"-2562047h47m16.854775807s", -math.MaxInt64, "-2562047h47m16.854775807s"},
	} {
		t.Run(test.text, func(t *testing.T) {
			reads(t, ParseOffset, test.text, Offset(test.want), test.canonical)
			require.Equal(t, test.want, Offset(test.want).Std())
		})
	}
}

func TestParseOffsetRefuses(t *testing.T) {
	const wrong = ` is not an offset: want a number and a unit, such as "+5s"`
	for text, message := range map[string]string{
		"":                       `""` + wrong,
		"+":                      `"+"` + wrong,
		"--5s":                   `"--5s"` + wrong,
		"+-5s":                   `"+-5s"` + wrong,
		"s":                      `"s"` + wrong,
		"-5":                     `"-5" has no unit: want a duration such as "50ms"`,
		"-5sec":                  `"-5sec" is not a duration; did you mean -5s?`,
		"+ 5s":                   `"+ 5s" is not an offset; did you mean +5s?`,
		"-5 s":                   `"-5 s" is not a duration; did you mean -5s?`,
		"-1d":                    `"-1d" is not a duration: the largest unit is the hour; a day is "24h"`,
		"-0.5ns":                 `"-0.5ns" is not a whole number of nanoseconds`,
		"-9223372036854775808ns": `"-9223372036854775808ns" is too large: want at most "2562047h47m16.854775807s"`,
	} {
		t.Run(text, func(t *testing.T) { refuses(t, ParseOffset, text, message) })
	}
}

func TestOffsetRoundTrip(t *testing.T) {
	manyInts(func(v int64) {
		roundTrips(t, ParseOffset, Offset(v))
		roundTrips(t, ParseOffset, Offset(-v))
	})
	_, err := Offset(math.MinInt64).MarshalText()
	require.ErrorContains(t, err, "units: cannot write the offset -2562047h47m16.854775808s: want at least -2562047h47m16.854775807s")
}

func FuzzParseOffset(f *testing.F) {
	fuzzes(f, ParseOffset, "+5s", "-200ms", "5s", "- 5s", "-5sec", "--5s", "-0s", "+1m30s")
}
