package balancer_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
)

// Mistakes in the file are told with their place.
func TestMistakes(t *testing.T) {
	for front, want := range map[string]string{
		`, "layer": 5`:                                          "layer: found 5, wanted 4 or 7",
		`, "layer": 4, "tls": true`:                             "tls: it is for layer 7, and the layer is 4",
		`, "layer": 4, "routes": [{"path": "/"}]`:               "routes: it is for layer 7, and the layer is 4",
		`, "layer": 4, "upstream": {"timeout": "1s"}`:           "upstream.timeout: layer 4 doesn't read requests",
		`, "layer": 4, "algorithm": "hash", "hash_key": "path"`: "hash_key: \"path\" is known of requests of HTTP",
		`, "layer": 4, "mode": "nat", "source_nat": true, "max_connections_per_backend": 1, "queue": {"length": 1}`: "queue: the mode nat refuses the first packet of a connection if no backend may take it",
		`, "layer": 4, "protocol": "udp", "max_connections_per_backend": 1, "queue": {"length": 1}`:                 "queue: a datagram that waits would hold up those of all other clients",
		`, "layer": 4, "protocol": "udp", "mode": "nat", "source_nat": true, "outlier": {}`:                         "outlier: the mode nat can't tell whether a flow of UDP has failed",
		`, "layer": 4, "protocol": "udp", "mode": "direct", "address": "10.0.0.9", "breaker": {}`:                   "breaker: the mode direct can't tell whether a flow of UDP has failed",
		`, "layer": 4, "mode": "nat", "source_nat": true, "upstream": {"proxy_protocol": "v2"}`:                     "upstream.proxy_protocol: the mode nat makes no connections of its own",
		`, "layer": 4, "protocol": "udp", "upstream": {"connect_timeout": "1s"}`:                                    "upstream.connect_timeout: UDP has no connections",
		`, "layer": 4, "on_backend_down": "reset"`:                                                                  "on_backend_down: nothing finds out that a backend is dead: want health as well",
		`, "algorithm": "geographic"`: "backends: web1 has no location, and geographic chooses by it: give the node one, such as \"location\"",
		`, "pools": {"a": {"backends": "web2", "algorithm": "geographic"}}, "routes": [{"pool": "a"}]`: "pools.a.backends[0]: web2 has no location",
		`, "health": {"fall": 0}`:                   "health.fall: found 0, wanted more than 0; without the field its default holds",
		`, "health": {"interval": "0s"}`:            "health.interval: found 0s, wanted more than 0s; without the field its default holds",
		`, "outlier": {"base_ejection_time": "0s"}`: "outlier.base_ejection_time: found 0s, wanted more than 0s",
		`, "breaker": {"trials": 0}`:                "breaker.trials: found 0, wanted more than 0",
		`, "max_connections_per_backend": 0`:        "max_connections_per_backend: found 0",
		`, "limits": {"prefix4": 0}`:                "limits.prefix4: found 0",
		`, "limits": {"rate": "1/s", "burst": 0}`:   "limits.burst: found 0",
		`, "upstream": {"connect_timeout": "0s"}`:   "upstream.connect_timeout: found 0s",
		`, "upstream": {"retry": {"budget": "0%"}}`: "upstream.retry.budget: found 0%",
		`, "layer": 4, "table": {"entries": 0}`:     "table.entries: found 0",
		`, "pools": {"a": {"backends": "web1", "health": {"rise": 0}}}, "routes": [{"pool": "a"}]`: "pools.a.health.rise: found 0",
		`, "mode": "nat"`:                        "mode: it is for layer 4, and the layer is 7",
		`, "h2c": true, "tls": true`:             "h2c: found true",
		`, "max_streams": -1`:                    "max_streams: found -1, wanted 1 to 2147483647",
		`, "header_timeout": "-1s"`:              "header_timeout",
		`, "routes": [{"pool": "no"}]`:           "routes[0].pool: \"no\" is none of the pools, of which there are none",
		`, "pools": {"a": {"backends": "web1"}}`: "pools.a: no route leads to it",
		`, "pools": {"a": {"backends": "web1", "algorithm": "x"}}, "routes": [{"pool": "a"}]`: "pools.a.algorithm: \"x\" is not one of",
		`, "routes": [{"path": "/a", "path_prefix": "/b"}]`:                                   "routes[0].path_prefix: there is a path already",
		`, "routes": [{"path": "a"}]`:                                                         "routes[0].path: \"a\" is not a path",
		`, "routes": [{"host": "lb:80"}]`:                                                     "routes[0].host: \"lb:80\" is not a host",
		`, "routes": [{"methods": ["get"]}]`:                                                  "routes[0].methods[0]: \"get\" is not a method",
		`, "routes": [{"rewrite_prefix": "/"}]`:                                               "routes[0].rewrite_prefix: there is no path_prefix",
		`, "routes": [{"headers": {"a b": "c"}}]`:                                             "\"a b\" is not a name",
		`, "routes": [{"redirect": {}}]`:                                                      "routes[0].redirect.scheme: missing",
		`, "routes": [{"redirect": {"path": "/x", "status": 200}}]`:                           "routes[0].redirect.status: found 200",
		`, "sticky": {"by": "app-cookie"}`:                                                    "sticky.cookie: missing",
		`, "sticky": {"by": "x"}`:                                                             "sticky.by: \"x\" is not one of cookie, app-cookie, source",
		`, "sticky": {"timeout": "1s"}`:                                                       "sticky.by: a cookie of the balancer's names the backend itself",
		`, "tls_passthrough": true, "tls": true`:                                              "tls: tls_passthrough reads no requests",
		`, "tls_passthrough": true, "routes": [{"path": "/"}]`:                                "routes[0].path: tls_passthrough reads no requests",
		`, "tls_passthrough": true, "upstream": {"timeout": "1s"}`:                            "upstream.timeout: tls_passthrough reads no requests",
		`, "tls_passthrough": true, "limits": {"rate": "1/s"}`:                                "limits.rate: tls_passthrough reads no requests",
		`, "upstream": {"http_version": "h2"}`:                                                "upstream.http_version: h2 is HTTP/2 over TLS",
		`, "upstream": {"proxy_protocol": "v3"}`:                                              "upstream.proxy_protocol: \"v3\" is not one of v1, v2",
		`, "upstream": {"proxy_protocol": "v1", "keep_alive": true}`:                          "upstream.keep_alive: found true",
		`, "upstream": {"retry": {"attempts": -1}}`:                                           "upstream.retry.attempts: found -1",
		`, "upstream": {"retry": {"on": [200]}}`:                                              "upstream.retry.on[0]: found 200",
		`, "upstream": {"hedge": {}}`:                                                         "upstream.hedge.delay: missing",
		`, "upstream": {"forwarded": "x"}`:                                                    "upstream.forwarded: \"x\" is not one of",
		`, "upstream": {"request_buffer": "1GB"}`:                                             "upstream.request_buffer: found 1GB",
		`, "proxy_protocol_from": "nobody"`:                                                   "nobody",
	} {
		_, err := netlab.Parse("lab.json", []byte(file(front, `{"type": "http-server"}`, "")), nil)
		require.Error(t, err, front)
		require.Contains(t, strings.ReplaceAll(errorsOf(err), "nodes.lb.services.front.", ""), want, front)
	}
}

func errorsOf(err error) string {
	var text []string
	for ; err != nil; err = errors.Unwrap(err) {
		text = append(text, err.Error())
	}
	return strings.Join(text, "\n")
}
