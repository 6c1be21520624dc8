package traceroute_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/netem"
	"netlab/services"
	"netlab/services/figures"
	"netlab/services/traceroute"
	"netlab/units"
)

func config(change func(c *traceroute.Config)) *traceroute.Config {
	c := traceroute.NewConfig()
	c.To = "b"
	if change != nil {
		change(c)
	}
	return c
}

func rtts(list ...time.Duration) []*units.Duration {
	var out []*units.Duration
	for _, d := range list {
		out = append(out, figures.Duration(d))
	}
	return out
}

const ms = time.Millisecond

func TestPathThroughThreeRouters(t *testing.T) {
	for version, addresses := range map[string][4]string{
		"ipv4": {"10.0.1.2", "10.0.2.2", "10.0.3.2", "10.0.4.2"},
		"ipv6": {"fd00:0:0:1::2", "fd00:0:0:2::2", "fd00:0:0:3::2", "fd00:0:0:4::2"},
	} {
		c := testlab.Config{Forward: testlab.Wire(10*ms, 0), Routers: 3}
		testlab.Run(t, c, func(t *testing.T, l *testlab.Lab) {
			found, err := l.Workload(traceroute.Type, config(func(c *traceroute.Config) { c.IPVersion = version }), l.A)
			require.NoError(t, err)
			r := found.(*traceroute.Result)
			require.True(t, r.Reached)
			require.Equal(t, 4, *r.Hops)
			require.Equal(t, &figures.RTT{Min: 80e6, Avg: 80e6, Max: 80e6}, r.RTT)
			require.Len(t, r.Path, 4)
			for i, hop := range r.Path {
				d := time.Duration(i+1) * 20 * ms
				name := []string{"r1", "r2", "r3", "b"}[i]
				require.Equal(t, traceroute.Hop{From: "a", TTL: i + 1, Address: addresses[i], Name: name, RTTs: rtts(d, d, d)}, hop)
			}
			// Three probes for each of four hops, one after the other.
			require.Equal(t, 3*(20+40+60+80)*ms, l.Elapsed().Round(time.Microsecond))
		})
	}
}

func TestDirectNeighbour(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(5*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		found, err := l.Workload(traceroute.Type, config(nil), l.A)
		require.NoError(t, err)
		require.Equal(t, 1, *found.(*traceroute.Result).Hops)
	})
}

func TestRoutersCanBeTargetsByAnyAddress(t *testing.T) {
	c := testlab.Config{Forward: testlab.Wire(10*ms, 0), Routers: 2}
	testlab.Run(t, c, func(t *testing.T, l *testlab.Lab) {
		// 10.0.3.1 is r2's address on the far side.
		found, err := l.Workload(traceroute.Type, config(func(c *traceroute.Config) { c.To = "10.0.3.1" }), l.A)
		require.NoError(t, err)
		require.Equal(t, 2, *found.(*traceroute.Result).Hops)
	})
}

func TestSilentRouter(t *testing.T) {
	c := testlab.Config{Forward: testlab.Wire(10*ms, 0), Routers: 2}
	testlab.Run(t, c, func(t *testing.T, l *testlab.Lab) {
		// The way back from r2 is cut until after the probes with a TTL of 2.
		down := l.Links[1].Params(netem.Backward)
		down.Down = true
		up := l.Links[1].Params(netem.Backward)
		l.At(65*ms, func() { require.NoError(t, l.Links[1].Set(netem.Backward, down)) })
		l.At(3100*ms, func() { require.NoError(t, l.Links[1].Set(netem.Backward, up)) })
		found, err := l.Workload(traceroute.Type, config(nil), l.A)
		require.NoError(t, err)
		r := found.(*traceroute.Result)
		require.True(t, r.Reached)
		require.Equal(t, []*units.Duration{nil, nil, nil}, r.Path[1].RTTs)
		require.Empty(t, r.Path[1].Address)
		require.Equal(t, rtts(60*ms, 60*ms, 60*ms), r.Path[2].RTTs)
	})
}

func TestNoRoute(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0), Routers: 1}, func(t *testing.T, l *testlab.Lab) {
		found, err := l.Workload(traceroute.Type, config(func(c *traceroute.Config) { c.To = "192.0.2.1" }), l.A)
		require.NoError(t, err)
		r := found.(*traceroute.Result)
		require.False(t, r.Reached)
		require.Nil(t, r.Hops)
		require.Nil(t, r.RTT)
		require.Len(t, r.Path, 2)
		require.Equal(t, "network", r.Path[1].Unreachable)
		require.Equal(t, "r1", r.Path[1].Name)
	})
}

func TestHopsAreLimited(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0), Routers: 3}, func(t *testing.T, l *testlab.Lab) {
		found, err := l.Workload(traceroute.Type, config(func(c *traceroute.Config) { c.MaxHops = 2 }), l.A)
		require.NoError(t, err)
		require.False(t, found.(*traceroute.Result).Reached)
		require.Len(t, found.(*traceroute.Result).Path, 2)
	})
}

func TestEndsWithTheRun(t *testing.T) {
	wire := testlab.Wire(10*ms, 0)
	wire.Down = true
	testlab.Run(t, testlab.Config{Forward: wire}, func(t *testing.T, l *testlab.Lab) {
		i := l.Start(traceroute.Type, "way", config(nil), l.A)
		l.Sleep(2500 * ms)
		_, err := i.Stop()
		require.NoError(t, err)
		require.Equal(t, 2500*ms, l.Elapsed().Round(time.Microsecond))
	})
}

func TestValidate(t *testing.T) {
	require.NoError(t, config(nil).Validate())
	for field, change := range map[string]func(*traceroute.Config){
		"to":         func(c *traceroute.Config) { c.To = "" },
		"max_hops":   func(c *traceroute.Config) { c.MaxHops = 256 },
		"probes":     func(c *traceroute.Config) { c.Probes = 0 },
		"port":       func(c *traceroute.Config) { c.Port = 65500 },
		"timeout":    func(c *traceroute.Config) { c.Timeout = 0 },
		"ip_version": func(c *traceroute.Config) { c.IPVersion = "IPv4" },
	} {
		var wrong *services.FieldError
		require.ErrorAs(t, config(change).Validate(), &wrong)
		require.Equal(t, field, wrong.Field)
	}
}
