package netem

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

// losses sends n frames and tells of each whether it was lost.
func losses(t *testing.T, text string, n int) []bool {
	t.Helper()
	loss, err := units.ParseLoss(text)
	require.NoError(t, err)
	if loss.File() != "" {
		trace, err := units.ParseLossTrace(strings.NewReader("0010 # comment\n111\n"))
		require.NoError(t, err)
		loss = loss.WithTrace(trace)
	}
	w := flood(t, Params{Loss: loss, Latency: units.Constant(time.Millisecond)}, n, 0, nil) // all at once: losses don't depend on time
	lost := make([]bool, n)
	for i := range lost {
		lost[i] = true
	}
	for _, a := range w.arrivals {
		lost[a.id-1] = false
	}
	require.Equal(t, n-len(w.arrivals), int(w.link.Stats(Forward).Dropped[DropLoss]))
	return lost
}

func count(list []bool) (n int) {
	for _, b := range list {
		if b {
			n++
		}
	}
	return n
}

// runs returns the lengths of the runs of losses, the last one if it has ended.
func runs(lost []bool) (lengths []int) {
	n := 0
	for _, l := range lost {
		if l {
			n++
		} else if n > 0 {
			lengths = append(lengths, n)
			n = 0
		}
	}
	return lengths
}

// requireGeometric checks that lengths have P(n) = stop (1-stop)^(n-1). A class of lengths holds about a fifth of what is left, or
// one length if that has more.
func requireGeometric(t *testing.T, stop float64, lengths []int) {
	t.Helper()
	width := int(math.Ceil(0.2 / stop))
	share := 1 - math.Pow(1-stop, float64(width))
	var expected []float64
	rest := float64(len(lengths))
	for rest*(1-share) > 10 && rest*share > 10 {
		expected = append(expected, rest*share)
		rest -= rest * share
	}
	expected = append(expected, rest) // the longer ones
	counts := make([]int, len(expected))
	for _, n := range lengths {
		counts[min((n-1)/width, len(counts)-1)]++
	}
	require.Greater(t, len(counts), 1)
	chiSquare(t, counts, expected, 1)
}

// Bernoulli losses are independent: their share is right, and runs of them are geometric.
func TestLossIsBernoulli(t *testing.T) {
	large(t)
	for text, p := range map[string]float64{"2%": 0.02, "10%": 0.1, "60%": 0.6} {
		lost := losses(t, text, 100000)
		requireShare(t, p, count(lost), len(lost))
		requireGeometric(t, 1-p, runs(lost))
	}
	require.Equal(t, 1000, count(losses(t, "100%", 1000)))
	require.Equal(t, 0, count(losses(t, "0%", 1000)))
}

// In the simple Gilbert model the wire loses what finds it bad: the share is p/(p+r), bursts are geometric with mean 1/r, and so
// are the gaps with mean 1/p.
func TestSimpleGilbert(t *testing.T) {
	large(t)
	for text, want := range map[string]struct{ p, r float64 }{
		"gilbert-elliott(p=1%, r=30%)":          {0.01, 0.3}, // 3.23 %, 3.33 frames
		"gilbert-elliott(20%, 70%, 100%, 0%)":   {0.2, 0.7},
		"burst(20%, 4)":                         {0.0625, 0.25},
		"gilbert-elliott(p=50%, r=50%, 1-h=1)":  {0.5, 0.5}, // independent losses
		"gilbert-elliott(p=90%, r=80%, 1-h=1)":  {0.9, 0.8}, // it changes more often than not
		"gilbert-elliott(p=0.5%, r=1%, 1-h=1)":  {0.005, 0.01},
		"gilbert-elliott(p=0.5%, r=90%, 1-h=1)": {0.005, 0.9},
	} {
		t.Run(text, func(t *testing.T) {
			const n = 200000
			lost := losses(t, text, n)
			bad := want.p / (want.p + want.r)
			// The losses depend on each other: λ = 1-p-r is the chain's second eigenvalue, and the variance of the share that of
			// independent ones times (1+λ)/(1-λ).
			lambda := 1 - want.p - want.r
			deviation := math.Sqrt(n * bad * (1 - bad) * (1 + lambda) / (1 - lambda))
			require.InDelta(t, n*bad, float64(count(lost)), deviations*deviation)
			bursts := runs(lost)
			requireGeometric(t, want.r, bursts)
			mean := float64(count(lost)) / float64(len(bursts))
			require.InDelta(t, 1/want.r, mean, deviations*math.Sqrt(1-want.r)/want.r/math.Sqrt(float64(len(bursts)))+1e-3)
			arrived := make([]bool, n)
			for i := range lost {
				arrived[i] = !lost[i]
			}
			requireGeometric(t, want.p, runs(arrived)[1:]) // the first frame is never lost
		})
	}
}

// With all four parameters the state is hidden. What the losses show of it is compared with the theory of the chain: with π the share of
// bad frames and l the loss in each state, the share of losses is πl₁ + (1-π)l₀, and the correlation of losses k frames
// apart is λ^k π(1-π)(l₁-l₀)² / variance, λ = 1-p-r.
func TestGilbertElliott(t *testing.T) {
	large(t)
	for text, c := range map[string]struct{ p, r, lossBad, lossGood float64 }{
		"gilbert-elliott(p=2%, r=10%, 1-h=80%, 1-k=5%)":   {0.02, 0.1, 0.8, 0.05},
		"gilbert-elliott(p=30%, r=20%, 1-h=50%, 1-k=1%)":  {0.3, 0.2, 0.5, 0.01},
		"gilbert-elliott(p=10%, r=40%, 1-h=10%, 1-k=60%)": {0.1, 0.4, 0.1, 0.6},
	} {
		t.Run(text, func(t *testing.T) {
			const n = 200000
			lost := losses(t, text, n)
			bad := c.p / (c.p + c.r)
			share := bad*c.lossBad + (1-bad)*c.lossGood
			lambda := 1 - c.p - c.r
			variance := share * (1 - share)
			common := bad * (1 - bad) * (c.lossBad - c.lossGood) * (c.lossBad - c.lossGood)
			deviation := math.Sqrt(n * (variance + 2*common*lambda/(1-lambda)))
			require.InDelta(t, n*share, float64(count(lost)), deviations*deviation)
			for k := 1; k <= 4; k++ {
				// Correlations of blocks give the deviation without theory.
				const blocks = 100
				var sum, squares float64
				for b := range blocks {
					r := 0.0
					part := lost[b*n/blocks : (b+1)*n/blocks]
					for i := k; i < len(part); i++ {
						r += (one(part[i]) - share) * (one(part[i-k]) - share)
					}
					r /= float64(len(part)-k) * variance
					sum, squares = sum+r, squares+r*r
				}
				mean := sum / blocks
				sd := math.Sqrt((squares/blocks - mean*mean) / (blocks - 1))
				require.InDelta(t, math.Pow(lambda, float64(k))*common/variance, mean, deviations*sd, "lag %d", k)
			}
		})
	}
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// The first frame finds the good state; a step that is certain comes after the frame, so states alternate.
func TestGilbertElliottOrder(t *testing.T) {
	for text, want := range map[string]string{
		"gilbert-elliott(p=100%, r=100%)":                "01010101",
		"gilbert-elliott(p=100%, r=0%)":                  "01111111",
		"gilbert-elliott(p=0%, r=0%)":                    "00000000",
		"gilbert-elliott(p=100%, r=100%, 1-h=0, 1-k=1)":  "10101010",
		"gilbert-elliott(p=100%, r=0%, 1-h=100%, 1-k=1)": "11111111",
		"pattern(0010)":                                  "00100010",
		"pattern(1)":                                     "11111111",
		"every(3)":                                       "00100100",
		"every(1)":                                       "11111111",
		`file("x")`:                                      "00101110",
	} {
		var got strings.Builder
		for _, l := range losses(t, text, 8) {
			if l {
				got.WriteByte('1')
			} else {
				got.WriteByte('0')
			}
		}
		require.Equal(t, want, got.String(), text)
	}
	lost := losses(t, `file("x")`, 7000)
	require.Equal(t, 4000, count(lost))
	require.Equal(t, 1000, count(losses(t, "every(7)", 7000)))
}

// The capture says why a frame was lost.
func TestLossIsExplained(t *testing.T) {
	trace, err := units.ParseLossTrace(strings.NewReader("1"))
	require.NoError(t, err)
	for text, want := range map[string]string{
		"100%": "random loss",
		"gilbert-elliott(p=0, r=1, 1-h=0, 1-k=1)": "Gilbert-Elliott good state",
		"pattern(1)": "loss pattern",
		"every(1)":   "loss every(1)",
		`file("x")`:  "loss trace",
	} {
		loss, err := units.ParseLoss(text)
		require.NoError(t, err)
		if loss.File() != "" {
			loss = loss.WithTrace(trace)
		}
		w := onWire(t, Params{Loss: loss}, func(w *wire) { w.send(time.Second, 60) })
		require.Equal(t, []tapped{{time.Second, Outbound, "dropped: " + want + " on a--b"}}, w.taps)
	}
	bad, err := units.GilbertElliott(1, 0, 1, 0)
	require.NoError(t, err)
	var drops []Event
	w := onWire(t, Params{Loss: bad}, func(w *wire) {
		w.Observe(func(ev Event) { drops = append(drops, ev) })
		w.send(0, 60, 60)
	})
	require.Contains(t, w.taps, tapped{0, Outbound, "dropped: Gilbert-Elliott bad state on a--b"})
	require.Len(t, drops, 1)
	require.Equal(t, []string{"drop", "loss", "Gilbert-Elliott bad state"}, []string{drops[0].Kind, drops[0].Reason, drops[0].Detail})
}
