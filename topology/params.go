package topology

import "netlab/units"

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
		Queue:   &units.QueueLimit{Packets: defaultPackets},
		Loss:    new(units.Probability),
		MTU:     defaultMTU,
		Up:      &up,
	}
}

// With returns the properties with those of over in place of its own where over gives them.
func (p LinkParams) With(over LinkParams) LinkParams {
	if over.Latency != nil {
		p.Latency = over.Latency
	}
	if over.Rate != 0 {
		p.Rate = over.Rate
	}
	if over.Queue != nil {
		p.Queue = over.Queue
	}
	if over.Loss != nil {
		p.Loss = over.Loss
	}
	if over.MTU != 0 {
		p.MTU = over.MTU
	}
	if over.Up != nil {
		p.Up = over.Up
	}
	return p
}

// without returns the properties that differ from those of base.
func (p LinkParams) without(base LinkParams) LinkParams {
	if equal(p.Latency, base.Latency) {
		p.Latency = nil
	}
	if p.Rate == base.Rate {
		p.Rate = 0
	}
	if equal(p.Queue, base.Queue) {
		p.Queue = nil
	}
	if equal(p.Loss, base.Loss) {
		p.Loss = nil
	}
	if p.MTU == base.MTU {
		p.MTU = 0
	}
	if equal(p.Up, base.Up) {
		p.Up = nil
	}
	return p
}

func equal[T comparable](a, b *T) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// Directions returns the properties of each direction of a link of a resolved topology, in which nothing is left to
// defaults: its own and where they differ those of forward and backward. A rate of 0 has no limit.
func (l *Link) Directions() (forward, backward LinkParams) {
	both := builtin().With(l.LinkParams)
	return both.With(l.Forward), both.With(l.Backward)
}

// effective returns the properties of each direction of a link of this topology, its defaults included.
func (t *Topology) effective(l *Link) (forward, backward LinkParams) {
	both := builtin().With(t.Defaults.Link).With(l.LinkParams)
	return both.With(l.Forward), both.With(l.Backward)
}
