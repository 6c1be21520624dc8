package units

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseLoss(t *testing.T) {
	for _, test := range []struct{ text, canonical string }{
		{"0%", "0%"},
		{"0", "0%"},
		{"1%", "1%"},
		{"0.01", "1%"},
		{"1e-6", "0.0001%"},
		{"1", "100%"},
		{"gilbert-elliott(1%, 30%)", "gilbert-elliott(p=1%, r=30%)"},
		{"gilbert-elliott(0.01,0.3)", "gilbert-elliott(p=1%, r=30%)"},
		{"gilbert-elliott(1%, 30%, 100%, 0%)", "gilbert-elliott(p=1%, r=30%)"},
		{"gilbert-elliott(1%, 30%, 90%)", "gilbert-elliott(p=1%, r=30%, 1-h=90%)"},
		{"gilbert-elliott(1%, 30%, 90%, 0.1%)", "gilbert-elliott(p=1%, r=30%, 1-h=90%, 1-k=0.1%)"},
		{"gilbert-elliott(p=1%, r=30%, 1-h=100%, 1-k=0%)", "gilbert-elliott(p=1%, r=30%)"},
		{"gilbert-elliott(1-k=5%,r=30%,p=1%)", "gilbert-elliott(p=1%, r=30%, 1-k=5%)"},
		{"gilbert-elliott(0%, 0%)", "gilbert-elliott(p=0%, r=0%)"},
		{"burst(3%, 4)", "burst(3%, 4)"},
		{"burst(0.03,4.0)", "burst(3%, 4)"},
		{"burst(0%, 1)", "burst(0%, 1)"},
		{"burst(50%, 1)", "burst(50%, 1)"},
		{"burst(90%, 9)", "burst(90%, 9)"},
		{"burst(75%, 3)", "burst(75%, 3)"},
		{"pattern(0010)", "pattern(0010)"},
		{"pattern(" + strings.Repeat("01", maxPattern/2) + ")", "pattern(" + strings.Repeat("01", maxPattern/2) + ")"},
		{"every(100)", "every(100)"},
		{"every(01)", "every(1)"},
		{`file("traces/loss.txt")`, `file("traces/loss.txt")`},
	} {
		t.Run(quote(test.text), func(t *testing.T) {
			l, err := ParseLoss(test.text)
			require.NoError(t, err)
			reads(t, ParseLoss, test.text, l, test.canonical)
		})
	}
}

func TestParseLossRefuses(t *testing.T) {
	const wrong = ` is not a loss`
	const frames = ` is not a number of frames: want a whole one from 1, as in "every(100)"`
	const four = `: want gilbert-elliott(p, r, 1-h, 1-k), of which the last two may be left out, such as "gilbert-elliott(1%, 30%)"`
	for text, message := range map[string]string{
		"":                                    `""` + wrong + `: want a probability such as "1%", or a model such as "burst(3%, 4)"`,
		"loss":                                `"loss"` + wrong + `: want a probability such as "1%", or a model such as "burst(3%, 4)"`,
		"5":                                   `"5" is not a probability; did you mean 5%?`,
		"-1%":                                 `"-1%" is not a probability: want 0% to 100%`,
		"101%":                                `"101%" is not a probability: want 0% to 100%`,
		"1 %":                                 `"1 %" is not a probability; did you mean 1%?`,
		" 1%":                                 `" 1%"` + wrong + `; did you mean 1%?`,
		"gilbert-eliot(1%, 30%)":              `"gilbert-eliot(1%, 30%)"` + wrong + `; did you mean gilbert-elliott?`,
		"gemodel(1%, 30%)":                    `"gemodel(1%, 30%)"` + wrong + `; did you mean gilbert-elliott?`,
		"bust(3%, 4)":                         `"bust(3%, 4)"` + wrong + `; did you mean burst?`,
		"bernoulli(1%)":                       `"bernoulli(1%)"` + wrong + `: write the probability alone: "1%"`,
		"markov(1%)":                          `"markov(1%)"` + wrong + `: want a probability, or one of gilbert-elliott, burst, pattern, every, file`,
		"gilbert-elliott":                     `"gilbert-elliott"` + wrong + `: want "gilbert-elliott(p=1%, r=30%)"`,
		"gilbert-elliott(1%)":                 `"gilbert-elliott(1%)"` + wrong + four,
		"gilbert-elliott(1%, 1%, 1%, 1%, 1%)": `"gilbert-elliott(1%, 1%, 1%, 1%, 1%)"` + wrong + four,
		"gilbert-elliott(1%, 300%)":           `"gilbert-elliott(1%, 300%)"` + wrong + `: r "300%" is not a probability: want 0% to 100%`,
		"gilbert-elliott(p=1%)":               `"gilbert-elliott(p=1%)"` + wrong + `: r is missing: want p and r, as in "gilbert-elliott(p=1%, r=30%)"`,
		"gilbert-elliott(p=1%, p=1%)":         `"gilbert-elliott(p=1%, p=1%)"` + wrong + `: p is given twice`,
		"gilbert-elliott(p=1%, q=1%)":         `"gilbert-elliott(p=1%, q=1%)"` + wrong + `: "q" is not a parameter: want p, r, 1-h or 1-k`,
		"gilbert-elliott(p=1%, 30%)":          `"gilbert-elliott(p=1%, 30%)"` + wrong + `: "30%" has no name: name all parameters, as in "gilbert-elliott(p=1%, r=30%)", or none`,
		"burst(3%)":                           `"burst(3%)"` + wrong + `: want burst(mean loss, mean length in frames), such as "burst(3%, 4)"`,
		"burst(3, 4)":                         `"burst(3, 4)"` + wrong + `: mean loss "3" is not a probability; did you mean 3%?`,
		"burst(3%, 4ms)":                      `"burst(3%, 4ms)"` + wrong + `: mean length "4ms" is not a number of frames: want one such as 4 or 2.5`,
		"burst(3%, 0.5)":                      `"burst(3%, 0.5)"` + wrong + `: the mean length of a burst is at least 1 frame`,
		"burst(90%, 4)":                       `"burst(90%, 4)"` + wrong + `: a loss of 90% needs bursts of at least 9 frames on average`,
		"burst(60%, 1)":                       `"burst(60%, 1)"` + wrong + `: a loss of 60% needs bursts of at least 1.5 frames on average`,
		"burst(100%, 4)":                      `"burst(100%, 4)"` + wrong + `: a loss of 100% is a single burst without end: write "100%"`,
		"burst( 3%, 4 )":                      `"burst( 3%, 4 )"` + wrong + `; did you mean burst(3%, 4)?`,
		"pattern()":                           `"pattern()"` + wrong + `: want a pattern of 0 (arrives) and 1 (is lost), such as "pattern(0010)"`,
		"pattern(012)":                        `"pattern(012)"` + wrong + `: want a pattern of 0 (arrives) and 1 (is lost), such as "pattern(0010)"`,
		"every(0)":                            `"every(0)"` + wrong + `: "0"` + frames,
		"every(-1)":                           `"every(-1)"` + wrong + `: "-1"` + frames,
		"every(+1)":                           `"every(+1)"` + wrong + `: "+1"` + frames,
		"every(1.5)":                          `"every(1.5)"` + wrong + `: "1.5"` + frames,
		"every(100":                           `"every(100"` + wrong + `: want "every(100)"`,
		`trace("loss.txt")`:                   `"trace(\"loss.txt\")"` + wrong + `; did you mean file?`,
	} {
		t.Run(text, func(t *testing.T) { refuses(t, ParseLoss, text, message) })
	}
	_, err := ParseLoss("pattern(" + strings.Repeat("0", maxPattern+1) + ")")
	require.ErrorContains(t, err, `the pattern is too long: want at most 3000 frames, or a file, as in file("loss.txt")`)
	_, err = ParseLoss("pattern(" + strings.Repeat("0", maxLossText) + ")")
	require.ErrorContains(t, err, "the text is too long")
}

func TestLossRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	tiny := func() Probability { return Probability(r.Float64() * r.Float64() * 1e-300) }
	for range 1000 {
		l, err := GilbertElliott(Probability(r.Float64()), tiny(), Probability(r.Float64()), tiny())
		require.NoError(t, err)
		roundTrips(t, ParseLoss, l)
		l, err = Burst(Probability(r.Float64()/2), 1+1000*r.Float64())
		require.NoError(t, err)
		roundTrips(t, ParseLoss, l)
	}
}

func FuzzParseLoss(f *testing.F) {
	fuzzes(f, ParseLoss, "1%", "0.01", "gilbert-elliott(1%, 30%, 100%, 0%)", "gilbert-elliott(p=1%, r=30%)", "burst(3%, 4)", "burst(90%, 4)",
		"pattern(0010)", "every(100)", `file("loss.txt")`, "gemodel(1%, 1%)", " pattern(01)", "bernoulli(1%)", "burst( 3%, 4.5 )")
}
