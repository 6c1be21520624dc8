package web_test

import (
	"bufio"
	"bytes"
	"encoding/json"
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
	"netlab/services"
	"netlab/services/chat"
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

// page is a page of a collection as a client sees it.
type page struct {
	Items  []json.RawMessage `json:"items"`
	Total  int               `json:"total"`
	Offset int               `json:"offset"`
	Limit  int               `json:"limit"`
	Next   string            `json:"next"`
	Token  string            `json:"next_page_token"`
}

func (a *asker) page(path string) (p page) {
	response, text := a.do("GET", path, "")
	require.Equal(a.t, 200, response.StatusCode, text)
	require.Equal(a.t, "application/json", response.Header.Get("Content-Type"))
	require.NoError(a.t, json.Unmarshal([]byte(text), &p))
	return p
}

func TestCollection(t *testing.T) {
	with(t, handlers(map[string]web.Handler{
		"/items": {Handler: "collection", Items: 45, Versions: []string{"v1", "v2"}},
		"/plain": {Handler: "collection", Items: 3, PageSize: 2, MaxPageSize: 2},
	}), func(a *asker) {
		p := a.page("/v1/items")
		require.Len(t, p.Items, 20)
		require.Equal(t, 45, p.Total)
		require.JSONEq(t, `{"id": 1, "name": "item 1", "price": 8919}`, string(p.Items[0]))
		require.Equal(t, "/v1/items?limit=20&offset=20", p.Next)
		p = a.page(p.Next)
		require.JSONEq(t, `{"id": 21, "name": "item 21", "price": 5299}`, string(p.Items[0]))
		p = a.page("/v1/items?page_token=" + p.Token + "&limit=10")
		require.Len(t, p.Items, 5)
		require.Empty(t, p.Next+p.Token)
		p = a.page("/v2/items?offset=16&limit=1")
		require.JSONEq(t, `{"id": "item-17", "title": "Item 17", "price": {"amount": "96.23", "currency": "EUR"}}`, string(p.Items[0]))
		require.Empty(t, a.page("/v1/items?offset=1000").Items)
		require.Len(t, a.page("/plain").Items, 2)

		_, text := a.do("GET", "/v1/items/17", "")
		require.JSONEq(t, `{"id": 17, "name": "item 17", "price": 9623}`, text)
		for path, status := range map[string]int{
			"/v1/items/46": 404, "/v1/items/0": 404, "/v1/items/item-17": 404, "/v2/items/17": 404, "/v2/items/item-17": 200,
			"/v1/items?limit=0": 400, "/v1/items?limit=101": 400, "/v1/items?limit=x": 400, "/v1/items?limit=05": 400,
			"/v1/items?offset=-1": 400, "/v1/items?page_token=x": 400, "/v1/items?limit=1&limit=2": 400, "/v1/items?%zz": 400,
			"/v1/items?offset=1&page_token=" + a.page("/v1/items").Token: 400, "/plain?limit=3": 400,
		} {
			response, text := a.do("GET", path, "")
			require.Equal(t, status, response.StatusCode, path)
			if status >= 400 {
				var problem struct {
					Error struct {
						Status  int
						Message string
					}
				}
				require.NoError(t, json.Unmarshal([]byte(text), &problem))
				require.Equal(t, status, problem.Error.Status)
				require.NotEmpty(t, problem.Error.Message)
			}
		}
		response, _ := a.do("POST", "/v1/items", "{}")
		require.Equal(t, 405, response.StatusCode)
	})
}

// A stateful collection goes by what it remembers: of a cookie, or of an address if there is none.
func TestStatefulCollection(t *testing.T) {
	with(t, handlers(map[string]web.Handler{"/items": {Handler: "collection", Items: 25, Stateful: true}}), func(a *asker) {
		offsets := func(header ...string) (list []int) {
			for range 3 {
				response, text := a.do("GET", "/items?limit=10&offset=0", "", header...)
				require.Contains(t, response.Header.Get("Set-Cookie"), "session=")
				var p page
				require.NoError(t, json.Unmarshal([]byte(text), &p))
				list = append(list, p.Offset)
			}
			return list
		}
		require.Equal(t, []int{0, 10, 20}, offsets())
		require.Equal(t, []int{0, 10, 20}, offsets("Cookie", "session=from-another-server"))
		require.Equal(t, []int{0, 10, 20}, offsets()) // begins anew
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

func TestHandlersAreChecked(t *testing.T) {
	on := true
	for want, h := range map[string]map[string]web.Handler{
		"":                                    {"/a": {Handler: "static"}, "/a/": {Handler: "static", Conditional: &on}, "/b/{id}": {Handler: "echo"}},
		`did you mean redirect?`:              {"/x.y": {Handler: "redirct"}},
		`want one of static, echo`:            {"/x": {}},
		`"x" is not a path`:                   {"x": {Handler: "echo"}},
		`"GET /x" is not a path`:              {"GET /x": {Handler: "echo"}},
		`echo has no such option; it belongs`: {"/x": {Handler: "echo", Status: 200}},
		`belongs to static, delay`:            {"/x": {Handler: "redirect", Location: "/", Size: size(1)}},
		`.location: "" is no place`:           {"/x": {Handler: "redirect"}},
		`objects below it need a path`:        {"/x": {Handler: "static", Count: 3}},
		`.service_time: missing`:              {"/x": {Handler: "delay"}},
		`.cores: found -1`:                    {"/x": {Handler: "delay", Capacity: web.Capacity{Cores: -1, ServiceTime: units.Constant(1)}}},
		`wanted one of 301, 302`:              {"/x": {Handler: "redirect", Location: "/", Status: 200}},
		`found interval and rate`:             {"/x": {Handler: "stream", Interval: 1, Rate: 1}},
		`wanted v1 and v2`:                    {"/x": {Handler: "collection", Versions: []string{"v3"}}},
		`can't be a path beside the others`:   {"/v1/x": {Handler: "echo"}, "/x": {Handler: "collection", Versions: []string{"v1"}}},
		`error_rate says that nothing fails`:  {"/x": {Handler: "status", ErrorStatus: 500}},
		`wanted no more than max_page_size`:   {"/x": {Handler: "collection", PageSize: 200}},
		`.room.history: found -1`:             {"/x": {Handler: "chat", Room: chat.RoomConfig{History: -1}}},
	} {
		c := web.NewServerConfig()
		c.Handlers = h
		err := c.Validate()
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want)
		var wrong *services.FieldError
		require.ErrorAs(t, err, &wrong)
		require.Equal(t, "handlers", wrong.Names()[0])
		require.Contains(t, h, wrong.Names()[1])
	}
}

// With one core the requests of one connection after the other take what they wait and what they work, to the nanosecond.
func TestServerModel(t *testing.T) {
	one := 1
	model := func(c *web.ServerConfig) {
		c.Cores, c.ServiceTime, c.Queue = 1, units.Constant(100*ms), &one
	}
	r := with(t, model, func(a *asker) {
		a.do("GET", "/", "")
		done := make(chan string, 4)
		start := a.l.Elapsed()
		for i := range 4 {
			a.l.A.Go(func() {
				a.l.A.SleepUntil(a.l.Context(), start+time.Duration(i)*ms)
				began := a.l.Elapsed()
				response := a.open("GET", "/", "")
				io.Copy(io.Discard, response.Body)
				response.Body.Close()
				done <- fmt.Sprint(i, " ", response.StatusCode, " ", (a.l.Elapsed() - began).Round(time.Microsecond))
			})
		}
		var got []string
		for range 4 {
			got = append(got, <-done)
		}
		// The first has a connection; two of the others find the queue full.
		require.ElementsMatch(t, []string{"0 200 120ms", "1 200 219ms", "2 503 40ms", "3 503 40ms"}, got)
	})
	require.EqualValues(t, 2, r.Capacity.Rejected)
	require.EqualValues(t, 3, r.Capacity.Served)
	require.Equal(t, units.Duration(79*ms), r.Capacity.Waiting.Max)
}

// A run over TLS: what the workload says is what the wire took.
func TestFetchOverTLS(t *testing.T) {
	server := web.NewServerConfig()
	server.Listen, server.TLS.On = ":443", true
	server.Handlers = map[string]web.Handler{"/img/": {Handler: "static", Size: size(100), Count: 30}}
	fetch := func(change func(*web.Config)) (*web.Result, *web.ServerResult) {
		return lab(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, server, config(func(c *web.Config) {
			c.URL, c.Objects, c.Concurrency = "https://b/img", 30, 30
			change(c)
		}))
	}
	r, s := fetch(func(c *web.Config) {})
	require.EqualValues(t, 30, r.Succeeded)
	require.EqualValues(t, 1, r.Connections)
	require.Equal(t, map[string]uint64{"http2": 30}, r.Protocols)
	require.Equal(t, map[string]uint64{"http2": 30}, s.Protocols)
	require.EqualValues(t, 30, s.Handlers["/img/"].Requests)
	require.Equal(t, same(20*ms), r.TLS)
	require.Equal(t, same(20*ms), r.Connect)
	for connections, took := range map[int]time.Duration{1: 640 * ms, 6: 140 * ms} {
		r, _ = fetch(func(c *web.Config) { c.HTTPVersion, c.MaxConnections = "http/1.1", connections })
		require.EqualValues(t, connections, r.Connections)
		require.Equal(t, took, r.Took.Std().Round(time.Microsecond))
	}
	r, _ = fetch(func(c *web.Config) { c.KeepAlive, c.Concurrency = false, 1 })
	require.EqualValues(t, 30, r.Connections)
	require.EqualValues(t, 29, r.Resumed)
	r, _ = fetch(func(c *web.Config) { c.URL = "https://10.0.1.2/img" })
	require.EqualValues(t, 30, r.Succeeded)
	server.TLS.Certificate = "expired"
	r, _ = fetch(func(c *web.Config) { c.Concurrency = 1 })
	require.EqualValues(t, 30, r.Errors.TLS)
}

func TestSeveralURLs(t *testing.T) {
	r, s := lab(t, testlab.Config{}, web.NewServerConfig(), config(func(c *web.Config) {
		c.URL, c.URLs, c.Count = "", []services.URL{"http://b/bytes/1", "http://b/bytes/10", "http://b/bytes/x"}, 2
	}))
	require.EqualValues(t, 6, r.Requests)
	require.Equal(t, map[string]uint64{"200": 4, "404": 2}, s.Status)
	require.EqualValues(t, 22+2*len("Not Found\n"), int(r.Bytes))
	for want, change := range map[string]func(c *web.Config){
		"found url and urls":  func(c *web.Config) { c.URLs = []services.URL{"http://b/"} },
		"urls: \"x\" is not":  func(c *web.Config) { c.URL, c.URLs = "", []services.URL{"x"} },
		"has a query":         func(c *web.Config) { c.URL, c.Objects = "http://b/?x", 3 },
		"want an https URL":   func(c *web.Config) { c.HTTPVersion = "h2" },
		"objects: found -1":   func(c *web.Config) { c.Objects = -1 },
		"retry.on: found 200": func(c *web.Config) { c.Retry.Attempts, c.Retry.On = 2, []int{200} },
	} {
		require.ErrorContains(t, config(change).Validate(), want)
	}
}

func TestServerOptionsAreChecked(t *testing.T) {
	for field, change := range map[string]func(c *web.ServerConfig){
		"tls.certificate": func(c *web.ServerConfig) { c.TLS.Certificate = "x" },
		"h2c":             func(c *web.ServerConfig) { c.H2C, c.TLS.On = true, true },
		"error_rate":      func(c *web.ServerConfig) { c.ErrorRate = 2 },
		"error_status":    func(c *web.ServerConfig) { c.ErrorRate, c.ErrorStatus = 1, 200 },
		"service_time":    func(c *web.ServerConfig) { c.Cores = 1 },
		"max_streams":     func(c *web.ServerConfig) { c.MaxStreams = -1 },
		"idle_timeout":    func(c *web.ServerConfig) { c.IdleTimeout = -1 },
		"header_timeout":  func(c *web.ServerConfig) { c.HeaderTimeout = -1 },
		"max_header":      func(c *web.ServerConfig) { c.MaxHeader = -1 },
	} {
		c := web.NewServerConfig()
		change(c)
		var wrong *services.FieldError
		require.ErrorAs(t, c.Validate(), &wrong, field)
		require.Equal(t, field, wrong.Field)
	}
	var text bytes.Buffer
	require.NoError(t, json.NewEncoder(&text).Encode(web.NewServerConfig()))
	require.Equal(t, `{"listen":":80","http2":true,"objects":"10kB","content_type":"application/octet-stream"}`+"\n", text.String())
}
