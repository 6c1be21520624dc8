package netem

import (
	"strings"
	"testing"
	"time"

	"netlab/units"
)

// must returns the value of a call that can't fail.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// BenchmarkImpairment is the way over a link without a rate, to be compared with that without impairments. Where there is a
// probability, it is 1 %, and of 100 % for those that are called "always".
func BenchmarkImpairment(b *testing.B) {
	latency := units.Constant(time.Millisecond)
	loss := func(text string) Params { return Params{Latency: latency, Loss: must(units.ParseLoss(text))} }
	jitter := func(text string, correlation float64) Params {
		return Params{Latency: must(units.ParseDistribution(text)), LatencyCorrelation: correlation}
	}
	traced := loss(`file("x")`)
	traced.Loss = traced.Loss.WithTrace(must(units.ParseLossTrace(strings.NewReader(strings.Repeat("0", 99) + "1"))))
	for _, c := range []struct {
		name string
		p    Params
	}{
		{"none", Params{Latency: latency}},
		{"loss/bernoulli", loss("1%")},
		{"loss/gilbert-elliott", loss("gilbert-elliott(p=1%, r=30%, 1-h=90%, 1-k=0.1%)")},
		{"loss/pattern", loss("pattern(00000000000000000001)")},
		{"loss/every", loss("every(100)")},
		{"loss/file", traced},
		{"latency/uniform", jitter("uniform(1ms, 2ms)", 0)},
		{"latency/normal", jitter("normal(10ms, 1ms)", 0)},
		{"latency/lognormal", jitter("lognormal(10ms, 1ms)", 0)},
		{"latency/laplace", jitter("laplace(10ms, 1ms)", 0)},
		{"latency/exponential", jitter("exponential(1ms)", 0)},
		{"latency/pareto", jitter("pareto(1ms, 3)", 0)},
		{"latency/correlated/uniform", jitter("uniform(1ms, 2ms)", 0.5)},
		{"latency/correlated/normal", jitter("normal(10ms, 1ms)", 0.5)},
		{"latency/correlated/exponential", jitter("exponential(1ms)", 0.5)},
		{"reorder", Params{Latency: latency, Reorder: Reorder{Probability: 0.01, Depth: 3}}},
		{"reorder/always", Params{Latency: latency, Reorder: Reorder{Probability: 1, Gap: 2}}},
		{"duplicate", Params{Latency: latency, Duplicate: 0.01}},
		{"duplicate/always", Params{Latency: latency, Duplicate: 1}},
		{"corrupt", Params{Latency: latency, Corrupt: Corrupt{0.01, 1}}},
		{"corrupt/always", Params{Latency: latency, Corrupt: Corrupt{1, 1}}},
		{"corrupt/always/20 bits", Params{Latency: latency, Corrupt: Corrupt{1, 20}}},
		{"truncate", Params{Latency: latency, Truncate: Truncate{Probability: 0.01}}},
		{"truncate/always", Params{Latency: latency, Truncate: Truncate{Probability: 1}}},
	} {
		b.Run(c.name, func(b *testing.B) { benchLink(b, c.p, 12*time.Microsecond, 1) })
	}
}

// BenchmarkShaper is the way over a link with a rate: of one frame at a time, and of ten, which have to wait.
func BenchmarkShaper(b *testing.B) {
	const gap = 13 * time.Microsecond // for 1500 bytes at 1 Gbit/s
	trace := must(units.ParseOpportunities(strings.NewReader(strings.Repeat("0\n", 99) + "1\n")))
	for _, c := range []struct {
		name string
		p    Params
	}{
		{"fixed", Params{Rate: units.FixedRate(1e9)}},
		{"steps", Params{Rate: must(units.ParseLinkRate("steps(0s 1Gbit/s, 10ms 2Gbit/s, 20ms 4Gbit/s, every 30ms)"))}},
		{"ramp", Params{Rate: must(units.ParseLinkRate("ramp(0s 1Gbit/s, 10ms 2Gbit/s, 20ms 1Gbit/s, every 30ms)"))}},
		{"token bucket", Params{Rate: units.FixedRate(1e9), Burst: 2000}},
		{"token bucket/peak", Params{Rate: units.FixedRate(1e9), Burst: 5000, PeakRate: 2e9}},
		{"mahimahi", Params{Rate: units.TraceRate("x", trace)}},
	} {
		c.p.Latency = units.Constant(time.Millisecond)
		b.Run(c.name, func(b *testing.B) { benchLink(b, c.p, gap, 1) })
		b.Run(c.name+"/queued", func(b *testing.B) { benchLink(b, c.p, gap, 10) })
	}
}
