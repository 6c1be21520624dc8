package balancer_test

import (
	"context"
	"fmt"
	"io"
	nethttp "net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/http"
	"netlab/services/balancer"
)

const ms = time.Millisecond

// file is a lab: a client 10 ms from a balancer, with three hosts 1 ms behind it. The parts are those of the balancer, of the hosts'
// services, and further sections.
func file(front, web, more string) string {
	if web != "" {
		web = fmt.Sprintf(`"services": {"web": %s}`, web)
	}
	if more != "" {
		more = ", " + more
	}
	return fmt.Sprintf(`{
		"nodes": {
			"client": {}, "sw": {"kind": "switch"},
			"lb": {"services": {"front": {"type": "balancer", "backends": "web[1..3]:80" %s}}},
			"web[1..3]": {%s}
		},
		"links": [{"between": "client - lb", "latency": "10ms"}, "lb - sw", {"between": "sw - web[*]", "latency": "1ms"}]
		%s}`, front, web, more)
}

// played is what a lab left behind.
type played struct {
	*netlab.Results
	dir string
}

// play plays a lab with a function in it.
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
		require.True(t, e.Holds, "%v", e)
	}
	return p
}

// front returns what the balancer reports.
func (p played) front(t testing.TB) *balancer.Result {
	t.Helper()
	n, ok := p.Nodes.Get("lb")
	require.True(t, ok)
	s, ok := n.Services.Get("front")
	require.True(t, ok)
	return s.Report.(*balancer.Result)
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

// serve serves a handler on hosts until stop is called.
func serve(t testing.TB, run *netlab.Run, handler func(host string) nethttp.HandlerFunc, hosts ...string) (stop func()) {
	ctx, cancel := context.WithCancel(run.Context())
	var done sync.WaitGroup
	for _, host := range hosts {
		l, err := run.Host(host).Listen("tcp", ":80")
		require.NoError(t, err)
		done.Go(func() { http.Serve(ctx, l, handler(host), nil) })
	}
	return func() {
		cancel()
		done.Wait()
	}
}

// raw sends bytes over one connection of the client and returns all that comes back until the server closes it or nothing has come
// for a second.
func raw(t testing.TB, run *netlab.Run, address, text string) string {
	t.Helper()
	conn, err := run.Host("client").Dial("tcp", address)
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, text)
	require.NoError(t, err)
	var answer strings.Builder
	buffer := make([]byte, 4096)
	for {
		conn.SetReadDeadline(time.Now().Add(time.Second))
		n, err := conn.Read(buffer)
		answer.Write(buffer[:n])
		if err != nil {
			return answer.String()
		}
	}
}

// asker makes requests of one client over HTTP/1.1, on connections that it keeps.
func asker(run *netlab.Run) *nethttp.Client {
	return &nethttp.Client{
		Transport:     &nethttp.Transport{DialContext: run.Host("client").DialContext, DisableCompression: true},
		CheckRedirect: func(*nethttp.Request, []*nethttp.Request) error { return nethttp.ErrUseLastResponse },
	}
}

// get returns status and content.
func get(t testing.TB, c *nethttp.Client, method, url string, body io.Reader, header ...string) (*nethttp.Response, string) {
	t.Helper()
	r, err := nethttp.NewRequest(method, url, body)
	require.NoError(t, err)
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
			continue
		}
		r.Header.Set(header[i], header[i+1])
	}
	response, err := c.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(text)
}

// status reads the status line of an answer.
func status(answer string) string {
	line, _, _ := strings.Cut(answer, "\r\n")
	_, code, _ := strings.Cut(line, " ")
	return code
}
