package chat_test

import (
	"context"
	"fmt"
	"io"
	nethttp "net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/http"
	"netlab/internal/testlab"
	"netlab/services"
	"netlab/services/chat"
	"netlab/ws"
)

// enter opens a WebSocket connection to the room from a.
func enter(t *testing.T, l *testlab.Lab, query string) *ws.Conn {
	c, err := ws.Dial(l.Context(), l.A, "ws://b/chat/ws"+query, nil)
	require.NoError(t, err)
	return c
}

// request makes a request to the room and returns status and body.
func request(t *testing.T, l *testlab.Lab, method, path, body string) (int, string) {
	transport := http.NewTransport(l.A, &http.TransportOptions{NoKeepAlive: true})
	r, err := nethttp.NewRequestWithContext(l.Context(), method, "http://b/chat"+path, strings.NewReader(body))
	require.NoError(t, err)
	response, err := transport.RoundTrip(r)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, strings.TrimSpace(string(text))
}

func say(t *testing.T, l *testlab.Lab, text string) {
	status, _ := request(t, l, "POST", "/messages", fmt.Sprintf(`{"sender":"ann","sent_ns":1,"text":%q}`, text))
	require.Equal(t, 201, status)
}

func hear(t *testing.T, l *testlab.Lab, c *ws.Conn) string {
	kind, text, err := c.Read(l.Context())
	require.NoError(t, err)
	require.Equal(t, ws.Text, kind)
	return string(text)
}

// A message that comes in one way goes out all ways.
func TestThreeWaysIn(t *testing.T) {
	testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
		room := serve(l, chat.RoomConfig{History: 3})
		c := enter(t, l, "")
		require.NoError(t, c.Write(l.Context(), ws.Text, []byte(`{"text":"<hello>"}`)))
		at := fmt.Sprint(int64(50 * ms))
		require.JSONEq(t, `{"number":1,"sender":"","id":0,"sent_ns":`+at+`,"text":"<hello>"}`, hear(t, l, c))
		status, body := request(t, l, "POST", "/messages", `{"sender":"ann","id":7,"sent_ns":5,"text":"hi"}`)
		require.Equal(t, 201, status)
		require.Equal(t, `{"number":2}`, body)
		require.JSONEq(t, `{"number":2,"sender":"ann","id":7,"sent_ns":5,"text":"hi"}`, hear(t, l, c))
		status, body = request(t, l, "GET", "/messages?after=1", "")
		require.Equal(t, 200, status)
		require.JSONEq(t, `{"last":2,"messages":[{"number":2,"sender":"ann","id":7,"sent_ns":5,"text":"hi"}]}`, body)
		for _, path := range []string{"/messages?after=2", "/messages?after=99", "/messages?after=2&wait=1s"} {
			_, body = request(t, l, "GET", path, "")
			require.Equal(t, `{"last":2,"messages":[]}`, body)
		}
		say(t, l, "three")
		say(t, l, "four")
		_, body = request(t, l, "GET", "/messages", "")
		require.NotContains(t, body, "<hello>") // the room keeps three
		require.Contains(t, body, "hi")

		late := enter(t, l, "?after=0")
		for _, want := range []string{"hi", "three", "four"} {
			require.Contains(t, hear(t, l, late), want)
		}
		require.NoError(t, late.Close(ws.NormalClosure, ""))
		require.NoError(t, c.Close(ws.GoingAway, ""))
		r := roomResult(t, room)
		require.Equal(t, map[string]uint64{"1000": 1, "1001": 1}, r.CloseCodes)
		require.EqualValues(t, 2, r.Peak)
		require.EqualValues(t, 5, r.Polls)
		require.EqualValues(t, 3, r.EmptyPolls)
		require.EqualValues(t, 4, r.Polled)
	})
}

func TestMistakesOfClients(t *testing.T) {
	testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
		room := serve(l, chat.RoomConfig{MaxMessage: 1000})
		for _, c := range []struct {
			method, path, body string
			status             int
			want               string
		}{
			{"GET", "/nowhere", "", 404, "not found"},
			{"PUT", "/messages", "", 405, "Method Not Allowed"},
			{"GET", "/ws", "", 426, "Upgrade"},
			{"GET", "/ws?wait=1s", "", 400, `unknown parameter "wait": want after`},
			{"GET", "/messages?after=-1", "", 400, `after: found "-1", wanted the number of a message`},
			{"GET", "/messages?after=x", "", 400, `after: found "x"`},
			{"GET", "/messages?after=1&after=2", "", 400, "found 2 values, wanted one"},
			{"GET", "/messages?before=1", "", 400, `unknown parameter "before": want after and wait`},
			{"GET", "/messages?wait=1", "", 400, "wait: "},
			{"GET", "/messages?wait=61s", "", 400, "wanted at most 1m"},
			{"GET", "/messages?%zz", "", 400, "invalid URL escape"},
			{"POST", "/messages", "hello", 400, "the message is not one such as"},
			{"POST", "/messages", `{"text":"x"} x`, 400, "something follows the message"},
			{"POST", "/messages", `{"txt":"x"}`, 400, `unknown field "txt"`},
			{"POST", "/messages", `{"id":-1}`, 400, "id: found -1, wanted 0 or more"},
			{"POST", "/messages", `{"sent_ns":-1}`, 400, "sent_ns: found -1, wanted 0 or more"},
			{"POST", "/messages", `{"sender":"` + strings.Repeat("x", 257) + `"}`, 400, "sender: found 257 bytes"},
			{"POST", "/messages", "{\"text\":\"\xff\"}", 400, "not UTF-8"},
			{"POST", "/messages", `{"text":"` + strings.Repeat("x", 1000) + `"}`, 413, "message too big"},
		} {
			status, body := request(t, l, c.method, c.path, c.body)
			require.Equal(t, c.status, status, "%s %s: %s", c.method, c.path, body)
			require.Contains(t, body, c.want, "%s %s", c.method, c.path)
		}
		for code, message := range map[ws.StatusCode]string{ws.InvalidPayload: "hello", ws.MessageTooBig: strings.Repeat("x", 1001)} {
			c := enter(t, l, "")
			require.NoError(t, c.Write(l.Context(), ws.Text, []byte(message)))
			_, _, err := c.Read(l.Context())
			require.Equal(t, code, ws.CloseStatus(err))
			c.CloseNow()
		}
		c := enter(t, l, "")
		require.NoError(t, c.Write(l.Context(), ws.Binary, []byte("{}")))
		_, _, err := c.Read(l.Context())
		require.Equal(t, ws.UnsupportedData, ws.CloseStatus(err))
		c.CloseNow()
		r := roomResult(t, room)
		require.EqualValues(t, 8+3, r.Rejected)
		require.Zero(t, r.Messages)
		require.Equal(t, map[string]uint64{"1003": 1, "1007": 1, "1009": 1}, r.CloseCodes)
	})
}

// A member who reads nothing is closed when its queue is full, or misses messages; the others hear everything, and time goes on.
func TestSlowMember(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes with the race detector")
	}
	const messages = 400
	for _, policy := range []chat.SlowPolicy{chat.CloseSlow, chat.SkipSlow} {
		testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 1e9)}, func(t *testing.T, l *testlab.Lab) {
			room := serve(l, chat.RoomConfig{Queue: 10, Slow: policy})
			slow, quick := enter(t, l, ""), enter(t, l, "")
			text := strings.Repeat("x", 60_000)
			heard := make(chan int, 1)
			l.A.Go(func() {
				n := 0
				for n < messages {
					if _, _, err := quick.Read(l.Context()); err != nil {
						break
					}
					n++
				}
				heard <- n
			})
			for range messages {
				say(t, l, text)
			}
			require.Equal(t, messages, <-heard)
			last, got := "", 0
			for {
				ctx, cancel := context.WithTimeout(l.Context(), 10*time.Second)
				_, message, err := slow.Read(ctx)
				cancel()
				if err != nil {
					break
				}
				got++
				last, _, _ = strings.Cut(string(message), ",")
			}
			slow.CloseNow()
			require.NoError(t, quick.Close(ws.NormalClosure, ""))
			r := roomResult(t, room)
			require.Less(t, got, messages)
			if policy == chat.CloseSlow {
				require.EqualValues(t, 1, r.Slow)
				require.Zero(t, r.Skipped)
				require.EqualValues(t, 1, r.CloseCodes["1006"])
			} else {
				require.Zero(t, r.Slow)
				require.EqualValues(t, messages-got, r.Skipped)
				require.Equal(t, fmt.Sprintf(`{"number":%d`, messages), last)
			}
		})
	}
}

// A member that catches up on old messages is not slow.
func TestCatchingUp(t *testing.T) {
	testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
		room := serve(l, chat.RoomConfig{Queue: 1})
		for range 50 {
			say(t, l, "x")
		}
		c := enter(t, l, "?after=0")
		for range 50 {
			hear(t, l, c)
		}
		require.NoError(t, c.Close(ws.NormalClosure, ""))
		require.Zero(t, roomResult(t, room).Slow)
	})
}

// The room gives up members that answer no pings.
func TestRoomPings(t *testing.T) {
	testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
		room := serve(l, chat.RoomConfig{PingInterval: duration(10 * time.Second), PingTimeout: duration(time.Second)})
		for range 3 {
			c := enter(t, l, "")
			defer c.CloseNow()
			l.A.Go(func() { c.Read(l.Context()) })
		}
		cut(t, l, 15*time.Second, true)
		l.Sleep(30 * time.Second)
		r := roomResult(t, room)
		require.Equal(t, map[string]uint64{"1006": 3}, r.CloseCodes)
	})
}

// Long polls that wait when their clients go or the server stops leave nothing behind.
func TestLongPollsAreCut(t *testing.T) {
	testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
		room := serve(l, chat.RoomConfig{})
		ctx, cancel := context.WithCancel(l.Context())
		done := make(chan error, 2)
		for _, ctx := range []context.Context{ctx, l.Context()} {
			l.A.Go(func() {
				transport := http.NewTransport(l.A, &http.TransportOptions{NoKeepAlive: true})
				r, err := nethttp.NewRequestWithContext(ctx, "GET", "http://b/chat/messages?wait=60s", nil)
				require.NoError(t, err)
				_, err = transport.RoundTrip(r)
				done <- err
			})
		}
		l.Sleep(time.Second)
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		l.Sleep(time.Second)
		require.EqualValues(t, 2, roomResult(t, room).Cut)
		require.Error(t, <-done)
		require.Less(t, l.Elapsed(), 3*time.Second)
	})
}

func TestValidateRoom(t *testing.T) {
	require.NoError(t, (&chat.RoomConfig{}).Validate(""))
	for field, c := range map[string]chat.RoomConfig{
		"chat.history":       {History: -1},
		"chat.max_message":   {MaxMessage: -1},
		"chat.max_wait":      {MaxWait: -1},
		"chat.compression":   {Compression: "zip"},
		"chat.queue":         {History: 10, Queue: 11},
		"chat.slow":          {Slow: "wait"},
		"chat.ping_interval": {PingInterval: -1},
		"chat.ping_timeout":  {PingInterval: 1, PingTimeout: 2},
	} {
		var wrong *services.FieldError
		require.ErrorAs(t, c.Validate("chat"), &wrong)
		require.Equal(t, field, wrong.Field)
	}
}
