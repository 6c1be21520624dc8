package history

import "time"

// Counts are how many operations ended how.
type Counts struct {
	OK      int `json:"ok"`
	Fail    int `json:"fail"`
	Unknown int `json:"unknown"`
}

// Stats are figures of a history.
type Stats struct {
	Operations int `json:"operations"`
	Counts
	// Kinds are the counts of each kind of operation that occurs.
	Kinds map[Kind]Counts `json:"kinds,omitempty"`
	// Availability is the share of all operations that were OK, from 0 to 1; 0 if there are none.
	Availability float64 `json:"availability"`
	// Latency is the mean time from invocation to completion of those that were OK.
	Latency time.Duration `json:"latency_ns"`
}

// Summary counts the operations of a history; final reads are not among them, since they come after the load.
func Summary(h *History) Stats {
	s := Stats{Kinds: map[Kind]Counts{}}
	var sum time.Duration
	for i := range h.Operations {
		o := &h.Operations[i]
		if o.Final {
			continue
		}
		of := s.Kinds[o.Kind]
		for _, c := range []*Counts{&s.Counts, &of} {
			switch o.Outcome {
			case OK:
				c.OK++
			case Fail:
				c.Fail++
			default:
				c.Unknown++
			}
		}
		s.Kinds[o.Kind] = of
		s.Operations++
		if o.Outcome == OK {
			sum += o.Completed - o.Invoked
		}
	}
	if s.Operations > 0 {
		s.Availability = float64(s.OK) / float64(s.Operations)
	}
	if s.OK > 0 {
		s.Latency = sum / time.Duration(s.OK)
	}
	return s
}
