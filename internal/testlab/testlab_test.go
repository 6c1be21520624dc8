package testlab_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/netem"
	"netlab/services/echo"
	"netlab/services/ping"
	"netlab/units"
)

const ms = time.Millisecond

func TestChain(t *testing.T) {
	for routers := range 4 {
		testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0), Routers: routers}, func(t *testing.T, l *testlab.Lab) {
			require.Len(t, l.Links, routers+1)
			require.Len(t, l.Routers, routers)
			for _, version := range []string{"ipv4", "ipv6"} {
				c := ping.NewConfig()
				c.To, c.Count, c.IPVersion = "b", 1, version
				found, err := l.Workload(ping.Type, c, l.A)
				require.NoError(t, err)
				require.Equal(t, units.Duration(routers+1)*units.Duration(20*ms), found.(*ping.Result).RTT.Avg)
			}
			require.EqualValues(t, 2, l.Delivered(0, netem.Forward))
			require.Zero(t, l.Dropped(0, netem.Backward))
		})
	}
}

func TestDirectionsDiffer(t *testing.T) {
	c := testlab.Config{Forward: testlab.Wire(10*ms, 0), Backward: testlab.Wire(30*ms, 0)}
	testlab.Run(t, c, func(t *testing.T, l *testlab.Lab) {
		at := time.Duration(0)
		l.At(5*ms, func() { at = l.Elapsed() })
		config := ping.NewConfig()
		config.To, config.Count = "b", 1
		found, err := l.Workload(ping.Type, config, l.A)
		require.NoError(t, err)
		require.EqualValues(t, 40*ms, found.(*ping.Result).RTT.Avg)
		require.Equal(t, 5*ms, at)
	})
}

// A workload without an end is stopped when the test's function returns, and the lab then ends without a leftover.
func TestWhatRunsEndsWithTheTest(t *testing.T) {
	testlab.Run(t, testlab.Config{}, func(t *testing.T, l *testlab.Lab) {
		c := ping.NewConfig()
		c.To, c.Count = "b", 0
		l.Start(ping.Type, "probe", c, l.A)
		l.Sleep(1500 * ms)
	})
}

// A restart starts the services of a host again, not its workloads, and only after the crash has ended them.
func TestRestart(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		server := l.Service(l.B, echo.UDPServer, &echo.UDPConfig{Listen: ":7"})
		c := ping.NewConfig()
		c.To, c.Count = "a", 0
		back := l.Start(ping.Type, "probe", c, l.B)
		ask := func() uint64 {
			c := echo.NewConfig()
			c.To, c.Protocol, c.Count = "b", echo.UDP, 1
			found, err := l.Workload(echo.Type, c, l.A)
			require.NoError(t, err)
			return found.(*echo.Result).Received
		}
		require.EqualValues(t, 1, ask())
		old := l.B
		l.Crash(l.B)
		require.Zero(t, ask())
		require.True(t, back.Ended())
		require.Same(t, l.Restart(old), l.B)
		require.EqualValues(t, 1, l.B.Incarnation())
		require.EqualValues(t, 1, ask())
		require.True(t, back.Ended())
		require.False(t, server.Ended())
		require.EqualValues(t, 2, server.Result().(*echo.UDPResult).Datagrams)
	})
}
