package analysis

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// A real client and a real server.
func TestWebSocketPeers(t *testing.T) {
	for _, test := range []struct {
		mode  websocket.CompressionMode
		words string
	}{{websocket.CompressionDisabled, " bytes"}, {websocket.CompressionContextTakeover, " bytes compressed"}} {
		r := &recording{}
		near, far := r.pipe()
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			c, err := websocket.Accept(w, req, &websocket.AcceptOptions{CompressionMode: test.mode, CompressionThreshold: 1})
			if err != nil {
				return
			}
			c.SetReadLimit(-1)
			for {
				kind, b, err := c.Read(context.Background())
				if err != nil {
					return
				}
				_ = c.Write(context.Background(), kind, b)
			}
		})}
		serving := newOneConn(far)
		go func() { _ = server.Serve(serving) }()
		client := &http.Client{Transport: &http.Transport{DialContext: newOneConn(near).dial}}
		ctx := context.Background()
		c, _, err := websocket.Dial(ctx, "ws://web.lab/chat", &websocket.DialOptions{HTTPClient: client, CompressionMode: test.mode, CompressionThreshold: 1})
		require.NoError(t, err)
		c.SetReadLimit(-1)
		for _, n := range []int{5, 200, 70_000} {
			require.NoError(t, c.Write(ctx, websocket.MessageText, []byte(strings.Repeat("x", n))))
			_, b, err := c.Read(ctx)
			require.NoError(t, err)
			require.Len(t, b, n)
		}
		require.NoError(t, c.Write(ctx, websocket.MessageBinary, []byte("bin")))
		_, _, err = c.Read(ctx)
		require.NoError(t, err)
		require.NoError(t, c.Close(websocket.StatusGoingAway, "bye"))
		require.NoError(t, server.Close())

		r.Lock()
		h := hearAll(t, r.conversation, Options{})
		r.Unlock()
		require.Equal(t, "websocket", h.stream.Protocol)
		require.Equal(t, 1, h.WebSocket.Connections)
		both := map[string]int{"text": 3, "binary": 1, "close": 1}
		require.Equal(t, both, h.WebSocket.FromServer)
		for kind, n := range both {
			require.Equal(t, n, h.WebSocket.FromClient[kind], kind)
		}
		require.Equal(t, []string{"GET /chat 101 0/0"}, h.short())
		require.Contains(t, h.messages, "WebSocket close 1001")
		require.Equal(t, "HTTP/1.1 101 Switching Protocols", h.messages[1])
		require.True(t, strings.HasPrefix(h.messages[2], "WebSocket text ") && strings.Contains(h.messages[2], test.words), h.messages[2])
	}
}

const upgradeRequest = "GET /chat HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
const upgradeResponse = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

func TestWebSocketFrames(t *testing.T) {
	h := hearAll(t, text(Client, upgradeRequest, upgradeResponse+
		"\x01\x03one"+ // fragments
		"\x89\x00"+ // a ping between them
		"\x00\x00"+
		"\x80\x03two"+
		"\xc2\x7e\x00\x80"+strings.Repeat("b", 128)+
		"\x82\x7f\x00\x00\x00\x00\x00\x00\x00\x01x",
		"\x8a\x80mask"+"\x88\x82\x01\x02\x03\x04\x02\xeb"), Options{})
	require.Equal(t, map[string]int{"text": 1, "continuation": 2, "ping": 1, "binary": 2}, h.WebSocket.FromServer)
	require.Equal(t, map[string]int{"pong": 1, "close": 1}, h.WebSocket.FromClient)
	require.Equal(t, []string{
		"GET /chat HTTP/1.1", "HTTP/1.1 101 Switching Protocols", "WebSocket text 3 bytes, more follow", "WebSocket ping",
		"WebSocket continuation 0 bytes, more follow", "WebSocket continuation 3 bytes", "WebSocket binary 128 bytes compressed",
		"WebSocket binary 1 byte", "WebSocket pong", "WebSocket close 1001",
	}, h.messages)
}

// What the client says before the response comes after it.
func TestWebSocketClientDoesNotWait(t *testing.T) {
	h := hearAll(t, text(Client, upgradeRequest+"\x81\x81maskx", upgradeResponse), Options{})
	require.Equal(t, map[string]int{"text": 1}, h.WebSocket.FromClient)
}

func TestWebSocketGaps(t *testing.T) {
	l := newListener(Options{}, 80)
	for _, s := range text(Client, upgradeRequest, upgradeResponse) {
		l.data(s.side, s.b)
	}
	l.data(Server, []byte("\x82\x05ab"))
	l.app.gap(l.next(), Server, 3)
	l.data(Server, []byte("\x81\x01x"))
	l.app.gap(l.next(), Server, 3)
	l.data(Server, []byte("\x81\x01x"))
	l.data(Client, []byte("\x83\x00"))
	require.Equal(t, map[string]int{"binary": 1, "text": 1}, l.WebSocket.FromServer)
	require.Empty(t, l.WebSocket.FromClient)
	require.Equal(t, 2, l.NoteCounts["websocket"], "the gap and the unknown operation")
}

func FuzzWebSocket(f *testing.F) {
	f.Add([]byte("\x81\x81maskx\x88\x82\x01\x02\x03\x04\x02\xeb"), []byte("\x01\x03one\x80\x7e\x00\x01x\x89\x00"), 2)
	f.Add([]byte("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff"), []byte("\x83"), 1)
	f.Fuzz(func(t *testing.T, client, server []byte, n int) {
		requireCutsAgree(t, append([]byte(upgradeRequest), client...), append([]byte(upgradeResponse), server...), n)
	})
}
