// Package eviction decides what leaves a cache that is full.
//
// A [Policy] holds keys and their sizes, never values: the cache that uses it keeps those in a map of its own and drops what Add
// says has been evicted. One request of a cache is a Get that hits, or a Get that misses and the Add that follows it.
//
// There are eight of them:
//
//   - fifo evicts what was added first, whether it is used or not.
//   - lru evicts what was not used for the longest time.
//   - lfu evicts what was used least often since it was added, among equals what was not used for the longest time. The
//     counts of what was evicted are forgotten (in-cache LFU), nothing ages. After Shah, Mitra and Matani, "An O(1) algorithm for
//     implementing the LFU cache eviction scheme", 2010. A key that was popular once, or came early, is hard to get rid of.
//   - perfect-lfu does not forget them: it remembers how often every key was ever used (Perfect-LFU against In-Cache-LFU: Breslau and
//     others, "Web caching and Zipf-like distributions", INFOCOM 1999). So it needs memory for each key that there is, and comes to
//     hold the most popular ones, whose share of the requests is the best that any cache can do when popularity stays as it is.
//   - random evicts any entry, each with the same probability.
//   - 2q is Johnson and Shasha's full version ("2Q: A low overhead high performance buffer management replacement algorithm",
//     VLDB 1994): a new key waits in a queue, A1in, of 25 % of the capacity; the names of the keys that left it stay in A1out, up
//     to 50 % of the capacity; a key that is asked for while it is named there enters the LRU list Am. What is asked for once
//     never reaches Am, so that a scan does not clear it.
//   - arc is Megiddo and Modha's adaptive replacement cache ("ARC: A self-tuning, low overhead replacement cache", FAST 2003):
//     T1 holds what was used once lately and T2 what was used more often; B1 and B2 name what left them. A request for a name in
//     B1 lets T1 grow, one for a name in B2 lets T2.
//   - tinylfu is W-TinyLFU (Einziger, Friedman and Manes, "TinyLFU: A highly efficient cache admission policy", ACM Transactions on
//     Storage 13, 2017): a window of 1 % of the capacity, LRU, in front of a segmented LRU, of which 80 % is protected. What leaves
//     the window enters only if a sketch of the recent past has counted it more often than the entry that would have to go. The
//     sketch is a count-min sketch of four rows of 4-bit counters that are halved after ten requests for each entry that the cache
//     holds. There is no doorkeeper, and the window does not adapt.
//
// The papers speak of pages of one size. Here each entry has its own, and the capacity bounds their sum. With sizes of 1 the
// policies do exactly what the papers write; with others the lengths of their lists are sums of sizes, a name that is remembered
// weighs what its entry did, ARC's target moves by the entry's size times the paper's step, and as many entries go as it takes.
//
// All are deterministic: the same calls give the same evictions, given the same stream of random numbers. None is safe for
// concurrent use. The time of a call does not depend on the number of entries, save for the growth of maps
// and for perfect-lfu, which walks over the different numbers of uses.
package eviction

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// Policy holds the keys of a cache.
type Policy[K comparable] interface {
	// Get says whether the key is held, and counts as a use of it.
	Get(key K) bool
	// Contains says whether the key is held, and is no use of it.
	Contains(key K) bool
	// Add holds the key with a size, at least 1, and returns what had to go for it: the slice is valid until the next call. A key that is
	// held already is used and takes the new size; it is not evicted for itself. The key itself is among the evicted, and not
	// held, when it is larger than the capacity or (tinylfu) when it is not admitted.
	Add(key K, size int64) (evicted []K)
	// Remove forgets a key, because it was deleted or has expired, and says whether it was held.
	Remove(key K) bool
	// Len is how many keys are held.
	Len() int
	// Used is the sum of their sizes, never more than the capacity.
	Used() int64
	// Capacity is what New was given.
	Capacity() int64
}

// Default is the policy of caches that name none.
const Default = "lru"

// names are the policies, simple ones first.
var names = []string{"fifo", "lru", "lfu", "perfect-lfu", "random", "2q", "arc", "tinylfu"}

// Names returns the names of all policies.
func Names() []string { return slices.Clone(names) }

// Check returns an error that lists the policies unless name is one of them.
func Check(name string) error {
	if slices.Contains(names, name) {
		return nil
	}
	return fmt.Errorf("there is no eviction policy %q: want one of %s", name, strings.Join(names, ", "))
}

// New makes an empty policy. The capacity is at least 1, in the unit of the sizes. Only "random" draws from random; the others take
// nil. The sketch of "tinylfu" hashes keys: strings, integers and what consists of them; a key with a pointer in it would be
// hashed by its address, which differs from run to run.
func New[K comparable](policy string, capacity int64, random *rand.Rand) (Policy[K], error) {
	if capacity < 1 {
		return nil, fmt.Errorf("a capacity of %d: want at least 1", capacity)
	}
	if err := Check(policy); err != nil {
		return nil, err
	}
	b := base[K]{capacity: capacity, held: map[K]*node[K]{}}
	switch policy {
	case "fifo":
		return &queue[K]{base: b}, nil
	case "lru":
		return &queue[K]{base: b, recency: true}, nil
	case "lfu":
		return &lfu[K]{base: b}, nil
	case "perfect-lfu":
		return &lfu[K]{base: b, past: map[K]int{}}, nil
	case "random":
		if random == nil {
			return nil, fmt.Errorf("the eviction policy %q needs a source of random numbers", policy)
		}
		return &randomly[K]{base: b, random: random}, nil
	case "2q":
		return newTwoQ(b), nil
	case "arc":
		return newARC(b), nil
	}
	return newTinyLFU(b), nil
}
