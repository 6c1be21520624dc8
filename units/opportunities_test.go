package units

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func opportunities(t testing.TB, text string) *Opportunities {
	t.Helper()
	o, err := ParseOpportunities(strings.NewReader(text))
	require.NoError(t, err)
	return o
}

// TestOpportunities: mm-link plays the trace 0 3 3 10 at 0, 3, 3, 10, then with a
// new base of 10 at 10, 13, 13, 20, and so on.
func TestOpportunities(t *testing.T) {
	o := opportunities(t, "# lte\n0\n3\n3\n\n10\n")
	require.Equal(t, 4, o.Len())
	require.Equal(t, 10*ms, o.Period())
	for i, want := range []time.Duration{0, 3, 3, 10, 10, 13, 13, 20, 20, 23} {
		require.Equal(t, want*ms, o.At(i), i)
	}
	require.Equal(t, BitRate(4*1504*8*100), o.Rate())
	require.Equal(t, time.Duration(math.MaxInt64), o.At(math.MaxInt))
	require.Panics(t, func() { o.At(-1) })
	require.Zero(t, testing.AllocsPerRun(100, func() { o.At(9) }))

	// 12 Mbit/s as Mahimahi's users write it: one packet a millisecond.
	require.Equal(t, BitRate(12_032_000), opportunities(t, "1").Rate())
	require.Equal(t, 7*ms, opportunities(t, "1").At(6))
	require.Equal(t, BitRate(1), opportunities(t, "4294967295").Rate())

	r := mustLinkRate(t, `mahimahi("lte.trace")`)
	require.PanicsWithValue(t, `units: mahimahi("lte.trace") has no data: want WithOpportunities before its rate is asked for`, func() { r.At(0) })
	r = r.WithOpportunities(o)
	require.Same(t, o, r.Opportunities())
	require.Equal(t, o.Rate(), r.At(time.Second))
	require.True(t, r == TraceRate("lte.trace", o))
	require.Equal(t, `mahimahi("lte.trace")`, r.String())
	require.PanicsWithValue(t, "units: WithOpportunities on the rate 1Mbit/s: want one with a file", func() { FixedRate(1e6).WithOpportunities(o) })
}

func TestParseOpportunitiesRefuses(t *testing.T) {
	for text, message := range map[string]string{
		"":                     "there is no time stamp: want a whole number of milliseconds on each line",
		"0":                    "the last time stamp is 0: want more than that, because the trace repeats after it",
		"0\n0\n":               "the last time stamp is 0: want more than that, because the trace repeats after it",
		"1\n2.5":               `line 2: "2.5" is not a time stamp: want a whole number of milliseconds`,
		"1\n-2":                `line 2: "-2" is not a time stamp: want a whole number of milliseconds`,
		"1 2":                  `line 1: "1 2" is not a time stamp: want a whole number of milliseconds`,
		"1ms":                  `line 1: "1ms" is not a time stamp: want a whole number of milliseconds`,
		"7\n\n5":               `line 3: 5 is less than the 7 before it: want time stamps that do not go back`,
		"4294967296":           `line 1: "4294967296" is too large: want at most 4294967295`,
		"99999999999999999999": `line 1: "99999999999999999999" is too large: want at most 4294967295`,
	} {
		_, err := ParseOpportunities(strings.NewReader(text))
		require.EqualError(t, err, message, text)
	}
	_, err := ParseOpportunities(strings.NewReader(strings.Repeat("1\n", maxOpportunities+1)))
	require.EqualError(t, err, "line 10000001: want at most 10000000 opportunities")
}

func BenchmarkOpportunitiesAt(b *testing.B) {
	o, i := opportunities(b, "0\n3\n3\n10\n"), 0
	b.ReportAllocs()
	for b.Loop() {
		o.At(i)
		i++
	}
}

func FuzzParseOpportunities(f *testing.F) {
	for _, s := range []string{"0\n3\n3\n10", "# x\n1 # y\r\n2", "2\n1", "4294967295"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		o, err := ParseOpportunities(strings.NewReader(text))
		if err != nil {
			require.Nil(t, o)
			return
		}
		require.Positive(t, o.Period())
		require.Positive(t, o.Rate())
		for i := range 2 * o.Len() {
			require.LessOrEqual(t, o.At(i), o.At(i+1))
			require.Equal(t, o.At(i)+o.Period(), o.At(i+o.Len()))
		}
	})
}
