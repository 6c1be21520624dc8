package netlab_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/topology"
)

// The service level of every kind of workload that makes requests: the server is down from 2 s to 4 s.
func TestServiceLevels(t *testing.T) {
	file := `{
		"nodes": {
			"client": {},
			"server": {"services": {"web": {"type": "http-server"}, "echo": {"type": "udp-echo"}, "ns": {"type": "dns-server", "zone": "lab"}}}
		},
		"links": [{"between": "client - server", "latency": "1ms"}], "duration": "10s", "captures": {"nodes": []},
		"workloads": {
			"load":   {"type": "http-load", "from": "client", "url": "http://server/", "rate": "10/s", "arrivals": "constant", "timeout": "500ms",
			           "slo": {"objective": "99.9%", "credits": [{"below": "99%", "credit": "10%"}]}},
			"fetch":  {"type": "http-fetch", "from": "client", "url": "http://server/", "interval": "100ms", "count": 100, "timeout": "90ms", "slo": {"objective": "70%"}},
			"ping":   {"type": "ping", "from": "client", "to": "server", "interval": "100ms", "count": 95, "timeout": "90ms", "slo": {"objective": "70%"}},
			"echo":   {"type": "echo", "from": "client", "to": "server", "protocol": "udp", "interval": "100ms", "count": 95, "timeout": "90ms", "slo": {"objective": "70%"}},
			"lookup": {"type": "dns-lookup", "from": "client", "name": "server.lab", "server": "server", "interval": "100ms", "count": 95, "timeout": "50ms", "attempts": 1,
			           "slo": {"objective": "70%"}}
		},
		"faults": [{"at": "2s", "for": "2s", "crash": "server"}],
		"expect": [
			"load.slo.uptime == 80%", "load.slo.downtime == 2s", "load.slo.outage_count == 1", "!load.slo.met", "load.slo.credit == 10%",
			"load.slo.availability == load.success_rate",
			"fetch.slo.bad == fetch.failed", "fetch.slo.downtime == 2s",
			"ping.slo.bad == ping.lost", "ping.slo.good == ping.received", "ping.slo.downtime == 2s", "ping.slo.availability > 78%", "ping.slo.met",
			"echo.slo.bad == echo.lost", "echo.slo.downtime == 2s",
			"lookup.slo.downtime == 2s", "lookup.slo.downtime_year > 1680h"
		]
	}`
	labs, err := netlab.Parse("level.json", []byte(file), nil)
	require.NoError(t, err)
	results, err := labs[0].Run(context.Background(), nil, nil)
	require.NoError(t, err)
	for _, e := range results.Expect {
		require.True(t, e.Holds, "%s: %v %s", e.Text, e.Values, e.Reason)
	}
	w, _ := results.Workloads.Get("load")
	require.Len(t, w.SLO.Outages, 1)
	text, err := w.MarshalJSON()
	require.NoError(t, err)
	require.Contains(t, string(text), `"slo":{"objective":0.999,"met":false,`)
}

func TestServiceLevelMistakes(t *testing.T) {
	for _, c := range []struct{ workload, problem string }{
		{`"type": "tcp-transfer", "to": "b:1", "bytes": "1kB", "slo": {"objective": "99%"}`, "workloads.w.slo: a tcp-transfer makes no requests that are good or bad"},
		{`"type": "ping", "to": "b", "slo": {"objective": "100%"}`, "workloads.w.slo.objective: found 100%, wanted more than 0% and less than 100%"},
		{`"type": "ping", "to": "b", "slo": {}`, "workloads.w.slo.objective: missing"},
	} {
		_, err := netlab.Parse("level.json", []byte(`{"nodes": {"a": {}, "b": {}}, "links": ["a - b"], "workloads": {"w": {"from": "a", `+c.workload+`}}}`), nil)
		var list topology.Errors
		require.ErrorAs(t, err, &list)
		require.ErrorContains(t, err, c.problem)
	}
}
