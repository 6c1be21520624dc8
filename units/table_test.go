package units

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func table(t testing.TB, text string) *Table {
	t.Helper()
	parsed, err := ParseTable(strings.NewReader(text))
	require.NoError(t, err)
	return parsed
}

func TestParseTable(t *testing.T) {
	parsed := table(t, "# measured\n\n30ms\t2\n10ms\n20ms 0.5 # half\n10ms 1.5e0\r\n")
	require.Equal(t, []time.Duration{10 * ms, 20 * ms, 30 * ms}, parsed.values)
	require.Equal(t, []float64{2.5, 3, 5}, parsed.sums)
	require.Equal(t, 3, parsed.Len())
	d := must(t, `file("rtt.txt")`).WithTable(parsed)
	require.Equal(t, 19*ms, d.Mean()) // (2.5·10 + 0.5·20 + 2·30)/5
	require.False(t, d.IsConstant())
}

func TestParseTableRefuses(t *testing.T) {
	for text, message := range map[string]string{
		"":                    `there is no value: want one duration a line, such as "12.5ms"`,
		"# nothing\n":         `there is no value: want one duration a line, such as "12.5ms"`,
		"1ms\n\n12.5":         `line 3: "12.5" has no unit: want a duration such as "50ms"`,
		"1ms\n5sec":           `line 2: "5sec" is not a duration; did you mean 5s?`,
		"-1ms":                `line 1: "-1ms" is not a duration: it must not be negative`,
		"1ms 2 3":             `line 1: "1ms 2 3": want a duration and perhaps a weight, such as "12.5ms 3"`,
		"1ms 0":               `line 1: "0" is not a weight: want a number above 0, such as 3 or 0.25`,
		"1ms -1":              `line 1: "-1" is not a weight: want a number above 0, such as 3 or 0.25`,
		"1ms NaN":             `line 1: "NaN" is not a weight: want a number above 0, such as 3 or 0.25`,
		"1ms 0x1p3":           `line 1: "0x1p3" is not a weight: want a number above 0, such as 3 or 0.25`,
		"1ms 1e999":           `line 1: "1e999" is not a weight: want a number above 0, such as 3 or 0.25`,
		"1ms 1e-999":          `line 1: "1e-999" is not a weight: want a number above 0, such as 3 or 0.25`,
		"1ms 1e308\n1h 9e307": `the weights are too large`,
		"1ms 1e308\n1h 1e-5":  `the weight of 1h, 1e-05, is too small beside the others, which together are 1e+308`,
		"1ms 1e-5\n1h 1e200":  `the weight of 1ms, 1e-05, is too small beside the others, which together are 1e+200`,
	} {
		_, err := ParseTable(strings.NewReader(text))
		require.EqualError(t, err, message, text)
	}
	_, err := ParseTable(bytes.NewReader(bytes.Repeat([]byte("1s\n"), maxTable+1)))
	require.EqualError(t, err, "line 1000001: want at most 1000000 values")
}

func TestTableOfOneValueIsConstant(t *testing.T) {
	d := Empirical("a.txt", table(t, "2562047h47m16.854775807s 3\n2562047h47m16.854775807s"))
	require.True(t, d.IsConstant())
	require.Equal(t, time.Duration(math.MaxInt64), d.Mean())
	require.Equal(t, time.Duration(math.MaxInt64), d.Sample(nil))
	require.Equal(t, time.Duration(math.MaxInt64), d.Quantile(0.5))
	wide := Empirical("a.txt", table(t, "1ns 3e-16\n2562047h47m16.854775807s"))
	require.Positive(t, wide.Mean())
}

func TestFileDistribution(t *testing.T) {
	one, other := table(t, "1ms\n2ms"), table(t, "1ms\n2ms")
	d := must(t, `file("rtt.txt")`)
	require.Equal(t, "rtt.txt", d.File())
	require.Empty(t, must(t, "20ms").File())
	require.Nil(t, d.Table())
	require.False(t, d.IsZero())
	require.Same(t, one, d.WithTable(one).Table())
	require.Equal(t, `file("rtt.txt")`, d.WithTable(one).String())
	require.True(t, d.WithTable(one) == Empirical("rtt.txt", one))
	require.False(t, d.WithTable(one) == d.WithTable(other))
	require.False(t, d.WithTable(one) == Empirical("rtt2.txt", one))

	const message = `units: file("rtt.txt") has no data: want WithTable before its values are asked for`
	require.PanicsWithValue(t, message, func() { d.Sample(rand.New(rand.NewPCG(1, 2))) })
	require.PanicsWithValue(t, message, func() { d.Quantile(0.5) })
	require.PanicsWithValue(t, message, func() { d.Mean() })
	require.PanicsWithValue(t, message, func() { d.IsConstant() })
	require.PanicsWithValue(t, "units: WithTable on 20ms: want a distribution with a file", func() { must(t, "20ms").WithTable(one) })
}

// TestFileChiSquare: with 3 degrees of freedom Pearson's statistic is below 11.34
// in 99 of 100 cases (table of the chi-square distribution); the seed is fixed.
func TestFileChiSquare(t *testing.T) {
	d := Empirical("rtt.txt", table(t, "10ms 1\n20ms 2\n30ms 3\n40ms 4"))
	r := rand.New(rand.NewPCG(3, 4))
	for name, draw := range map[string]func() time.Duration{
		"Sample":   func() time.Duration { return d.Sample(r) },
		"Quantile": func() time.Duration { return d.Quantile(r.Float64()) },
	} {
		seen := map[time.Duration]int{}
		for range samples {
			seen[draw()]++
		}
		require.Len(t, seen, 4)
		statistic := 0.0
		for i := 1; i <= 4; i++ {
			expected := samples * float64(i) / 10
			difference := float64(seen[time.Duration(i)*10*ms]) - expected
			statistic += difference * difference / expected
		}
		require.Less(t, statistic, 11.34, name)
	}
	require.Zero(t, testing.AllocsPerRun(100, func() { d.Sample(r) }))
}

func BenchmarkSampleFile(b *testing.B) {
	var text strings.Builder
	for i := range 100_000 {
		text.WriteString(Duration(i+1).String() + "\n")
	}
	d := Empirical("rtt.txt", table(b, text.String()))
	r := rand.New(rand.NewPCG(1, 2))
	b.ReportAllocs()
	for b.Loop() {
		d.Sample(r)
	}
}

func FuzzParseTable(f *testing.F) {
	for _, s := range []string{"1ms\n2ms 3\n", "# x\n1s 1e-3", "1ms 1e308\n2ms 1e308", "1ms 5e-324\n1h 1", "0s", "\r\n1ms\t 2 # y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := ParseTable(strings.NewReader(text))
		if err != nil {
			require.Nil(t, parsed)
			return
		}
		d := Empirical("a", parsed)
		low, high := d.Quantile(0), d.Quantile(1)
		require.LessOrEqual(t, low, d.Mean())
		require.LessOrEqual(t, d.Mean(), high)
		require.Equal(t, low == high, d.IsConstant())
		v := d.Sample(rand.New(rand.NewPCG(1, 2)))
		require.Contains(t, parsed.values, v)
	})
}
