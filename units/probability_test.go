package units

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseProbability(t *testing.T) {
	for _, test := range []struct {
		text      string
		want      Probability
		canonical string
	}{
		{"0", 0, "0%"},
		{"0%", 0, "0%"},
		{"1", 1, "100%"},
		{"100%", 1, "100%"},
		{"1%", 0.01, "1%"},
		{"0.01", 0.01, "1%"},
		{"0.1%", 0.001, "0.1%"},
		{"29%", 0.29, "29%"}, // 0.29*100 is 28.999999999999996
		{"0.57", 0.57, "57%"},
		{"12.5%", 0.125, "12.5%"},
		{"99.99%", 0.9999, "99.99%"},
		{"1e-6", 1e-6, "0.0001%"},
		{"1E-6", 1e-6, "0.0001%"},
		{"1e0", 1, "100%"},
		{"10000e-4", 1, "100%"},
		{"0e-999999999", 0, "0%"},
	} {
		t.Run(test.text, func(t *testing.T) {
			reads(t, ParseProbability, test.text, test.want, test.canonical)
			require.Equal(t, float64(test.want), test.want.Float())
		})
	}
}

func TestParseProbabilityRefuses(t *testing.T) {
	const wrong = " is not a probability: want 0% to 100%"
	for text, message := range map[string]string{
		"":            `""` + wrong,
		"%":           `"%"` + wrong,
		"101%":        `"101%"` + wrong,
		"-1":          `"-1"` + wrong,
		"-1%":         `"-1%"` + wrong,
		"NaN":         `"NaN"` + wrong,
		"Inf":         `"Inf"` + wrong,
		"0x1p-2":      `"0x1p-2"` + wrong,
		"1_0%":        `"1_0%"` + wrong,
		".5":          `".5"` + wrong,
		"1e-6%":       `"1e-6%"` + wrong,
		"1e999999999": `"1e999999999"` + wrong,
		"1000":        `"1000"` + wrong,
		"5":           `"5" is not a probability; did you mean 5%?`,
		"1 %":         `"1 %" is not a probability; did you mean 1%?`,
		"1e-400":      `"1e-400" is too small: want 0% or at least 5e-324`,
		// More than 1, by less than a float64 can tell.
		"100.000000000000000000001%": `"100.000000000000000000001%"` + wrong,
	} {
		t.Run(text, func(t *testing.T) { refuses(t, ParseProbability, text, message) })
	}
	_, err := ParseProbability("0." + strings.Repeat("0", maxText))
	require.ErrorContains(t, err, "the text is too long")
}

func TestProbabilityRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		roundTrips(t, ParseProbability, Probability(r.Float64()))
		roundTrips(t, ParseProbability, Probability(math.Pow(10, -300*r.Float64())))
	}
	roundTrips(t, ParseProbability, math.SmallestNonzeroFloat64)
	roundTrips(t, ParseProbability, Probability(math.Nextafter(1, 0)))
}

func TestProbabilityOutOfRangePrintsButIsNotWritten(t *testing.T) {
	for p, text := range map[Probability]string{1.5: "150%", -0.25: "-25%", Probability(math.Inf(1)): "+Inf", Probability(math.NaN()): "NaN"} {
		require.Equal(t, text, p.String())
		_, err := p.MarshalText()
		require.EqualError(t, err, "units: cannot write the probability "+text+": want 0% to 100%")
	}
	require.Equal(t, "0%", Probability(math.Copysign(0, -1)).String())
}

func FuzzParseProbability(f *testing.F) {
	fuzzes(f, ParseProbability, "1%", "0.1%", "0.01", "1e-6", "101%", "100.0000000000000000001%", "100.00000000000000000011", "1E+0")
}
