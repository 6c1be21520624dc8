package netem

import "math/rand/v2"

// bernoulli loses each frame with the same probability, whatever happened to the others.
type bernoulli struct {
	probability float64
	random      *rand.Rand
}

func (b *bernoulli) apply(v *verdict) {
	if b.random.Float64() < b.probability {
		v.lost, v.words = true, "random loss"
	}
}
