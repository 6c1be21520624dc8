// Package balance holds the algorithms by which a balancer chooses one of its backends. They choose and remember; they know
// nothing of packets, of time but what they are told, and of health: who uses one (package services/backend) gives it the
// backends that may be used.
//
// Taking turns:
//
//   - round-robin: each in turn.
//   - weighted-round-robin: each in turn, in proportion to its weight and evenly spread: 5, 1 and 1 give a a b a c a a. It is
//     nginx's smooth algorithm (commit 52327e0627f4, "Upstream: smooth weighted round-robin balancing", 2012).
//   - random: drawn, in proportion to weights (the alias method: Vose, "A Linear Algorithm for Generating Random Numbers with a
//     Given Distribution", IEEE Transactions on Software Engineering 17(9), 1991).
//
// By what they do:
//
//   - least-connections and weighted-least-connections: the fewest requests under way, the latter for its weight. Equals take
//     turns.
//   - power-of-two: of two that are drawn, the one with fewer requests under way (Mitzenmacher, "The Power of Two Choices in
//     Randomized Load Balancing", IEEE Transactions on Parallel and Distributed Systems 12(10), 2001).
//   - least-response-time: of two that are drawn, the one with the smaller product of latency and requests under way, where
//     latency is a moving average that follows a rise at once and a fall slowly: the peak EWMA of Finagle and Linkerd.
//   - lowest-latency: the one with the lowest latency measured, whatever its load.
//   - geographic: the one whose declared location is nearest to the client's.
//
// By a key of the request (the client's address, the path, a header …), so that one key goes to one backend:
//
//   - source-hash: by the client's address, modulo the sum of weights, as nginx's ip_hash.
//   - modulo: by the key, modulo the sum of weights. One backend more or less moves nearly all keys.
//   - hash: by the key: the hashes' range is cut into one piece for each backend. One backend more moves half of the keys.
//   - consistent-hash: a ring of hashes with virtual nodes (Karger et al., "Consistent Hashing and Random Trees", STOC 1997), and,
//     if load_factor is given, with bounded loads (Mirrokni, Thorup and Zadimoghaddam, "Consistent Hashing with Bounded Loads",
//     SODA 2018). One backend more moves its own share of keys, 1/(N+1).
//   - rendezvous: the backend whose hash together with the key is highest (Thaler and Ravishankar, "Using Name-Based Mappings to
//     Increase Hit Rates", IEEE/ACM Transactions on Networking 6(1), 1998; weights after Schindelhauer and Schomaker, "Weighted
//     Distributed Hash Tables", SPAA 2005). One backend more moves 1/(N+1), and shares are as even as hashes are.
//   - maglev: a table that backends fill in turn (Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer",
//     NSDI 2016). Nearly even, one look to choose, and one backend more moves a little more than 1/(N+1).
//
// What it costs to choose one of N backends: weighted-round-robin and rendezvous look at all of them, geographic at all locations
// and at the backends of the nearest; the ring and the pieces of hash and modulo are searched, least-connections and
// lowest-latency keep a heap, and the others look at one or two. Choosing allocates nothing.
package balance

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"netlab/services"
)

// Backend is one of those to choose from.
type Backend struct {
	// Name tells it from all others: what an algorithm knows of a backend it knows by its name.
	Name string
	// Weight is its share relative to others', above 0. 1 is the usual one.
	Weight float64
	// Location is where it is; HasLocation says that this is known.
	Location    services.Location
	HasLocation bool
}

// Request is what is known of a request when a backend is chosen for it.
type Request struct {
	// Now is the time since the start of the run.
	Now time.Duration
	// Source is the client's address.
	Source netip.Addr
	// Key is what the algorithms with a key hash. If it is empty they hash Source.
	Key string
	// Location is where the client is; HasLocation says that this is known.
	Location    services.Location
	HasLocation bool
	// Exclude says which backends of the current set can't be chosen, such as those that were tried before. Nil: none.
	Exclude func(index int) bool
}

func (r *Request) excludes(index int) bool { return r.Exclude != nil && r.Exclude(index) }

// Algorithm chooses backends. Use by several goroutines has to be locked by who uses it.
type Algorithm interface {
	// Set gives the backends to choose from. What is known of those with names that were there before is kept. Setting the same
	// ones again costs little.
	Set(backends []Backend)
	// Pick returns the index in the current set of the backend for a request; ok is false if there is none. It counts a turn
	// where turns are taken, but no request is under way before Start.
	Pick(r *Request) (index int, ok bool)
	// Start says that a request goes to a backend now. Done takes the handle, whether or not the set has changed since.
	Start(index int, now time.Duration) Handle
	// Done says that a request is over: how long it took from Start, and whether it failed. It is called once for each Start. A request
	// that was abandoned for no fault of the backend is over too: it is said with took < 0, and doesn't count as measured.
	Done(h Handle, now, took time.Duration, failed bool)
}

// Handle is a request that is under way at a backend. The zero value is none: Done ignores it.
type Handle struct{ backend *member }

// InFlight returns the number of requests that are under way at the backend of the handle.
func (h Handle) InFlight() int {
	if h.backend == nil {
		return 0
	}
	return h.backend.inFlight
}

// New makes the algorithm of a valid configuration. Those that draw do so from random.
func New(config Config, random *rand.Rand) (Algorithm, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	return config.info().make(&config, random), nil
}
