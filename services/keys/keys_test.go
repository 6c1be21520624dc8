package keys_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/services/keys"
)

func popularity(t testing.TB, text string) (p keys.Popularity) {
	require.NoError(t, p.UnmarshalText([]byte(text)))
	require.Equal(t, text, p.String())
	return p
}

// The shares are those that are asked for, within four standard errors.
func TestShares(t *testing.T) {
	const n = 200_000
	for text, want := range map[string]func(i int) float64{
		"uniform":           func(i int) float64 { return 1. / 10 },
		"zipf(1)":           func(i int) float64 { return 1 / float64(i+1) / 2.9289682539682538 }, // the tenth harmonic number
		"zipf(0)":           func(i int) float64 { return 1. / 10 },
		"hotspot(20%, 80%)": func(i int) float64 { return map[bool]float64{true: 0.4, false: 0.025}[i < 2] },
	} {
		k := keys.New(keys.Config{Count: 10, Popularity: popularity(t, text)})
		random := rand.New(rand.NewPCG(1, 2))
		counts := map[string]int{}
		for range n {
			counts[k.Next(random)]++
		}
		for i := range 10 {
			p := want(i)
			require.InDelta(t, p, float64(counts[k.Name(i)])/n, 4*math.Sqrt(p*(1-p)/n), "%s %d", text, i)
		}
	}
}

func TestNames(t *testing.T) {
	k := keys.New(keys.Config{Count: 3, First: 9, Popularity: popularity(t, "sequential")})
	for _, want := range []string{"09", "10", "11", "09"} {
		require.Equal(t, want, k.Next(nil))
	}
	require.Equal(t, "007", keys.New(keys.Config{Count: 10, Digits: 3}).Name(7))
	require.Equal(t, "0", keys.New(keys.Config{Count: 1}).Next(rand.New(rand.NewPCG(1, 1))))
}

func TestWrong(t *testing.T) {
	var p keys.Popularity
	for text, want := range map[string]string{
		"zip(1)":         `"zip(1)" is not a popularity: want uniform, sequential, one such as "zipf(0.8)" or one such as "hotspot(20%, 80%)" (did you mean zipf?)`,
		"zipf":           `"zipf" is not a popularity: want uniform, sequential, one such as "zipf(0.8)" or one such as "hotspot(20%, 80%)"`,
		"zipf(-1)":       `"zipf(-1)" is not a popularity: want an exponent from 0 to 10, as in "zipf(0.8)"`,
		"zipf(NaN)":      `"zipf(NaN)" is not a popularity: want an exponent from 0 to 10, as in "zipf(0.8)"`,
		"hotspot(20%)":   `"hotspot(20%)" is not a popularity: want a share of the keys and the share of the requests that they get, as in "hotspot(20%, 80%)"`,
		"hotspot(0%,1%)": `"hotspot(0%,1%)" is not a popularity: want a share of the keys and the share of the requests that they get, as in "hotspot(20%, 80%)"`,
		"uniform(":       `"uniform(" is not a popularity: want uniform, sequential, one such as "zipf(0.8)" or one such as "hotspot(20%, 80%)"`,
	} {
		require.EqualError(t, p.UnmarshalText([]byte(text)), want)
	}
	c := keys.Config{Count: 0, First: -1}
	require.EqualError(t, c.Validate("keys"), "keys.count: found 0, wanted 1 to 10000000\nkeys.first: found -1, wanted 0 to 2147483647")
}

// What is read is written so that it is read again as the same.
func FuzzPopularity(f *testing.F) {
	for _, s := range []string{"uniform", "sequential", "zipf(0.8)", "hotspot(20%, 80%)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var p, again keys.Popularity
		if p.UnmarshalText([]byte(s)) != nil {
			return
		}
		require.NoError(t, again.UnmarshalText([]byte(p.String())))
		require.Equal(t, p, again)
	})
}

func BenchmarkZipf(b *testing.B) {
	k := keys.New(keys.Config{Count: 1_000_000, Popularity: popularity(b, "zipf(0.8)")})
	random := rand.New(rand.NewPCG(1, 2))
	for b.Loop() {
		k.Next(random)
	}
}
