package backend_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/services"
	"netlab/services/backend"
	"netlab/services/balance"
	"netlab/units"
)

func TestMistakesInConfigurations(t *testing.T) {
	weight, none, zero, minus := 2.0, 0.0, 0, units.Duration(-1)
	share := units.Probability(2)
	for _, c := range []struct {
		change func(*backend.Config)
		want   string
	}{
		{func(c *backend.Config) { c.Backends = nil }, `backends: missing: want nodes and a port, such as "web[1..3]:80"`},
		{func(c *backend.Config) { c.Backends[1].To = "b1:80" }, `backends: "b1:80" is there twice`},
		{func(c *backend.Config) { c.Backends[0].To = "" }, `backends[0].to: missing: want a node and a port, such as "web1:80"`},
		{func(c *backend.Config) { c.Backends[0].To = "b1:http" }, `backends[0]: "http" is not a port: want 1 to 65535`},
		{func(c *backend.Config) { c.Backends[0].Backup, c.Backends[1].Backup = true, true }, `backends: all are backups: want one at least that isn't`},
		{func(c *backend.Config) { c.Backends[1].Weight = &weight }, `backends[1].weight: round-robin doesn't look at weights; weighted-round-robin does`},
		{func(c *backend.Config) { c.Algorithm, c.Backends[1].Weight = balance.LowestLatency, &weight },
			`backends[1].weight: lowest-latency doesn't look at weights; weighted-round-robin does`},
		{func(c *backend.Config) { c.Backends[1].Weight = &none }, `backends[1].weight: found 0, wanted more than 0, up to 1000000`},
		{func(c *backend.Config) { c.Backends[1].MaxConnections = -1 }, `backends[1].max_connections: found -1, wanted 1 to 1073741824`},
		{func(c *backend.Config) { c.Algorithm = "round-robbin" }, `algorithm: "round-robbin" is not one of`},
		{func(c *backend.Config) { c.PanicThreshold = 1.5 }, `panic_threshold: found 150%, wanted 0% to 100%`},
		{func(c *backend.Config) { c.Queue = &backend.Queue{Length: 1} }, `queue: nothing ever waits: no backend has a max_connections, and there is no max_connections_per_backend`},
		{func(c *backend.Config) { c.MaxConnections, c.Queue = 1, &backend.Queue{} }, `queue.length: found 0, wanted 1 to 1073741824`},
		{func(c *backend.Config) { c.SlowStart = &backend.SlowStart{Window: 1} }, `slow_start: it changes weights, and round-robin doesn't look at them; weighted-round-robin does`},
		{func(c *backend.Config) { c.SlowStart = &backend.SlowStart{} }, `slow_start.window: found 0s, wanted more than 0s`},
		{func(c *backend.Config) { c.Drain = []backend.Drain{{Backend: "b3"}} }, `drain[0].backend: "b3" is none of the backends`},
		{func(c *backend.Config) { c.Drain = []backend.Drain{{Backend: "b1", At: 5, Until: &minus}} }, `drain[0].until: found -1ns, wanted more than the 5ns when it begins`},
		{func(c *backend.Config) { c.Health = &backend.Health{Type: "ping"} }, `health.type: "ping" is not one of tcp, http`},
		{func(c *backend.Config) { c.Health = &backend.Health{Timeout: duration(3 * time.Second)} },
			`health.timeout: found 3s, wanted more than 0s, up to the interval of 2s: checks of a backend don't overlap`},
		{func(c *backend.Config) { c.Health = &backend.Health{Path: "/"} }, `health.path: a check of the type tcp asks for nothing; want "type": "http"`},
		{func(c *backend.Config) { c.Health = &backend.Health{Type: "http", Path: "x"} }, `health.path: "x" is not a path: want one such as "/health"`},
		{func(c *backend.Config) { c.Health = &backend.Health{Type: "http", Method: "HEAD", Match: "x"} }, `health.match: an answer to HEAD has no body`},
		{func(c *backend.Config) { c.Health = &backend.Health{Type: "http", Status: []int{}} }, `health.status: the list is empty: no check could pass`},
		{func(c *backend.Config) { c.Outlier = &backend.Outlier{Consecutive5xx: &zero} },
			`outlier.consecutive_5xx: found 0, and there is no consecutive_gateway_failure: nothing would ever be ejected`},
		{func(c *backend.Config) { c.Outlier = &backend.Outlier{MaxEjected: &share} }, `outlier.max_ejection_percent: found 200%, wanted 0% to 100%`},
		{func(c *backend.Config) { c.Outlier = &backend.Outlier{MaxEjection: duration(time.Second)} },
			`outlier.max_ejection_time: found 1s, wanted no less than the base_ejection_time of 30s`},
		{func(c *backend.Config) { c.Breaker = &backend.Breaker{Window: 1} }, `breaker.window: it is that of the failure_rate, which is missing`},
		{func(c *backend.Config) { c.Breaker = &backend.Breaker{Trials: -1} }, `breaker.trials: found -1, wanted 1 to 1048576`},
	} {
		config := config("b1:80", "b2:80")
		c.change(&config)
		require.ErrorContains(t, config.Validate(), c.want)
	}
}

// What is said of a pattern holds for each node that it stands for.
func TestExpandTargets(t *testing.T) {
	weight := 2.0
	c := config("10.0.0.1:80", "[fd00::1]:80", "db:5432")
	c.Algorithm = balance.WeightedRoundRobin
	c.Backends = append(c.Backends, backend.Spec{To: "web[1..2]:8080", Weight: &weight}, backend.Spec{To: "app*"})
	require.NoError(t, c.Validate())
	got := c.ExpandTargets(func(n services.Nodes) services.Nodes {
		return map[string]services.Nodes{"web[1..2]": {"web1", "web2"}, "app*": {"apple"}}[n[0]]
	})
	require.NoError(t, got.Validate())
	text, err := json.Marshal(got.Backends)
	require.NoError(t, err)
	require.JSONEq(t, `["10.0.0.1:80", "[fd00::1]:80", "db:5432", {"to": "web1:8080", "weight": 2}, {"to": "web2:8080", "weight": 2}, "apple"]`, string(text))
	require.Len(t, c.Backends, 5, "the configuration itself is as it was")
	require.Equal(t, []services.Call{
		{Field: "backends[0]", Host: "10.0.0.1", Protocol: services.TCP, Port: 80}, {Field: "backends[1]", Host: "fd00::1", Protocol: services.TCP, Port: 80},
		{Field: "backends[2]", Host: "db", Protocol: services.TCP, Port: 5432}, {Field: "backends[3]", Host: "web[1..2]", Protocol: services.TCP, Port: 8080},
		{Field: "backends[4]", Host: "app*", Protocol: services.TCP, Port: 443},
	}, c.Calls(services.TCP, 443))
}

// Backends have the names of their hosts, or of host and port where a host is there several times.
func TestNames(t *testing.T) {
	result := inPool(t, config("b:80", "b:81", "c"), func(l *testlab.Lab, p *pool) {
		for i, m := range p.Members() {
			require.Equal(t, []string{"b-80", "b-81", "c"}[i], m.Name)
			require.Equal(t, []uint16{80, 81, 80}[i], m.Port)
		}
	})
	require.Len(t, result.Backends, 3)
}
