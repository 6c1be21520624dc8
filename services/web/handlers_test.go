package web_test

import (
	"bufio"
	"fmt"
	"io"
	"math"
	nethttp "net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/http"
	"netlab/internal/testlab"
	"netlab/services/web"
	"netlab/units"
)

// asker asks a server on b by hand.
type asker struct {
	t         *testing.T
	l         *testlab.Lab
	transport *nethttp.Transport
	running   *testlab.Instance
}

// with runs a server with handlers on b.
func with(t *testing.T, change func(c *web.ServerConfig), body func(a *asker)) (result *web.ServerResult) {
	c := web.NewServerConfig()
	change(c)
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		a := &asker{t, l, http.NewTransport(l.A, nil), l.Service(l.B, web.Server, c)}
		body(a)
		a.transport.CloseIdleConnections()
		found, err := a.running.Stop()
		require.NoError(t, err)
		result = found.(*web.ServerResult)
	})
	return result
}

func handlers(h map[string]web.Handler) func(c *web.ServerConfig) {
	return func(c *web.ServerConfig) { c.Handlers = h }
}

// open makes a request; header fields are pairs of name and value.
func (a *asker) open(method, path, body string, header ...string) *nethttp.Response {
	r, err := nethttp.NewRequest(method, "http://b"+path, strings.NewReader(body))
	require.NoError(a.t, err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := a.transport.RoundTrip(r)
	require.NoError(a.t, err)
	return response
}

// do makes a request and reads the content.
func (a *asker) do(method, path, body string, header ...string) (*nethttp.Response, string) {
	response := a.open(method, path, body, header...)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(a.t, err)
	return response, string(text)
}

func size(n units.Bytes) *units.Bytes { return &n }

func TestStatic(t *testing.T) {
	with(t, handlers(map[string]web.Handler{
		"/img/":  {Handler: "static", Size: size(1000), Count: 30, ContentType: "image/png", CacheControl: "max-age=60"},
		"/large": {Handler: "static", Size: size(1_000_000)},
	}), func(a *asker) {
		one, text := a.do("GET", "/img/1", "")
		require.Equal(t, 200, one.StatusCode)
		require.Len(t, text, 1000)
		require.Equal(t, "image/png", one.Header.Get("Content-Type"))
		require.Equal(t, "max-age=60", one.Header.Get("Cache-Control"))
		require.NotEmpty(t, one.Header.Get("Content-Digest"))
		for path, status := range map[string]int{"/img/30": 200, "/img/31": 404, "/img/0": 404, "/img/01": 404, "/img/": 404, "/img/x": 404} {
			r, _ := a.do("GET", path, "")
			require.Equal(t, status, r.StatusCode, path)
		}
		// Conditions and parts.
		same, none := a.do("GET", "/img/1", "", "If-None-Match", one.Header.Get("ETag"))
		require.Equal(t, 304, same.StatusCode)
		require.Empty(t, none)
		require.Empty(t, same.Header.Get("Content-Digest"))
		same, _ = a.do("GET", "/img/1", "", "If-Modified-Since", one.Header.Get("Last-Modified"))
		require.Equal(t, 304, same.StatusCode)
		other, _ := a.do("GET", "/img/2", "", "If-None-Match", one.Header.Get("ETag"))
		require.Equal(t, 200, other.StatusCode)
		part, middle := a.do("GET", "/img/1", "", "Range", "bytes=10-19")
		require.Equal(t, 206, part.StatusCode)
		require.Equal(t, text[10:20], middle)
		_, large := a.do("GET", "/large", "")
		require.Len(t, large, 1_000_000)
		_, end := a.do("GET", "/large", "", "Range", "bytes=-5")
		require.Equal(t, large[999_995:], end)
		head, empty := a.do("HEAD", "/large", "")
		require.EqualValues(t, 1_000_000, head.ContentLength)
		require.Empty(t, empty)
		post, _ := a.do("POST", "/large", "x")
		require.Equal(t, 405, post.StatusCode)
		// Every other path has the usual object.
		_, usual := a.do("GET", "/other", "")
		require.Len(t, usual, 10_000)
	})
}

func TestSimpleHandlers(t *testing.T) {
	r := with(t, handlers(map[string]web.Handler{
		"/echo":  {Handler: "echo"},
		"/gone":  {Handler: "status", Status: 410, Size: size(3)},
		"/empty": {Handler: "status", Status: 204},
		"/old":   {Handler: "redirect", Location: "/new", Status: 308},
		"/delay": {Handler: "delay", Capacity: web.Capacity{ServiceTime: units.Constant(70 * ms)}},
	}), func(a *asker) {
		response, text := a.do("POST", "/echo", strings.Repeat("hello", 100_000), "Content-Type", "text/plain")
		require.Equal(t, strings.Repeat("hello", 100_000), text)
		require.Equal(t, "text/plain", response.Header.Get("Content-Type"))
		response, text = a.do("GET", "/gone", "")
		require.Equal(t, 410, response.StatusCode)
		require.Len(t, text, 3)
		response, _ = a.do("GET", "/empty", "")
		require.Equal(t, 204, response.StatusCode)
		response, _ = a.do("GET", "/old", "")
		require.Equal(t, 308, response.StatusCode)
		require.Equal(t, "/new", response.Header.Get("Location"))
		start := a.l.Elapsed()
		a.do("GET", "/delay", "")
		require.Equal(t, 90*ms, a.l.Elapsed()-start)
	})
	require.EqualValues(t, 5, r.Requests)
	require.EqualValues(t, 1, r.Handlers["/delay"].Requests)
	require.EqualValues(t, 1, r.Handlers["/delay"].Capacity.Served)
	require.Equal(t, map[string]uint64{"200": 2, "204": 1, "308": 1, "410": 1}, r.Status)
}

// A share of requests fails, within four standard deviations of the binomial distribution.
func TestErrorRate(t *testing.T) {
	const n, p = 2000, 0.1
	for _, change := range []func(c *web.ServerConfig){
		func(c *web.ServerConfig) { c.ErrorRate, c.ErrorStatus = p, 502 },
		handlers(map[string]web.Handler{"/": {Handler: "status", ErrorRate: p, ErrorStatus: 502}}),
	} {
		r := with(t, change, func(a *asker) {
			for range n {
				a.do("GET", "/x", "")
			}
		})
		require.InDelta(t, n*p, float64(r.Status["502"]), 4*math.Sqrt(n*p*(1-p)))
		require.EqualValues(t, n, r.Status["502"]+r.Status["200"])
	}
}

// Pieces and events arrive when they are due.
func TestStreams(t *testing.T) {
	with(t, handlers(map[string]web.Handler{
		"/stream": {Handler: "stream", Size: size(2500), Piece: 1000, Interval: units.Duration(50 * ms)},
		"/rate":   {Handler: "stream", Size: size(3000), Piece: 1000, Rate: 80_000},
		"/events": {Handler: "events", Count: 3, Interval: units.Duration(time.Second), Size: size(20)},
		"/always": {Handler: "events"},
	}), func(a *asker) {
		arrivals := func(path string) (at []time.Duration, sizes []int) {
			start := a.l.Elapsed()
			response := a.open("GET", path, "")
			require.EqualValues(t, -1, response.ContentLength)
			for {
				var b [4096]byte
				n, err := response.Body.Read(b[:])
				if n > 0 {
					at, sizes = append(at, (a.l.Elapsed()-start).Round(time.Microsecond)), append(sizes, n)
				}
				if err != nil {
					require.Equal(t, io.EOF, err)
					return at, sizes
				}
			}
		}
		a.do("GET", "/", "")
		at, sizes := arrivals("/stream")
		require.Equal(t, []time.Duration{20 * ms, 70 * ms, 120 * ms}, at)
		require.Equal(t, []int{1000, 1000, 500}, sizes)
		at, _ = arrivals("/rate")
		require.Equal(t, []time.Duration{20 * ms, 120 * ms, 220 * ms}, at)

		start := a.l.Elapsed()
		response := a.open("GET", "/events", "")
		require.Equal(t, "text/event-stream", response.Header.Get("Content-Type"))
		lines := bufio.NewScanner(response.Body)
		for i := 1; i <= 3; i++ {
			var event []string
			for lines.Scan() && lines.Text() != "" {
				event = append(event, lines.Text())
			}
			require.Equal(t, time.Duration(i)*time.Second+20*ms, (a.l.Elapsed() - start).Round(time.Microsecond))
			require.Equal(t, fmt.Sprintf("id: %d", i), event[0])
			require.Len(t, event[2], len("data: ")+20)
		}
		require.False(t, lines.Scan())
		require.NoError(t, response.Body.Close())

		response = a.open("GET", "/always", "") // ends with the server
		a.l.Sleep(5 * time.Second)
		require.NoError(t, response.Body.Close())
	})
}

// The handler of a WebSocket echo gets through to the connection.
func TestRoomAndEcho(t *testing.T) {
	r := with(t, handlers(map[string]web.Handler{"/chat": {Handler: "chat"}, "/ws": {Handler: "websocket-echo"}}), func(a *asker) {
		response := a.open("GET", "/ws", "", "Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13",
			"Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")
		require.Equal(t, 101, response.StatusCode)
		conn := response.Body.(io.ReadWriteCloser)
		_, err := conn.Write([]byte{0x81, 0x82, 0, 0, 0, 0, 'h', 'i'}) // a masked text frame (RFC 6455, section 5.7)
		require.NoError(t, err)
		var b [4]byte
		_, err = io.ReadFull(conn, b[:])
		require.NoError(t, err)
		require.Equal(t, []byte{0x81, 2, 'h', 'i'}, b[:])
		response, _ = a.do("GET", "/chat/messages", "")
		require.Equal(t, 200, response.StatusCode)
		a.running.Stop()
		_, err = io.Copy(io.Discard, conn)
		_ = err // a close frame, the end or a reset: anything but waiting
	})
	require.EqualValues(t, 1, r.Status["101"])
	require.NotNil(t, r.Handlers["/chat"].Room)
}
