package ip

import "time"

const (
	fragmentLifetime = 30 * time.Second // how long a first fragment leads the others, as on Linux
	maxFragments     = 4096             // packets in pieces at a time; the oldest goes when there are more
)

// fragments remembers where first fragments went, so that those after them, which have no ports, go there too.
type fragments struct {
	known map[fragmentKey]fragmentWay
	turns []fragmentTurn // in the order of their ends
}

// fragmentWay is how the fragments of a packet leave.
type fragmentWay struct {
	src, dst [16]byte
	end      time.Duration
}

type fragmentTurn struct {
	key fragmentKey
	end time.Duration
}

// lead remembers how a first fragment leaves.
func (s *fragments) lead(at time.Duration, key fragmentKey, src, dst [16]byte) {
	s.expire(at)
	if s.known == nil {
		s.known = map[fragmentKey]fragmentWay{}
	}
	if _, again := s.known[key]; !again && len(s.known) == maxFragments {
		s.drop()
	}
	end := at + fragmentLifetime
	s.known[key] = fragmentWay{src, dst, end}
	s.turns = append(s.turns, fragmentTurn{key, end})
}

// follow returns how a later fragment leaves.
func (s *fragments) follow(at time.Duration, key fragmentKey) (fragmentWay, bool) {
	way, ok := s.known[key]
	return way, ok && way.end > at
}

func (s *fragments) expire(at time.Duration) {
	for len(s.turns) > 0 && s.turns[0].end <= at {
		s.pop()
	}
}

// drop forgets the oldest packet.
func (s *fragments) drop() {
	for !s.pop() {
	}
}

// pop takes the first turn, and says whether a packet was forgotten: one that came again has another turn.
func (s *fragments) pop() bool {
	turn := s.turns[0]
	s.turns = s.turns[1:]
	if s.known[turn.key].end != turn.end {
		return false
	}
	delete(s.known, turn.key)
	return true
}
