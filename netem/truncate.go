package netem

import (
	"fmt"
	"math/rand/v2"

	"netlab/units"
)

// Truncate is how a wire shortens frames: each with the probability, to a size that is To or, with 0, drawn evenly from all that are
// shorter. Sizes count from the IP header on: what is cut to 0 still has its Ethernet header. With To, a frame that is
// not longer stays as it is, and isn't counted.
type Truncate struct {
	Probability units.Probability
	To          int // bytes, 0 to 65535
}

func (t *Truncate) validate() error {
	switch {
	case !share(t.Probability):
		return wrongShare("truncate", t.Probability)
	case t.To < 0 || t.To > maxMTU:
		return fmt.Errorf("truncate to %dB: want 1B to %dB", t.To, maxMTU)
	}
	return nil
}

// String writes it for a log.
func (t Truncate) String() string {
	if t.To == 0 {
		return t.Probability.String()
	}
	return fmt.Sprintf("%s to %dB", t.Probability, t.To)
}

// truncation draws which frames are cut, and where.
type truncation struct {
	Truncate
	random *rand.Rand
	size   int // to which the present frame is cut, with its Ethernet header
}

func (t *truncation) apply(v *verdict) {
	chosen := t.random.Float64() < t.Probability.Float()
	packet := v.size - etherHeader
	if !chosen || packet <= t.To {
		return
	}
	t.size = etherHeader + t.To
	if t.To == 0 {
		t.size = etherHeader + t.random.IntN(packet)
	}
	v.cut = t
}

func (t *truncation) words(f *Frame) string {
	return fmt.Sprintf("truncated from %d B to %d B", len(f.Data)-etherHeader, t.size-etherHeader)
}

func (t *truncation) alter(f *Frame) { f.Data = f.Data[:t.size] }
