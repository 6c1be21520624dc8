package backend_test

import (
	"fmt"
	"testing"

	"netlab/internal/testlab"
	"netlab/services"
	"netlab/services/backend"
)

// BenchmarkPickAndDone chooses a backend and says that its request is over, without anything else to look at and with everything. A
// lab is built for each hundred thousand; that is part of the time.
func BenchmarkPickAndDone(b *testing.B) {
	const picks = 100_000
	for _, n := range []int{2, 100, 10_000} {
		for _, watched := range []bool{false, true} {
			b.Run(fmt.Sprintf("backends=%d/watched=%v", n, watched), func(b *testing.B) {
				c := backend.NewConfig()
				for i := range n {
					c.Backends = append(c.Backends, backend.Spec{To: services.TargetPattern(fmt.Sprintf("b%d:80", i))})
				}
				if watched {
					c.Outlier, c.Breaker, c.MaxConnections = &backend.Outlier{}, &backend.Breaker{}, 1000
				}
				b.ReportAllocs()
				for b.Loop() {
					testlab.Run(new(testing.T), testlab.Config{}, func(_ *testing.T, l *testlab.Lab) {
						p, err := backend.New(envOf(l), c, backend.Options{Counters: backend.NewCounters()})
						if err != nil {
							b.Error(err)
							return
						}
						for range picks {
							lease, err := p.Pick(l.Context(), request())
							if err != nil {
								b.Error(err)
								return
							}
							lease.Done(backend.Outcome{Status: 200})
						}
					})
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*picks), "ns/pick")
			})
		}
	}
}
