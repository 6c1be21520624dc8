package units

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func mustLoss(t testing.TB, text string) Loss {
	t.Helper()
	l, err := ParseLoss(text)
	require.NoError(t, err)
	return l
}

func TestLossConstructors(t *testing.T) {
	l, err := Bernoulli(0.01)
	require.NoError(t, err)
	require.Equal(t, mustLoss(t, "1%"), l)
	l, err = GilbertElliott(0.01, 0.3, 0.9, 0.001)
	require.NoError(t, err)
	require.Equal(t, mustLoss(t, "gilbert-elliott(1%, 30%, 90%, 0.1%)"), l)
	l, err = Burst(0.03, 4)
	require.NoError(t, err)
	require.Equal(t, mustLoss(t, "burst(3%, 4)"), l)
	l, err = LossByPattern("0010")
	require.NoError(t, err)
	require.Equal(t, mustLoss(t, "pattern(0010)"), l)
	l, err = EveryNth(100)
	require.NoError(t, err)
	require.Equal(t, mustLoss(t, "every(100)"), l)
	require.Equal(t, mustLoss(t, `file("loss.txt")`), LossFromFile("loss.txt", nil))

	second := func(_ Loss, err error) error { return err }
	for message, err := range map[string]error{
		"the probability is 101%: want 0% to 100%":       second(Bernoulli(1.01)),
		"the probability is NaN: want 0% to 100%":        second(Bernoulli(Probability(math.NaN()))),
		"1-h is -1%: want 0% to 100%":                    second(GilbertElliott(0, 0, -0.01, 0)),
		"the mean is 200%: want 0% to 100%":              second(Burst(2, 4)),
		"the mean length of a burst is at least 1 frame": second(Burst(0.1, math.NaN())),
		"n is -1: want 1 or more":                        second(EveryNth(-1)),
		"the loss is too small for bursts so long":       second(Burst(1e-300, 1e300)),
	} {
		require.EqualError(t, err, message)
	}
	require.Error(t, second(Burst(0.1, math.Inf(1))))
}

func TestZeroLoss(t *testing.T) {
	zero, err := Bernoulli(Probability(math.Copysign(0, -1)))
	require.NoError(t, err)
	require.True(t, zero.IsZero())
	require.Equal(t, Loss{}, mustLoss(t, "0"))
	require.Equal(t, "0%", Loss{}.String())
	require.Equal(t, LossNone, Loss{}.Kind())
	require.Zero(t, Loss{}.Mean())
	require.False(t, mustLoss(t, "burst(0%, 4)").IsZero())
	_, _, bad, _ := mustLoss(t, "1%").GilbertElliott()
	require.Zero(t, bad)
}

// TestLossAccessors: those of the other kinds are zero.
func TestLossAccessors(t *testing.T) {
	for text, want := range map[string]struct {
		kind        LossKind
		probability Probability
		p, r        float64
		pattern     string
		every       int
		file        string
	}{
		"1%":                       {kind: LossBernoulli, probability: 0.01},
		"gilbert-elliott(1%, 30%)": {kind: LossGilbertElliott, p: 0.01, r: 0.3},
		"burst(50%, 4)":            {kind: LossGilbertElliott, p: 0.25, r: 0.25},
		"burst(20%, 2.5)":          {kind: LossGilbertElliott, p: 0.1, r: 0.4},
		"burst(90%, 9)":            {kind: LossGilbertElliott, p: 1, r: 1.0 / 9},
		"pattern(0010)":            {kind: LossPattern, pattern: "0010"},
		"every(100)":               {kind: LossEvery, every: 100},
		`file("loss.txt")`:         {kind: LossFile, file: "loss.txt"},
	} {
		l := mustLoss(t, text)
		require.Equal(t, want.kind, l.Kind(), text)
		require.Equal(t, want.probability, l.Probability(), text)
		p, r, bad, good := l.GilbertElliott()
		require.Equal(t, [2]float64{want.p, want.r}, [2]float64{p, r}, text)
		if want.kind == LossGilbertElliott {
			require.Equal(t, [2]float64{1, 0}, [2]float64{bad, good}, text)
		}
		require.Equal(t, want.pattern, l.Pattern(), text)
		require.Equal(t, want.every, l.Every(), text)
		require.Equal(t, want.file, l.File(), text)
		require.Nil(t, l.Trace(), text)
	}
}

func TestLossMean(t *testing.T) {
	for text, want := range map[string]float64{
		"0%":                                0,
		"1%":                                0.01,
		"gilbert-elliott(1%, 30%)":          0.01 / 0.31,
		"gilbert-elliott(1%, 3%, 80%, 4%)":  0.25*0.8 + 0.75*0.04,
		"gilbert-elliott(0%, 30%, 80%, 4%)": 0.04, // it begins good and stays so
		"gilbert-elliott(0%, 0%, 80%, 4%)":  0.04,
		"gilbert-elliott(1%, 0%, 80%, 4%)":  0.8, // bad for ever in the end
		"burst(3%, 4)":                      0.03,
		"burst(0%, 4)":                      0,
		"pattern(0010)":                     0.25,
		"pattern(1)":                        1,
		"every(100)":                        0.01,
	} {
		require.InDelta(t, want, mustLoss(t, text).Mean().Float(), 1e-15, text)
	}
	require.PanicsWithValue(t, `units: file("loss.txt") has no data: want WithTrace before Mean`, func() { mustLoss(t, `file("loss.txt")`).Mean() })
}

// TestBurstsAreAsLongAsWritten plays the chain of burst(20%, 4). The lengths of
// bursts are geometric with mean 4 and deviation sqrt(1-r)/r = 3.46; four
// standard errors contain their mean in all but 1 of 16,000 cases. The share of
// lost frames has the variance of a two-state chain, x(1-x)(1+c)/(1-c)/n with its
// correlation c = 1-p-r = 0.6875. The seed is fixed.
func TestBurstsAreAsLongAsWritten(t *testing.T) {
	const n = 1_000_000
	p, r, lossBad, lossGood := mustLoss(t, "burst(20%, 4)").GilbertElliott()
	require.Equal(t, [2]float64{1, 0}, [2]float64{lossBad, lossGood})
	random := rand.New(rand.NewPCG(7, 8))
	bad, lost, bursts := false, 0, 0
	for range n {
		step := p
		if bad {
			lost++
			step = r
		}
		if random.Float64() < step {
			bad = !bad
			if bad {
				bursts++
			}
		}
	}
	require.InDelta(t, 4, float64(lost)/float64(bursts), 4*3.46/math.Sqrt(float64(bursts)))
	require.InDelta(t, 0.2, float64(lost)/n, 4*math.Sqrt(0.2*0.8*(1+0.6875)/(1-0.6875)/n))
}

func TestParseLossTrace(t *testing.T) {
	trace, err := ParseLossTrace(strings.NewReader("# wifi\n00 1\t0\r\n\n1 # last\n"))
	require.NoError(t, err)
	require.Equal(t, 5, trace.Len())
	for i, want := range []bool{false, false, true, false, true, false, false, true, false, true} {
		require.Equal(t, want, trace.Lost(i), i)
	}
	require.InDelta(t, 0.4, trace.Mean().Float(), 1e-15)
	l := mustLoss(t, `file("loss.txt")`).WithTrace(trace)
	require.Same(t, trace, l.Trace())
	require.Equal(t, trace.Mean(), l.Mean())
	require.True(t, l == LossFromFile("loss.txt", trace))
	require.Equal(t, `file("loss.txt")`, l.String())
	require.PanicsWithValue(t, "units: WithTrace on the loss 1%: want one with a file", func() { mustLoss(t, "1%").WithTrace(trace) })
	require.Zero(t, testing.AllocsPerRun(100, func() { trace.Lost(7) }))

	for text, message := range map[string]string{
		"":          "there is no frame: want 0 (arrives) and 1 (is lost)",
		"# 01":      "there is no frame: want 0 (arrives) and 1 (is lost)",
		"01\n0x1":   "line 2: 'x' is not a frame: want 0 (arrives) or 1 (is lost)",
		"01\n\n\n2": "line 4: '2' is not a frame: want 0 (arrives) or 1 (is lost)",
		"0\n\xff":   "line 2: '\uFFFD' is not a frame: want 0 (arrives) or 1 (is lost)",
	} {
		_, err := ParseLossTrace(strings.NewReader(text))
		require.EqualError(t, err, message, text)
	}
	line := strings.Repeat("0", 50_000) + "\n"
	_, err = ParseLossTrace(strings.NewReader(strings.Repeat(line, maxLossTrace/50_000) + "0"))
	require.EqualError(t, err, "line 201: want at most 10000000 frames")
}

func FuzzParseLossTrace(f *testing.F) {
	f.Add("0101 # x\n1")
	f.Add("2")
	f.Fuzz(func(t *testing.T, text string) {
		trace, err := ParseLossTrace(strings.NewReader(text))
		if err != nil {
			require.Nil(t, trace)
			return
		}
		count := 0
		for i := range trace.Len() {
			if trace.Lost(i) {
				count++
			}
			require.Equal(t, trace.Lost(i), trace.Lost(i+trace.Len()))
		}
		require.Equal(t, Probability(float64(count)/float64(trace.Len())), trace.Mean())
	})
}
