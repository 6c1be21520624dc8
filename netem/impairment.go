package netem

import (
	"math/rand/v2"
	"time"
)

// verdict is what the impairments of a direction decide about one frame.
type verdict struct {
	size int // of the frame in bytes
	// lost says that the wire loses it, and words why, for a comment.
	lost  bool
	words string
	// latency is the propagation delay.
	latency time.Duration
	// twice says that a copy follows it.
	twice bool
	// damage and cut, when not nil, change the frame's content for whoever receives it, in this order.
	damage, cut alteration
	// late is behind how many later frames it arrives, 0 if in its place.
	late int
}

// impairment is something that a wire does to frames. Each lives in a file of its own; [Params.impairments] lists them.
// apply is called once for each frame that the transmitter begins to send, and draws from a random stream of its own the same numbers
// whatever the others decide about this frame or decided about earlier ones: so one doesn't change what another does.
type impairment interface {
	apply(v *verdict)
}

// impairments makes those that p asks for. before are those that they replace: one whose own parameters stay as they are goes on where
// it was, and so do all random streams.
func (p *Params) impairments(s *streams, before []impairment) []impairment {
	var list []impairment
	if !p.Loss.IsZero() {
		loss := previous[*wireLoss](before)
		if loss == nil || loss.loss != p.Loss {
			loss = &wireLoss{loss: p.Loss, model: newLossModel(p.Loss, s.get("loss"))}
		}
		list = append(list, loss)
	}
	if !p.Latency.IsConstant() {
		list = append(list, p.jitter(s, before))
	}
	if p.Reorder.Probability > 0 {
		late := previous[*reordering](before)
		if late == nil || late.Reorder != p.Reorder {
			late = &reordering{Reorder: p.Reorder, random: s.get("reorder")}
		}
		list = append(list, late)
	}
	if p.Duplicate > 0 {
		list = append(list, &duplication{probability: p.Duplicate, random: s.get("duplicate")})
	}
	if p.Corrupt.Probability > 0 {
		list = append(list, &corruption{Corrupt: p.Corrupt, random: s.get("corrupt")})
	}
	if p.Truncate.Probability > 0 {
		list = append(list, &truncation{Truncate: p.Truncate, random: s.get("truncate")})
	}
	return list
}

// jitter makes the impairment for a latency that varies.
func (p *Params) jitter(s *streams, before []impairment) impairment {
	random := s.get("latency")
	if p.LatencyCorrelation == 0 {
		return &jitter{latency: p.Latency, random: random}
	}
	j := previous[*correlatedJitter](before)
	if j == nil {
		j = &correlatedJitter{random: random}
	}
	j.correlate(p.Latency, p.LatencyCorrelation)
	return j
}

// previous returns the impairment of a kind, or its zero value.
func previous[T impairment](list []impairment) (none T) {
	for _, i := range list {
		if t, ok := i.(T); ok {
			return t
		}
	}
	return none
}

// streams keeps the random streams of a direction by the name of what draws from them, so that a change of parameters
// goes on where the stream was.
type streams struct {
	net    *Network
	prefix string
	byName map[string]*rand.Rand
}

func (s *streams) get(name string) *rand.Rand {
	r := s.byName[name]
	if r == nil {
		if s.byName == nil {
			s.byName = map[string]*rand.Rand{}
		}
		r = s.net.Random(s.prefix + name)
		s.byName[name] = r
	}
	return r
}
