package telemetry

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// pointColumns are points as they are written. The columns of extremes are left out if they are those of the values.
type pointColumns struct {
	T           []time.Duration `json:"t_ns"`
	Cwnd        []int           `json:"cwnd"`
	MinCwnd     []int           `json:"min_cwnd,omitempty"`
	MaxCwnd     []int           `json:"max_cwnd,omitempty"`
	Ssthresh    []int           `json:"ssthresh"`
	RTT         []time.Duration `json:"rtt_ns"`
	MaxRTT      []time.Duration `json:"max_rtt_ns,omitempty"`
	RTTVar      []time.Duration `json:"rttvar_ns"`
	RTO         []time.Duration `json:"rto_ns"`
	MaxRTO      []time.Duration `json:"max_rto_ns,omitempty"`
	InFlight    []int           `json:"in_flight"`
	MaxInFlight []int           `json:"max_in_flight,omitempty"`
}

// MarshalJSON writes the columns.
func (p Points) MarshalJSON() ([]byte, error) {
	c := pointColumns{
		T:    columnOf(p, func(p *Point) time.Duration { return p.T }),
		Cwnd: columnOf(p, func(p *Point) int { return p.Cwnd }), Ssthresh: columnOf(p, func(p *Point) int { return p.Ssthresh }),
		RTT:      columnOf(p, func(p *Point) time.Duration { return p.RTT }),
		RTTVar:   columnOf(p, func(p *Point) time.Duration { return p.RTTVar }),
		RTO:      columnOf(p, func(p *Point) time.Duration { return p.RTO }),
		InFlight: columnOf(p, func(p *Point) int { return p.InFlight }),
	}
	c.MinCwnd = unlike(c.Cwnd, columnOf(p, func(p *Point) int { return p.MinCwnd }))
	c.MaxCwnd = unlike(c.Cwnd, columnOf(p, func(p *Point) int { return p.MaxCwnd }))
	c.MaxRTT = unlike(c.RTT, columnOf(p, func(p *Point) time.Duration { return p.MaxRTT }))
	c.MaxRTO = unlike(c.RTO, columnOf(p, func(p *Point) time.Duration { return p.MaxRTO }))
	c.MaxInFlight = unlike(c.InFlight, columnOf(p, func(p *Point) int { return p.MaxInFlight }))
	return json.Marshal(c)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *Points) UnmarshalJSON(data []byte) error {
	var c pointColumns
	if err := json.Unmarshal(data, &c); err != nil {
		return err
	}
	like(&c.MinCwnd, c.Cwnd)
	like(&c.MaxCwnd, c.Cwnd)
	like(&c.MaxRTT, c.RTT)
	like(&c.MaxRTO, c.RTO)
	like(&c.MaxInFlight, c.InFlight)
	n := len(c.T)
	for _, length := range []int{len(c.Cwnd), len(c.MinCwnd), len(c.MaxCwnd), len(c.Ssthresh), len(c.RTT), len(c.MaxRTT), len(c.RTTVar),
		len(c.RTO), len(c.MaxRTO), len(c.InFlight), len(c.MaxInFlight)} {
		if length != n {
			return fmt.Errorf("points: a column has %d values and t_ns %d", length, n)
		}
	}
	*p = make(Points, n)
	for i := range *p {
		(*p)[i] = Point{c.T[i], c.Cwnd[i], c.MinCwnd[i], c.MaxCwnd[i], c.Ssthresh[i], c.RTT[i], c.MaxRTT[i], c.RTTVar[i], c.RTO[i],
			c.MaxRTO[i], c.InFlight[i], c.MaxInFlight[i]}
	}
	return nil
}

// seriesColumns are the parts of a series as they are written.
type seriesColumns struct {
	Parts     int      `json:"parts"`
	Sent      []uint64 `json:"sent,omitempty"`
	Delivered []uint64 `json:"delivered,omitempty"`
	Bytes     []uint64 `json:"bytes,omitempty"`
	Dropped   []uint64 `json:"dropped,omitempty"`
	QueueMax  []int    `json:"queue_max,omitempty"`
	QueueSize []int    `json:"queue_bytes,omitempty"`
}

// MarshalJSON writes the columns that are not all zeros.
func (s Series) MarshalJSON() ([]byte, error) {
	zeros, none := make([]uint64, len(s)), make([]int, len(s))
	return json.Marshal(seriesColumns{
		Parts:     len(s),
		Sent:      unlike(zeros, columnOf(s, func(t *Traffic) uint64 { return t.Sent })),
		Delivered: unlike(zeros, columnOf(s, func(t *Traffic) uint64 { return t.Delivered })),
		Bytes:     unlike(zeros, columnOf(s, func(t *Traffic) uint64 { return t.Bytes })),
		Dropped:   unlike(zeros, columnOf(s, func(t *Traffic) uint64 { return t.Dropped })),
		QueueMax:  unlike(none, columnOf(s, func(t *Traffic) int { return t.QueueMax })),
		QueueSize: unlike(none, columnOf(s, func(t *Traffic) int { return t.QueueSize })),
	})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Series) UnmarshalJSON(data []byte) error {
	var c seriesColumns
	if err := json.Unmarshal(data, &c); err != nil {
		return err
	}
	if c.Parts < 0 || c.Parts > MaxParts {
		return fmt.Errorf("series: found %d parts, wanted 0 to %d", c.Parts, MaxParts)
	}
	zeros, none := make([]uint64, c.Parts), make([]int, c.Parts)
	like(&c.Sent, zeros)
	like(&c.Delivered, zeros)
	like(&c.Bytes, zeros)
	like(&c.Dropped, zeros)
	like(&c.QueueMax, none)
	like(&c.QueueSize, none)
	for _, length := range []int{len(c.Sent), len(c.Delivered), len(c.Bytes), len(c.Dropped), len(c.QueueMax), len(c.QueueSize)} {
		if length != c.Parts {
			return fmt.Errorf("series: a column has %d values for %d parts", length, c.Parts)
		}
	}
	*s = make(Series, c.Parts)
	for i := range *s {
		(*s)[i] = Traffic{c.Sent[i], c.Delivered[i], c.Bytes[i], c.Dropped[i], c.QueueMax[i], c.QueueSize[i]}
	}
	return nil
}

// columnOf returns a field of all entries of a series.
func columnOf[T, V any](series []T, field func(*T) V) []V {
	column := make([]V, len(series))
	for i := range series {
		column[i] = field(&series[i])
	}
	return column
}

// unlike returns a column, or nil if it is the same as another.
func unlike[V comparable](other, column []V) []V {
	if slices.Equal(other, column) {
		return nil
	}
	return column
}

// like is the opposite: a column that was left out is the same as the other.
func like[V any](column *[]V, other []V) {
	if *column == nil {
		*column = other
	}
}
