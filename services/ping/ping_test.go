package ping_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/netem"
	"netlab/services"
	"netlab/services/figures"
	"netlab/services/ping"
	"netlab/services/probe"
	"netlab/units"
)

func config(change func(c *ping.Config)) *ping.Config {
	c := ping.NewConfig()
	c.To = "b"
	if change != nil {
		change(c)
	}
	return c
}

// lab runs one ping from a.
func lab(t *testing.T, c testlab.Config, config *ping.Config) *ping.Result {
	var result *ping.Result
	testlab.Run(t, c, func(t *testing.T, l *testlab.Lab) {
		found, err := l.Workload(ping.Type, config, l.A)
		require.NoError(t, err)
		result = found.(*ping.Result)
	})
	return result
}

func share(p float64) *units.Probability { return (*units.Probability)(&p) }

func TestRTTIsTwiceTheLatency(t *testing.T) {
	const rtt = units.Duration(20 * time.Millisecond)
	ttl := 64
	want := &ping.Result{Result: probe.Result{Sent: 5, Received: 5, Loss: share(0), RTT: &figures.RTT{Min: rtt, Avg: rtt, Max: rtt}}, TTL: &ttl}
	for _, version := range []string{"", "ipv4", "ipv6"} {
		c := config(func(c *ping.Config) { c.IPVersion = version })
		require.Equal(t, want, lab(t, testlab.Config{Forward: testlab.Wire(10*time.Millisecond, 0)}, c), version)
	}
}

// 1000 bytes of payload make a frame of 1042 bytes: 833.6 µs at 10 Mbit/s, on each of three links, there and back.
func TestRTTThroughRoutersWithARate(t *testing.T) {
	c := testlab.Config{Forward: testlab.Wire(10*time.Millisecond, 10e6), Routers: 2}
	r := lab(t, c, config(func(c *ping.Config) { c.Size = 1000 }))
	const rtt = units.Duration(6 * (10*time.Millisecond + 833600))
	require.Equal(t, &figures.RTT{Min: rtt, Avg: rtt, Max: rtt}, r.RTT)
	require.Equal(t, 62, *r.TTL)
}

func TestIntervalShorterThanRTT(t *testing.T) {
	c := config(func(c *ping.Config) { c.Count, c.Interval = 1000, units.Duration(time.Millisecond) })
	r := lab(t, testlab.Config{Forward: testlab.Wire(100*time.Millisecond, 0)}, c)
	const rtt = units.Duration(200 * time.Millisecond)
	require.EqualValues(t, 1000, r.Received)
	require.Equal(t, &figures.RTT{Min: rtt, Avg: rtt, Max: rtt}, r.RTT)
}

func TestTheRunTakesUntilTheLastReply(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*time.Millisecond, 0)}, func(t *testing.T, l *testlab.Lab) {
		_, err := l.Workload(ping.Type, config(nil), l.A)
		require.NoError(t, err)
		require.Equal(t, 4*time.Second+20*time.Millisecond, l.Elapsed().Round(time.Microsecond))
	})
}

func TestLossIsWhatTheLinkDropped(t *testing.T) {
	wire := testlab.Wire(10*time.Millisecond, 0)
	wire.Loss = testlab.Loss(0.1)
	testlab.Run(t, testlab.Config{Forward: wire}, func(t *testing.T, l *testlab.Lab) {
		c := config(func(c *ping.Config) { c.Count, c.Interval = 500, units.Duration(10*time.Millisecond) })
		found, err := l.Workload(ping.Type, c, l.A)
		require.NoError(t, err)
		r := found.(*ping.Result)
		require.NotZero(t, r.Lost)
		require.Equal(t, l.Dropped(0, netem.Forward)+l.Dropped(0, netem.Backward), r.Lost)
		require.Equal(t, r.Sent, r.Received+r.Lost)
		require.Equal(t, figures.Share(r.Lost, 500), r.Loss)
	})
}

func TestLateRepliesCountAsLost(t *testing.T) {
	// The round trip of 1.5 s is longer than the timeout. Replies to all requests but the last come while the ping still waits.
	c := config(func(c *ping.Config) { c.Count = 10 })
	r := lab(t, testlab.Config{Forward: testlab.Wire(750*time.Millisecond, 0)}, c)
	require.Equal(t, &ping.Result{Result: probe.Result{Sent: 10, Lost: 10, Late: 9, Loss: share(1)}}, r)
}

func TestEndlessPingEndsWithTheRun(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*time.Millisecond, 0)}, func(t *testing.T, l *testlab.Lab) {
		c := config(func(c *ping.Config) { c.Count = 0; c.Interval = units.Duration(time.Millisecond) })
		require.True(t, c.Endless())
		i := l.Start(ping.Type, "probe", c, l.A)
		l.Sleep(100*time.Second + 500*time.Microsecond)
		found, err := i.Stop()
		require.NoError(t, err)
		r := found.(*ping.Result)
		// Requests 0 to 100,000 were sent, the last twenty had no time to come back. Sequence numbers began again at 65,536.
		require.EqualValues(t, 100_001, r.Sent)
		require.EqualValues(t, 20, r.Pending)
		require.EqualValues(t, 99_981, r.Received)
		require.Zero(t, r.Lost+r.Duplicates+r.Late)
		require.Equal(t, share(0), r.Loss)
	})
}

func TestFragmentedRequests(t *testing.T) {
	for _, version := range []string{"ipv4", "ipv6"} {
		c := config(func(c *ping.Config) { c.Size, c.IPVersion = 4000, version })
		r := lab(t, testlab.Config{Forward: testlab.Wire(10*time.Millisecond, 0)}, c)
		require.EqualValues(t, 5, r.Received, version)
	}
}

func TestSeveralHostsAddUp(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*time.Millisecond, 0)}, func(t *testing.T, l *testlab.Lab) {
		found, err := l.Workload(ping.Type, config(nil), l.A, l.B)
		require.NoError(t, err)
		r := found.(*ping.Result)
		require.EqualValues(t, 10, r.Received)
		require.Zero(t, r.RTT.Min) // b pings itself
		require.EqualValues(t, 20*time.Millisecond, r.RTT.Max)
		require.EqualValues(t, 10*time.Millisecond, r.RTT.Avg)
		require.EqualValues(t, 10*time.Millisecond, r.RTT.Mdev)
	})
}

func TestUnknownTarget(t *testing.T) {
	testlab.Run(t, testlab.Config{}, func(t *testing.T, l *testlab.Lab) {
		_, err := l.Workload(ping.Type, config(func(c *ping.Config) { c.To = "nobody" }), l.A)
		require.EqualError(t, err, "lookup nobody: no such host")
	})
}

func TestValidate(t *testing.T) {
	require.NoError(t, config(nil).Validate())
	for field, change := range map[string]func(*ping.Config){
		"to":         func(c *ping.Config) { c.To = "b:80" },
		"count":      func(c *ping.Config) { c.Count = -1 },
		"interval":   func(c *ping.Config) { c.Interval = 0 },
		"size":       func(c *ping.Config) { c.Size = 65508 },
		"timeout":    func(c *ping.Config) { c.Timeout = 0 },
		"ip_version": func(c *ping.Config) { c.IPVersion = "6" },
	} {
		var wrong *services.FieldError
		require.ErrorAs(t, config(change).Validate(), &wrong)
		require.Equal(t, field, wrong.Field)
	}
}
