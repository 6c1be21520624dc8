package netlab

import (
	"context"
	nethttp "net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/captures"
	"netlab/http"
	"netlab/tcp"
)

const panicLab = `{
	"name": "panics", "duration": "1h",
	"nodes": { "client": {}, "server": { "services": { "web": { "type": "http-server" } } } },
	"links": [{ "between": "client - server", "latency": "10ms" }],
	"workloads": { "browse": { "type": "http-fetch", "from": "client", "url": "http://server/", "count": 0, "interval": "1s" } }
}`

// A panic in a handler of a service, in a goroutine of a service, or in the function given to Run ends the run at once with an
// error that has the stack, and what was captured until then is readable.
func TestPanicsEndTheRun(t *testing.T) {
	for name, test := range map[string]struct {
		what, stack string
		fn          func(r *Run) error
	}{
		"handler": {"nodes.server.services.web on server", "ServeHTTP", func(r *Run) error {
			env := r.newEnv(r.jobs[0], 0)
			listener, err := tcp.Listen(env.Host, ":81")
			if err != nil {
				return err
			}
			r.Go(func() error {
				handler := func(nethttp.ResponseWriter, *nethttp.Request) { panic("boom") }
				return http.Serve(r.Context(), listener, nethttp.HandlerFunc(handler), &http.ServerOptions{Panicked: env.Panicked})
			})
			transport := http.NewTransport(r.Host("client").Host, nil)
			defer transport.CloseIdleConnections()
			response, err := (&nethttp.Client{Transport: transport}).Get("http://server:81/")
			if err == nil {
				response.Body.Close()
			}
			return nil
		}},
		"goroutine of a service": {"nodes.server.services.web on server", "Env", func(r *Run) error {
			env := r.newEnv(r.jobs[0], 0)
			env.Go(func() { panic("boom") })
			env.Wait()
			return nil
		}},
		"function":  {"the function given to Run", "guard", func(*Run) error { panic("boom") }},
		"goroutine": {"a goroutine of Run.Go", "guard", func(r *Run) error { r.Go(func() error { panic("boom") }); return nil }},
	} {
		t.Run(name, func(t *testing.T) {
			labs, err := Parse("lab.json", []byte(panicLab), nil)
			require.NoError(t, err)
			dir := t.TempDir()
			results, err := labs[0].Run(context.Background(), &RunOptions{Dir: dir}, func(r *Run) error {
				if err := r.Sleep(10*time.Second + 500*time.Millisecond); err != nil {
					return err
				}
				return test.fn(r)
			})
			var found *PanicError
			require.ErrorAs(t, err, &found)
			require.Equal(t, test.what, found.What)
			require.Equal(t, "boom", found.Value)
			require.Contains(t, string(found.Stack), test.stack)
			require.Equal(t, EndedInterrupted, results.Run.Ended)
			require.Less(t, results.Run.Duration, 11*time.Second)
			c, err := captures.ReadFile(filepath.Join(dir, "captures", "server.pcapng"))
			require.NoError(t, err)
			require.Greater(t, len(c.Packets), 40) // eleven requests, their answers and acknowledgements
		})
	}
}
