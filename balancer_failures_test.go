package netlab_test

import (
	"fmt"
	nethttp "net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/http"
	"netlab/services/balancer"
)

// failingLab is a balancer in front of two servers, of which something befalls one from 5.05s to 15.05s. Every link takes 0.5 ms.
func failingLab(fault, retry string) string {
	server := `{ "services": { "web": { "type": "http-server", 
		"handlers": { "/": { "handler": "delay", "size": "100B", "cores": 100, "service_time": "10ms" } } } } }`
	web1 := server
	if fault == "" {
		web1 = `{}` // the test serves there
	} else {
		fault = fmt.Sprintf(`{ "name": "trouble", "at": "5.05s", "for": "10s", %s }`, fault)
	}
	return fmt.Sprintf(`{
		"duration": "21s", "defaults": { "link": { "latency": "500us" } },
		"nodes": {
			"client": {}, "sw": { "kind": "switch", "neighbors": "static" }, "web1": %s, "web2": %s,
			"lb": { "services": { "front": {
				"type": "balancer", "backends": "web[1..2]:80", "health": { "type": "http", "interval": "1s", "timeout": "300ms", "fall": 2, "rise": 2 },
				"upstream": { "connect_timeout": "500ms", "first_byte_timeout": "500ms" %s }
			} } }
		},
		"links": ["client - sw", "lb - sw", "web1 - sw", "web2 - sw"],
		"captures": { "nodes": ["web1", "web2"] }, "faults": [%s]
	}`, web1, server, retry, fault)
}

// tenASecond makes ten requests a second, evenly, 200 of them and each for a page of its own, and counts those with status 200. The
// balancer's servers take turns, so every other one goes to web1.
func tenASecond(t *testing.T, run *netlab.Run, method string) (succeeded *atomic.Uint64) {
	client := run.Host("client")
	transport := http.NewTransport(client.Host, nil)
	succeeded = new(atomic.Uint64)
	for i := range 200 {
		client.Host.Go(func() {
			if client.SleepUntil(run.Context(), time.Duration(i)*100*time.Millisecond) != nil {
				return
			}
			r, err := nethttp.NewRequestWithContext(run.Context(), method, fmt.Sprintf("http://lb/page/%d", i), nil)
			if err != nil {
				t.Error(err)
				return
			}
			response, err := transport.RoundTrip(r)
			if err != nil {
				return
			}
			response.Body.Close()
			if response.StatusCode == nethttp.StatusOK {
				succeeded.Add(1)
			}
		})
	}
	return succeeded
}

// errorsAt serves pages on web1 that are errors for ten seconds.
func errorsAt(run *netlab.Run) error {
	handler := nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		if now := run.Elapsed(); now > 5050*time.Millisecond && now < 15050*time.Millisecond {
			w.WriteHeader(nethttp.StatusInternalServerError)
		}
	})
	host := run.Host("web1")
	listener, err := host.Listen("tcp", ":80")
	if err != nil {
		return err
	}
	return http.Serve(run.Context(), listener, handler, &http.ServerOptions{Host: host.Host})
}

// Whatever befalls a server, the balancer notices it with the second check that fails: those of 6s and 7s do, at their timeout of 300 ms
// or with the answer. Until then every other request is lost. After it is over, the checks of 16s and 17s pass.
func TestFailuresBehindABalancer(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name, fault string
		body        func(*netlab.Run) error
		out, back   time.Duration
		lost        uint64 // without retries
		sent        uint64 // of these, POST requests that had reached the server: all others are tried again
	}{
		// From 5.1s to 7.2s there are 22 requests. One is sent over a connection that was there before; then there are no more.
		{"crash", `"crash": "web1"`, nil, 7300 * ms, 17014 * ms, 11, 1},
		// The check of 15s is under way when the host goes on.
		{"hang", `"pause": "web1"`, nil, 7300 * ms, 16014 * ms, 11, 1},
		{"cut off", `"partition": [["web1"]]`, nil, 7300 * ms, 17014 * ms, 11, 1},
		// A server that is slow takes connections.
		{"slow", `"slow": "web1", "factor": 100`, nil, 7300 * ms, 17014 * ms, 11, 11},
		// One that answers is out sooner: from 5.1s to 7s there are 20.
		{"errors", ``, errorsAt, 7004 * ms, 17004 * ms, 10, 10},
	} {
		for _, variant := range []struct {
			name, method, retry string
			lost                uint64
		}{
			{"without retries", "GET", ``, c.lost},
			{"with retries", "GET", `, "retry": { "attempts": 2, "on": [500, 502, 503, 504] }`, 0},
			{"POST with retries", "POST", `, "retry": { "attempts": 2, "on": [500, 502, 503, 504] }`, c.sent},
		} {
			t.Run(c.name+", "+variant.name, func(t *testing.T) {
				dir := t.TempDir()
				var succeeded *atomic.Uint64
				results := play(t, parse(t, failingLab(c.fault, variant.retry)), &netlab.RunOptions{Dir: dir}, func(run *netlab.Run) error {
					succeeded = tenASecond(t, run, variant.method)
					if c.body != nil {
						return c.body(run)
					}
					return run.Sleep(21 * time.Second)
				})
				require.Equal(t, 200-variant.lost, succeeded.Load())

				lb, _ := results.Nodes.Get("lb")
				front, _ := lb.Services.Get("front")
				pool := front.Report.(*balancer.Result).Pool
				web1 := pool.Backends["web1"]
				require.Len(t, web1.Transitions, 2)
				require.Equal(t, c.out, web1.DownAt.Std().Round(time.Microsecond))
				require.Equal(t, c.back, web1.UpAt.Std().Round(time.Microsecond))
				require.Equal(t, c.out-6*time.Second, web1.Detection.Avg.Std().Round(time.Microsecond))
				require.Empty(t, pool.Backends["web2"].Transitions)
				require.Zero(t, pool.Unavailable)

				if variant.method == "POST" {
					requireOnce(t, dir)
				}
			})
		}
	}
}

// requireOnce requires of what the servers' hosts captured that no page was asked for twice. What TCP sends again on the same
// connection is no other request.
func requireOnce(t *testing.T, dir string) {
	sent := map[string]string{}
	for _, node := range []string{"web1", "web2"} {
		for _, line := range tshark(t, capturesOf(t, dir)[node], "-Y", `http.request.method == "POST"`, "-T", "fields", "-e", "http.request.uri",
			"-e", "tcp.stream") {
			uri, stream, _ := strings.Cut(line, "\t")
			on := node + " " + stream
			if other, ok := sent[uri]; ok {
				require.Equal(t, other, on, uri)
			}
			sent[uri] = on
		}
	}
	require.Greater(t, len(sent), 180)
}
