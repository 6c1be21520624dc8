package flood

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/services"
	"netlab/services/web"
	"netlab/units"
)

func lab() testlab.Config {
	return testlab.Config{Forward: testlab.Wire(10*time.Millisecond, 0), Backward: testlab.Wire(10*time.Millisecond, 0)}
}

// The host's own addresses are no use for a flood: its stack resets what the server answers. From made-up ones each SYN takes a place.
func TestSYNSources(t *testing.T) {
	for sources, resets := range map[string]uint64{own: 100, "": 0, "10.99.0.0/16": 0} {
		testlab.Run(t, lab(), func(t *testing.T, l *testlab.Lab) {
			l.Service(l.B, web.Server, web.NewServerConfig())
			l.Sleep(time.Millisecond)
			c := &SYNConfig{To: "b", Rate: 1000, Count: 100, Sources: sources}
			r, err := l.Workload(SYN, c, l.A)
			require.NoError(t, err)
			require.Equal(t, &SYNResult{Sent: 100}, r)
			l.Sleep(500 * time.Millisecond)
			require.Equal(t, resets, l.B.Stats().TCP.ResetsReceived)
		})
	}
}

func TestSYNFloodLasts(t *testing.T) {
	testlab.Run(t, lab(), func(t *testing.T, l *testlab.Lab) {
		l.Service(l.B, web.Server, web.NewServerConfig())
		l.Sleep(time.Millisecond)
		begun := l.A.Network().Elapsed()
		r, err := l.Workload(SYN, &SYNConfig{To: "b:80", Rate: 100, Duration: units.Duration(2 * time.Second)}, l.A)
		require.NoError(t, err)
		require.Equal(t, &SYNResult{Sent: 200}, r)
		require.Equal(t, 1990*time.Millisecond, (l.A.Network().Elapsed() - begun).Round(time.Microsecond))
	})
}

// A server without a limit for headers keeps the connections; one with a limit closes each after that time.
func TestSlowloris(t *testing.T) {
	for limit, want := range map[time.Duration]SlowResult{
		0:               {Opened: 10, MaxOpen: 10, Lines: 50},
		3 * time.Second: {Opened: 30, MaxOpen: 10, Closed: 20},
	} {
		testlab.Run(t, lab(), func(t *testing.T, l *testlab.Lab) {
			server := web.NewServerConfig()
			server.HeaderTimeout = units.Duration(limit)
			l.Service(l.B, web.Server, server)
			l.Sleep(time.Millisecond)
			c := NewSlowConfig()
			c.To, c.Connections, c.Interval, c.Duration = "b", 10, units.Duration(2*time.Second), units.Duration(9900*time.Millisecond)
			found, err := l.Workload(Slowloris, c, l.A)
			require.NoError(t, err)
			r := *found.(*SlowResult)
			require.Positive(t, r.Bytes)
			if want.Lines == 0 {
				r.Lines = 0
			}
			r.Bytes = 0
			require.Equal(t, want, r)
		})
	}
}

// Connections that are refused are tried again.
func TestSlowlorisRefused(t *testing.T) {
	testlab.Run(t, lab(), func(t *testing.T, l *testlab.Lab) {
		c := NewSlowConfig()
		c.To, c.Connections, c.Duration = "b", 1, units.Duration(3500*time.Millisecond)
		found, err := l.Workload(Slowloris, c, l.A)
		require.NoError(t, err)
		require.Equal(t, &SlowResult{Refused: 4}, found)
	})
}

func TestMistakes(t *testing.T) {
	for want, c := range map[string]services.Config{
		"to: missing":                           &SYNConfig{Rate: 1},
		"rate: found 0/s, wanted more than":     &SYNConfig{To: "b"},
		"sources: \"10.0.0.1/8\" is no network": &SYNConfig{To: "b", Rate: 1, Sources: "10.0.0.1/8"},
		"duration: found -1ns":                  &SYNConfig{To: "b", Rate: 1, Duration: -1},
		"connections: found 0, wanted 1":        &SlowConfig{To: "b", Interval: 1, Reconnect: 1},
		"interval: found 0s, wanted more":       &SlowConfig{To: "b", Connections: 1, Reconnect: 1},
	} {
		require.ErrorContains(t, c.Validate(), want)
	}
	require.True(t, NewSlowConfig().Endless())
	require.False(t, (&SYNConfig{Count: 1}).Endless())
}
