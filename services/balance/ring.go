package balance

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/cespare/xxhash/v2"
)

// ring is consistent-hash. Each backend has points at hashes of its name, virtual_nodes for each unit of weight; a key belongs to
// the first point at or after its own hash, and behind the last comes the first. A backend that can't be chosen, and, with bounded
// loads, one that has no room, is passed over for the next on the ring.
//
// Bounded loads: with m requests under way, the new one among them, a backend has room if it has less than
// ⌈factor × m × weight / sum of weights⌉. So no request makes a backend have more than that. When others end, m becomes smaller,
// and a backend may have more than its bound until some of its own end: the paper would move them, a balancer can't.
type ring struct {
	members
	points  []point
	perUnit int
	factor  float64 // 0: no bound
	total   int     // requests under way at backends of the set
	weights float64 // their sum
}

type point struct {
	hash  uint64
	index int32
}

func (a *ring) Set(backends []Backend) {
	if !a.set(backends) {
		return
	}
	count := 0
	a.total, a.weights = 0, 0
	for _, b := range a.list {
		count += multiple(b.Weight, a.perUnit)
		a.total += b.inFlight
		a.weights += b.Weight
	}
	a.points = make([]point, 0, count)
	for i, b := range a.list {
		name := xxhash.Sum64String(b.Name)
		for n := range multiple(b.Weight, a.perUnit) {
			a.points = append(a.points, point{mix(name, uint64(n)), int32(i)})
		}
	}
	// Points at the same hash stand in the order of names, so that the order of the set doesn't matter.
	slices.SortFunc(a.points, func(p, q point) int {
		if p.hash != q.hash {
			return cmp.Compare(p.hash, q.hash)
		}
		return cmp.Compare(a.list[p.index].Name, a.list[q.index].Name)
	})
}

func (a *ring) Pick(r *Request) (int, bool) {
	total, weights := a.total, a.weights
	if a.factor > 0 && r.Exclude != nil {
		total, weights = 0, 0
		for _, b := range a.list {
			if !r.excludes(b.index) {
				total += b.inFlight
				weights += b.Weight
			}
		}
	}
	h := hashKey(r)
	first := sort.Search(len(a.points), func(i int) bool { return a.points[i].hash >= h })
	for i := range a.points {
		at := first + i
		if at >= len(a.points) {
			at -= len(a.points)
		}
		b := a.list[a.points[at].index]
		if !r.excludes(b.index) && (a.factor == 0 || float64(b.inFlight) < bound(a.factor, total+1, b.Weight, weights)) {
			return b.index, true
		}
	}
	return 0, false
}

// bound is how many of m requests a backend may have.
func bound(factor float64, m int, weight, weights float64) float64 {
	return math.Ceil(factor * float64(m) * weight / weights)
}

func (a *ring) Start(index int, now time.Duration) Handle {
	a.total++
	return a.members.Start(index, now)
}

func (a *ring) Done(h Handle, now, took time.Duration, failed bool) {
	if h.backend != nil && h.backend.index >= 0 {
		a.total--
	}
	a.members.Done(h, now, took, failed)
}
