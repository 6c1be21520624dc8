package load_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/services"
	"netlab/services/echo"
	"netlab/services/failures"
	"netlab/services/load"
	"netlab/services/load/clients"
	"netlab/tcp"
	"netlab/topology/expect"
	"netlab/units"
)

const ms = time.Millisecond

func u(d time.Duration) units.Duration { return units.Duration(d) }

var wire = testlab.Config{Forward: testlab.Wire(10*ms, 0)}

// tcpLoad runs a tcp-load from a to an echo on b.
func tcpLoad(t *testing.T, lab testlab.Config, change func(c *clients.TCPConfig)) (r *load.Result, took time.Duration) {
	testlab.Run(t, lab, func(t *testing.T, l *testlab.Lab) {
		l.Service(l.B, echo.TCPServer, &echo.TCPConfig{Listen: ":7"})
		c := clients.NewTCPConfig()
		c.To = "b"
		change(c)
		found, err := l.Workload(clients.TCP, c, l.A)
		require.NoError(t, err)
		r, took = found.(*load.Result), l.Elapsed()
	})
	return r, took
}

// Users who think for Z and wait for R make N/(R+Z) requests a second.
func TestClosedLoop(t *testing.T) {
	r, took := tcpLoad(t, wire, func(c *clients.TCPConfig) {
		c.Users, c.ThinkTime, c.Duration = 10, units.Constant(80*ms), u(10*time.Second)
		c.WarmUp = u(time.Second)
	})
	// The first request of each takes 20 ms more for the handshake, so the others start at 120, 220, … 9920 ms.
	require.EqualValues(t, 10*90, r.Requests)
	require.EqualValues(t, 900, r.Succeeded)
	require.Equal(t, units.Probability(1), *r.SuccessRate)
	require.Equal(t, units.Rate(100), *r.Rate)
	require.Equal(t, units.Rate(100), *r.Offered)
	require.Equal(t, u(20*ms), r.Latency.Min)
	require.Equal(t, u(20*ms), r.Latency.Max)
	require.Equal(t, r.Latency, r.ServiceLatency)
	require.EqualValues(t, 10, r.MaxInFlight)
	require.Equal(t, 9940*ms, took.Round(time.Microsecond))
	require.Nil(t, r.Phases.Connect) // it was in the warm-up
	require.Nil(t, r.Phases.DNS)
	require.Equal(t, u(20*ms), r.Phases.Wait.Max)
	require.Equal(t, map[string]load.Group{"b": {Succeeded: 900, Bytes: 90_000, Share: r.SuccessRate, Latency: r.Phases.Wait}}, r.ByTarget)
	require.Empty(t, r.Status)

	// One second after the other, with the warm-up.
	require.Equal(t, u(100*ms), r.Bucket)
	require.Len(t, r.Seconds, 100)
	require.Equal(t, load.Second{T: u(0), Started: 10, Succeeded: 10, Bytes: 1000, InFlight: 10,
		P50: r.Seconds[0].P50, P99: r.Seconds[0].P99, Max: r.Seconds[0].Max}, r.Seconds[0])
	require.Equal(t, u(40*ms), *r.Seconds[0].Max)
	require.Equal(t, u(20*ms), *r.Seconds[1].P50)
}

func TestRampUpAndRequests(t *testing.T) {
	r, took := tcpLoad(t, wire, func(c *clients.TCPConfig) {
		c.Users, c.RampUp, c.ThinkTime, c.Requests = 4, u(2*time.Second), units.Constant(time.Hour), 4
	})
	require.EqualValues(t, 4, r.Succeeded)
	require.EqualValues(t, 1, r.MaxInFlight)
	for i, s := range r.Seconds {
		require.EqualValues(t, map[bool]uint64{true: 1}[i%5 == 0], s.Started, i)
	}
	require.Equal(t, time.Hour+1500*ms+40*ms, took.Round(time.Microsecond)) // the last one finds no request left

	r, _ = tcpLoad(t, wire, func(c *clients.TCPConfig) { c.Users, c.Requests = 3, 30 })
	require.EqualValues(t, 30, r.Succeeded)
	require.Equal(t, units.Rate(30/0.22), *r.Rate) // ten round trips each, and one for the handshake
}

// stalling is an echo that handles one request at a time, and none in the second after a time.
func stalling(l *testlab.Lab, from time.Duration) {
	typ := services.Type{Name: "stalling", New: func(services.Config, services.Info) (services.Runner, error) { return stall{from}, nil }}
	l.Service(l.B, typ, &echo.TCPConfig{Listen: ":7"})
}

type stall struct{ from time.Duration }

func (s stall) Result() any { return nil }

func (s stall) Run(ctx context.Context, env *services.Env) error {
	return env.ServeTCP(ctx, ":7", func(conn *tcp.Conn) {
		b := make([]byte, 1000)
		for {
			n, err := conn.Read(b)
			if err != nil {
				return
			}
			if now := env.Elapsed(); now >= s.from && now < s.from+time.Second {
				env.SleepUntil(ctx, s.from+time.Second)
			}
			conn.Write(b[:n])
		}
	})
}

// A server stalls for one second of a hundred. On one connection, 20 requests a second wait for each other: the 34 that were due
// meanwhile or soon after are late by 1010 ms, 980 ms, 950 ms and so on. An open loop sees that; the service latency and the
// closed loop see a single slow request.
func TestNoCoordinatedOmission(t *testing.T) {
	measure := func(change func(c *clients.TCPConfig)) (r *load.Result) {
		testlab.Run(t, wire, func(t *testing.T, l *testlab.Lab) {
			stalling(l, 50*time.Second+10*ms)
			c := clients.NewTCPConfig()
			c.To, c.Duration = "b", u(100*time.Second)
			change(c)
			found, err := l.Workload(clients.TCP, c, l.A)
			require.NoError(t, err)
			r = found.(*load.Result)
		})
		return r
	}
	r := measure(func(c *clients.TCPConfig) { c.Rate, c.Arrivals, c.MaxInFlight = 20, load.Constant, 1 })
	require.EqualValues(t, 2000, r.Succeeded)
	require.EqualValues(t, 33, r.Waited)
	late := func(i int) units.Duration { return u(1020*ms - time.Duration(i)*30*ms) }
	require.Equal(t, late(0), r.Latency.Max)
	require.Equal(t, late(2), r.Latency.P999)
	require.Equal(t, late(20), r.Latency.P99)
	require.Equal(t, u(20*ms), r.Latency.P50)
	require.Equal(t, u(20*ms), r.ServiceLatency.P99)
	require.Equal(t, late(0), r.ServiceLatency.Max)
	require.EqualValues(t, 21, r.MaxInFlight)

	r = measure(func(c *clients.TCPConfig) { c.Users, c.ThinkTime = 1, units.Constant(30*ms) })
	require.Equal(t, u(20*ms), r.Latency.P99)
	require.Equal(t, u(20*ms), r.Latency.P95)
	require.Greater(t, r.Latency.Max, u(900*ms))
	require.Zero(t, r.Waited)
}

// Requests beyond max_in_flight wait, and go on to be made after no new ones are due.
func TestMaxInFlight(t *testing.T) {
	r, took := tcpLoad(t, wire, func(c *clients.TCPConfig) {
		c.Rate, c.Arrivals, c.MaxInFlight, c.Duration, c.KeepAlive = 1000, load.Constant, 10, u(time.Second), false
	})
	require.EqualValues(t, 1000, r.Succeeded)
	// The n-th of ten workers begins after n ms; a hundred times it shakes hands and asks.
	require.Equal(t, 4009*ms, took.Round(time.Microsecond))
	require.Equal(t, u(40*ms), r.ServiceLatency.Max)
	require.EqualValues(t, 1000, r.Phases.Connect.Count)
	require.Equal(t, units.Rate(1000), *r.Offered)
	require.InDelta(t, 250, float64(*r.Rate), 10)
	require.InDelta(t, float64(3*time.Second), float64(r.Latency.Max), float64(50*ms))
	require.Greater(t, r.MaxInFlight, uint64(700))
}

func TestTotalRateOfSeveralHosts(t *testing.T) {
	testlab.Run(t, wire, func(t *testing.T, l *testlab.Lab) {
		l.Service(l.B, echo.TCPServer, &echo.TCPConfig{Listen: ":7"})
		c := clients.NewTCPConfig()
		c.To, c.TotalRate, c.Arrivals, c.Duration = "b", 50, load.Constant, u(10*time.Second)
		found, err := l.Workload(clients.TCP, c, l.A, l.A, l.A)
		require.NoError(t, err)
		r := found.(*load.Result)
		require.EqualValues(t, 500, r.Succeeded)
		require.Equal(t, units.Rate(50), *r.Offered)
		for _, s := range r.Seconds[:100] {
			require.EqualValues(t, 5, s.Started)
		}
	})
}

// What is under way when the run ends has not failed.
func TestTheEndOfTheRun(t *testing.T) {
	for _, change := range []func(c *clients.TCPConfig){
		func(c *clients.TCPConfig) { c.Users = 5 },
		func(c *clients.TCPConfig) { c.Rate, c.Arrivals, c.MaxInFlight = 10, load.Constant, 2 },
	} {
		testlab.Run(t, wire, func(t *testing.T, l *testlab.Lab) {
			stalling(l, 0)
			c := clients.NewTCPConfig()
			c.To = "b"
			change(c)
			i := l.Start(clients.TCP, "x", c, l.A)
			l.Sleep(450 * ms)
			found, err := i.Stop()
			require.NoError(t, err)
			r := found.(*load.Result)
			require.EqualValues(t, 5, r.Pending)
			require.EqualValues(t, 5, r.Requests)
			require.Zero(t, r.Failed+r.Succeeded)
			require.Nil(t, r.SuccessRate)
			require.Nil(t, r.Latency)
			require.Equal(t, units.Rate(0), *r.Rate)
		})
	}
}

// Users whose requests fail at once don't stop time.
func TestFailuresAtOnce(t *testing.T) {
	testlab.Run(t, wire, func(t *testing.T, l *testlab.Lab) {
		c := clients.NewTCPConfig()
		c.To, c.Users, c.Duration = "nobody", 2, u(10*time.Second)
		found, err := l.Workload(clients.TCP, c, l.A)
		require.NoError(t, err)
		r := found.(*load.Result)
		require.EqualValues(t, 20, r.Failed)
		require.Equal(t, failures.Counts{Name: 20}, r.Errors)
		require.Equal(t, units.Probability(0), *r.SuccessRate)
		require.EqualValues(t, 20, r.ByTarget["nobody"].Failed)
	})
	// Nor do users who are answered at once.
	r, _ := tcpLoad(t, testlab.Config{}, func(c *clients.TCPConfig) { c.Users, c.Duration = 1, u(ms) })
	require.EqualValues(t, 1000, r.Succeeded)
}

type broken struct{ *load.Runner }

func (b broken) Run(ctx context.Context, env *services.Env) error {
	return b.Load(ctx, env, func(context.Context, *load.User) (load.Client, error) { return nil, errors.New("no client") })
}

func TestClientsThatCannotBeMade(t *testing.T) {
	for _, c := range []load.Config{{Users: 3}, {Rate: 10}} {
		testlab.Run(t, wire, func(t *testing.T, l *testlab.Lab) {
			typ := services.Type{Name: "x", Role: services.Workload, New: func(_ services.Config, info services.Info) (services.Runner, error) {
				return broken{load.NewRunner(c, info)}, nil
			}}
			_, err := l.Workload(typ, echoConfig{}, l.A)
			require.EqualError(t, err, "no client")
		})
	}
}

type echoConfig struct{}

func (echoConfig) Validate() error { return nil }
func (echoConfig) Endless() bool   { return true }

// Thousands of users, at random times: the same in two runs.
func TestRunsRepeat(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes with the race detector")
	}
	for _, change := range []func(c *clients.TCPConfig){
		func(c *clients.TCPConfig) {
			think, err := units.Exponential(500 * ms)
			require.NoError(t, err)
			c.Users, c.ThinkTime, c.RampUp, c.Duration = 2000, think, u(ms), u(time.Second)
		},
		func(c *clients.TCPConfig) { c.Rate, c.Duration = 2000, u(time.Second) },
	} {
		var runs []string
		for range 2 {
			lab := testlab.Config{Forward: testlab.Wire(10*ms, 100e6)}
			lab.Forward.Loss = testlab.Loss(0.01)
			r, _ := tcpLoad(t, lab, change)
			text, err := json.Marshal(r)
			require.NoError(t, err)
			runs = append(runs, string(text))
			require.EqualValues(t, 1, *r.SuccessRate)
			require.Greater(t, r.Succeeded, uint64(1800))
		}
		require.Equal(t, runs[0], runs[1])
	}
}

// People write expectations about these figures.
func TestFigures(t *testing.T) {
	var figures expect.Figures
	figures.Add("browse", new(load.Result))
	for _, text := range []string{"browse.success_rate >= 99.9%", "browse.latency.p99 < 150ms", "browse.rate > 95/s",
		"browse.errors.timeout == 0", "browse.latency.p9999 <= browse.latency.max", "browse.phases.connect.count == 1",
		"browse.service_latency.avg < browse.latency.avg", "browse.goodput > 1Mbit/s", "browse.bytes >= 1MB", "browse.waited == 0"} {
		_, err := expect.Compile(text, &figures)
		require.Nil(t, err, text)
	}
	var found expect.Figures
	found.Add("browse", load.NewRunner(load.Config{Users: 1}, services.Info{}).Result())
	require.Equal(t, figures.Names(), found.Names())
}
