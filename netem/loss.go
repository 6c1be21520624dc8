package netem

import "math/rand/v2"

// bernoulli loses each frame with the same probability, whatever happened to the others.
type bernoulli struct {
	probability float64
	random      *rand.Rand
}

func (b *bernoulli) apply(v *verdict) {
	// One draw per frame, also for one that is lost already: what one impairment does must not shift another's stream.
	if b.random.Float64() < b.probability && v.drop == notDropped {
		v.drop = DropLoss
	}
}
