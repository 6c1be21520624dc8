package cdn_test

import (
	"context"
	"fmt"
	"io"
	nethttp "net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/services/cdn"
)

// edges is a cdn-edge on each edge, with further options.
func edges(options string) string {
	return fmt.Sprintf(`"edge[1..3]": {"services": {"cdn": {"type": "cdn-edge", "origin": "http://origin", "token": "secret" %s}}}`, options)
}

// origin is the origin's web server, with further options of its handler.
func origin(options string) string {
	return fmt.Sprintf(`"origin": {"services": {"web": {"type": "http-server", "handlers":
		{"/": {"handler": "static", "size": "1kB", "cache_control": "max-age=60", "headers": {"Surrogate-Key": "all news"} %s}}}}}`, options)
}

// shield is an edge beside the origin.
const shield = `"shield": {"services": {"cdn": {"type": "cdn-edge", "origin": "http://origin", "token": "secret"}}}`

// file is a lab: users and a publisher 1 ms, edges 10, 20 and 30 ms, a shield 5 ms and an origin 50 ms from a router.
func file(nodes, more string) string {
	if !strings.Contains(nodes, `"shield": {`) {
		nodes += `, "shield": {}`
	}
	return fmt.Sprintf(`{
		"defaults": {"ip": "ipv4"},
		"nodes": {"user[1..3]": {}, "publisher": {}, "r": {"kind": "router"}, %s},
		"links": [{"between": "user* - r", "latency": "1ms"}, {"between": "publisher - r", "latency": "1ms"},
			{"between": "edge1 - r", "latency": "10ms"}, {"between": "edge2 - r", "latency": "20ms"}, {"between": "edge3 - r", "latency": "30ms"},
			{"between": "shield - r", "latency": "5ms"}, {"between": "origin - r", "latency": "50ms"}],
		%s}`, nodes, more)
}

// fetch is a workload of one user.
func fetch(user int, url, more string) string {
	return fmt.Sprintf(`"user%d": {"type": "http-fetch", "from": "user%[1]d", "url": %q %s}`, user, url, more)
}

// played is what a lab left behind.
type played struct {
	*netlab.Results
	dir string
}

// play plays a lab, in which body may do something, and checks what it expects.
func play(t testing.TB, text string, body func(run *netlab.Run)) played {
	t.Helper()
	labs, err := netlab.Parse("lab.json", []byte(text), nil)
	require.NoError(t, err)
	p := played{dir: t.TempDir()}
	p.Results, err = labs[0].Run(context.Background(), &netlab.RunOptions{Dir: p.dir}, func(run *netlab.Run) error {
		if body != nil {
			body(run)
		}
		return nil
	})
	require.NoError(t, err)
	for _, e := range p.Expect {
		require.True(t, e.Holds, "%s: %v", e.Text, e.Values)
	}
	return p
}

// edge returns what an edge reports.
func (p played) edge(t testing.TB, name string) *cdn.Result {
	t.Helper()
	n, ok := p.Nodes.Get(name)
	require.True(t, ok)
	s, ok := n.Services.Get("cdn")
	require.True(t, ok)
	return s.Report.(*cdn.Result)
}

// files returns the bytes of everything that a run wrote.
func (p played) files(t testing.TB) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(p.dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			name, _ := filepath.Rel(p.dir, path)
			all[name] = string(text)
		}
		return err
	}))
	return all
}

// asker makes requests of a host over HTTP/1.1, on connections that it keeps.
func asker(run *netlab.Run, host string) *nethttp.Client {
	return &nethttp.Client{Transport: &nethttp.Transport{DialContext: run.Host(host).DialContext, DisableCompression: true}}
}

// ask returns the response to a request and its content.
func ask(t testing.TB, c *nethttp.Client, method, url string, body io.Reader, header ...string) (*nethttp.Response, string) {
	t.Helper()
	r, err := nethttp.NewRequest(method, url, body)
	require.NoError(t, err)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := c.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(text)
}

// epoch is the date at which runs begin.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
