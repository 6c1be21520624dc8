package units

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func mustLinkRate(t testing.TB, text string) LinkRate {
	t.Helper()
	r, err := ParseLinkRate(text)
	require.NoError(t, err)
	return r
}

func TestFixedRate(t *testing.T) {
	require.Equal(t, mustLinkRate(t, "10Mbit/s"), FixedRate(10e6))
	require.Equal(t, mustLinkRate(t, "unlimited"), FixedRate(0))
	require.True(t, FixedRate(0).IsZero())
	require.Equal(t, LinkRate{}, FixedRate(0))
	require.Panics(t, func() { FixedRate(-1) })
	for text, want := range map[string]struct {
		kind  RateKind
		fixed BitRate
		file  string
	}{
		"unlimited":                      {kind: RateUnlimited},
		"10Mbit/s":                       {kind: RateFixed, fixed: 10e6},
		"steps(0s 10Mbit/s)":             {kind: RateSteps},
		"ramp(0s 10Mbit/s, 10s 1Mbit/s)": {kind: RateRamp},
		`mahimahi("lte.trace")`:          {kind: RateTrace, file: "lte.trace"},
	} {
		r := mustLinkRate(t, text)
		require.Equal(t, want.kind, r.Kind(), text)
		require.Equal(t, want.fixed, r.Fixed(), text)
		require.Equal(t, want.file, r.File(), text)
		require.Nil(t, r.Opportunities(), text)
	}
}

func TestLinkRateAt(t *testing.T) {
	for text, rates := range map[string]map[time.Duration]BitRate{
		"unlimited": {0: 0, time.Hour: 0},
		"10Mbit/s":  {0: 10e6, time.Hour: 10e6},
		"steps(0s 10Mbit/s, 10s 1Mbit/s)": {
			0: 10e6, 10*time.Second - 1: 10e6, 10 * time.Second: 1e6, time.Hour: 1e6, math.MaxInt64: 1e6,
		},
		"steps(0s 10Mbit/s, 10s 1Mbit/s, 20s 2Mbit/s, every 30s)": {
			0: 10e6, 10 * time.Second: 1e6, 20*time.Second - 1: 1e6, 20 * time.Second: 2e6, 30*time.Second - 1: 2e6,
			30 * time.Second: 10e6, 3010 * time.Second: 1e6,
		},
		"ramp(0s 10Mbit/s, 10s 1Mbit/s, 20s 10Mbit/s)": {
			0: 10e6, time.Second: 9.1e6, 10*time.Second - 1: 1e6 + 1, 10 * time.Second: 1e6,
			11 * time.Second: 1.9e6, 20*time.Second - 1: 10e6 - 1, 20 * time.Second: 10e6, time.Hour: 10e6,
		},
		"ramp(0s 10Mbit/s, 10s 1Mbit/s, every 15s)": {
			5 * time.Second: 5.5e6, 12 * time.Second: 1e6, 15*time.Second - 1: 1e6, 15 * time.Second: 10e6, 20 * time.Second: 5.5e6,
		},
		"ramp(0s 10Mbit/s, 10s 1Mbit/s, every 10s)": {10*time.Second - 1: 1e6 + 1, 10 * time.Second: 10e6},
		"ramp(0s 1bit/s, 3ns 2bit/s)":               {1: 1, 2: 1, 3: 2},
		"ramp(0s 2bit/s, 3ns 1bit/s)":               {1: 2, 2: 2, 3: 1},
		"ramp(0s 9223372036854775807bit/s, 2562047h47m16.854775807s 1bit/s)": {
			0: math.MaxInt64, 1: math.MaxInt64, 1 << 62: math.MaxInt64 - 1<<62 + 1, math.MaxInt64: 1,
		},
	} {
		r := mustLinkRate(t, text)
		for at, want := range rates {
			require.Equal(t, want, r.At(at), "%s at %v", text, at)
		}
		require.Panics(t, func() { r.At(-1) })
		require.Panics(t, func() { r.Next(-1) })
		require.Zero(t, testing.AllocsPerRun(100, func() { r.At(time.Second); r.Next(time.Second) }), text)
	}
}

// TestRampIsExact compares with arbitrary precision.
func TestRampIsExact(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	number := func() int64 { return 2 + int64(random.Uint64()>>2>>random.UintN(61)) }
	for range 10_000 {
		from, to, end := number(), number(), number()
		at := random.Int64N(end)
		r := mustLinkRate(t, fmt.Sprintf("ramp(0s %dbit/s, %dns %dbit/s)", from, end, to))
		want := new(big.Int).Mul(big.NewInt(to-from), big.NewInt(at))
		want.Quo(want, big.NewInt(end)).Add(want, big.NewInt(from)) // Quo cuts off towards 0
		require.Equal(t, want.Int64(), int64(r.At(time.Duration(at))), "%v at %d", r, at)
	}
}

func TestLinkRateNext(t *testing.T) {
	for text, times := range map[string][]time.Duration{
		"unlimited":                                  nil,
		"10Mbit/s":                                   nil,
		`mahimahi("lte.trace")`:                      nil,
		"steps(0s 10Mbit/s)":                         nil,
		"steps(0s 10Mbit/s, 10s 1Mbit/s)":            {10},
		"steps(0s 10Mbit/s, every 10s)":              {10, 20, 30},
		"steps(0s 10Mbit/s, 10s 1Mbit/s, every 30s)": {10, 30, 40, 60},
		"ramp(0s 10Mbit/s, 10s 1Mbit/s, 20s 10Mbit/s, every 20s)": {10, 20, 30, 40, 50},
		"ramp(0s 10Mbit/s, 10s 1Mbit/s, 20s 10Mbit/s, every 25s)": {10, 20, 25, 35, 45, 50},
		"ramp(0s 10Mbit/s, 10s 1Mbit/s, 20s 10Mbit/s)":            {10, 20},
	} {
		r, now := mustLinkRate(t, text), time.Duration(0)
		for _, seconds := range times {
			want := seconds * time.Second
			got, ok := r.Next(now)
			require.True(t, ok, text)
			require.Equal(t, want, got, text)
			got, _ = r.Next(want - 1)
			require.Equal(t, want, got, text)
			now = got
		}
		if !strings.Contains(text, "every") {
			_, ok := r.Next(now)
			require.False(t, ok, text)
		}
	}
	_, ok := mustLinkRate(t, "steps(0s 10Mbit/s, 10s 1Mbit/s, every 30s)").Next(math.MaxInt64)
	require.False(t, ok)
}

func BenchmarkLinkRateAt(b *testing.B) {
	var long strings.Builder
	long.WriteString("steps(0s 1Mbit/s")
	for i := range maxPoints - 1 {
		fmt.Fprintf(&long, ", %ds %dMbit/s", i+1, i+2)
	}
	long.WriteString(", every 1h)")
	for name, text := range map[string]string{
		"fixed": "10Mbit/s", "steps": "steps(0s 10Mbit/s, 10s 1Mbit/s, every 30s)",
		"ramp": "ramp(0s 10Mbit/s, 10s 1Mbit/s, 20s 10Mbit/s, every 20s)", "1000 steps": long.String(),
	} {
		r, at := mustLinkRate(b, text), time.Duration(0)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r.At(at)
				at += 1234567
			}
		})
	}
}
