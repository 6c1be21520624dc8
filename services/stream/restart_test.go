package stream_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/services/stream"
)

// What is sent while the sink's host is down is lost; the sink goes on counting the same stream afterwards.
func TestRestartOfTheSink(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		server := l.Service(l.B, stream.Sink, &stream.SinkConfig{Listen: ":5002"})
		l.Sleep(ms / 2)
		client := l.Start(stream.Type, "video", config(nil), l.A)
		l.Sleep(210 * ms) // packets 0 to 200 have come
		l.Crash(l.B)
		l.Sleep(100 * ms)
		l.Restart(l.B)
		_, err := client.Wait()
		require.NoError(t, err)
		l.Sleep(100 * ms)
		found, err := server.Stop()
		require.NoError(t, err)
		s := found.(*stream.SinkResult)
		require.EqualValues(t, 900, s.Received)
		require.EqualValues(t, 100, s.Lost)
		require.EqualValues(t, 1, s.Gaps)
		require.EqualValues(t, 100, s.LongestGap)
		require.Len(t, s.Sources, 1)
	})
}
