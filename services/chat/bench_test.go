package chat_test

import (
	"testing"
	"time"

	"netlab/internal/testlab"
	"netlab/services/chat"
)

// BenchmarkMessages measures how many WebSocket messages a second of the machine's time sees, there and back, over a link of
// 1 ms.
func BenchmarkMessages(b *testing.B) {
	const connections, messages = 10, 500
	for b.Loop() {
		ok := false
		testlab.Run(&testing.T{}, wire(ms), func(_ *testing.T, l *testlab.Lab) {
			serve(l, chat.RoomConfig{})
			found, err := l.Workload(chat.Socket, socketConfig(func(c *chat.SocketConfig) {
				c.Connections, c.Count, c.Interval = connections, messages, duration(10*ms)
			}), l.A)
			ok = err == nil && found.(*chat.SocketResult).Intact
		})
		if !ok {
			b.Fatal("a message got lost")
		}
	}
	b.ReportMetric(2*connections*messages*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

// BenchmarkBroadcast measures how many messages a second of the machine's time reach 1000 watchers of a room.
func BenchmarkBroadcast(b *testing.B) {
	const watchers, messages = 1000, 20
	for b.Loop() {
		ok := false
		testlab.Run(&testing.T{}, wire(ms), func(_ *testing.T, l *testlab.Lab) {
			serve(l, chat.RoomConfig{})
			found, err := l.Workload(chat.Chat, config(func(c *chat.Config) { c.Users, c.Messages, c.Interval = watchers, messages, duration(time.Second) }), l.A)
			ok = err == nil && found.(*chat.Result).Complete
		})
		if !ok {
			b.Fatal("a message got lost")
		}
	}
	b.ReportMetric(watchers*messages*float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
}
