package chat_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/netem"
	"netlab/services"
	"netlab/services/chat"
	"netlab/services/failures"
	"netlab/services/secure"
	"netlab/units"
	"netlab/ws"
)

func socketConfig(change func(c *chat.SocketConfig)) *chat.SocketConfig {
	c := chat.NewSocketConfig()
	c.URL = "ws://b/echo"
	if change != nil {
		change(c)
	}
	return c
}

func exchange(t *testing.T, l *testlab.Lab, c *chat.SocketConfig) *chat.SocketResult {
	found, err := l.Workload(chat.Socket, c, l.A)
	require.NoError(t, err)
	return found.(*chat.SocketResult)
}

// A connection takes two round trips, a message one.
func TestSocketTimes(t *testing.T) {
	testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
		serve(l, chat.RoomConfig{})
		r := exchange(t, l, socketConfig(func(c *chat.SocketConfig) {
			c.Connections, c.PingInterval, c.CloseCode = 20, duration(2*time.Second), 4321
		}))
		require.True(t, r.Intact)
		require.Equal(t, equal(20, 40*ms), r.Connect)
		require.Equal(t, equal(200, 20*ms), r.RTT)
		require.EqualValues(t, 20*4, r.Pings) // after 2, 4, 6 and 8 s; the last echo is back after 9.02 s
		require.Equal(t, map[string]uint64{"4321": 20}, r.CloseCodes)
		require.EqualValues(t, 20*10*100, r.BytesSent)
		require.EqualValues(t, 20*10*100, r.BytesReceived)
	})
}

func TestSocketTLS(t *testing.T) {
	testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
		l.Service(l.B, serverType, &serverConfig{tls: secure.Server{On: true}})
		r := exchange(t, l, socketConfig(func(c *chat.SocketConfig) { c.URL = "wss://b:80/echo" }))
		require.True(t, r.Intact, "%+v", r)
		require.Equal(t, equal(1, 60*ms), r.Connect)
		require.Equal(t, equal(10, 20*ms), r.RTT)
	})
}

func TestSocketSizes(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes with the race detector")
	}
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 1e9)}, func(t *testing.T, l *testlab.Lab) {
		serve(l, chat.RoomConfig{})
		for _, size := range []int{0, 1, 125, 126, 65535, 65536, 10 << 20} {
			for _, kind := range []string{"text", "binary"} {
				r := exchange(t, l, socketConfig(func(c *chat.SocketConfig) { c.Size, c.Kind, c.Count = units.Bytes(size), kind, 2 }))
				require.True(t, r.Intact, "%d %+v", size, r)
			}
		}
	})
}

func TestSocketCompression(t *testing.T) {
	carried := map[ws.Compression]uint64{}
	for _, mode := range ws.Compressions {
		testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
			serve(l, chat.RoomConfig{})
			r := exchange(t, l, socketConfig(func(c *chat.SocketConfig) { c.Compression, c.Size = mode, 2000 }))
			require.True(t, r.Intact)
			require.EqualValues(t, 20_000, r.BytesSent)
			carried[mode] = uint64(l.Links[0].Stats(netem.Forward).Delivered.Bytes)
		})
	}
	require.Less(t, carried[ws.NoContextTakeover], carried[ws.NoCompression]/2)
	require.Less(t, carried[ws.ContextTakeover], carried[ws.NoContextTakeover])
}

// The link goes down for good. With pings the client knows after the timeout, without when the last echo has not come for 30 s.
func TestSocketCutOff(t *testing.T) {
	for _, pings := range []bool{true, false} {
		testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
			serve(l, chat.RoomConfig{})
			cut(t, l, 4500*ms, true)
			r := exchange(t, l, socketConfig(func(c *chat.SocketConfig) {
				if pings {
					c.PingInterval, c.PingTimeout = duration(2*time.Second), duration(1500*ms)
				}
			}))
			require.False(t, r.Intact)
			require.EqualValues(t, 5, r.Received) // at 0.04 s to 4.04 s
			require.Equal(t, failures.Counts{Timeout: 1}, r.Errors)
			require.Equal(t, map[string]uint64{"1006": 1}, r.CloseCodes)
			if pings {
				require.Equal(t, 7540*ms, l.Elapsed()) // the ping at 6.04 s
				require.EqualValues(t, 8, r.Sent)
				require.EqualValues(t, 3, r.Lost)
			} else {
				require.Equal(t, 39040*ms, l.Elapsed())
				require.EqualValues(t, 5, r.Lost)
			}
		})
	}
}

func TestSocketMeetsNoServer(t *testing.T) {
	testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
		serve(l, chat.RoomConfig{})
		r := exchange(t, l, socketConfig(func(c *chat.SocketConfig) { c.URL = "ws://b:81/" }))
		require.Equal(t, failures.Counts{Refused: 1}, r.Errors)
		require.False(t, r.Intact)
		require.Nil(t, r.Connect)
		r = exchange(t, l, socketConfig(func(c *chat.SocketConfig) { c.URL = "ws://b/elsewhere" }))
		require.Equal(t, failures.Counts{Status: 1}, r.Errors)
		// A room is no echo: it understands nothing of this and says so.
		r = exchange(t, l, socketConfig(func(c *chat.SocketConfig) { c.URL = "ws://b/chat/ws" }))
		require.Equal(t, failures.Counts{Closed: 1}, r.Errors)
		require.Equal(t, map[string]uint64{"1007": 1}, r.CloseCodes)
	})
}

func TestSocketGoesOnUntilTheEnd(t *testing.T) {
	testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
		serve(l, chat.RoomConfig{})
		c := socketConfig(func(c *chat.SocketConfig) { c.Count = 0 })
		require.True(t, c.Endless())
		i := l.Start(chat.Socket, "x", c, l.A)
		l.Sleep(10500 * ms)
		found, err := i.Stop()
		require.NoError(t, err)
		r := found.(*chat.SocketResult)
		require.True(t, r.Intact)
		require.EqualValues(t, 11, r.Received)
		require.Empty(t, r.CloseCodes)
	})
}

func TestValidate(t *testing.T) {
	require.NoError(t, config(nil).Validate())
	require.NoError(t, socketConfig(nil).Validate())
	check := func(field string, err error) {
		var wrong *services.FieldError
		require.ErrorAs(t, err, &wrong, field)
		require.Equal(t, field, wrong.Field)
	}
	for field, change := range map[string]func(c *chat.Config){
		"url":             func(c *chat.Config) { c.URL = "" },
		"transport":       func(c *chat.Config) { c.Transport = "pigeon" },
		"users":           func(c *chat.Config) { c.Users = 0 },
		"senders":         func(c *chat.Config) { c.Senders = 0 },
		"messages":        func(c *chat.Config) { c.Messages = 0 },
		"interval":        func(c *chat.Config) { c.Interval = 0 },
		"size":            func(c *chat.Config) { c.Size = -1 },
		"lead_time":       func(c *chat.Config) { c.LeadTime = -1 },
		"poll_interval":   func(c *chat.Config) { c.PollInterval = 1 },
		"wait":            func(c *chat.Config) { c.Wait = 1 },
		"ping_interval":   func(c *chat.Config) { c.Transport, c.PingInterval = chat.Polling, 1 },
		"ping_timeout":    func(c *chat.Config) { c.PingInterval, c.PingTimeout = 1, 2 },
		"compression":     func(c *chat.Config) { c.Compression = "zip" },
		"reconnect.first": func(c *chat.Config) { c.Reconnect.First = -1 },
		"reconnect.max":   func(c *chat.Config) { c.Reconnect.Max = 1 },
		"timeout":         func(c *chat.Config) { c.Timeout = 0 },
		"tls":             func(c *chat.Config) { c.TLS.MinVersion = "1.3" },
		"tls.min_version": func(c *chat.Config) { c.URL, c.TLS.MinVersion = "wss://b/", "1.1" },
	} {
		check(field, config(change).Validate())
	}
	for field, change := range map[string]func(c *chat.SocketConfig){
		"url":           func(c *chat.SocketConfig) { c.URL = "ftp://b" },
		"connections":   func(c *chat.SocketConfig) { c.Connections = 0 },
		"count":         func(c *chat.SocketConfig) { c.Count = -1 },
		"interval":      func(c *chat.SocketConfig) { c.Interval = 0 },
		"size":          func(c *chat.SocketConfig) { c.Size = 16<<20 + 1 },
		"kind":          func(c *chat.SocketConfig) { c.Kind = "blob" },
		"compression":   func(c *chat.SocketConfig) { c.Compression = "zip" },
		"ping_timeout":  func(c *chat.SocketConfig) { c.PingTimeout = 1 },
		"close_code":    func(c *chat.SocketConfig) { c.CloseCode = 1006 },
		"timeout":       func(c *chat.SocketConfig) { c.Timeout = 0 },
		"ping_interval": func(c *chat.SocketConfig) { c.PingInterval = -1 },
	} {
		check(field, socketConfig(change).Validate())
	}
	_, err := chat.Chat.New(config(func(c *chat.Config) { c.Senders = 3 }), services.Info{Name: "x", Hosts: []string{"a", "b"}})
	check("senders", err)
	require.ErrorContains(t, err, "found 3, but there are 2 users")
}

func TestReconnectIsAToggle(t *testing.T) {
	half := units.Probability(0.5)
	for want, r := range map[string]chat.Reconnect{
		"true":                          {},
		"false":                         {Off: true, First: 1},
		`{"first":"2s","jitter":"50%"}`: {First: duration(2 * time.Second), Jitter: &half},
	} {
		text, err := json.Marshal(r)
		require.NoError(t, err)
		require.JSONEq(t, want, string(text))
	}
	r := chat.Reconnect{}
	r.SetBool(false)
	require.True(t, r.Off)
	r.SetBool(true)
	require.Zero(t, r)
}
