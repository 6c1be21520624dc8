package netem

import (
	"math/rand/v2"

	"netlab/units"
)

// duplication sends frames twice. The copy is the wire's: it is what arrives, with the damage that the wire does to the frame, right behind
// the frame, however late that is. A lost frame has no copy.
type duplication struct {
	probability units.Probability
	random      *rand.Rand
}

func (d *duplication) apply(v *verdict) {
	if d.random.Float64() < d.probability.Float() {
		v.twice = true
	}
}
