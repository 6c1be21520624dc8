package units

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseRate(t *testing.T) {
	for _, test := range []struct {
		text      string
		want      Rate
		canonical string
	}{
		{"50/s", 50, "50/s"},
		{"3000/min", 50, "50/s"},
		{"0.5/s", 0.5, "30/min"},
		{"1/min", 1.0 / 60, "1/min"},
		{"7/min", 7.0 / 60, "7/min"},
		{"10/h", 10.0 / 3600, "10/h"},
		{"0.1/s", 0.1, "6/min"},
		{"0.001/s", 0.001, "3.6/h"},
		{"1000000/s", 1e6, "1000000/s"},
	} {
		t.Run(test.text, func(t *testing.T) {
			reads(t, ParseRate, test.text, test.want, test.canonical)
			require.Equal(t, float64(test.want), test.want.PerSecond())
		})
	}
}

func TestParseRateRefuses(t *testing.T) {
	for text, message := range map[string]string{
		"":          `"" is not a rate: want a number and a unit, such as "50/s"`,
		"/s":        `"/s" is not a rate: want a number and a unit, such as "50/s"`,
		"50":        `"50" has no unit: want a rate such as "50/s"`,
		"0/s":       `"0/s" is not a rate: want more than 0`,
		"0.0/h":     `"0.0/h" is not a rate: want more than 0`,
		"-1/s":      `"-1/s" is not a rate: it must not be negative`,
		"50/sec":    `"50/sec" is not a rate; did you mean 50/s?`,
		"50rps":     `"50rps" is not a rate; did you mean 50/s?`,
		"50/m":      `"50/m" is not a rate; did you mean 50/min?`,
		"50/minute": `"50/minute" is not a rate; did you mean 50/min?`,
		"50 / s":    `"50 / s" is not a rate; did you mean 50/s?`,
		"50/s ":     `"50/s " is not a rate; did you mean 50/s?`,
		"NaN/s":     `"NaN/s" is not a rate: want a number and a unit, such as "50/s"`,
	} {
		t.Run(text, func(t *testing.T) { refuses(t, ParseRate, text, message) })
	}
	_, err := ParseRate(strings.Repeat("9", 400) + "/s")
	require.ErrorContains(t, err, "is too large")
	_, err = ParseRate("0." + strings.Repeat("0", 400) + "1/s")
	require.ErrorContains(t, err, "is too small")
}

func TestRateRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 2000 {
		roundTrips(t, ParseRate, Rate(1000*(1-r.Float64())))
		roundTrips(t, ParseRate, Rate(math.Pow(10, 600*r.Float64()-300)))
		roundTrips(t, ParseRate, Rate(float64(1+r.IntN(100_000))/3600))
	}
	roundTrips(t, ParseRate, math.SmallestNonzeroFloat64)
	roundTrips(t, ParseRate, math.MaxFloat64)
}

func TestRateOutOfRangeIsNotWritten(t *testing.T) {
	for _, r := range []Rate{0, -1, Rate(math.NaN()), Rate(math.Inf(1))} {
		_, err := r.MarshalText()
		require.EqualError(t, err, "units: cannot write the rate "+r.String()+": want more than 0/s")
	}
}

func FuzzParseRate(f *testing.F) {
	fuzzes(f, ParseRate, "50/s", "3000/min", "10/h", "0.1/s", "50 rps", "0/s")
}
