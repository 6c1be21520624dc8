package balancer_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
)

// BenchmarkRequests plays a lab in which ten users make 20,000 requests for 1 kB, directly and through a balancer of layer 7, and
// reports requests per second of real time. The ratio is that of the direct connections to the balancer's, played in turn.
func BenchmarkRequests(b *testing.B) {
	const front = `{
		"nodes": {"client": {}, "lb": {"services": {"front": {"type": "balancer", "backends": "web:80"}}}, "web": {"services": {"web": {"type": "http-server", "objects": "1kB"}}}},
		"links": [{"between": "client - lb", "latency": "1ms"}, {"between": "lb - web", "latency": "1ms"}], "captures": {"nodes": []},
		"workloads": {"load": {"type": "http-load", "from": "client", "url": "http://lb/", "users": 10, "requests": 20000}}, "expect": ["load.succeeded == 20000"]}`
	const direct = `{
		"nodes": {"client": {}, "web": {"services": {"web": {"type": "http-server", "objects": "1kB"}}}},
		"links": [{"between": "client - web", "latency": "2ms"}], "captures": {"nodes": []},
		"workloads": {"load": {"type": "http-load", "from": "client", "url": "http://web/", "users": 10, "requests": 20000}}, "expect": ["load.succeeded == 20000"]}`
	labs := map[string]*netlab.Lab{}
	for name, text := range map[string]string{"front": front, "direct": direct} {
		list, err := netlab.Parse("bench.json", []byte(text), nil)
		require.NoError(b, err)
		labs[name] = list[0]
	}
	took := map[string]float64{}
	rounds := 0
	for b.Loop() {
		rounds++
		for _, name := range []string{"direct", "front"} {
			before := b.Elapsed()
			r, err := labs[name].Run(context.Background(), nil, nil)
			require.NoError(b, err)
			require.True(b, r.Expect[0].Holds)
			took[name] += (b.Elapsed() - before).Seconds()
		}
	}
	b.ReportMetric(float64(20_000*rounds)/took["direct"], "direct-requests/s")
	b.ReportMetric(float64(20_000*rounds)/took["front"], "L7-requests/s")
	b.ReportMetric(took["front"]/took["direct"], "ratio")
	b.ReportMetric(0, "ns/op")
}
