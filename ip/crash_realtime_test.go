package ip_test

import (
	"context"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/ip"
	"netlab/netem"
	"netlab/tcp"
)

// On the machine's clock goroutines are in the middle of whatever they do when their host crashes or stands still. All of them end.
func TestCrashInRealTime(t *testing.T) {
	const cycles = 30
	l := &testlab.Lab{T: t, Net: netem.NewNetwork(netem.NewEngine(netem.Config{RealTime: true}), 1), Names: new(ip.Names)}
	ran := make(chan error, 1)
	go func() { ran <- l.Net.Run(context.Background()) }()
	hosts := neighbors(t, l)
	var over atomic.Bool
	client := hosts[0]
	for range 4 {
		client.Go(func() {
			for !over.Load() {
				if c, err := tcp.Dial(context.Background(), client, "10.9.0.2:80"); err == nil {
					c.SetDeadline(time.Now().Add(10 * ms))
					c.Write(make([]byte, 5000))
					io.Copy(io.Discard, c)
					c.Close()
				}
			}
		})
	}
	for i := range cycles {
		server := hosts[1]
		server.Go(func() { serve(server) })
		require.NoError(t, client.Sleep(context.Background(), time.Duration(i%5)*ms))
		if i%3 == 0 {
			do(l, server.Pause)
			require.NoError(t, client.Sleep(context.Background(), ms))
		}
		if i%2 == 0 {
			do(l, server.Resume)
		}
		do(l, func() {
			server.Crash()
			var err error
			hosts[1], err = server.Reborn()
			require.NoError(t, err)
		})
		server.Wait()
	}
	over.Store(true)
	do(l, client.Crash)
	client.Wait()
	do(l, hosts[1].Crash)
	l.Net.Stop()
	require.NoError(t, <-ran)
}
