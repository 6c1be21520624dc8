package analysis

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"netlab/captures"
)

// talker writes what a side of HTTP/2 says.
type talker struct {
	bytes.Buffer
	*http2.Framer
	table bytes.Buffer
	hpack *hpack.Encoder
}

func newTalker() *talker {
	k := &talker{}
	k.Framer = http2.NewFramer(&k.Buffer, nil)
	k.Framer.AllowIllegalWrites = true
	k.hpack = hpack.NewEncoder(&k.table)
	return k
}

// block encodes pairs of names and values.
func (k *talker) block(pairs ...string) []byte {
	k.table.Reset()
	for i := 0; i < len(pairs); i += 2 {
		_ = k.hpack.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]})
	}
	return bytes.Clone(k.table.Bytes())
}

// say returns what was written since the last call.
func (k *talker) say() []byte {
	b := bytes.Clone(k.Bytes())
	k.Reset()
	return b
}

func TestHTTP2Frames(t *testing.T) {
	client, server := newTalker(), newTalker()
	client.WriteString(preface)
	require.NoError(t, client.WriteSettings(http2.Setting{ID: http2.SettingHeaderTableSize, Val: 65536}))
	// A block in three frames, with padding and priority.
	block := client.block(":method", "POST", ":scheme", "http", ":authority", "web", ":path", "/a", "x", strings.Repeat("y", 100))
	require.NoError(t, client.WriteHeaders(http2.HeadersFrameParam{
		StreamID: 1, BlockFragment: block[:10], PadLength: 9, Priority: http2.PriorityParam{StreamDep: 3, Weight: 1},
	}))
	require.NoError(t, client.WriteContinuation(1, false, block[10:20]))
	require.NoError(t, client.WriteContinuation(1, true, block[20:]))
	require.NoError(t, client.WriteDataPadded(1, false, []byte("hello"), make([]byte, 20)))
	require.NoError(t, client.WriteData(1, true, []byte("!!")))
	c := conversation{{Client, client.say()}}

	require.NoError(t, server.WriteSettings())
	require.NoError(t, server.WriteSettingsAck())
	server.hpack.SetMaxDynamicTableSizeLimit(65536)
	server.hpack.SetMaxDynamicTableSize(65536) // which stands in the next block
	require.NoError(t, server.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, BlockFragment: server.block(":status", "103")}))
	require.NoError(t, server.WritePushPromise(http2.PushPromiseParam{
		StreamID: 1, PromiseID: 2, EndHeaders: true, PadLength: 3, BlockFragment: server.block(":method", "GET", ":path", "/style", ":authority", "web"),
	}))
	require.NoError(t, server.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, BlockFragment: server.block(":status", "200", "y", "z")}))
	require.NoError(t, server.WriteData(1, false, []byte("body")))
	require.NoError(t, server.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: true, BlockFragment: server.block("grpc-status", "0")}))
	require.NoError(t, server.WriteHeaders(http2.HeadersFrameParam{StreamID: 2, EndHeaders: true, EndStream: true, BlockFragment: server.block(":status", "204")}))
	c = append(c, said{Server, server.say()})

	require.NoError(t, client.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, EndHeaders: true, EndStream: true, BlockFragment: client.block(":method", "GET", ":path", "/c")}))
	require.NoError(t, client.WriteRSTStream(3, http2.ErrCodeCancel))
	require.NoError(t, client.WritePing(false, [8]byte{}))
	require.NoError(t, client.WriteWindowUpdate(0, 7))
	require.NoError(t, client.WritePriority(5, http2.PriorityParam{}))
	require.NoError(t, client.WriteRawFrame(0xb, 0, 0, []byte("unknown")))
	c = append(c, said{Client, client.say()})
	require.NoError(t, server.WriteGoAway(3, http2.ErrCodeNo, []byte("bye")))
	c = append(c, said{Server, server.say()})

	h := hearAll(t, c, Options{})
	require.Equal(t, "http2", h.stream.Protocol)
	require.Equal(t, map[string]int{
		"SETTINGS": 3, "HEADERS": 6, "CONTINUATION": 2, "DATA": 3, "PUSH_PROMISE": 1, "RST_STREAM": 1, "PING": 1, "WINDOW_UPDATE": 1, "PRIORITY": 1,
		"GOAWAY": 1, "type 11": 1,
	}, h.HTTP.Frames2)
	require.Equal(t, []string{"POST /a 200 7/4", "GET /style 204 0/0", "GET /c 0 0/0 open reset"}, h.short())
	require.Equal(t, 3, h.HTTP.Requests2)
	require.Equal(t, 3, h.HTTP.Responses2)
	require.Equal(t, map[string]int{"103": 1, "200": 1, "204": 1}, h.HTTP.Codes)
	require.Equal(t, []string{
		"HTTP/2 preface", "HTTP/2 SETTINGS", "HTTP/2 HEADERS stream 1: more follow", "HTTP/2 CONTINUATION stream 1: more follow",
		"HTTP/2 CONTINUATION stream 1: POST /a", "HTTP/2 DATA stream 1: 26 bytes", "HTTP/2 DATA stream 1: 2 bytes, end",
		"HTTP/2 SETTINGS", "HTTP/2 SETTINGS ACK", "HTTP/2 HEADERS stream 1: 103", "HTTP/2 PUSH_PROMISE stream 1: promises stream 2 GET /style",
		"HTTP/2 HEADERS stream 1: 200", "HTTP/2 DATA stream 1: 4 bytes", "HTTP/2 HEADERS stream 1: trailers", "HTTP/2 HEADERS stream 2: 204",
		"HTTP/2 HEADERS stream 3: GET /c", "HTTP/2 RST_STREAM stream 3: CANCEL", "HTTP/2 PING", "HTTP/2 WINDOW_UPDATE", "HTTP/2 PRIORITY stream 5",
		"HTTP/2 type 11", "HTTP/2 GOAWAY: last stream 3, NO_ERROR",
	}, h.messages)
}

// A real client and a real server, in clear.
func TestHTTP2Peers(t *testing.T) {
	r := &recording{}
	near, far := r.pipe()
	handler := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		b, _ := io.ReadAll(req.Body)
		w.Header().Set("X-Long", strings.Repeat("x", 5000))
		_, _ = w.Write(bytes.Repeat(b, 1000))
	})
	clear := &http.Protocols{}
	clear.SetUnencryptedHTTP2(true)
	server := &http.Server{Handler: handler, Protocols: clear}
	serving := newOneConn(far)
	go func() { _ = server.Serve(serving) }()
	transport := &http.Transport{Protocols: clear, DialContext: newOneConn(near).dial}
	for i := range 3 {
		resp, err := (&http.Client{Transport: transport}).Post(fmt.Sprintf("http://web.lab/%d", i), "text/plain", strings.NewReader("hello"))
		require.NoError(t, err)
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Len(t, b, 5000)
	}
	transport.CloseIdleConnections()
	require.NoError(t, server.Close())

	r.Lock()
	defer r.Unlock()
	h := hearAll(t, r.conversation, Options{})
	require.Equal(t, []string{"POST /0 200 5/5000", "POST /1 200 5/5000", "POST /2 200 5/5000"}, h.short())
	require.Equal(t, "web.lab", h.HTTP.Exchanges[0].Host)
	require.Equal(t, []uint32{1, 3, 5}, []uint32{h.HTTP.Exchanges[0].StreamID, h.HTTP.Exchanges[1].StreamID, h.HTTP.Exchanges[2].StreamID})
	require.Equal(t, map[string]int{"200": 3}, h.HTTP.Codes)
}

// A connection of HTTP/1.1 that changes to HTTP/2; the request is stream 1.
func TestHTTP2Upgrade(t *testing.T) {
	client, server := newTalker(), newTalker()
	client.WriteString(preface)
	require.NoError(t, client.WriteSettings())
	require.NoError(t, server.WriteSettings())
	require.NoError(t, server.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, BlockFragment: server.block(":status", "200")}))
	require.NoError(t, server.WriteData(1, true, []byte("hi")))
	h := hearAll(t, conversation{
		{Client, []byte("GET /a HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n")},
		{Server, append([]byte("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"), server.say()...)},
		{Client, client.say()},
	}, Options{})
	require.Equal(t, []string{"GET /a 200 0/2"}, h.short())
	require.Equal(t, map[string]int{"SETTINGS": 2, "HEADERS": 1, "DATA": 1}, h.HTTP.Frames2)
	require.Equal(t, "http2", h.stream.Protocol)
}

func TestHTTP2Gaps(t *testing.T) {
	client, server := newTalker(), newTalker()
	client.WriteString(preface)
	require.NoError(t, client.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, BlockFragment: client.block(":method", "GET", ":path", "/a")}))
	l := newListener(Options{}, 80)
	l.data(Client, client.say())
	require.NoError(t, server.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, BlockFragment: server.block(":status", "200")}))
	require.NoError(t, server.WriteData(1, true, make([]byte, 100)))
	b := server.say()
	l.data(Server, b[:len(b)-90])
	l.app.gap(l.next(), Server, 90) // the rest of DATA
	require.Equal(t, []string{"GET /a 200 0/100"}, l.short())
	require.NoError(t, server.WritePing(true, [8]byte{}))
	l.data(Server, server.say())
	l.app.gap(l.next(), Server, 1)
	require.NoError(t, server.WritePing(true, [8]byte{}))
	l.data(Server, server.say())
	require.Equal(t, map[string]int{"HEADERS": 2, "DATA": 1, "PING": 1}, l.HTTP.Frames2)

	f := l.next()
	f.Segment.Flags = captures.RST
	l.app.end(f, Client)
	require.Equal(t, []string{"GET /a 200 0/100"}, l.short(), "the response is complete")
}

// Blocks that can't be decoded end the reading of headers, not of frames.
func TestHTTP2Undecodable(t *testing.T) {
	client := newTalker()
	client.WriteString(preface)
	for range 3 {
		require.NoError(t, client.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, BlockFragment: []byte{0xff, 0xff, 0xff}}))
	}
	h := hearAll(t, conversation{{Client, client.say()}}, Options{})
	require.Equal(t, 3, h.HTTP.Frames2["HEADERS"])
	require.Zero(t, h.HTTP.Requests2)
	require.Equal(t, 1, h.NoteCounts["http2"])
}

// Streams that never end are not followed without bound.
func TestHTTP2Streams(t *testing.T) {
	client := newTalker()
	client.WriteString(preface)
	for i := range maxFollowed + 10 {
		_ = client.WriteHeaders(http2.HeadersFrameParam{StreamID: uint32(2*i + 1), EndHeaders: true, BlockFragment: client.block(":method", "GET", ":path", "/")})
	}
	l := newListener(Options{Limit: 1}, 80)
	l.data(Client, client.say())
	require.Equal(t, maxFollowed+10, l.HTTP.Requests2)
	require.Len(t, l.app.(*channel).inner.(*http2Conn).streams, maxFollowed)
}

func TestHTTP2Times(t *testing.T) {
	client, server := newTalker(), newTalker()
	client.WriteString(preface)
	require.NoError(t, client.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: true, BlockFragment: client.block(":method", "GET", ":path", "/a")}))
	c := conversation{{Client, client.say()}}
	require.NoError(t, server.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, BlockFragment: server.block(":status", "200")}))
	c = append(c, said{Server, server.say()})
	require.NoError(t, server.WriteData(1, true, []byte("hello")))
	b := server.say()
	c = append(c, said{Server, b[:5]}, said{Server, b[5:]})
	h := hear(c, Options{}, false)
	e := h.HTTP.Exchanges[0]
	require.Equal(t, [3]int{1, 2, 4}, [3]int{e.Request, e.Response, e.End})
	require.Equal(t, [2]time.Duration{time.Millisecond, 3 * time.Millisecond}, [2]time.Duration{e.FirstByte, e.Took})
	require.Equal(t, Message{Protocol: "http2", Text: "HTTP/2 DATA stream 1: 5 bytes, end", FirstFrame: 3, Bytes: 14}, h.frames[3].Messages[0])
}

func FuzzHTTP2(f *testing.F) {
	client, server := newTalker(), newTalker()
	require.NoError(f, client.WriteSettings())
	require.NoError(f, client.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, PadLength: 3, BlockFragment: client.block(":method", "GET", ":path", "/a")}))
	require.NoError(f, server.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, BlockFragment: server.block(":status", "200")}))
	require.NoError(f, server.WritePushPromise(http2.PushPromiseParam{StreamID: 1, PromiseID: 2, EndHeaders: true, BlockFragment: server.block(":method", "GET")}))
	require.NoError(f, server.WriteDataPadded(1, true, []byte("x"), make([]byte, 2)))
	require.NoError(f, server.WriteGoAway(1, 0, nil))
	f.Add(client.say(), server.say(), 3)
	f.Add([]byte{0, 0, 1, 1, 0x28, 0, 0, 0, 1, 9}, []byte{0, 0, 2, 5, 4, 0, 0, 0, 1, 0, 0}, 1)
	f.Fuzz(func(t *testing.T, client, server []byte, n int) {
		requireCutsAgree(t, append([]byte(preface), client...), server, n)
	})
}
