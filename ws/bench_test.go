package ws_test

import (
	"testing"
	"time"

	"netlab/internal/testlab"
	"netlab/ws"
)

// BenchmarkMessages measures how many messages of 100 bytes a second of the machine's time sees, there and back, over a link of
// 1 ms.
func BenchmarkMessages(b *testing.B) {
	const messages = 1000
	for b.Loop() {
		ok := true
		testlab.Run(&testing.T{}, testlab.Config{Forward: testlab.Wire(time.Millisecond, 0)}, func(t *testing.T, l *testlab.Lab) {
			serve(t, l, nil, echo)
			c := dial(t, l, nil)
			message := make([]byte, 100)
			for range messages {
				if c.Write(l.Context(), ws.Binary, message) != nil {
					ok = false
				}
				if _, _, err := c.Read(l.Context()); err != nil {
					ok = false
				}
			}
			c.Close(ws.NormalClosure, "")
		})
		if !ok {
			b.Fatal("a message got lost")
		}
	}
	b.ReportMetric(2*messages*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
