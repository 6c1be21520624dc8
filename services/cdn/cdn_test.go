package cdn_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/services/cdn"
)

// A cold edge costs a user its own round trips and those of the edge to the origin; a warm one costs one short round trip.
func TestColdAndWarm(t *testing.T) {
	p := play(t, file(edges("")+","+origin(""), `"workloads": {`+fetch(1, "http://edge1/a", `, "count": 3, "interval": "1s"`)+`}, "expect": [
		"user1.latency.max == 2 * 22ms + 2 * 120ms", "user1.latency.min == 22ms", "user1.latency.p50 == 22ms", "user1.intact",
		"nodes.origin.services.web.requests == 1", "nodes.edge1.services.cdn.cache.hits == 2",
		"nodes.edge1.services.cdn.bytes_from_origin == 1kB", "nodes.edge1.services.cdn.bytes_sent == 3kB",
		"nodes.edge1.services.cdn.status.200 == 3", "nodes.edge1.services.cdn.upstream.requests == 1"]`), nil)
	require.EqualValues(t, 3, p.edge(t, "edge1").Requests)
}

// Responses say what was done, whatever name users know the edge by, and a request that comes back is refused.
func TestHeaders(t *testing.T) {
	play(t, file(edges("")+","+origin(""), `"duration": "10s"`), func(run *netlab.Run) {
		c := asker(run, "user1")
		defer c.CloseIdleConnections()
		r, _ := ask(t, c, "GET", "http://edge1/a?b", nil)
		require.Equal(t, "MISS from edge1", r.Header.Get("X-Cache"))
		require.Equal(t, `edge1; fwd=uri-miss; fwd-status=200; stored; ttl=59; key="http://origin/a?b"`, r.Header.Get("Cache-Status"))
		require.Equal(t, "1.1 edge1", r.Header.Get("Via"))
		run.Sleep(2 * time.Second)
		r, _ = ask(t, c, "GET", "http://edge1/a?b", nil, "Host", "other")
		require.Equal(t, "HIT from edge1", r.Header.Get("X-Cache"))
		require.Equal(t, "2", r.Header.Get("Age"))
		require.Contains(t, r.Header.Get("Cache-Status"), "edge1; hit; ttl=5")
		r, _ = ask(t, c, "POST", "http://edge1/b", nil)
		require.Equal(t, "BYPASS from edge1", r.Header.Get("X-Cache"))
		for _, q := range []struct {
			method, path string
			status       int
		}{{"GET", "/.cdn/purge/a", 405}, {"POST", "/.cdn/objects/a", 405}, {"PUT", "/.cdn/other", 404}, {"POST", "/.cdn/purge/a", 401}} {
			r, text := ask(t, c, q.method, "http://edge1"+q.path, nil)
			require.Equal(t, q.status, r.StatusCode, text)
		}
		r, text := ask(t, c, "GET", "http://edge1/a", nil, "CDN-Loop", "edge9, edge1; x=1")
		require.Equal(t, 508, r.StatusCode, text)
	})
}

// Without a shield each edge asks the origin, with one the shield alone does; who comes while it is asked waits.
func TestShield(t *testing.T) {
	work := `"workloads": {` + fetch(1, "http://edge1/a", `, "count": 5, "concurrency": 5`) + "," + fetch(2, "http://edge2/a", "") + "," + fetch(3, "http://edge3/a", "") + `},`
	play(t, file(edges("")+","+origin(""), work+`"expect": ["nodes.origin.services.web.requests == 3",
		"nodes.edge1.services.cdn.cache.collapsed == 4", "user1.succeeded == 5"]`), nil)
	p := play(t, file(edges(`, "parents": "shield:80"`)+","+origin("")+","+shield, work+`"expect": ["nodes.origin.services.web.requests == 1",
		"nodes.shield.services.cdn.requests == 3", "nodes.shield.services.cdn.cache.collapsed == 2",
		"nodes.edge1.services.cdn.cache.collapsed == 4", "nodes.edge2.services.cdn.bytes_from_parents == 1kB",
		"user1.latency.max == 2 * 22ms + 2 * 30ms + 2 * 110ms"]`), nil)
	require.Zero(t, p.edge(t, "edge1").BytesFromOrigin)
}

// A purge reaches all edges in as long as the farthest needs, connection and request: two round trips. The shield comes first.
func TestPurge(t *testing.T) {
	get := `, "count": 3, "interval": "1s"`
	work := `"workloads": {` + fetch(1, "http://edge1/a", get) + "," + fetch(2, "http://edge2/a", get) + "," + fetch(3, "http://edge3/a", get) +
		`, "purge": {"type": "cdn-publish", "from": "publisher", "edges": "edge*", "token": "secret", "start": "1500ms", %s}},`
	nodes := edges("") + "," + origin("")
	for _, what := range []string{`"purge": ["/a"]`, `"purge": ["/*"]`, `"purge_tags": ["news", "none"]`} {
		play(t, file(nodes, fmt.Sprintf(work, what)+`"expect": ["purge.latency == 2 * 62ms", "purge.edges.edge1.latency == 2 * 22ms",
			"purge.edges.edge2.latency == 2 * 42ms", "purge.succeeded == 3 and purge.failed == 0 and purge.removed == 3",
			"nodes.edge1.services.cdn.cache.misses == 2", "nodes.edge3.services.cdn.cache.misses == 2",
			"nodes.edge2.services.cdn.purges == 1", "nodes.origin.services.web.requests == 6"]`), nil)
	}
	for _, what := range []string{`"purge": ["/b"]`, `"purge": ["/ab*"]`, `"purge_tags": ["new"]`} {
		play(t, file(nodes, fmt.Sprintf(work, what)+`"expect": ["purge.removed == 0", "nodes.origin.services.web.requests == 3"]`), nil)
	}
	nodes = edges(`, "parents": "shield:80"`) + "," + origin("") + "," + shield
	play(t, file(nodes, fmt.Sprintf(work, `"shields": "shield", "purge": ["/a"]`)+`"expect": ["purge.latency == 2 * 12ms + 2 * 62ms",
		"purge.edges.shield.latency == 2 * 12ms", "purge.removed == 4", "nodes.origin.services.web.requests == 2"]`), nil)
}

// Whoever doesn't know the token neither pushes nor purges, and neither does anybody at an edge without one.
func TestTokens(t *testing.T) {
	work := `"workloads": {` + fetch(1, "http://edge1/a", "") + `, "publish": {"type": "cdn-publish", "from": "publisher", "edges": ["edge1", "edge2"],
		"token": "secre", "start": "1s", "push": ["/b"], "purge": ["/a"]}}, "expect": ["publish.failed == 4 and publish.succeeded == 0",
		"publish.edges.edge2.failed == 2", "nodes.edge1.services.cdn.unauthorized == 2", "nodes.edge1.services.cdn.status.401 == 2",
		"nodes.edge1.services.cdn.cache.entries == 1"]`
	play(t, file(edges("")+","+origin(""), work), nil)
	play(t, strings.Replace(file(edges("")+","+origin(""), work), `"token": "secret"`, `"http2": false`, 1), nil)
}

// What was pushed is there before anybody asks, is what the origin has, and can be purged by its tag. What isn't to be kept isn't.
func TestPush(t *testing.T) {
	p := play(t, file(edges(`, "cache": {"max_object": "1MB"}`)+","+origin(""), `"workloads": {
		"push": {"type": "cdn-publish", "from": "publisher", "edges": "edge*", "token": "secret", "push": ["/a", "/b"], "size": "1kB", "tags": ["x"]},
		"never": {"type": "cdn-publish", "from": "publisher", "edges": "edge1", "token": "secret", "push": ["/c"], "cache_control": "no-store"},
		"large": {"type": "cdn-publish", "from": "publisher", "edges": "edge1", "token": "secret", "push": ["/c"], "size": "2MB"},
		"purge": {"type": "cdn-publish", "from": "publisher", "edges": "edge3", "token": "secret", "purge_tags": ["x"], "start": "4s"},
		"user1": {"type": "http-fetch", "from": "user1", "url": "http://edge1/a", "start": "1s"}}, "expect": [
		"push.succeeded == 6 and push.bytes_pushed == 6kB and push.latency == 3 * 62ms", "user1.latency.max == 2 * 22ms and user1.intact",
		"never.failed == 1", "large.failed == 1", "nodes.edge1.services.cdn.status.422 == 1", "nodes.edge1.services.cdn.status.413 == 1",
		"purge.removed == 2", "nodes.origin.services.web.requests == 0",
		"nodes.edge1.services.cdn.pushes == 2", "nodes.edge1.services.cdn.cache.hits == 1", "nodes.edge1.services.cdn.cache.requests == 1"]`),
		nil)
	require.EqualValues(t, 0, p.edge(t, "edge3").Cache.Entries)
	require.EqualValues(t, 2000+10_000, p.edge(t, "edge1").BytesPushed)
}

// What is published again and again is there each time, the connections stay.
func TestCount(t *testing.T) {
	play(t, file(edges("")+","+origin(""), `"workloads": {"push": {"type": "cdn-publish", "from": "publisher", "edges": "edge*", "token": "secret",
		"push": ["/a"], "count": 5, "interval": "1s"}}, "expect": ["push.succeeded == 15", "push.ended == 4s + 62ms",
		"nodes.edge1.services.cdn.cache.stored == 5 and nodes.edge1.services.cdn.cache.entries == 1"]`), nil)
}

// Signed paths are served for signed URLs only, and from one object whoever signed.
func TestSignedURLs(t *testing.T) {
	p := play(t, file(edges(`, "signed": {"key": "key", "paths": ["/video/"]}`)+","+origin(""), `"duration": "20s"`), func(run *netlab.Run) {
		c := asker(run, "user1")
		defer c.CloseIdleConnections()
		short, long := cdn.Sign("key", "/video/1", epoch.Add(5*time.Second)), cdn.Sign("key", "/video/1?x", epoch.Add(time.Minute))
		for _, q := range []struct {
			target string
			status int
		}{{"/other", 200}, {short, 200}, {cdn.Sign("key", "/video/1", epoch.Add(time.Minute)), 200}, {long, 200}, {"/video/1", 403},
			{"/x/../video/1", 403}, {"//video/1", 403}, {"/vide%6f/1", 403}, {strings.Replace(long, "x", "y", 1), 403}, {short + "0", 403}} {
			r, text := ask(t, c, "GET", "http://edge1"+q.target, nil)
			require.Equal(t, q.status, r.StatusCode, "%s: %s", q.target, text)
		}
		run.Sleep(5 * time.Second)
		r, text := ask(t, c, "GET", "http://edge1"+short, nil)
		require.Equal(t, 403, r.StatusCode)
		require.Equal(t, "403 Forbidden: the URL has expired\n", text)
	})
	e := p.edge(t, "edge1")
	require.EqualValues(t, []uint64{4, 2, 1}, []uint64{e.Unsigned, e.BadSignature, e.Expired})
	require.EqualValues(t, []uint64{1, 3}, []uint64{e.Cache.Hits, e.Cache.Misses}, "/video/1 twice, /video/1?x, /other")
}
