package chat_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/netem"
	"netlab/services/chat"
	"netlab/services/failures"
	"netlab/services/figures"
	"netlab/services/secure"
	"netlab/units"
	"netlab/ws"
)

// equal is the distribution of equal durations.
func equal(count uint64, d time.Duration) *figures.Percentiles {
	u := units.Duration(d)
	return &figures.Percentiles{Count: count, Min: u, Avg: u, Max: u, P50: u, P90: u, P95: u, P99: u, P999: u, P9999: u}
}

// Over WebSocket a message takes the latency to the server and the latency back, for each of 100 watchers.
func TestWebSocketBroadcast(t *testing.T) {
	testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
		room := serve(l, chat.RoomConfig{})
		r := talk(t, l, config(func(c *chat.Config) { c.Users, c.Senders, c.Messages = 100, 2, 5 }))
		require.Equal(t, equal(1000, 20*ms), r.Delay)
		require.True(t, r.Complete)
		require.Equal(t, map[string]uint64{"1000": 100}, r.CloseCodes)
		require.Zero(t, r.Errors.Total())
		// Two messages a second from 1 s on, each there 20 ms later.
		require.Equal(t, duration(100*ms), r.Bucket)
		require.Len(t, r.Seconds, 51)
		for i, s := range r.Seconds {
			sent := uint64(0)
			if i >= 10 && i%10 == 0 {
				sent = 2
			}
			require.Equal(t, []uint64{sent, 100 * sent, 0}, []uint64{s.Started, s.Succeeded, s.Failed}, i)
		}
		require.Equal(t, duration(20*ms), *r.Seconds[10].P99)
		r.Delay, r.CloseCodes, r.BytesSent, r.BytesReceived, r.Bucket, r.Seconds = nil, nil, 0, 0, 0, nil
		require.Equal(t, &chat.Result{Watchers: 100, Sent: 10, Expected: 1000, Received: 1000, Complete: true, Connections: 100}, r)
		require.Equal(t, 5*time.Second+40*ms, l.Elapsed().Round(time.Microsecond)) // lead, four intervals, delay, close handshake
		found := roomResult(t, room)
		require.Equal(t, map[string]uint64{"1000": 100}, found.CloseCodes)
		require.EqualValues(t, 100, found.Peak)
		require.EqualValues(t, 10, found.Messages)
		require.EqualValues(t, 1000, found.Pushed)
	})
}

// One user polls every second from 0 on, and messages are due at 1.25 s, 2.25 s, …: a message is in the room 10 ms after, in
// the answer to the poll that arrives at 2.01 s, and with the user at 2.02 s.
func TestPollingDelay(t *testing.T) {
	testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
		room := serve(l, chat.RoomConfig{})
		r := talk(t, l, config(func(c *chat.Config) {
			c.Transport, c.LeadTime, c.Messages = chat.Polling, duration(1250*ms), 4
		}))
		require.Equal(t, equal(4, 770*ms), r.Delay)
		require.True(t, r.Complete)
		require.EqualValues(t, 6, r.Requests) // at 0 s to 5 s
		require.EqualValues(t, 2, r.EmptyPolls)
		require.EqualValues(t, 1, r.Connections) // a poll is over before the next message
		found := roomResult(t, room)
		require.EqualValues(t, 6, found.Polls)
		require.EqualValues(t, 2, found.EmptyPolls)
		require.EqualValues(t, 4, found.Polled)
	})
}

// Users that poll at even distances see messages after 20 ms to 20 ms and the interval. A message due at 10.05 s is in the room at
// 10.06 s. The next poll to arrive is that of user 1, at 10.11 s, and the last is that of user 0, at 11.01 s.
func TestPollersAreSpread(t *testing.T) {
	testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
		serve(l, chat.RoomConfig{})
		r := talk(t, l, config(func(c *chat.Config) {
			c.Transport, c.Users, c.Senders, c.LeadTime = chat.Polling, 10, 1, duration(10050*ms)
		}))
		require.True(t, r.Complete)
		require.EqualValues(t, 100, r.Received)
		require.Equal(t, duration(70*ms), r.Delay.Min)
		require.Equal(t, duration(970*ms), r.Delay.Max)
		require.Equal(t, duration(520*ms), r.Delay.Avg)
	})
}

// A long poll is answered when the message comes: one latency to the room and one to the user. The first message has to open
// a connection, since the poll occupies the other.
func TestLongPollingDelay(t *testing.T) {
	testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
		room := serve(l, chat.RoomConfig{})
		r := talk(t, l, config(func(c *chat.Config) { c.Transport, c.Messages = chat.LongPolling, 5 }))
		require.Equal(t, duration(20*ms), r.Delay.Min)
		require.Equal(t, duration(20*ms), r.Delay.P50)
		require.Equal(t, duration(40*ms), r.Delay.Max)
		require.EqualValues(t, 5, r.Requests)
		require.Zero(t, r.EmptyPolls)
		require.EqualValues(t, 2, r.Connections)
		require.True(t, r.Complete)
		require.EqualValues(t, 5, roomResult(t, room).Polls)
	})
}

// Waits that end without a message are answered with nothing, after exactly that time.
func TestLongPollsEnd(t *testing.T) {
	testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
		serve(l, chat.RoomConfig{})
		r := talk(t, l, config(func(c *chat.Config) {
			c.Transport, c.Users, c.Messages, c.Wait, c.LeadTime = chat.LongPolling, 20, 1, duration(4980*ms), duration(12*time.Second)
		}))
		require.True(t, r.Complete)
		// The first poll of user k arrives at 30 ms + k × 300 ms, and the next 20 ms after 4.98 s, so all have three within 12 s but
		// those that joined after 2 s.
		require.EqualValues(t, 20+20+7, r.Requests)
		require.EqualValues(t, 20+7, r.EmptyPolls)
		require.Equal(t, duration(40*ms), r.Delay.Max)
	})
}

func TestTLS(t *testing.T) {
	for _, transport := range []chat.Transport{chat.WebSocket, chat.Polling, chat.LongPolling} {
		testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
			l.Service(l.B, serverType, &serverConfig{tls: secure.Server{On: true}})
			r := talk(t, l, config(func(c *chat.Config) {
				c.URL, c.Transport, c.Users, c.Senders, c.Messages = "https://b:80/chat/", transport, 3, 3, 4
			}))
			require.True(t, r.Complete)
			require.Zero(t, r.Errors.Total())
		})
	}
}

// Bytes, packets and delay of 100 watchers, three ways. What the room sends is the same text each time.
func TestTheThreeWaysCompared(t *testing.T) {
	bytes, frames, delay := map[chat.Transport]uint64{}, map[chat.Transport]uint64{}, map[chat.Transport]units.Duration{}
	for _, transport := range []chat.Transport{chat.WebSocket, chat.Polling, chat.LongPolling} {
		testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
			serve(l, chat.RoomConfig{})
			r := talk(t, l, config(func(c *chat.Config) {
				c.Transport, c.Users, c.Messages, c.Interval = transport, 100, 5, duration(10*time.Second)
			}))
			require.True(t, r.Complete)
			for _, d := range []int{netem.Forward, netem.Backward} {
				s := l.Links[0].Stats(d).Delivered
				bytes[transport] += uint64(uint64(s.Bytes))
				frames[transport] += s.Frames
			}
			delay[transport] = r.Delay.Avg
		})
	}
	require.Less(t, bytes[chat.WebSocket], bytes[chat.LongPolling])
	require.Less(t, bytes[chat.LongPolling], bytes[chat.Polling])
	require.Less(t, frames[chat.WebSocket], frames[chat.Polling])
	require.Less(t, delay[chat.LongPolling], delay[chat.Polling])
	t.Log(bytes, frames, delay)
}

func TestRunsAreEqual(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes with the race detector")
	}
	for _, transport := range []chat.Transport{chat.WebSocket, chat.Polling, chat.LongPolling} {
		t.Run(string(transport), func(t *testing.T) {
			once := func() string {
				s := newSum()
				lab := testlab.Config{Forward: testlab.Wire(10*ms, 10e6), Tap: s}
				lab.Forward.Loss = testlab.Loss(0.01)
				testlab.Run(t, lab, func(t *testing.T, l *testlab.Lab) {
					serve(l, chat.RoomConfig{Compression: ws.NoContextTakeover})
					c := config(func(c *chat.Config) {
						c.Transport, c.Users, c.Senders, c.Messages, c.Size = transport, 40, 40, 3, 700
						if transport == chat.WebSocket {
							c.Compression, c.PingInterval = ws.NoContextTakeover, duration(time.Second)
						}
					})
					found, err := l.Workload(chat.Chat, c, l.A, l.B)
					require.NoError(t, err)
					fmt.Fprintf(s.Hash, "%+v", *found.(*chat.Result).Delay)
				})
				return s.String()
			}
			first := once()
			require.Equal(t, first, once())
			require.Equal(t, first, once())
		})
	}
}

// The link is down from 3.5 s to 13.5 s. Pings find out at 4 s + 2 s after connecting; the users come back with back-off and
// get what they missed. What the sender wrote to the broken connection, at 4 s, 5 s and 6 s, is lost: WebSocket acknowledges nothing.
func TestReconnect(t *testing.T) {
	testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
		serve(l, chat.RoomConfig{})
		cut(t, l, 3500*ms, true)
		cut(t, l, 13500*ms, false)
		r := talk(t, l, config(func(c *chat.Config) {
			c.Users, c.Messages, c.PingInterval, c.PingTimeout, c.Timeout = 10, 20, duration(4*time.Second), duration(2*time.Second), duration(5*time.Second)
		}))
		require.EqualValues(t, 200, r.Expected)
		require.EqualValues(t, 30, r.Lost)
		require.EqualValues(t, 170, r.Received)
		require.Zero(t, r.Duplicates)
		require.EqualValues(t, 20, r.Connections)
		require.EqualValues(t, 10, r.CloseCodes["1006"])
		require.Equal(t, 25*time.Second, l.Elapsed().Round(time.Millisecond)) // the watchers wait for what is lost
		require.GreaterOrEqual(t, r.Reconnects, uint64(10))
		require.GreaterOrEqual(t, r.Errors.Of(failures.Timeout), uint64(10))
		require.Greater(t, r.Delay.Max, duration(5*time.Second))
	})
}

func TestNoReconnect(t *testing.T) {
	for _, transport := range []chat.Transport{chat.WebSocket, chat.Polling, chat.LongPolling} {
		testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
			room := serve(l, chat.RoomConfig{})
			i := l.Start(chat.Chat, "x", config(func(c *chat.Config) {
				c.Transport, c.Users, c.LeadTime = transport, 3, duration(950*ms)
				c.Reconnect.SetBool(false)
			}), l.A)
			l.Sleep(3900 * ms)
			_, err := room.Stop()
			require.NoError(t, err)
			found, err := i.Wait()
			require.NoError(t, err)
			r := found.(*chat.Result)
			require.False(t, r.Complete)
			require.EqualValues(t, 9, r.Received)
			require.GreaterOrEqual(t, r.Errors.Total(), uint64(3))
			require.Less(t, l.Elapsed(), 6*time.Second)
			if transport == chat.WebSocket {
				require.Equal(t, map[string]uint64{"1006": 3}, r.CloseCodes)
			}
		})
	}
}

func TestNobodyThere(t *testing.T) {
	for _, transport := range []chat.Transport{chat.WebSocket, chat.Polling, chat.LongPolling} {
		testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
			serve(l, chat.RoomConfig{})
			change := func(url string) *chat.Config {
				return config(func(c *chat.Config) {
					c.Transport, c.Messages, c.Timeout = transport, 1, duration(10*time.Second)
					c.URL = "http://b" + "/elsewhere"
					if url != "" {
						c.URL = "http://b:81/chat"
					}
				})
			}
			r := talk(t, l, change(""))
			require.NotZero(t, r.Errors.Status)
			require.Equal(t, r.Errors.Status, r.Errors.Total())
			require.Equal(t, 11*time.Second, l.Elapsed().Round(time.Microsecond)) // lead and timeout
			r = talk(t, l, change("81"))
			require.NotZero(t, r.Errors.Refused)
			require.Zero(t, r.Received)
			require.Nil(t, r.Delay)
		})
	}
}

// The end of the run cuts users off without a failure.
func TestTheEndOfTheRun(t *testing.T) {
	for _, transport := range []chat.Transport{chat.WebSocket, chat.Polling, chat.LongPolling} {
		testlab.Run(t, wire(10*ms), func(t *testing.T, l *testlab.Lab) {
			room := serve(l, chat.RoomConfig{})
			i := l.Start(chat.Chat, "x", config(func(c *chat.Config) { c.Transport, c.Users, c.Senders = transport, 20, 5 }), l.A)
			l.Sleep(3500 * ms)
			found, err := i.Stop()
			require.NoError(t, err)
			r := found.(*chat.Result)
			require.Zero(t, r.Errors.Total(), "%+v", r.Errors)
			require.EqualValues(t, 15, r.Sent)
			require.Empty(t, r.CloseCodes)
			roomResult(t, room)
			require.Less(t, l.Elapsed(), 4*time.Second)
		})
	}
}
