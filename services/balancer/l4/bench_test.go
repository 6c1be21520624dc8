package l4_test

import (
	"context"
	"testing"

	"netlab"
	"netlab/services/backend"
	"netlab/services/balancer/l4"
)

// BenchmarkModes makes 20,000 requests of 100 bytes over ten connections in each mode, and without a balancer in the same topology: for
// the cost of a mode, compare requests/s.
func BenchmarkModes(b *testing.B) {
	for _, m := range []struct{ name, gateway, to string }{
		{"none", "1", "10.1.0.21:8080"}, {l4.Proxy, "1", "10.1.0.10:8080"}, {l4.NAT, "10", "10.1.0.10:8080"}, {l4.Direct, "1", "10.1.0.100:8080"},
	} {
		b.Run(m.name, func(b *testing.B) {
			labs, err := netlab.Parse("bench.json", []byte(segment(m.gateway, echo, `"captures": {"nodes": []}, "duration": "70s",
				"workloads": {"load": {"type": "tcp-load", "from": "client", "to": "`+m.to+`", "users": 10, "requests": 20000}},
				"expect": ["load.succeeded == 20000"]`)), nil)
			if err != nil {
				b.Fatal(err)
			}
			var total float64
			for b.Loop() {
				r, err := labs[0].Run(context.Background(), nil, func(run *netlab.Run) error {
					switch m.name {
					case "none":
						return nil
					case l4.Direct:
						if err := share("10.1.0.100")(run); err != nil {
							return err
						}
					}
					c := l4.Config{Mode: m.name}
					if m.name == l4.Direct {
						c.Address = "10.1.0.100"
					}
					return serve(run, l4.New(l4.Options{Listen: ":8080", Config: c}), pool(3, 8080), backend.NewCounters())
				})
				if err != nil {
					b.Fatal(err)
				}
				for _, e := range r.Expect {
					if !e.Holds {
						b.Fatal(e)
					}
				}
				total += 20_000
			}
			b.ReportMetric(total/b.Elapsed().Seconds(), "requests/s")
		})
	}
}
