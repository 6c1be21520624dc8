package topology

import (
	"reflect"

	"netlab/netem"
	"netlab/units"
)

// The defaults of links.
const (
	defaultMTU     units.Bytes = 1500
	defaultPackets             = 1000
)

// builtin are the properties of a link about which the file says nothing.
func builtin() LinkParams {
	up := true
	return LinkParams{
		Latency: new(units.Distribution),
		Rate:    new(units.LinkRate),
		Queue:   &Queue{Limit: &units.QueueLimit{Packets: defaultPackets}},
		Loss:    new(units.Loss),
		MTU:     defaultMTU,
		Up:      &up,
	}
}

// With returns the properties with those of over in place of its own where over gives them.
func (p LinkParams) With(over LinkParams) LinkParams {
	to, from := reflect.ValueOf(&p).Elem(), reflect.ValueOf(&over).Elem()
	for i := range to.NumField() {
		if v := from.Field(i); !v.IsZero() {
			to.Field(i).Set(v)
		}
	}
	return p
}

// without returns the properties that differ from those of base.
func (p LinkParams) without(base LinkParams) LinkParams {
	own, other := reflect.ValueOf(&p).Elem(), reflect.ValueOf(&base).Elem()
	for i := range own.NumField() {
		if reflect.DeepEqual(own.Field(i).Interface(), other.Field(i).Interface()) {
			own.Field(i).SetZero()
		}
	}
	return p
}

// Directions returns the properties of each direction of a link of a resolved topology, in which nothing is left to
// defaults: its own and where they differ those of forward and backward.
func (l *Link) Directions() (forward, backward LinkParams) {
	both := builtin().With(l.LinkParams)
	return both.With(l.Forward), both.With(l.Backward)
}

// effective returns the properties of each direction of a link of this topology, its profile and the defaults included.
func (t *Topology) effective(l *Link) (forward, backward LinkParams) {
	profile, _ := t.profile(l.Profile)
	both := builtin().With(t.Defaults.Link).With(profile.LinkParams)
	forward = both.With(profile.Forward).With(l.LinkParams).With(l.Forward)
	backward = both.With(profile.Backward).With(l.LinkParams).With(l.Backward)
	return forward, backward
}

// shared returns the properties of a link that hold for both directions where these don't say otherwise.
func (t *Topology) shared(l *Link) LinkParams {
	profile, _ := t.profile(l.Profile)
	return builtin().With(t.Defaults.Link).With(profile.LinkParams).With(l.LinkParams)
}

// Change gives params the properties that p gives.
func (p *LinkParams) Change(params *netem.Params) {
	give(&params.Latency, p.Latency)
	if p.LatencyCorrelation != nil {
		params.LatencyCorrelation = float64(*p.LatencyCorrelation)
	}
	if p.KeepOrder != nil {
		params.Overtaking = !*p.KeepOrder
	}
	give(&params.Rate, p.Rate)
	if p.Burst != 0 {
		params.Burst = p.Burst
	}
	if p.PeakRate != 0 {
		params.PeakRate = p.PeakRate
	}
	if p.Queue != nil {
		params.Queue = p.Queue.params()
	}
	give(&params.Loss, p.Loss)
	if r := p.Reorder; r != nil {
		params.Reorder = netem.Reorder{Probability: r.Share, Gap: r.Gap, Depth: r.Depth, Hold: r.Hold.Std()}
	}
	give(&params.Duplicate, p.Duplicate)
	if c := p.Corrupt; c != nil {
		params.Corrupt = netem.Corrupt{Probability: c.Share, Bits: c.Bits}
	}
	if t := p.Truncate; t != nil {
		params.Truncate = netem.Truncate{Probability: t.Share, To: int(t.To)}
	}
	if p.MTU != 0 {
		params.MTU = int(p.MTU)
	}
	if p.Up != nil {
		params.Down = !*p.Up
	}
}

// Params returns the properties of a direction as the network has them. Nothing must be left to a default.
func (p LinkParams) Params() netem.Params {
	var params netem.Params
	p.Change(&params)
	return params
}

// give sets what from gives.
func give[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// params returns the queue as the network has it. A queue that is given replaces all of the one before.
func (q *Queue) params() netem.Queue {
	out := netem.Queue{
		Discipline: q.Type, Limit: units.QueueLimit{Packets: defaultPackets}, ECN: q.ECN,
		Target: q.Target.Std(), Interval: q.Interval.Std(), Burst: q.Burst.Std(), Flows: q.Flows, Quantum: q.Quantum,
		MinThreshold: q.MinThreshold, MaxThreshold: q.MaxThreshold, Weight: q.Weight, Gentle: q.Gentle,
		BandCount: len(q.Bands),
	}
	give(&out.Limit, q.Limit)
	give(&out.MaxProbability, q.MaxProbability)
	if len(q.Bands) > 0 {
		for i := range out.Bands {
			out.Bands[i] = uint8(len(q.Bands) - 1)
		}
		for band, points := range q.Bands {
			for _, p := range points {
				out.Bands[p.Bits()] = uint8(band)
			}
		}
	}
	return out
}
