package netem

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

func TestParamsAreChecked(t *testing.T) {
	steps, err := units.ParseLinkRate("steps(0s 1Mbit/s, 1s 2Mbit/s)")
	require.NoError(t, err)
	rate := units.FixedRate(10 * mbit)
	for want, p := range map[string]Params{
		"mtu 67B: want 68B to 65535B":                                                                                 {MTU: 67},
		"mtu 65536B: want 68B to 65535B":                                                                              {MTU: 65536},
		`latency file("x"): its data is missing`:                                                                      {Latency: units.Empirical("x", nil)},
		"latency_correlation 1.1: want -1 to 1":                                                                       {LatencyCorrelation: 1.1},
		"latency_correlation NaN: want -1 to 1":                                                                       {LatencyCorrelation: math.NaN()},
		`rate mahimahi("x"): its data is missing`:                                                                     {Rate: units.TraceRate("x", nil)},
		"peak_rate 10Mbit/s without a burst: it belongs to a token bucket, want burst too":                            {Rate: rate, PeakRate: 10 * mbit},
		"burst 2kB with a rate of unlimited: a token bucket wants a fixed rate, such as 10Mbit/s":                     {Burst: 2000},
		"burst 2kB with a rate of steps(0s 1Mbit/s, 1s 2Mbit/s): a token bucket wants a fixed rate, such as 10Mbit/s": {Burst: 2000, Rate: steps},
		"burst 1513B: want 1514B, the largest frame, to 2GB":                                                          {Rate: rate, Burst: 1513},
		"burst 3GB: want 1514B, the largest frame, to 2GB":                                                            {Rate: rate, Burst: 3e9},
		"burst -1B: want 1514B, the largest frame, to 2GB":                                                            {Rate: rate, Burst: -1},
		"peak_rate 9Mbit/s: want at least the rate of 10Mbit/s":                                                       {Rate: rate, Burst: 2000, PeakRate: 9 * mbit},
		`loss file("x"): its data is missing`:                                                                         {Loss: units.LossFromFile("x", nil)},
		"duplicate 1.01: want 0 to 1":                                                                                 {Duplicate: 1.01},
		"duplicate NaN: want 0 to 1":                                                                                  {Duplicate: units.Probability(math.NaN())},
		"reorder -0.1: want 0 to 1":                                                                                   {Reorder: Reorder{Probability: -0.1}},
		"reorder gap -1: want 1 or more":                                                                              {Reorder: Reorder{Gap: -1}},
		"reorder depth -1: want 1 or more":                                                                            {Reorder: Reorder{Depth: -1}},
		"reorder hold -1s: want more than 0s":                                                                         {Reorder: Reorder{Hold: -time.Second}},
		"corrupt 2: want 0 to 1":                                                                                      {Corrupt: Corrupt{Probability: 2}},
		"corrupt by -1 bits: want 1 to 160":                                                                           {Corrupt: Corrupt{Bits: -1}},
		"corrupt by 161 bits: want 1 to 160":                                                                          {Corrupt: Corrupt{Bits: 161}},
		"truncate 2: want 0 to 1":                                                                                     {Truncate: Truncate{Probability: 2}},
		"truncate to -1B: want 1B to 65535B":                                                                          {Truncate: Truncate{To: -1}},
	} {
		if p.MTU == 0 {
			p.MTU = DefaultMTU
		}
		require.EqualError(t, p.Validate(), want)
		n := NewNetwork(NewEngine(Config{RealTime: true}), 1)
		_, err := n.Connect("x", n.NewPort(PortConfig{}), n.NewPort(PortConfig{}), Params{MTU: DefaultMTU}, p)
		require.EqualError(t, err, "link x, backward: "+want)
	}
}

func TestParamsAreDescribed(t *testing.T) {
	p := Params{MTU: 1500}
	require.Equal(t, "latency 0s, rate unlimited, queue unlimited, loss 0%, mtu 1500B", p.describe())
	latency, err := units.Normal(20*ms, 5*ms)
	require.NoError(t, err)
	burst, err := units.Burst(0.03, 4)
	require.NoError(t, err)
	p = Params{
		Latency: latency, LatencyCorrelation: -0.25, Overtaking: true, Rate: units.FixedRate(10 * mbit), Burst: 20000, PeakRate: 100 * mbit,
		Queue: Queue{Limit: units.QueueLimit{Packets: 50}}, Loss: burst, Reorder: Reorder{Probability: 0.01, Gap: 5, Depth: 3, Hold: ms},
		Duplicate: 0.001, Corrupt: Corrupt{0.1, 3}, Truncate: Truncate{0.2, 40}, MTU: 1400,
	}
	require.NoError(t, p.Validate())
	require.Equal(t, "latency normal(20ms, 5ms), latency_correlation -0.25, keep_order false, rate 10Mbit/s, burst 20kB, peak_rate 100Mbit/s, "+
		"queue 50 packets, loss burst(3%, 4), reorder 1% gap 5 depth 3 hold 1ms, duplicate 0.1%, corrupt 10% by 3 bits, truncate 20% to 40B, mtu 1400B", p.describe())
	p = Params{Reorder: Reorder{Probability: 1}, Corrupt: Corrupt{Probability: 1}, Truncate: Truncate{Probability: 1}}
	require.True(t, strings.HasSuffix(p.describe(), "reorder 100% gap 1 depth 1 hold 100ms, corrupt 100% by 1 bit, truncate 100%, mtu 0B"), p.describe())
}
