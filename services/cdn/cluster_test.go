package cdn_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/services/cdn"
)

// A cluster holds each object once, whichever server is asked, and asks the origin once.
func TestCluster(t *testing.T) {
	const objects = 30
	work := `"workloads": {`
	for i := 1; i <= 3; i++ {
		work += fetch(i, fmt.Sprintf("http://edge%d/o", i), fmt.Sprintf(`, "objects": %d`, objects)) + ","
	}
	p := play(t, file(edges(`, "cluster": "edge*:80"`)+","+origin(""), work+`"purge": {"type": "cdn-publish", "from": "publisher", "edges": "edge2",
		"token": "secret", "start": "20s", "purge": ["/o/*"]}, "push": {"type": "cdn-publish", "from": "publisher", "edges": "edge2",
		"token": "secret", "start": "22s", "push": ["/p/1", "/p/2", "/p/3", "/p/4", "/p/5", "/p/6"]}},
		"expect": ["nodes.origin.services.web.requests == 30", "user1.succeeded == 30 and user2.succeeded == 30 and user3.succeeded == 30",
			"user1.intact and user2.intact and user3.intact", "purge.removed == 30", "purge.succeeded == 1", "push.succeeded == 6",
			"purge.latency == 2 * 42ms + 100ms"]`), nil) // the connections between servers are there
	var all cdn.Result
	for i := 1; i <= 3; i++ {
		e := p.edge(t, fmt.Sprintf("edge%d", i))
		require.NotZero(t, e.ToPeers)
		require.NotZero(t, e.Pushes, "each owns one of six, with this hash")
		all.ToPeers += e.ToPeers
		all.Pushes += e.Pushes
		all.BytesFromPeers += e.BytesFromPeers
		all.BytesFromOrigin += e.BytesFromOrigin
		require.Zero(t, e.PeerFailures)
	}
	require.EqualValues(t, 2*objects, all.ToPeers, "each object is asked for by two who don't have it")
	require.EqualValues(t, 6, all.Pushes)
	require.EqualValues(t, objects*1000, all.BytesFromOrigin)
}

// A server of the cluster that crashes is left out after one attempt; what it had is fetched again.
func TestClusterCrash(t *testing.T) {
	p := play(t, file(edges(`, "cluster": "edge*:80", "peer_timeout": "1s"`)+","+origin(""), `"workloads": {`+
		fetch(1, "http://edge1/o", `, "objects": 20, "count": 2, "interval": "1s", "timeout": "5s"`)+`},
		"faults": [{"at": "19500ms", "crash": "edge3"}], "expect": ["user1.succeeded == 40", "user1.latency.max < 2s"]`), nil)
	e := p.edge(t, "edge1")
	require.Positive(t, e.PeerFailures)
	require.LessOrEqual(t, e.PeerFailures, uint64(2), "one in ten seconds")
}

// While the origin is down edges serve what they have, as long as they are told, and fail for the rest.
func TestStaleIfError(t *testing.T) {
	text := file(edges(`, "upstream": {"connect_timeout": "1s"}, "cache": {"stale_if_error": "%s"}`)+","+origin(""),
		`"workloads": {`+fetch(1, "http://edge1/a", `, "count": 4, "interval": "50s"`)+`}, "faults": [{"at": "10s", "crash": "origin"}], "expect": [%s]`)
	play(t, fmt.Sprintf(text, "10m", `"user1.succeeded == 4", "nodes.edge1.services.cdn.cache.stale_if_error == 2", "user1.latency.max < 2s"`), nil)
	play(t, fmt.Sprintf(text, "0s", `"user1.succeeded == 2", "nodes.edge1.services.cdn.status.504 == 2"`), nil)
}

// An edge that crashes comes back empty, with its counts.
func TestEdgeCrash(t *testing.T) {
	play(t, file(edges("")+","+origin(""), `"workloads": {`+fetch(1, "http://edge1/a", `, "count": 3, "interval": "2s"`)+`},
		"faults": [{"at": "3s", "crash": "edge1", "for": "500ms"}], "expect": ["user1.succeeded == 3", "nodes.edge1.services.cdn.cache.hits == 1",
		"nodes.edge1.services.cdn.cache.misses == 2", "nodes.edge1.services.cdn.requests == 3"]`), nil)
}

// Edges speak TLS with users, publishers, each other and the origin.
func TestTLS(t *testing.T) {
	nodes := `"edge[1..3]": {"services": {"cdn": {"type": "cdn-edge", "listen": ":443", "tls": true, "origin": "https://origin", "token": "secret", "cluster": "edge*"}}},
		"origin": {"services": {"web": {"type": "http-server", "listen": ":443", "tls": true, "handlers": {"/": {"handler": "static", "cache_control": "max-age=60"}}}}}`
	play(t, file(nodes, `"workloads": {`+fetch(1, "https://edge1/o", `, "objects": 6, "http_version": "h2"`)+","+fetch(2, "https://edge2/o", `, "objects": 6, "start": "5s"`)+`,
		"purge": {"type": "cdn-publish", "from": "publisher", "edges": "edge1", "tls": true, "token": "secret", "purge": ["/*"], "start": "9s"}},
		"expect": ["user1.succeeded == 6 and user2.succeeded == 6", "nodes.origin.services.web.requests == 6", "purge.removed == 6"]`), nil)
}

// Everything at once is the same in each run.
func TestDeterminism(t *testing.T) {
	text := file(edges(`, "cluster": "edge*:80", "parents": "shield", "signed": {"key": "k", "paths": ["/v"]}`)+","+origin("")+","+shield, `"seed": 3,
		"workloads": {"load": {"type": "http-load", "from": "user*", "url": "http://edge1/x", "users": 5, "requests": 200},
		"more": {"type": "http-fetch", "from": "user*", "url": "http://edge2/o", "objects": 20, "concurrency": 7},
		"publish": {"type": "cdn-publish", "from": "publisher", "shields": "shield", "edges": "edge*", "token": "secret", "push": ["/x", "/p"], "purge": ["/o/*"], "start": "1s"}},
		"faults": [{"at": "2s", "crash": "edge3", "for": "1s"}], "duration": "20s"`)
	require.Equal(t, play(t, text, nil).files(t), play(t, text, nil).files(t))
}

func TestMistakes(t *testing.T) {
	for options, want := range map[string]string{
		`"origin": "ftp://x"`: "is not a URL of http", `"origin": "http://origin/a"`: `want "http://origin"`,
		`"origin": "http://origin", "parents": "shield:0"`: "parents", `"origin": "http://origin", "peer_timeout": "1s"`: "there is no cluster",
		`"origin": "http://origin", "signed": {"key": ""}`:                       "signed.key",
		`"origin": "http://origin", "signed": {"key": "k", "paths": ["a"]}`:      "does not begin with a slash",
		`"origin": "http://origin", "upstream": {"tls": true}`:                   `want "https://origin"`,
		`"origin": "http://origin", "token": "a b"`:                              "token",
		`"origin": "http://origin", "cluster": "edge[1..4]"`:                     "edge4",
		`"origin": "http://nowhere"`:                                             "nowhere",
		`"origin": "http://origin", "parents": "origin:81"`:                      "81",
		`"origin": "http://origin", "cache": {"size": "-1B"}`:                    "size",
		`"origin": "http://origin", "listen": ""`:                                "listen",
		`"origin": "http://origin", "upstream": {"http_version": "h3"}`:          "h3",
		`"origin": "http://origin", "limits": {"rate": "-1/s"}`:                  "rate",
		`"origin": "http://origin", "signed": {"key": "k", "path": ["/video/"]}`: "path",
	} {
		_, err := netlab.Parse("lab.json", []byte(file(`"edge[1..3]": {"services": {"cdn": {"type": "cdn-edge", `+options+`}}},`+origin(""), `"duration": "1s"`)), nil)
		require.ErrorContains(t, err, want, options)
	}
	for options, want := range map[string]string{
		`"push": ["/a"]`: "edges", `"edges": "edge1", "token": "t"`: "missing: want paths", `"edges": "edge1", "push": ["/a"]`: "token",
		`"edges": "edge1", "token": "t", "push": ["a"]`: "is not a path", `"edges": "edge1", "token": "t", "purge": ["/a b"]`: "is not a path",
		`"edges": "edge1", "token": "t", "purge": ["/a"], "size": "1kB"`:    "about objects that are pushed",
		`"edges": "edge1", "token": "t", "push": ["/a"], "size": "1GB"`:     "wanted 0B to",
		`"edges": "edge1", "token": "t", "purge_tags": ["a b"]`:             "is not a tag",
		`"edges": "edge1", "token": "t", "purge": ["/a"], "count": 2`:       "a count other than 1 needs it",
		`"edges": "edge1", "token": "t", "purge": ["/a"], "interval": "1s"`: "a count of 1",
		`"edges": "edge1:81", "token": "t", "purge": ["/a"]`:                "81",
	} {
		_, err := netlab.Parse("lab.json", []byte(file(edges("")+","+origin(""), `"workloads": {"p": {"type": "cdn-publish", "from": "publisher", `+options+`}}`)), nil)
		require.ErrorContains(t, err, want, options)
	}
}
