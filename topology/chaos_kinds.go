package topology

import (
	"math"
	"math/rand/v2"
	"time"

	"netlab/units"
)

// The kinds of faults that chaos draws.
const (
	ChaosCrash           ChaosKind = "crash"
	ChaosPause           ChaosKind = "pause"
	ChaosCut             ChaosKind = "cut"
	ChaosFlap            ChaosKind = "flap"
	ChaosPartition       ChaosKind = "partition"
	ChaosOneWayPartition ChaosKind = "one-way-partition"
	ChaosSlow            ChaosKind = "slow"
	ChaosSkew            ChaosKind = "skew"
	ChaosLoss            ChaosKind = "loss"
	ChaosLatency         ChaosKind = "latency"
	ChaosRate            ChaosKind = "rate"
)

// chaosHits is what a kind of fault hits.
type chaosHits uint8

const (
	hitsNodes chaosHits = iota
	hitsLinks
	hitsGroups
)

// chaosKind is how a kind of fault is drawn.
type chaosKind struct {
	hits chaosHits
	// down says that what it hits can't be hit by anything else meanwhile.
	down bool
	// wants is what a lab needs for it.
	wants string
	// draw fills in the verb.
	draw func(d *draw, r *rand.Rand, f *Fault, target int)
}

const (
	wantsLink  = "a link"
	wantsHost  = "a host among the nodes, which are all hosts with services and all routers by default"
	wantsNode  = "a node; by default these are all hosts with services and all routers"
	wantsGroup = "a host among the nodes, which are all hosts with services and all routers by default, and another host"
)

// The magnitudes that are drawn, each as likely as the others. What a link's fault does comes on top of what the link is like.
var (
	slowFactors  = []float64{2, 5, 10, 50}
	skewOffsets  = []time.Duration{100 * time.Millisecond, time.Second, 10 * time.Second, time.Minute, time.Hour}
	flapTimes    = []time.Duration{100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, time.Second}
	moreLoss     = []float64{0.01, 0.03, 0.1, 0.3}
	moreLatency  = []time.Duration{50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, time.Second}
	rateDivisors = []units.BitRate{2, 10, 100}
	lowRates     = []units.BitRate{100e6, 10e6, 1e6} // of links without a rate
)

// chaosKinds says how each kind is drawn.
var chaosKinds = map[ChaosKind]chaosKind{
	ChaosCrash: {hitsNodes, true, wantsNode, func(d *draw, _ *rand.Rand, f *Fault, n int) { f.Crash = d.node(n) }},
	ChaosPause: {hitsNodes, true, wantsHost, func(d *draw, _ *rand.Rand, f *Fault, n int) { f.Pause = d.node(n) }},
	ChaosSlow: {hitsNodes, false, wantsHost, func(d *draw, r *rand.Rand, f *Fault, n int) {
		f.Slow, f.Factor = d.node(n), pick(r, slowFactors...)
	}},
	ChaosSkew: {hitsNodes, false, wantsHost, func(d *draw, r *rand.Rand, f *Fault, n int) {
		offset := units.Offset(pick(r, skewOffsets...))
		if r.IntN(2) == 0 {
			offset = -offset
		}
		f.Skew, f.Offset = d.node(n), &offset
	}},
	ChaosCut: {hitsLinks, true, wantsLink, func(d *draw, _ *rand.Rand, f *Fault, l int) { f.Cut = d.link(l) }},
	ChaosFlap: {hitsLinks, true, wantsLink, func(d *draw, r *rand.Rand, f *Fault, l int) {
		down, up := units.Constant(pick(r, flapTimes...)), units.Constant(pick(r, flapTimes...))
		f.Flap, f.DownTime, f.UpTime = d.link(l), &down, &up
	}},
	ChaosLoss: {hitsLinks, false, wantsLink, func(d *draw, r *rand.Rand, f *Fault, l int) {
		more := pick(r, moreLoss...)
		d.set(f, l, func(p *LinkParams) LinkParams { return LinkParams{Loss: plusLoss(p.Loss, more)} })
	}},
	ChaosLatency: {hitsLinks, false, wantsLink, func(d *draw, r *rand.Rand, f *Fault, l int) {
		more := pick(r, moreLatency...)
		d.set(f, l, func(p *LinkParams) LinkParams { return LinkParams{Latency: plusLatency(p.Latency, more)} })
	}},
	ChaosRate: {hitsLinks, false, wantsLink, func(d *draw, r *rand.Rand, f *Fault, l int) {
		by, low := pick(r, rateDivisors...), pick(r, lowRates...)
		d.set(f, l, func(p *LinkParams) LinkParams { return LinkParams{Rate: lowerRate(p.Rate.At(f.At.Std()), by, low)} })
	}},
	ChaosPartition: {hitsGroups, true, wantsGroup, func(d *draw, r *rand.Rand, f *Fault, _ int) {
		f.Partition = [][]string{d.group(r)}
	}},
	ChaosOneWayPartition: {hitsGroups, true, wantsGroup, func(d *draw, r *rand.Rand, f *Fault, _ int) {
		f.Partition, f.OneWay = [][]string{d.group(r)}, true
	}},
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

func (d *draw) node(n int) Patterns { return Patterns{d.c.lab.name(n)} }

func (d *draw) link(l int) string { return d.c.lab.links[l].id }

// set makes f change a link: change returns what a direction with these properties gets.
func (d *draw) set(f *Fault, l int, change func(*LinkParams) LinkParams) {
	forward, backward := d.c.t.effective(&d.c.t.Links[d.c.lab.links[l].entry])
	f.Link = d.link(l)
	f.Set = &LinkSet{LinkParams: change(&forward)}
	f.Set.Backward = change(&backward).without(f.Set.LinkParams)
}

// plusLoss loses so much more than a link does in the mean.
func plusLoss(l *units.Loss, more float64) *units.Loss {
	total := math.Round((l.Mean().Float()+more)*1e4) / 1e4
	loss, err := units.Bernoulli(units.Probability(min(1, total)))
	if err != nil {
		panic("topology: a sum of losses: " + err.Error())
	}
	return &loss
}

// plusLatency is a constant delay so much above a link's mean, if there is such a time.
func plusLatency(l *units.Distribution, more time.Duration) *units.Distribution {
	mean := l.Mean()
	if mean < math.MaxInt64-more-time.Millisecond {
		mean = milliseconds(mean + more).Std()
	}
	d := units.Constant(mean)
	return &d
}

// lowerRate is a part of a link's rate, or a low one for a link without.
func lowerRate(rate, by, low units.BitRate) *units.LinkRate {
	lower := units.FixedRate(low)
	if rate > 0 {
		lower = units.FixedRate(max(rate/by, 1))
	}
	return &lower
}
