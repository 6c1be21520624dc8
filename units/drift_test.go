package units

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseDrift(t *testing.T) {
	for _, test := range []struct {
		text      string
		want      Drift
		canonical string
	}{
		{"100ppm", 100e-6, "+100ppm"},
		{"+100ppm", 100e-6, "+100ppm"},
		{"-50ppm", -50e-6, "-50ppm"},
		{"0.01%", 100e-6, "+100ppm"},
		{"12.5ppm", 12.5e-6, "+12.5ppm"},
		{"0.001ppm", 1e-9, "+0.001ppm"},
		{"1%", 0.01, "+1%"},
		{"-0.1%", -0.001, "-0.1%"},
		{"-1000ppm", -0.001, "-0.1%"},
		{"999ppm", 999e-6, "+999ppm"},
		{"0%", 0, "0ppm"},
		{"-0ppm", 0, "0ppm"},
		{"-50%", -0.5, "-50%"},
		{"100%", 1, "+100%"},
		{"1000000ppm", 1, "+100%"},
	} {
		t.Run(test.text, func(t *testing.T) {
			reads(t, ParseDrift, test.text, test.want, test.canonical)
			require.Equal(t, float64(test.want), test.want.Ratio())
		})
	}
}

func TestParseDriftRefuses(t *testing.T) {
	const wrong = ` is not a drift: want a number and a unit, such as "100ppm" or "-0.1%"`
	const bounds = ` is not a drift: want -50% to +100%`
	for text, message := range map[string]string{
		"":                           `""` + wrong,
		"ppm":                        `"ppm"` + wrong,
		"--1ppm":                     `"--1ppm"` + wrong,
		"1e-6ppm":                    `"1e-6ppm"` + wrong,
		"NaN%":                       `"NaN%"` + wrong,
		"100":                        `"100" has no unit: want a number and a unit, such as "100ppm" or "-0.1%"`,
		"100 ppm":                    `"100 ppm" is not a drift; did you mean 100ppm?`,
		"-5PPM":                      `"-5PPM" is not a drift; did you mean -5ppm?`,
		"101%":                       `"101%"` + bounds,
		"-51%":                       `"-51%"` + bounds,
		"100.000000000000000000001%": `"100.000000000000000000001%"` + bounds,
		"-50.000000000000000000001%": `"-50.000000000000000000001%"` + bounds,
	} {
		t.Run(text, func(t *testing.T) { refuses(t, ParseDrift, text, message) })
	}
	_, err := ParseDrift("0." + strings.Repeat("0", 400) + "1%")
	require.ErrorContains(t, err, "is too small")
	_, err = ParseDrift(strings.Repeat("0", maxText) + "%")
	require.ErrorContains(t, err, "the text is too long")
}

func TestDriftRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for range 2000 {
		roundTrips(t, ParseDrift, Drift(1.5*r.Float64()-0.5))
		roundTrips(t, ParseDrift, Drift(-math.Pow(10, -300*r.Float64()-1)))
	}
	roundTrips(t, ParseDrift, math.SmallestNonzeroFloat64)
	for d, text := range map[Drift]string{1.5: "+150%", -0.75: "-75%", Drift(math.Inf(1)): "+Inf", Drift(math.NaN()): "NaN"} {
		require.Equal(t, text, d.String())
		_, err := d.MarshalText()
		require.EqualError(t, err, "units: cannot write the drift "+text+": want -50% to +100%")
	}
}

func FuzzParseDrift(f *testing.F) {
	fuzzes(f, ParseDrift, "100ppm", "-50ppm", "1%", "-0.1%", "100.0000000000000000000001%", "- 1%", "5 PPM", "0.0000000001ppm")
}
