package units

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// Loss is which frames a wire loses. It is one of these, written so:
//
//	1%                                   every frame with this probability, whatever happened to the others
//	gilbert-elliott(p=1%, r=30%)         in bursts: a wire that is good or bad; see GilbertElliott
//	burst(3%, 4)                         in bursts: 3 % of all frames, 4 in a row on average
//	pattern(0010)                        by this pattern, over and over: 0 arrives, 1 is lost
//	every(100)                           the 100th, the 200th and so on
//	file("loss.txt")                     by the pattern in a file (ParseLossTrace), over and over
//
// The zero value loses nothing and is written "0%". Two losses with the same
// text are equal with ==, those of a file if they have the same LossTrace too.
//
// Reading the text of a file does not open it: who reads it hands over its data
// by WithTrace.
type Loss struct {
	kind LossKind
	// p is the probability of a Bernoulli loss, or that of Gilbert-Elliott's step
	// from good to bad; the next three are the other parameters of that model.
	p, r, lossBad, lossGood float64
	// mean and length are the parameters of burst, or 0 if it was not written so.
	mean, length float64

	pattern string
	every   int
	path    string
	trace   *LossTrace
}

// LossKind is the family of a Loss.
type LossKind uint8

const (
	// LossNone loses nothing.
	LossNone LossKind = iota
	// LossBernoulli loses every frame with the same Probability.
	LossBernoulli
	// LossGilbertElliott is a Markov chain of two states, also when it is written
	// as burst(…): see Loss.GilbertElliott.
	LossGilbertElliott
	// LossPattern repeats Pattern.
	LossPattern
	// LossEvery loses each frame whose number, from 1, is a multiple of Every.
	LossEvery
	// LossFile repeats Trace, which comes from File.
	LossFile
)

// Bernoulli returns the loss that each frame suffers with probability p. It is
// an error unless p is from 0 to 1; 0 gives the zero Loss.
func Bernoulli(p Probability) (Loss, error) {
	switch {
	case !p.valid():
		return Loss{}, fmt.Errorf("the probability is %v: %s", p, probabilityWant)
	case p == 0:
		return Loss{}, nil
	}
	return Loss{kind: LossBernoulli, p: p.Float()}, nil
}

// GilbertElliott returns gilbert-elliott(p, r, 1-h, 1-k), with the names and the
// meaning that Linux's netem gives them (tc-netem(8), "loss gemodel"; Gilbert
// 1960, "Capacity of a Burst-Noise Channel"; Elliott 1963, "Estimates of Error
// Rates for Codes on Burst-Noise Channels"). The wire is in a good or in a bad
// state, at first in the good one. With each frame it goes from good to bad with
// probability p and from bad to good with r. In the bad state a frame is lost
// with probability lossBad (1-h), in the good state with lossGood (1-k). It is
// an error unless all are from 0 to 1.
func GilbertElliott(p, r, lossBad, lossGood Probability) (Loss, error) {
	for i, v := range []Probability{p, r, lossBad, lossGood} {
		if !v.valid() {
			return Loss{}, fmt.Errorf("%s is %v: %s", gilbertElliottNames[i], v, probabilityWant)
		}
	}
	// Adding 0 turns -0 into 0, which is written the same.
	return Loss{kind: LossGilbertElliott, p: p.Float() + 0, r: r.Float() + 0, lossBad: lossBad.Float() + 0, lossGood: lossGood.Float() + 0}, nil
}

// Burst returns burst(mean, length): the Gilbert-Elliott model that loses the
// share mean of all frames, in bursts of length frames on average. It loses
// everything in the bad state and nothing in the good one (the simple Gilbert
// model), so that r = 1/length and p = r mean/(1-mean) (Salsano, Ludovici, Ordine
// and Giannuzzi 2012, "Definition of a general and intuitive loss model for packet
// networks", section 4.2).
//
// The mean must be from 0 to below 1 and the length at least 1. A large mean
// needs long bursts: p is at most 1, so length is at least mean/(1-mean).
func Burst(mean Probability, length float64) (Loss, error) {
	switch {
	case !mean.valid():
		return Loss{}, fmt.Errorf("the mean is %v: %s", mean, probabilityWant)
	case !(length >= 1) || math.IsInf(length, 0):
		return Loss{}, errors.New("the mean length of a burst is at least 1 frame")
	case mean == 1:
		return Loss{}, errors.New(`a loss of 100% is a single burst without end: write "100%"`)
	}
	shortest := mean.Float() / (1 - mean.Float())
	p := shortest / length
	if p > 1 {
		// 90% is not exactly 0.9, so that its shortest burst comes out a little
		// above 9: a rounding error, not a mistake.
		if p > 1+1e-9 {
			return Loss{}, fmt.Errorf("a loss of %v needs bursts of at least %v frames on average", mean, math.Ceil(shortest*1000-1e-3)/1000)
		}
		p = 1
	}
	if mean > 0 && p == 0 {
		return Loss{}, errors.New("the loss is too small for bursts so long")
	}
	return Loss{kind: LossGilbertElliott, p: p, r: 1 / length, lossBad: 1, mean: mean.Float() + 0, length: length}, nil
}

// LossByPattern returns pattern(s): s is repeated for ever, a '0' arrives and a
// '1' is lost. It is an error if s is empty, has another character, or is longer
// than 3000; a file holds more.
func LossByPattern(s string) (Loss, error) {
	switch {
	case s == "" || strings.Trim(s, "01") != "":
		return Loss{}, errors.New(`want a pattern of 0 (arrives) and 1 (is lost), such as "pattern(0010)"`)
	case len(s) > maxPattern:
		return Loss{}, fmt.Errorf(`the pattern is too long: want at most %d frames, or a file, as in file("loss.txt")`, maxPattern)
	}
	return Loss{kind: LossPattern, pattern: s}, nil
}

// maxPattern is the length of the longest pattern.
const maxPattern = 3000

// EveryNth returns every(n): the n-th frame is lost, the 2n-th and so on. n must
// be at least 1.
func EveryNth(n int) (Loss, error) {
	if n < 1 {
		return Loss{}, fmt.Errorf("n is %d: want 1 or more", n)
	}
	return Loss{kind: LossEvery, every: n}, nil
}

// LossFromFile returns file(path) with its data; t may be nil for data that
// WithTrace brings later. It panics unless the path is one that text can hold,
// as Empirical does.
func LossFromFile(path string, t *LossTrace) Loss {
	if err := checkPath(path); err != nil {
		panic("units: LossFromFile: " + err.Error())
	}
	return Loss{kind: LossFile, path: path, trace: t}
}

// IsZero tells whether l is the zero value, which loses nothing.
func (l Loss) IsZero() bool { return l == Loss{} }

// Kind returns which family l belongs to, and so which methods describe it.
func (l Loss) Kind() LossKind { return l.kind }

// Probability returns the probability of a Bernoulli loss, and 0 for any other.
func (l Loss) Probability() Probability {
	if l.kind != LossBernoulli {
		return 0
	}
	return Probability(l.p)
}

// GilbertElliott returns the parameters of that model, those that follow from
// burst too: the probabilities that a frame takes the wire from good to bad (p)
// and from bad to good (r), and those of a loss in the bad and in the good state.
// They are 0 for any other kind.
func (l Loss) GilbertElliott() (p, r, lossBad, lossGood float64) {
	if l.kind != LossGilbertElliott {
		return 0, 0, 0, 0
	}
	return l.p, l.r, l.lossBad, l.lossGood
}

// Pattern returns the pattern of '0' (arrives) and '1' (is lost), or "" for any
// other kind.
func (l Loss) Pattern() string { return l.pattern }

// Every returns n of every(n), or 0 for any other kind.
func (l Loss) Every() int { return l.every }

// Mean returns the share of frames that is lost in the long run. For
// Gilbert-Elliott the wire is bad for p/(p+r) of all frames, the stationary
// probability of the chain; with p = 0 it never is, because it begins good. It
// panics for a file without its data.
func (l Loss) Mean() Probability {
	switch l.kind {
	case LossBernoulli:
		return Probability(l.p)
	case LossGilbertElliott:
		switch {
		case l.length > 0:
			return Probability(l.mean)
		case l.p == 0:
			return Probability(l.lossGood)
		}
		bad := l.p / (l.p + l.r)
		return Probability(bad*l.lossBad + (1-bad)*l.lossGood)
	case LossPattern:
		return Probability(float64(strings.Count(l.pattern, "1")) / float64(len(l.pattern)))
	case LossEvery:
		return Probability(1 / float64(l.every))
	case LossFile:
		if l.trace == nil {
			panic(fmt.Sprintf("units: %v has no data: want WithTrace before Mean", l))
		}
		return l.trace.Mean()
	}
	return 0
}
