package balance_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/random"
	"netlab/services"
	"netlab/services/balance"
)

// primes are tables for Maglev of about 100 entries for each backend.
var primes = map[int]int{10: 1009, 1000: 100_003, 100_000: 10_000_019}

// BenchmarkPick times a choice with its Start and its Done while N requests are under way, for N backends in 29 regions. The metric
// memory is what the algorithm weighs, in bytes for each backend, and set how long it takes to make it.
func BenchmarkPick(b *testing.B) {
	for _, name := range balance.Names() {
		for _, n := range []int{10, 1000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) { benchmarkPick(b, name, n) })
		}
	}
}

func benchmarkPick(b *testing.B, name string, n int) {
	c := balance.Config{Algorithm: name}
	if name == balance.Maglev {
		c.TableSize = pointer(primes[n])
	}
	set := webs(n)
	regions := services.Regions()
	for i := range set {
		r := regions[i%len(regions)]
		set[i].Location, set[i].HasLocation = services.Location{Latitude: r.Latitude, Longitude: r.Longitude}, true
	}
	requests := make([]balance.Request, 4096)
	for i := range requests {
		r := regions[i%len(regions)]
		requests[i] = balance.Request{Key: fmt.Sprintf("/objects/%d", i), Location: services.Location{Latitude: r.Latitude}, HasLocation: true}
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	a, err := balance.New(c, random.Stream(seed, "bench", 0))
	require.NoError(b, err)
	began := time.Now()
	a.Set(set)
	took := time.Since(began)
	runtime.GC()
	runtime.ReadMemStats(&after)
	handles := make([]balance.Handle, n)
	for i := range handles {
		handles[i] = a.Start(i, 0)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		now := time.Duration(i) * time.Microsecond
		r := &requests[i%len(requests)]
		r.Now = now
		index, ok := a.Pick(r)
		if !ok {
			b.Fatal("none")
		}
		h := &handles[i%n]
		a.Done(*h, now, time.Millisecond, false)
		*h = a.Start(index, now)
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n), "memory-B/backend")
	b.ReportMetric(float64(took.Nanoseconds())/1e6, "set-ms")
}

// A choice allocates nothing.
func TestPickAllocatesNothing(t *testing.T) {
	for _, name := range balance.Names() {
		a := algorithm(t, name)
		a.Set(webs(100))
		r := key(1)
		r.HasLocation = true
		require.Zero(t, testing.AllocsPerRun(100, func() {
			i, _ := a.Pick(r)
			a.Done(a.Start(i, 0), 1, 1, false)
		}), name)
	}
}
