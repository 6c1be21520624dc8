package web_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/ip"
	"netlab/services"
	"netlab/services/web"
	"netlab/units"
)

// restart crashes b and starts it again; old connections of the asker are forgotten.
func (a *asker) restart() {
	a.l.Crash(a.l.B)
	a.transport.CloseIdleConnections()
	a.l.Sleep(time.Second)
	a.l.Restart(a.l.B)
	a.l.Sleep(100 * ms)
}

// status requires that a request gets a status, and returns the content.
func (a *asker) status(want int, method, path, body string, header ...string) string {
	a.t.Helper()
	response, text := a.do(method, path, body, header...)
	require.Equal(a.t, want, response.StatusCode, "%s %s", method, path)
	return text
}

func TestFiles(t *testing.T) {
	c := map[string]web.Handler{"/files/": {Handler: "files", MaxSize: 1000}, "/one": {Handler: "files"}}
	r := with(t, handlers(c), func(a *asker) {
		a.status(404, "GET", "/files/a", "")
		a.status(201, "PUT", "/files/a", "first", "Content-Type", "text/plain")
		a.status(204, "PUT", "/files/a", "second\nline", "Content-Type", "text/html")
		response, text := a.do("GET", "/files/a", "")
		require.Equal(t, "second\nline", text)
		require.Equal(t, "text/html", response.Header.Get("Content-Type"))
		require.Contains(t, response.Header.Get("Content-Digest"), "sha-256=:")
		etag := response.Header.Get("ETag")
		a.status(304, "GET", "/files/a", "", "If-None-Match", etag)
		require.Equal(t, "cond", a.status(206, "GET", "/files/a", "", "Range", "bytes=2-5"))
		response, text = a.do("HEAD", "/files/a", "")
		require.EqualValues(t, len("second\nline"), response.ContentLength)
		require.Empty(t, text)

		a.status(201, "PUT", "/files/empty", "")
		require.Empty(t, a.status(200, "GET", "/files/empty", ""))
		a.status(201, "PUT", "/one", "1")
		require.Equal(t, "1", a.status(200, "GET", "/one", ""))
		a.status(201, "PUT", "/files/two%20words", "x")

		a.status(413, "PUT", "/files/b", strings.Repeat("x", 1001))
		a.status(201, "PUT", "/files/b", strings.Repeat("x", 1000))
		a.status(400, "PUT", "/files/b", "x", "Content-Range", "bytes 0-0/2")
		a.status(404, "PUT", "/files/", "x")
		a.status(405, "POST", "/files/a", "x")
		a.status(204, "DELETE", "/files/a", "")
		a.status(404, "GET", "/files/a", "")
		a.status(404, "DELETE", "/files/a", "")
	})
	require.Equal(t, &web.FilesResult{Stored: 5, StoredBytes: units.Bytes(len("first") + len("second\nline") + 1 + 1000), Read: 5, Missing: 4, Deleted: 1,
		TooLarge: 1}, r.Handlers["/files/"].Files)
	require.EqualValues(t, 1, r.Handlers["/one"].Files.Stored)
}

// What was synced before the answer is there after a crash, and what wasn't is lost.
func TestFilesOutliveACrash(t *testing.T) {
	no := false
	c := map[string]web.Handler{"/safe/": {Handler: "files"}, "/fast/": {Handler: "files", Sync: &no}}
	r := with(t, handlers(c), func(a *asker) {
		for _, path := range []string{"/safe/a", "/fast/a"} {
			a.status(201, "PUT", path, "one")
			a.status(204, "PUT", path, "two")
			require.Equal(t, "two", a.status(200, "GET", path, ""))
		}
		a.restart()
		require.Equal(t, "two", a.status(200, "GET", "/safe/a", ""))
		a.status(404, "GET", "/fast/a", "")
		a.status(404, "DELETE", "/fast/a", "")
		a.status(201, "PUT", "/fast/a", "three")
		a.restart()
		require.Equal(t, "two", a.status(200, "GET", "/safe/a", ""))
		a.status(404, "GET", "/fast/a", "")
	})
	require.EqualValues(t, 2, r.Handlers["/safe/"].Files.Stored)
	require.EqualValues(t, 3, r.Handlers["/safe/"].Files.Read)
	require.EqualValues(t, 3, r.Handlers["/fast/"].Files.Stored)
	require.EqualValues(t, 3, r.Handlers["/fast/"].Files.Missing)
}

// A PUT that a crash interrupts leaves the file as it was, and nothing else on the disk.
func TestACrashDuringAPut(t *testing.T) {
	lab := testlab.Config{Forward: testlab.Wire(10*ms, 0), Disk: ip.DiskConfig{Sync: units.Constant(100 * ms)}}
	testlab.Run(t, lab, func(t *testing.T, l *testlab.Lab) {
		c := web.NewServerConfig()
		handlers(map[string]web.Handler{"/files/": {Handler: "files"}})(c)
		server := l.Service(l.B, web.Server, c)
		put := func(size units.Bytes) *web.Result {
			r, err := l.Workload(web.Fetch, config(func(c *web.Config) {
				c.URL, c.Method, c.Body, c.Timeout = "http://b/files/a", "PUT", size, units.Duration(time.Second)
			}), l.A)
			require.NoError(t, err)
			return r.(*web.Result)
		}
		r := put(10)
		require.Equal(t, map[string]uint64{"201": 1}, r.Status)
		require.Equal(t, units.Duration(140*ms), r.Latency.Max)
		// The request is there after 30 ms, and the file is synced 100 ms later.
		l.At(l.Elapsed()+100*ms, l.B.Crash)
		require.EqualValues(t, 1, put(20).Errors.Timeout)
		l.Crash(l.B)
		l.Restart(l.B)
		l.Sleep(ms)
		names, err := l.B.Disk().List(l.Context())
		require.NoError(t, err)
		require.Equal(t, []string{"http-server:/files/a"}, names)
		found, err := l.Workload(web.Fetch, config(func(c *web.Config) { c.URL = "http://b/files/a" }), l.A)
		require.NoError(t, err)
		require.EqualValues(t, 10, found.(*web.Result).Bytes)
		found, err = server.Stop()
		require.NoError(t, err)
		require.Equal(t, &web.FilesResult{Stored: 1, StoredBytes: 10, Read: 1}, found.(*web.ServerResult).Handlers["/files/"].Files)
		require.EqualValues(t, 1, found.(*web.ServerResult).Aborted)
	})
}

func TestAFullDisk(t *testing.T) {
	for _, sync := range []bool{false, true} {
		r := with(t, handlers(map[string]web.Handler{"/files/": {Handler: "files", Sync: &sync}}), func(a *asker) {
			a.status(201, "PUT", "/files/a", "one")
			a.l.B.Disk().SetFull(true)
			a.status(507, "PUT", "/files/a", "two")
			a.status(507, "PUT", "/files/b", "two")
			require.Equal(t, "one", a.status(200, "GET", "/files/a", ""))
			a.status(404, "GET", "/files/b", "")
			a.l.B.Disk().SetFull(false)
			a.status(204, "PUT", "/files/a", "two")
			require.Equal(t, "two", a.status(200, "GET", "/files/a", ""))
		})
		require.EqualValues(t, 2, r.Handlers["/files/"].Files.Full)
		require.EqualValues(t, 2, r.Handlers["/files/"].Files.Stored)
		require.Equal(t, map[string]uint64{"201": 1, "204": 1, "200": 2, "404": 1, "507": 2}, r.Status)
	}
}

func TestStorer(t *testing.T) {
	c := web.NewServerConfig()
	require.False(t, services.Storer(c).Stores())
	handlers(map[string]web.Handler{"/a": {Handler: "echo"}, "/b": {Handler: "files"}})(c)
	require.True(t, c.Stores())
}
