package netlab_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/services/transfer"
)

// CUBIC's goodput at random loss, against the formula of Mathis, Semke, Mahdavi and Ott ("The Macroscopic Behavior of the TCP
// Congestion Avoidance Algorithm", 1997) for one ACK per segment: MSS/RTT·√(1.5/p). The mean of ten seeds over 100 s after the
// first 20 s lies between 0.70 and 1.05 of it.
func TestGoodputAgainstMathis(t *testing.T) {
	const mss, seeds = 1420, 10
	cells := []struct {
		loss float64
		rtt  time.Duration
	}{{0.01, 100 * time.Millisecond}, {0.03, 20 * time.Millisecond}, {0.001, 100 * time.Millisecond}, {0.03, 100 * time.Millisecond}}
	if testing.Short() {
		cells = cells[:1]
	}
	for _, c := range cells {
		t.Run(fmt.Sprintf("%g%% %v", c.loss*100, c.rtt), func(t *testing.T) {
			mathis := mss * 8 / c.rtt.Seconds() * math.Sqrt(1.5/c.loss)
			sum := 0.0
			for seed := range seeds {
				res := playText(t, fmt.Sprintf(`{"seed": %d,
					"nodes": {"client": {}, "server": {"services": {"source": {"type": "tcp-sink"}}}},
					"links": [{"between": "server - client", "latency": "%v", "forward": {"loss": "%g%%"}}],
					"workloads": {"get": {"type": "tcp-transfer", "from": "client", "to": "server:5001", "direction": "download",
						"duration": "120s", "warmup": "20s"}}}`, seed+1, c.rtt/2, c.loss*100), nil)
				get, _ := res.Workloads.Get("get")
				r := get.Report.(*transfer.Result)
				require.True(t, r.Intact)
				require.NotNil(t, r.Goodput)
				sum += float64(*r.Goodput) / mathis
			}
			mean := sum / seeds
			t.Logf("%.2f of Mathis (%.2f Mbit/s)", mean, mathis/1e6)
			require.Greater(t, mean, 0.70)
			require.Less(t, mean, 1.05)
		})
	}
}
