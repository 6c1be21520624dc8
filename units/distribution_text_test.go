package units

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseDistribution(t *testing.T) {
	for _, test := range []struct{ text, canonical string }{
		{"20ms", "20ms"},
		{"0s", "0s"},
		{"1m30s", "1m30s"},
		{"uniform(1ms, 5ms)", "uniform(1ms, 5ms)"},
		{"uniform(1ms,5ms)", "uniform(1ms, 5ms)"},
		{"uniform(5ms, 5ms)", "uniform(5ms, 5ms)"},
		{"normal(20ms, 3ms)", "normal(20ms, 3ms)"},
		{"normal(0s, 0s)", "normal(0s, 0s)"},
		{"lognormal(0.02s, 3000us)", "lognormal(20ms, 3ms)"},
		{"laplace(20ms,3ms)", "laplace(20ms, 3ms)"},
		{"laplace(0s, 0s)", "laplace(0s, 0s)"},
		{"exponential(8ms)", "exponential(8ms)"},
		{"pareto(1ms, 2.5)", "pareto(1ms, 2.5)"},
		{"pareto(1ms, 3.0)", "pareto(1ms, 3)"},
		{`file("rtt.txt")`, `file("rtt.txt")`},
		{`file("traces/my rtt, (1).txt")`, `file("traces/my rtt, (1).txt")`},
	} {
		t.Run(test.text, func(t *testing.T) {
			d, err := ParseDistribution(test.text)
			require.NoError(t, err)
			reads(t, ParseDistribution, test.text, d, test.canonical)
		})
	}
}

func TestConstructorsAndTextAgree(t *testing.T) {
	agree := func(text string, d Distribution, err error) {
		t.Helper()
		require.NoError(t, err)
		require.Equal(t, must(t, text), d)
	}
	agree("20ms", Constant(20*time.Millisecond), nil)
	d, err := Uniform(ms, 5*ms)
	agree("uniform(1ms, 5ms)", d, err)
	d, err = Normal(20*ms, 3*ms)
	agree("normal(20ms, 3ms)", d, err)
	d, err = Lognormal(20*ms, 3*ms)
	agree("lognormal(20ms, 3ms)", d, err)
	d, err = Laplace(20*ms, 3*ms)
	agree("laplace(20ms, 3ms)", d, err)
	agree(`file("a/rtt.txt")`, Empirical("a/rtt.txt", nil), nil)
	d, err = Exponential(8 * ms)
	agree("exponential(8ms)", d, err)
	d, err = Pareto(ms, 2.5)
	agree("pareto(1ms, 2.5)", d, err)
	for _, err := range []error{
		second(Uniform(-1, 1)), second(Normal(-1, 1)), second(Normal(1, -1)), second(Lognormal(1, -1)), second(Laplace(-1, 1)), second(Laplace(1, -1)),
		second(Exponential(-1)), second(Pareto(-1, 2)),
	} {
		require.Error(t, err)
	}
}

func second(_ Distribution, err error) error { return err }

func TestParseDistributionRefuses(t *testing.T) {
	const wrong = " is not a distribution"
	const noMean = "the shape must be a number above 1, because the mean does not exist otherwise"
	for text, message := range map[string]string{
		"":                      `""` + wrong + `: want a duration such as "20ms", or a distribution such as "normal(20ms, 3ms)"`,
		"exponental(8ms)":       `"exponental(8ms)"` + wrong + `; did you mean exponential?`,
		"Normal(1ms, 1ms)":      `"Normal(1ms, 1ms)"` + wrong + `; did you mean normal?`,
		"gaussian(1ms, 1ms)":    `"gaussian(1ms, 1ms)"` + wrong + `; did you mean normal?`,
		"poisson(8ms)":          `"poisson(8ms)"` + wrong + `: want a duration, or one of uniform, normal, lognormal, laplace, exponential, pareto, file`,
		"double-exponential()":  `"double-exponential()"` + wrong + `; did you mean laplace?`,
		"laplce(1ms, 1ms)":      `"laplce(1ms, 1ms)"` + wrong + `; did you mean laplace?`,
		"laplace(1ms)":          `"laplace(1ms)"` + wrong + `: want laplace(mean, scale), such as "laplace(20ms, 3ms)"`,
		`File("a.txt")`:         `"File(\"a.txt\")"` + wrong + `; did you mean file?`,
		"constant(8ms)":         `"constant(8ms)"` + wrong + `: write the duration alone: "8ms"`,
		"normal":                `"normal"` + wrong + `: want "normal(20ms, 3ms)"`,
		"normal(20ms, 3ms":      `"normal(20ms, 3ms"` + wrong + `: want "normal(20ms, 3ms)"`,
		"normal(20ms)":          `"normal(20ms)"` + wrong + `: want normal(mean, stddev), such as "normal(20ms, 3ms)"`,
		"exponential()":         `"exponential()"` + wrong + `: want exponential(mean), such as "exponential(8ms)"`,
		"exponential(8ms, 1ms)": `"exponential(8ms, 1ms)"` + wrong + `: want exponential(mean), such as "exponential(8ms)"`,
		"uniform(1ms, 5)":       `"uniform(1ms, 5)"` + wrong + `: max "5" has no unit: want a duration such as "50ms"`,
		"uniform(5ms, 1ms)":     `"uniform(5ms, 1ms)"` + wrong + `: the minimum 5ms is above the maximum 1ms`,
		"uniform(1ms,  5ms)":    `"uniform(1ms,  5ms)"` + wrong + `; did you mean uniform(1ms, 5ms)?`,
		"normal(20ms, -3ms)":    `"normal(20ms, -3ms)"` + wrong + `: stddev "-3ms" is not a duration: it must not be negative`,
		"lognormal(0s, 1ms)":    `"lognormal(0s, 1ms)"` + wrong + `: the mean must be above 0s`,
		"exponential(0s)":       `"exponential(0s)"` + wrong + `: the mean must be above 0s`,
		"pareto(0s, 2)":         `"pareto(0s, 2)"` + wrong + `: the scale must be above 0s`,
		"pareto(1ms, 1)":        `"pareto(1ms, 1)"` + wrong + `: ` + noMean,
		"pareto(1ms, 0.5)":      `"pareto(1ms, 0.5)"` + wrong + `: ` + noMean,
		"pareto(1ms, 2ms)":      `"pareto(1ms, 2ms)"` + wrong + `: shape "2ms" is not a number: want one such as 2.5`,
		"pareto(1ms, Inf)":      `"pareto(1ms, Inf)"` + wrong + `: shape "Inf" is not a number: want one such as 2.5`,
		"50":                    `"50" has no unit: want a duration such as "50ms"`,
		"-5ms":                  `"-5ms" is not a duration: it must not be negative`,
		" 5ms":                  `" 5ms"` + wrong + `; did you mean 5ms?`,
	} {
		t.Run(text, func(t *testing.T) { refuses(t, ParseDistribution, text, message) })
	}
}

func FuzzParseDistribution(f *testing.F) {
	fuzzes(f, ParseDistribution, "20ms", "uniform(1ms, 5ms)", "normal(20ms, 3ms)", "lognormal(20ms, 3ms)",
		"exponential(8ms)", "pareto(1ms, 2.5)", "exponental(8ms)", "normal(1ms)", "pareto(1ms, 1)",
		"laplace(20ms, 3ms)", `file("rtt.txt")`, `file(./1)`, ` file("1 2")`, `file("../1")`)
}
