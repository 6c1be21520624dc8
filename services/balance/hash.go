package balance

import (
	"math"
	"net/netip"
	"sort"

	"github.com/cespare/xxhash/v2"
)

// hashKey is the hash of a request's key: XXH64 (Collet, xxHash specification 0.1.1), as in Envoy's ring, with seed 0.
func hashKey(r *Request) uint64 {
	if r.Key != "" {
		return xxhash.Sum64String(r.Key)
	}
	return hashAddress(r.Source)
}

func hashAddress(a netip.Addr) uint64 {
	b := a.As16()
	return xxhash.Sum64(b[:])
}

// mix makes of two hashes one that depends on every bit of both, by the finaliser of SplitMix64 (Steele, Lea and Flood, "Fast
// Splittable Pseudorandom Number Generators", OOPSLA 2014).
func mix(a, b uint64) uint64 {
	z := a + 0x9e3779b97f4a7c15*(b+1)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// unit makes a number above 0 and below 1 of a hash.
func unit(h uint64) float64 { return (float64(h>>11) + 0.5) / (1 << 53) }

// pieces are source-hash, hash and modulo: the weights of backends laid end to end, and a hash that says where to cut.
type pieces struct {
	members
	ends   []float64 // the sum of weights up to each backend
	whole  bool      // all weights are whole numbers
	source bool      // it is the client's address that is hashed
	modulo bool      // the place is the hash modulo the sum, and else the hash as a share of the sum
}

func (a *pieces) Set(backends []Backend) {
	if !a.set(backends) {
		return
	}
	a.ends = make([]float64, len(a.list))
	total := 0.0
	a.whole = true
	for i, b := range a.list {
		total += b.Weight
		a.ends[i] = total
		a.whole = a.whole && b.Weight == math.Trunc(b.Weight)
	}
}

// Pick cuts the line anew, without those that are excluded, for a key whose backend is: the others stay where they are. The key is
// hashed again for it, so that these go to all that are left.
func (a *pieces) Pick(r *Request) (int, bool) {
	h := hashKey(r)
	if a.source {
		h = hashAddress(r.Source)
	}
	if len(a.list) == 0 {
		return 0, false
	}
	place := a.at(h, a.ends[len(a.ends)-1])
	home := min(sort.Search(len(a.ends), func(i int) bool { return a.ends[i] > place }), len(a.ends)-1)
	if !r.excludes(home) {
		return home, true
	}
	total := 0.0
	for _, b := range a.list {
		if !r.excludes(b.index) {
			total += b.Weight
		}
	}
	at, found, ok := a.at(mix(h, 0), total), 0, false
	sum := 0.0
	for _, b := range a.list {
		if r.excludes(b.index) {
			continue
		}
		found, ok = b.index, true
		if sum += b.Weight; sum > at {
			break
		}
	}
	return found, ok
}

// at is the place on a line of a length that a hash stands for. With weights that aren't whole numbers the modulus is taken of
// the hash as a multiple of 2^-20.
func (a *pieces) at(h uint64, length float64) float64 {
	switch {
	case !a.modulo:
		return unit(h) * length
	case a.whole && length >= 1:
		return float64(h % uint64(length))
	case length > 0:
		return math.Mod(float64(h>>11)/(1<<20), length)
	}
	return 0
}

// rendezvous takes the backend with the highest score: its hash together with the key, h as a number between 0 and 1, or, if
// weights differ, weight / -ln(h), which gives shares in proportion to weights (the logarithmic method of Schindelhauer and
// Schomaker).
type rendezvous struct {
	members
	hashes []uint64 // of names
	equal  bool
}

func (a *rendezvous) Set(backends []Backend) {
	if !a.set(backends) {
		return
	}
	a.hashes = make([]uint64, len(a.list))
	for i, b := range a.list {
		a.hashes[i] = xxhash.Sum64String(b.Name)
	}
	a.equal = a.equalWeights()
}

func (a *rendezvous) Pick(r *Request) (int, bool) {
	key := hashKey(r)
	best := -1
	var highest uint64
	var score float64
	for i, name := range a.hashes {
		if r.excludes(i) {
			continue
		}
		h := mix(name, key)
		if a.equal {
			if best < 0 || h > highest {
				best, highest = i, h
			}
			continue
		}
		// -ln(h) is at least the share that is missing to 1: most backends need no logarithm.
		u, weight := unit(h), a.list[i].Weight
		if best >= 0 && weight <= score*(1-u) {
			continue
		}
		if s := weight / -math.Log(u); best < 0 || s > score {
			best, score = i, s
		}
	}
	return best, best >= 0
}

// multiple returns weight × count, rounded, and at least 1.
func multiple(weight float64, count int) int { return max(1, int(math.Round(weight*float64(count)))) }
