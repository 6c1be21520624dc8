package stream

import (
	"sort"
	"time"

	"netlab/services/figures"
	"netlab/units"
)

// gap is a run of packets that are missing.
type gap struct{ first, last uint64 }

// source is what the sink knows of one stream.
type source struct {
	plan       plan
	received   uint64 // without duplicates
	bytes      uint64
	reordered  uint64
	duplicates uint64
	marked     uint64
	next       uint64 // the number after the highest that has come
	gaps       []gap  // below next, in order
	delay      figures.Durations
	jitter     uint64 // estimate in nanoseconds, times 16
	transit    time.Duration
	largest    time.Duration // delay
}

// arrive notes a packet. marked says that it arrived with the codepoint CE.
func (s *source) arrive(m mark, at time.Duration, marked bool) {
	switch {
	case m.index >= s.next:
		if m.index > s.next {
			s.gaps = append(s.gaps, gap{s.next, m.index - 1})
		}
		s.next = m.index + 1
	case !s.fill(m.index):
		s.duplicates++
		return
	default:
		s.reordered++
	}
	transit := max(at-m.sent, 0)
	if s.received > 0 {
		// RFC 3550, section 6.4.1: J += (|D| - J) / 16, in the integer form of appendix A.8.
		d := transit - s.transit
		if d < 0 {
			d = -d
		}
		s.jitter += uint64(d) - (s.jitter+8)>>4
	}
	s.transit = transit
	s.largest = max(s.largest, transit)
	s.delay.Add(transit)
	s.received++
	s.bytes += m.plan.size
	if marked {
		s.marked++
	}
}

// fill takes a packet out of the gap that it is missing in, and says whether there was one.
func (s *source) fill(index uint64) bool {
	i := sort.Search(len(s.gaps), func(i int) bool { return s.gaps[i].last >= index })
	if i == len(s.gaps) || s.gaps[i].first > index {
		return false
	}
	g := s.gaps[i]
	var rest []gap
	if g.first < index {
		rest = append(rest, gap{g.first, index - 1})
	}
	if index < g.last {
		rest = append(rest, gap{index + 1, g.last})
	}
	s.gaps = append(s.gaps[:i:i], append(rest, s.gaps[i+1:]...)...)
	return true
}

// figures counts up to the end of the run. Packets after the last one that came are missing too, if they were sent so
// long before that they had come by then.
func (s *source) figures(end time.Duration) Figures {
	gaps := s.gaps
	if due := s.plan.due(end - s.largest); due > s.next {
		gaps = append(gaps[:len(gaps):len(gaps)], gap{s.next, due - 1})
	}
	f := Figures{
		Received: s.received, Bytes: units.Bytes(s.bytes), Reordered: s.reordered, Duplicates: s.duplicates, Marked: s.marked,
		Gaps: uint64(len(gaps)), Delay: s.delay.Spread(), delays: s.delay,
	}
	for _, g := range gaps {
		n := g.last - g.first + 1
		f.Lost += n
		f.LongestGap = max(f.LongestGap, n)
	}
	f.Loss = figures.Share(f.Lost, f.Lost+f.Received)
	if s.received > 1 {
		f.Jitter = figures.Duration(int64(s.jitter >> 4))
	}
	return f
}

// Figures are about one stream or several.
type Figures struct {
	// Received counts packets without duplicates, and Bytes their UDP payload.
	Received uint64      `json:"received"`
	Bytes    units.Bytes `json:"bytes"`
	// Lost counts packets that did not come. Those that could still be on their way when the run ended are left out: packets
	// that were sent later than the longest one-way delay before the end.
	Lost uint64             `json:"lost"`
	Loss *units.Probability `json:"loss"` // Lost among Lost and Received
	// Reordered counts packets that came after one with a higher number (RFC 4737).
	Reordered  uint64 `json:"reordered"`
	Duplicates uint64 `json:"duplicates"`
	// Marked counts packets that arrived with a mark of congestion (CE, RFC 3168), without duplicates.
	Marked uint64 `json:"marked"`
	// Jitter is the interarrival jitter of RFC 3550, section 6.4.1, at the end of the stream, computed from times in
	// nanoseconds; the largest among several streams.
	Jitter *units.Duration `json:"jitter_ns"`
	// Gaps counts runs of lost packets; LongestGap is the number of packets in the longest one.
	Gaps       uint64 `json:"gaps"`
	LongestGap uint64 `json:"longest_gap"`
	// Delay is the one-way delay from the sending host's stack to the sink.
	Delay *figures.Spread `json:"delay"`

	delays figures.Durations
}

// merge adds the figures of another stream.
func (f *Figures) merge(o Figures) {
	f.Received += o.Received
	f.Bytes += o.Bytes
	f.Lost += o.Lost
	f.Loss = figures.Share(f.Lost, f.Lost+f.Received)
	f.Reordered += o.Reordered
	f.Duplicates += o.Duplicates
	f.Marked += o.Marked
	f.Gaps += o.Gaps
	f.LongestGap = max(f.LongestGap, o.LongestGap)
	if f.Jitter == nil || o.Jitter != nil && *o.Jitter > *f.Jitter {
		f.Jitter = o.Jitter
	}
	f.delays.Merge(o.delays)
	f.Delay = f.delays.Spread()
}
