package netem

import (
	"math/rand/v2"

	"netlab/units"
)

// gilbertElliott is a Markov chain with a good and a bad state, each with a probability of loss (units.GilbertElliott). It begins
// in the good state and makes one step for each frame, never with time.
//
// The state that a frame finds decides about it; then the wire takes its step. Linux's netem has the same order (net/sched/sch_netem.c,
// loss_gilb_ell): it draws the step first, but compares the second number with the probability of the state before it. So the
// first frame always finds the good state, and with lossBad = 1 and lossGood = 0 the wire loses the frames that find it bad:
// bursts are geometric with mean 1/r. There are two numbers for each frame, whatever they decide.
type gilbertElliott struct {
	p, r, lossBad, lossGood float64
	random                  *rand.Rand
	bad                     bool
}

func newGilbertElliott(loss units.Loss, random *rand.Rand) *gilbertElliott {
	g := &gilbertElliott{random: random}
	g.p, g.r, g.lossBad, g.lossGood = loss.GilbertElliott()
	return g
}

func (g *gilbertElliott) lose() (words string) {
	step, loss := g.random.Float64(), g.random.Float64()
	if g.bad {
		g.bad = step >= g.r
		if loss < g.lossBad {
			return "Gilbert-Elliott bad state"
		}
		return ""
	}
	g.bad = step < g.p
	if loss < g.lossGood {
		return "Gilbert-Elliott good state"
	}
	return ""
}
