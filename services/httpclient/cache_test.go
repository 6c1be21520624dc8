package httpclient_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
)

// cacheLab has a client 10 ms from a server, whose only object of 1 kB has a lifetime. rest is JSON with a comma before it.
func cacheLab(cacheControl, workload, rest string) string {
	return fmt.Sprintf(`{
		"nodes": {"client": {}, "server": {"services": {"web": {"type": "http-server",
			"handlers": {"/x": {"handler": "static", "size": "1kB", "cache_control": %q}}}}}},
		"links": [{"between": "client - server", "latency": "10ms"}], "captures": {"nodes": []},
		"workloads": {"load": {"from": "client", %s}}%s
	}`, cacheControl, workload, rest)
}

// playCache plays a lab, whose expectations must hold, and returns its results.
func playCache(t *testing.T, file string) []byte {
	t.Helper()
	labs, err := netlab.Parse("cache.json", []byte(file), nil)
	require.NoError(t, err)
	r, err := labs[0].Run(context.Background(), nil, nil)
	require.NoError(t, err)
	for _, e := range r.Expect {
		require.True(t, e.Holds, "%s: %v", e.Text, e.Values)
	}
	text, err := json.Marshal(r)
	require.NoError(t, err)
	return text
}

func TestCacheOfWorkloads(t *testing.T) {
	for name, file := range map[string]string{
		// 20 ms and a handshake of 20 ms, then 99 hits in no time.
		"fetch": cacheLab("max-age=60", `"type": "http-fetch", "url": "http://server/x", "count": 100, "cache": true`, `,
			"expect": ["load.took == 40ms and load.cache.hits == 99 and load.bytes == 100kB", "nodes.server.services.web.requests == 1"]`),
		// An endless workload goes on, a microsecond at a time, and time with it.
		"endless": cacheLab("max-age=60", `"type": "http-fetch", "url": "http://server/x", "count": 0, "cache": true`, `, "duration": "41ms",
			"expect": ["load.cache.hits > 900 and load.cache.hits <= 1000", "nodes.server.services.web.requests == 1"]`),
		// Each user has a cache, and asks again every 10 s: at 0, 10, 20 s.
		"users": cacheLab("max-age=10", `"type": "http-load", "url": "http://server/x", "users": 3, "think_time": "1s", "duration": "25s", "cache": true`, `,
			"expect": ["nodes.server.services.web.requests == 3 * 3", "load.cache.misses == 3", "load.cache.revalidated == 6",
			"load.by_target.own_cache.succeeded > 0 and load.by_target.own_cache.latency.max == 0ns"]`),
		// Users who share connections share a cache, and requests for what is on its way wait for it.
		"shared": cacheLab("max-age=60", `"type": "http-load", "url": "http://server/x", "users": 50, "connections": "shared", "requests": 50, "cache": true`, `,
			"expect": ["nodes.server.services.web.requests == 1", "load.cache.collapsed == 49", "load.latency.max == 40ms"]`),
		// A crash of the server doesn't matter to what is stored, and a stale copy covers it for as long as it may.
		"crash": cacheLab("max-age=5, stale-if-error=100", `"type": "http-fetch", "url": "http://server/x", "count": 20, "interval": "1s", "cache": true, "timeout": "500ms"`, `,
			"faults": [{"at": "2.5s", "crash": "server"}],
			"expect": ["load.succeeded == 20", "load.cache.stale_if_error == 15"]`),
	} {
		t.Run(name, func(t *testing.T) {
			first := playCache(t, file)
			require.True(t, bytes.Equal(first, playCache(t, file)), "two runs differ")
		})
	}
}

// The date of a host counts: one whose clock is a minute fast takes what comes as a minute old.
func TestCacheGoesByTheHostsDate(t *testing.T) {
	file := cacheLab("max-age=60", `"type": "http-fetch", "url": "http://server/x", "count": 10, "interval": "1s", "cache": true`, `,
		"faults": [{"at": "0s", "skew": "client", "offset": "60s"}],
		"expect": ["load.cache.revalidated == 9"]`)
	playCache(t, file)
}
