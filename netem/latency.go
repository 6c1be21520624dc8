package netem

import (
	"math/rand/v2"
	"time"

	"netlab/units"
)

// propagation delays every frame by the same time.
type propagation time.Duration

func (p propagation) apply(v *verdict) { v.latency += time.Duration(p) }

// jitter delays each frame by a time drawn from a distribution. The link keeps the frames in order: one that would overtake
// another arrives together with it.
type jitter struct {
	latency units.Distribution
	random  *rand.Rand
}

func (j *jitter) apply(v *verdict) { v.latency += j.latency.Sample(j.random) }
