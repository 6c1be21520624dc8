package netem

import (
	"math/rand/v2"
	"time"
)

// verdict is what the impairments of a direction decide about one frame. They see it in the order of the list; each draws the
// same whatever the others decided, so that one doesn't shift another's stream.
type verdict struct {
	at   time.Duration // when its first bit leaves
	size int           // of the frame in bytes
	// lost says that the wire loses it, and words why, for a comment.
	lost  bool
	words string
	// latency is the propagation delay.
	latency time.Duration
	// copies is how many duplicates follow it.
	copies int
	// damage, when not nil, changes the frame's content for whoever receives it, and says how in the frame's note.
	damage, cut alteration
	// late is behind how many later frames it arrives, 0 if in its place.
	late int
}

// alteration changes the content of a frame.
type alteration interface {
	alter(f *Frame) (words string)
}

// impairment is something that a wire does to frames. Each lives in a file of its own; [Params.impairments] lists them in
// the order in which they act. apply is called once for each frame that the transmitter begins to send.
type impairment interface {
	apply(v *verdict)
}

// impairments makes those that p asks for. before are those that they replace: one of the same kind goes on where it was.
func (p *Params) impairments(s *streams, before []impairment) []impairment {
	var list []impairment
	if p.Loss > 0 {
		list = append(list, &bernoulli{probability: float64(p.Loss), random: s.get("loss")})
	}
	if !p.Latency.IsConstant() {
		list = append(list, &jitter{latency: p.Latency, random: s.get("latency")})
	} else if mean := p.Latency.Mean(); mean > 0 {
		list = append(list, propagation(mean))
	}
	return list
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
