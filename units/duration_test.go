package units

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseDuration(t *testing.T) {
	for _, test := range []struct {
		text      string
		want      time.Duration
		canonical string
	}{
		{"50ms", 50 * time.Millisecond, "50ms"},
		{"21.2ms", 21_200_000, "21.2ms"},
		{"1.5s", 1500 * time.Millisecond, "1.5s"},
		{"2m", 2 * time.Minute, "2m"},
		{"1h", time.Hour, "1h"},
		{"100us", 100 * time.Microsecond, "100us"},
		{"100\u00b5s", 100 * time.Microsecond, "100us"},
		{"100\u03bcs", 100 * time.Microsecond, "100us"},
		{"10ns", 10, "10ns"},
		{"0s", 0, "0s"},
		{"0.0h", 0, "0s"},
		{"1m30s", 90 * time.Second, "1m30s"},
		{"90s", 90 * time.Second, "1m30s"},
		{"1h0.5s", time.Hour + 500*time.Millisecond, "1h0.5s"},
		{"1s1ns", time.Second + 1, "1.000000001s"},
		{"1000ms", time.Second, "1s"},
		{"0.000001ms", 1, "1ns"},
		{"0.1000000000000000000000000000000us", 100, "100ns"},
		{"007ms", 7 * time.Millisecond, "7ms"},
		{"9223372036854775807ns", math.MaxInt64, "2562047h47m16.854775807s"},
	} {
		t.Run(test.text, func(t *testing.T) {
			reads(t, ParseDuration, test.text, Duration(test.want), test.canonical)
			require.Equal(t, test.want, Duration(test.want).Std())
		})
	}
}

func TestParseDurationRefuses(t *testing.T) {
	const want = `: want a number and a unit, such as "50ms"`
	for text, message := range map[string]string{
		"":                      `"" is not a duration` + want,
		"ms":                    `"ms" is not a duration` + want,
		".5s":                   `".5s" is not a duration` + want,
		"+5s":                   `"+5s" is not a duration` + want,
		"1e3s":                  `"1e3s" is not a duration` + want,
		"NaN":                   `"NaN" is not a duration` + want,
		"50":                    `"50" has no unit: want a duration such as "50ms"`,
		"0":                     `"0" has no unit: want a duration such as "50ms"`,
		"1s5":                   `"1s5" has no unit: want a duration such as "50ms"`,
		"-5ms":                  `"-5ms" is not a duration: it must not be negative`,
		"50msec":                `"50msec" is not a duration; did you mean 50ms?`,
		"50MS":                  `"50MS" is not a duration; did you mean 50ms?`,
		"5min":                  `"5min" is not a duration; did you mean 5m?`,
		"1m30sec":               `"1m30sec" is not a duration; did you mean 1m30s?`,
		"1d":                    `"1d" is not a duration: the largest unit is the hour; a day is "24h"`,
		" 50ms":                 `" 50ms" is not a duration; did you mean 50ms?`,
		"50 ms":                 `"50 ms" is not a duration; did you mean 50ms?`,
		"1m 30s":                `"1m 30s" is not a duration; did you mean 1m30s?`,
		"50 msec":               `"50 msec" is not a duration; did you mean 50ms?`,
		"1 2ms":                 `"1 2ms" is not a duration` + want,
		"50ms\n":                `"50ms\n" is not a duration; did you mean 50ms?`,
		"30s1m":                 `"30s1m" is not a duration: want each unit once, from large to small, as in "1m30s"`,
		"1us1\u00b5s":           `"1us1µs" is not a duration: want each unit once, from large to small, as in "1m30s"`,
		"1.5m30s":               `"1.5m30s" is not a duration: only the last number may have a fraction`,
		"0.5ns":                 `"0.5ns" is not a whole number of nanoseconds`,
		"1.0000000001s":         `"1.0000000001s" is not a whole number of nanoseconds`,
		"9223372036854775808ns": `"9223372036854775808ns" is too large: want at most "2562047h47m16.854775807s"`,
		"2562047h3000s":         `"2562047h3000s" is too large: want at most "2562047h47m16.854775807s"`,
	} {
		t.Run(text, func(t *testing.T) { refuses(t, ParseDuration, text, message) })
	}
}

func TestDurationRoundTrip(t *testing.T) {
	manyInts(func(v int64) { roundTrips(t, ParseDuration, Duration(v)) })
}

func TestNegativeDurationPrintsButIsNotWritten(t *testing.T) {
	require.Equal(t, "-1m30s", Duration(-90*time.Second).String())
	require.Equal(t, "-2562047h47m16.854775808s", Duration(math.MinInt64).String())
	_, err := Duration(-1).MarshalText()
	require.EqualError(t, err, "units: cannot write the duration -1ns: want 0s or more")
}

func FuzzParseDuration(f *testing.F) {
	fuzzes(f, ParseDuration, "50ms", "1m30s", "1.5s", "100µs", "9223372036854775807ns", "1h 2m", "5mins")
}
