package netlab_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab"
)

// defence is what the tests of defences read of results.json.
type defence struct {
	Nodes map[string]struct {
		TCP struct {
			SYNCookies uint64 `json:"syn_cookies"`
			Overflows  uint64 `json:"listen_overflows"`
		} `json:"tcp"`
	} `json:"nodes"`
	Workloads map[string]struct {
		Requests, Succeeded, Failed uint64
		Status                      map[string]uint64
		Errors                      map[string]uint64
		Latency                     struct {
			P50 time.Duration `json:"p50_ns"`
			P99 time.Duration `json:"p99_ns"`
		}
	} `json:"workloads"`
}

func defend(t *testing.T, text string) (d defence) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(record(t, text, nil), "results.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &d))
	return d
}

// A flood of SYNs, and an honest client that connects ten times. Without cookies a full queue drops its SYNs too; with them it gets
// through, whether all SYNs are answered so or those for which there is no room.
func TestSYNQueueOfALab(t *testing.T) {
	const text = `{
		"nodes": {"user": {}, "attacker": {}, "r": {"kind": "router", "routes": [{"to": "198.18.0.0/15", "via": "203.0.113.2"}]}, "web": {"tcp": {%s}, "services": {"http": {"type": "http-server"}}}},
		"links": ["user - r", {"between": "attacker - r", "addresses": {"attacker": ["203.0.113.2/30"], "r": ["203.0.113.1/30"]}}, "r - web"],
		"duration": "20s",
		"workloads": {
			"flood": {"type": "syn-flood", "from": "attacker", "to": "web", "rate": "100/s", "count": 1000},
			"visits": {"type": "http-load", "from": "user", "url": "http://web/", "rate": "1/s", "start": "5s", "keep_alive": false, "requests": 10, "timeout": "500ms"}
		}
	}`
	for options, want := range map[string]struct{ succeeded, cookies, dropped uint64 }{
		`"backlog": 64, "syn_cookies": "never"`:  {0, 0, 1000 - 64 + 10},
		`"backlog": 64, "syn_cookies": "auto"`:   {10, 1000 - 64 + 10, 0},
		`"backlog": 64, "syn_cookies": "always"`: {10, 1010, 0},
		`"backlog": 64`:                          {10, 1000 - 64 + 10, 0},
		`"syn_cookies": "never"`:                 {10, 0, 0},
	} {
		d := defend(t, fmt.Sprintf(text, options))
		require.Equal(t, want.succeeded, d.Workloads["visits"].Succeeded, options)
		require.EqualValues(t, 10, d.Workloads["visits"].Requests, options)
		require.Equal(t, want.cookies, d.Nodes["web"].TCP.SYNCookies, options)
		require.Equal(t, want.dropped, d.Nodes["web"].TCP.Overflows, options)
	}
	for options, want := range map[string]string{
		`"backlog": 0`:              "found 0, wanted 1 to 65536",
		`"backlog": 65537`:          "found 65537, wanted 1 to 65536",
		`"syn_cookies": "sometime"`: `"sometime"`,
	} {
		_, err := netlab.Parse("x.json", []byte(fmt.Sprintf(text, options)), nil)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "nodes.web.tcp.")
	}
}

// Connections beyond what a server, or one client, may have are reset.
func TestConnectionLimitsOfALab(t *testing.T) {
	const text = `{
		"nodes": {"user[1..2]": {}, "r": {"kind": "router"},
			"web": {"services": {"http": {"type": "http-server", "limits": {%s}, "handlers": {"/slow": {"handler": "delay", "service_time": "1s"}}}}}},
		"links": ["user[*] - r", "r - web"],
		"workloads": {"visits": {"type": "http-load", "from": "user[*]", "url": "http://web/slow", "users": 5, "requests": 5}}
	}`
	for limits, want := range map[string]uint64{
		`"rate": "1000/s"`:                              10,
		`"max_connections": 7`:                          7,
		`"client_connections": 2`:                       4,
		`"client_connections": 4, "max_connections": 6`: 6,
	} {
		visits := defend(t, fmt.Sprintf(text, limits)).Workloads["visits"]
		require.Equal(t, want, visits.Succeeded, limits)
		require.Equal(t, 10-want, visits.Errors["reset"], limits)
	}
}

// Twice as many requests as the server can do: without a limit the queue grows to the end, and nobody is served in time; with a target for the
// latency the server does what it can, and those whom it serves hardly wait. The rest is told so at once.
func TestLoadSheddingOfALab(t *testing.T) {
	const text = `{
		"nodes": {"user": {}, "r": {"kind": "router"},
			"web": {"services": {"http": {"type": "http-server", "cores": 1, "service_time": "10ms"%s}}}},
		"links": ["user - r", "r - web"],
		"duration": "30s",
		"workloads": {"visits": {"type": "http-load", "from": "user", "url": "http://web/", "rate": "200/s", "duration": "20s", "timeout": "1s"}}
	}`
	open := defend(t, fmt.Sprintf(text, "")).Workloads["visits"]
	require.Less(t, open.Succeeded, uint64(600), "100 a second are possible, and hardly any of them is in time")

	shed := defend(t, fmt.Sprintf(text, `, "limits": {"target_latency": "100ms"}`)).Workloads["visits"]
	require.InDelta(t, 2000, float64(shed.Succeeded), 100)
	require.Equal(t, shed.Requests-shed.Succeeded, shed.Status["503"])
	require.Less(t, shed.Latency.P99, 250*time.Millisecond)
}
