package netlab_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/services/limits"
	"netlab/services/load"
	"netlab/services/web"
)

// goodput is how many requests of some workloads succeeded from one time to another, a second.
func goodput(t *testing.T, r *netlab.Results, from, to time.Duration, workloads ...string) float64 {
	var n uint64
	for _, name := range workloads {
		w, ok := r.Workloads.Get(name)
		require.True(t, ok)
		for _, s := range w.Report.(*load.Result).Seconds {
			if at := w.Started + s.T.Std(); at >= from && at < to {
				n += s.Succeeded
			}
		}
	}
	return float64(n) / (to - from).Seconds()
}

// The server of the example can do 100 requests a second and is asked for 200. With shedding the answers that somebody still waits for
// stay above nine tenths of that; without, they go to nothing, while its core is never idle.
func TestDenialOfServiceGoodput(t *testing.T) {
	played := map[string]*netlab.Results{}
	for _, lab := range parseAll(t, exampleText(t, "denial-of-service")) {
		if v := lab.Variant(); v == "requests" || v == "shedding" {
			r, err := lab.Run(context.Background(), nil, nil)
			require.NoError(t, err)
			played[v] = r
		}
	}
	const from, to = 4 * time.Second, 6 * time.Second
	shed := goodput(t, played["shedding"], from, to, "users", "bots")
	require.GreaterOrEqual(t, shed, 90.0)
	require.LessOrEqual(t, shed, 101.0)
	require.Less(t, goodput(t, played["requests"], 5*time.Second, 9*time.Second, "users", "bots"), 1.0)

	node, _ := played["shedding"].Nodes.Get("server")
	service, _ := node.Services.Get("shop")
	result := service.Report.(*web.ServerResult)
	require.Equal(t, result.Status["503"], result.Limits.Shed)
	require.Equal(t, &limits.Result{Passed: result.Status["200"], MaxInFlight: 10, Shed: result.Status["503"]}, result.Limits)
}
