package netem

import (
	"math/rand/v2"

	"netlab/units"
)

// wireLoss is the loss of a wire.
type wireLoss struct {
	loss  units.Loss // what model was made of
	model lossModel
}

// lossModel decides which frames a wire loses. Each kind lives in a file of its own; newLossModel lists them.
type lossModel interface {
	// lose is called once for each frame. It returns why the frame is lost, or "" if it arrives.
	lose() (words string)
}

func (l *wireLoss) apply(v *verdict) {
	if words := l.model.lose(); words != "" {
		v.lost, v.words = true, words
	}
}

func newLossModel(loss units.Loss, random *rand.Rand) lossModel {
	switch loss.Kind() {
	case units.LossBernoulli:
		return &bernoulli{probability: loss.Probability().Float(), random: random}
	case units.LossGilbertElliott:
		return newGilbertElliott(loss, random)
	case units.LossPattern:
		return &lossPattern{pattern: loss.Pattern()}
	case units.LossEvery:
		return newLossEvery(loss.Every())
	case units.LossFile:
		return &lossTrace{trace: loss.Trace()}
	}
	panic("netem: a model for a loss of an unknown kind: " + loss.String())
}

// bernoulli loses each frame with the same probability, whatever happened to the others.
type bernoulli struct {
	probability float64
	random      *rand.Rand
}

func (b *bernoulli) lose() (words string) {
	if b.random.Float64() < b.probability {
		return "random loss"
	}
	return ""
}
