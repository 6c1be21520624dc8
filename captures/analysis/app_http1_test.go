package analysis

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/captures"
)

// short tells exchanges in a line each: method, target, status and the sizes of the bodies.
func (h *heard) short() []string {
	var list []string
	for _, e := range h.HTTP.Exchanges {
		s := fmt.Sprintf("%s %s %d %d/%d", e.Method, e.Target, e.Status, e.RequestBytes, e.ResponseBytes)
		if e.End == 0 {
			s += " open"
		}
		if e.Reset {
			s += " reset"
		}
		list = append(list, s)
	}
	return list
}

func TestHTTP1(t *testing.T) {
	for _, test := range []struct {
		what      string
		c         conversation
		exchanges []string
		responses int
	}{
		{"length", text(Client, "GET /a HTTP/1.1\r\nHost: web\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
			"POST /b HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
			[]string{"GET /a 200 0/5", "POST /b 404 3/0"}, 2},
		{"pipelining", text(Client, "GET /a HTTP/1.1\r\n\r\nHEAD /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\n",
			"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nxyHTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nz"),
			[]string{"GET /a 200 0/2", "HEAD /b 200 0/0", "GET /c 200 0/1"}, 3},
		{"chunks", text(Client, "PUT /a HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n", "GET /b HTTP/1.1\r\n\r\n",
			"HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n"),
			[]string{"PUT /a 200 5/10", "GET /b 304 0/0"}, 2},
		{"informational", text(Client, "POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "hi",
			"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"), []string{"POST /a 204 2/0"}, 3},
		{"until the end", text(Client, "GET /a HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\nall of it"), []string{"GET /a 200 0/9"}, 1},
		{"bare line feeds", text(Client, "GET /a HTTP/1.1\nHost: web\n\n\r\nGET /b HTTP/1.1\n\n", "HTTP/1.1 200 OK\nContent-Length: 1\n\nx"),
			[]string{"GET /a 200 0/1", "GET /b 0 0/0 open"}, 1},
		{"two equal lengths", text(Client, "GET /a HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx"), []string{"GET /a 200 0/1"}, 1},
		{"two lengths", text(Client, "GET /a HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx"), []string{"GET /a 200 0/0 open"}, 1},
		{"upgrade that is not granted", text(Client, "POST /a HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\nx",
			"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny", "GET /b HTTP/1.1\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"), []string{"POST /a 200 1/1", "GET /b 204 0/0"}, 2},
		{"upgrade that is not granted, and the next request is there already",
			text(Client, "GET /a HTTP/1.1\r\nConnection: keep-alive, upgrade\r\nUpgrade: h2c\r\n\r\nGET /b HTTP/1.1\r\n\r\n",
				"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"), []string{"GET /a 204 0/0", "GET /b 204 0/0"}, 2},
		{"upgrade to something else", text(Client, "GET /a HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: irc\r\n\r\n",
			"HTTP/1.1 101 Switching Protocols\r\nUpgrade: irc\r\n\r\n", "GET /no HTTP/1.1\r\n\r\n"), []string{"GET /a 101 0/0"}, 1},
		{"tunnel", text(Client, "CONNECT web:80 HTTP/1.1\r\n\r\n", "HTTP/1.1 200 Connection established\r\n\r\n", "GET /in HTTP/1.1\r\n\r\n",
			"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"), []string{"CONNECT web:80 200 0/0", "GET /in 200 0/1"}, 2},
		{"tunnel that is refused", text(Client, "CONNECT web:80 HTTP/1.1\r\n\r\n", "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 1\r\n\r\nx", "GET /b HTTP/1.1\r\n\r\n",
			"HTTP/1.1 204 No Content\r\n\r\n"), []string{"CONNECT web:80 502 0/1", "GET /b 204 0/0"}, 2},
		{"request without response", text(Client, "GET /a HTTP/1.1\r\n\r\n"), []string{"GET /a 0 0/0 open"}, 0},
		{"response without request", text(Server, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"), nil, 1},
		{"what is no HTTP after all", text(Client, "GET /a HTTP/1.1\r\n\r\n", "HTTP/1.1 what\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"), []string{"GET /a 0 0/0 open"}, 0},
		{"head that is too long", text(Client, "GET /a HTTP/1.1\r\nX: "+strings.Repeat("x", maxHead)+"\r\n\r\n"), nil, 0},
	} {
		h := hearAll(t, test.c, Options{})
		require.Equal(t, test.exchanges, h.short(), test.what)
		require.Equal(t, test.responses, h.HTTP.Responses, test.what)
	}
}

// Heads, ends and times are those of the frames.
func TestHTTP1Frames(t *testing.T) {
	h := hear(conversation{
		{Client, []byte("GET / HTTP/1.1\r\n")}, {Client, []byte("Host: web\r\n\r\n")},
		{Server, []byte("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")}, {Server, []byte("ab")}, {Server, []byte("cd")},
	}, Options{}, false)
	require.Equal(t, []*HTTPExchange{{
		Version: "HTTP/1.1", Method: "GET", Host: "web", Target: "/", Status: 200, Request: 2, Response: 3, End: 5,
		RequestAt: 2 * time.Millisecond, FirstByte: time.Millisecond, Took: 3 * time.Millisecond, ResponseBytes: 4,
	}}, h.HTTP.Exchanges)
	require.Equal(t, []string{"GET / HTTP/1.1", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK (end, 4 bytes)"}, h.messages)
	require.Equal(t, Message{Protocol: "http", Text: "GET / HTTP/1.1", FirstFrame: 1, Bytes: 29}, h.frames[1].Messages[0])
	require.Empty(t, h.frames[3].Protocols)
	require.Equal(t, map[string]int{"200": 1}, h.HTTP.Codes)
}

func TestHTTP1Gaps(t *testing.T) {
	l := newListener(Options{}, 80)
	l.data(Client, []byte("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n"))
	l.data(Server, []byte("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"))
	l.app.gap(l.next(), Server, 7) // to the end of the body
	l.data(Server, []byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\na"))
	l.app.gap(l.next(), Server, 9) // beyond the chunk
	l.data(Server, []byte("HTTP/1.1 200 OK\r\n\r\n"))
	l.data(Client, []byte("GET /c HTTP/1.1\r\n\r\n"))
	require.Equal(t, []string{"GET /a 200 0/10", "GET /b 200 0/0 open", "GET /c 0 0/0 open"}, l.short())
	require.Equal(t, 2, l.HTTP.Responses)
	require.Equal(t, 1, l.NoteCounts["http"])
}

func TestHTTP1Reset(t *testing.T) {
	l := newListener(Options{}, 80)
	l.data(Client, []byte("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\n"))
	l.data(Server, []byte("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\nabc"))
	f := l.next()
	f.Segment.Flags = captures.RST
	l.app.end(f, Client)
	l.app.end(f, Server)
	require.Equal(t, []string{"GET /a 204 0/0", "GET /b 200 0/0 open reset", "GET /c 0 0/0 open reset"}, l.short())
}

func FuzzHTTP1(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"), []byte("HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n\x81\x01x"), 3)
	f.Add([]byte("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"), []byte("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"), 1)
	f.Add([]byte("CONNECT web HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n"), []byte("HTTP/1.1 200 OK\r\n\r\n"), 100)
	f.Fuzz(func(t *testing.T, client, server []byte, n int) { requireCutsAgree(t, client, server, n) })
}

// requireCutsAgree requires that what two sides say tells the same in one piece each and cut after every n bytes.
func requireCutsAgree(t *testing.T, client, server []byte, n int) {
	c := conversation{{Client, client}, {Server, server}}
	whole := hear(c, Options{}, true)
	cut := hear(c.cut(max(1, n)), Options{}, true)
	require.Equal(t, whole.HTTP, cut.HTTP)
	require.Equal(t, whole.TLS, cut.TLS)
	require.Equal(t, whole.WebSocket, cut.WebSocket)
	require.Equal(t, whole.messages, cut.messages)
	// A gap is survived too.
	l := newListener(Options{}, 443)
	l.data(Client, client)
	l.app.gap(l.next(), Server, uint64(max(1, n)))
	l.data(Server, server)
	l.end(Server)
}

func TestLongestMethod(t *testing.T) {
	longest := 0
	for _, m := range methods {
		longest = max(longest, len(m+" "))
	}
	require.Equal(t, longestMethod, longest)
}

// Words of HTTP alone don't make a message of it.
func TestHTTPIsRecognisedByItsFirstLine(t *testing.T) {
	long := "GET /" + strings.Repeat("x", maxLine)
	for _, c := range []struct {
		text string
		want answer
	}{
		{"", maybe}, {"G", maybe}, {"HTTP", maybe}, {"GET", maybe}, {"GET ", maybe}, {"GET / HTTP/1.1", maybe}, {"GET / HTTP/1.1\r", maybe},
		{"GET / HTTP/1.1\n", yes}, {"GET / HTTP/1.1\r\nHost", yes}, {"HTTP/1.0 200\r\n", yes}, {"HTTP/1.1 200 All is well\r\n", yes},
		{"PUT 40000\n", no}, {"GET\n", no}, {"GET / HTTP/2\r\n", no}, {"HTTP/1.1 OK\r\n", no}, {"GET \x00", no}, {"FETCH / HTTP/1.1\r\n", no},
		{long[:maxLine], maybe}, {long, no}, {long + " HTTP/1.1\r\n", no},
	} {
		require.Equal(t, c.want, beginsHTTP([]byte(c.text)), "%.40q", c.text)
	}
	h := hear(text(Client, "PUT 40000\n", "OK 40000\n"), Options{}, false)
	require.Empty(t, h.stream.Protocol)
	require.Empty(t, h.NoteCounts)
	h = hear(conversation{{Client, []byte("GE")}, {Client, []byte("T / HTTP/1.1\r\n\r\n")}}, Options{}, false)
	require.Equal(t, Message{Protocol: "http", Text: "GET / HTTP/1.1", FirstFrame: 1, Bytes: 18}, h.frames[1].Messages[0])
}
