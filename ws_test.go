package netlab_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab"
	chatroom "netlab/services/chat"
)

// A chat over WebSocket, by polling and by long polling, and a WebSocket echo over TLS, 10 ms from the server.
const chatLab = `{
	"name": "chat",
	"nodes": {
		"client": {},
		"server": { "services": {
			"web": { "type": "http-server", "handlers": { "/chat": { "handler": "chat" } } },
			"secure": { "type": "http-server", "listen": ":443", "tls": true, "handlers": { "/echo": { "handler": "websocket-echo" } } }
		} }
	},
	"links": [{ "between": "client - server", "latency": "10ms" }],
	"workloads": {
		"push": { "type": "chat", "from": "client", "url": "ws://server/chat", "users": 10, "messages": 5, "ping_interval": "2s" },
		"poll": { "type": "chat", "from": "client", "url": "http://server/chat", "transport": "polling", "users": 10, "messages": 5,
			"lead_time": "1050ms", "start": "20s" },
		"wait": { "type": "chat", "from": "client", "url": "http://server/chat", "transport": "long-polling", "users": 10, "messages": 5,
			"start": "40s" },
		"echo": { "type": "websocket", "from": "client", "url": "wss://server/echo", "count": 5, "size": "5kB", "compression": "context-takeover",
			"ping_interval": "1500ms", "close_code": 4000, "start": "60s" }
	},
	"expect": [
		"push.complete and poll.complete and wait.complete and echo.intact",
		"push.delay.min == 20ms and push.delay.max == 20ms",
		"poll.delay.min == 70ms and poll.delay.max == 970ms and poll.delay.avg == 520ms",
		"wait.delay.p50 == 20ms",
		"echo.rtt.min == 20ms and echo.rtt.max == 20ms and echo.connect.max == 60ms"
	]
}`

func TestChatInALab(t *testing.T) {
	requireSame(t, 2, chatLab, nil)
	results := playText(t, chatLab, nil)
	require.Equal(t, netlab.Holds, results.Verdict(), "%v", results.Expect)
	push, ok := results.Workloads.Get("push")
	require.True(t, ok)
	r := push.Report.(*chatroom.Result)
	require.EqualValues(t, 10, r.Connections)
	require.Equal(t, map[string]uint64{"1000": 10}, r.CloseCodes)
	require.Less(t, push.Ended, 6*time.Second)
}

// Wireshark understands every WebSocket frame, those over TLS as well.
func TestTsharkReadsWebSocket(t *testing.T) {
	dir := t.TempDir()
	play(t, parse(t, chatLab), &netlab.RunOptions{Dir: dir}, nil)
	files := capturesOf(t, dir)
	for node, file := range files {
		require.Empty(t, tshark(t, file, append(checksums, "-Y", faulty)...), "%s: packets with faults", node)
	}
	count := func(filter string) int {
		// A segment may carry several frames.
		n := 0
		for _, line := range tshark(t, files["client"], "-Y", filter, "-T", "fields", "-e", "websocket.opcode") {
			n += strings.Count(line, ",") + 1
		}
		return n
	}
	upgrades := tshark(t, files["client"], "-Y", "http.response.code == 101", "-T", "fields", "-e", "http.upgrade")
	require.Equal(t, slices.Repeat([]string{"websocket"}, 11), upgrades)
	require.Equal(t, 5+50, count("websocket.opcode == 1 && !tls"), "each message once to the server and to ten users")
	require.Equal(t, 5+5, count("websocket.opcode == 1 && tls"))
	require.Equal(t, count("websocket.opcode == 9"), count("websocket.opcode == 10"), "pings and pongs")
	require.NotZero(t, count("websocket.opcode == 9 && tls"))
	codes := tshark(t, files["client"], "-Y", "websocket.opcode == 8", "-T", "fields", "-e", "websocket.payload.close.status_code")
	slices.Sort(codes)
	require.Equal(t, append(slices.Repeat([]string{"1000"}, 20), "4000", "4000"), codes)
	words := tshark(t, files["client"], "-Y", `websocket.payload.text contains "sender" && websocket.mask == 1`, "-T", "fields", "-e", "websocket.payload.text")
	require.Len(t, words, 5)
	require.Contains(t, words[0], `"sent_ns":1000000000`)
}
