package echo_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/netem"
	"netlab/services"
	"netlab/services/echo"
	"netlab/services/figures"
	"netlab/services/probe"
	"netlab/units"
)

const ms = time.Millisecond

func config(change func(c *echo.Config)) *echo.Config {
	c := echo.NewConfig()
	c.To = "b"
	if change != nil {
		change(c)
	}
	return c
}

// lab runs one echo from a to the two servers on b.
func lab(t *testing.T, c testlab.Config, config *echo.Config, check func(l *testlab.Lab, r *echo.Result, tcp *echo.TCPResult, udp *echo.UDPResult)) {
	testlab.Run(t, c, func(t *testing.T, l *testlab.Lab) {
		tcp := l.Service(l.B, echo.TCPServer, &echo.TCPConfig{Listen: ":7"})
		udp := l.Service(l.B, echo.UDPServer, &echo.UDPConfig{Listen: ":7"})
		found, err := l.Workload(echo.Type, config, l.A)
		require.NoError(t, err)
		l.Sleep(time.Minute)
		overTCP, err := tcp.Stop()
		require.NoError(t, err)
		overUDP, err := udp.Stop()
		require.NoError(t, err)
		check(l, found.(*echo.Result), overTCP.(*echo.TCPResult), overUDP.(*echo.UDPResult))
	})
}

func TestRTTIsTwiceTheLatency(t *testing.T) {
	const rtt = units.Duration(20 * ms)
	var zero units.Probability
	want := &echo.Result{Intact: true, Result: probe.Result{
		Sent: 5, Received: 5, Loss: &zero, RTT: &figures.RTT{Min: rtt, Avg: rtt, Max: rtt}}}
	wire := testlab.Config{Forward: testlab.Wire(10*ms, 0)}
	lab(t, wire, config(nil), func(_ *testlab.Lab, r *echo.Result, tcp *echo.TCPResult, udp *echo.UDPResult) {
		require.Equal(t, want, r)
		require.Equal(t, &echo.TCPResult{Connections: 1, Bytes: 280}, tcp)
		require.Zero(t, *udp)
	})
	overUDP := config(func(c *echo.Config) { c.Protocol = echo.UDP })
	lab(t, wire, overUDP, func(_ *testlab.Lab, r *echo.Result, tcp *echo.TCPResult, udp *echo.UDPResult) {
		require.Equal(t, want, r)
		require.Zero(t, *tcp)
		require.Equal(t, &echo.UDPResult{Datagrams: 5, Bytes: 280}, udp)
	})
	wire.PreferIPv6 = true
	lab(t, wire, overUDP, func(_ *testlab.Lab, r *echo.Result, _ *echo.TCPResult, _ *echo.UDPResult) { require.Equal(t, want, r) })
}

func TestLossOverUDPIsWhatTheLinkDropped(t *testing.T) {
	wire := testlab.Wire(10*ms, 0)
	wire.Loss = testlab.Loss(0.1)
	c := config(func(c *echo.Config) { c.Protocol, c.Count, c.Interval = echo.UDP, 500, units.Duration(10*ms) })
	lab(t, testlab.Config{Forward: wire}, c, func(l *testlab.Lab, r *echo.Result, _ *echo.TCPResult, s *echo.UDPResult) {
		require.True(t, r.Intact)
		require.NotZero(t, r.Lost)
		require.Equal(t, l.Dropped(0, netem.Forward)+l.Dropped(0, netem.Backward), r.Lost)
		require.Equal(t, l.Delivered(0, netem.Forward), s.Datagrams)
	})
}

// A lost segment holds up the messages behind it, but none is lost.
func TestLossOverTCPIsDelay(t *testing.T) {
	wire := testlab.Wire(10*ms, 0)
	wire.Loss = testlab.Loss(0.02)
	c := config(func(c *echo.Config) {
		c.Count, c.Interval, c.Timeout = 500, units.Duration(10*ms), units.Duration(time.Minute)
	})
	lab(t, testlab.Config{Forward: wire}, c, func(l *testlab.Lab, r *echo.Result, _ *echo.TCPResult, _ *echo.UDPResult) {
		require.True(t, r.Intact)
		require.EqualValues(t, 500, r.Received)
		require.NotZero(t, l.A.Stats().TCP.Retransmits)
		require.EqualValues(t, 20*ms, r.RTT.Min)
		require.Greater(t, r.RTT.Max.Std(), 30*ms)
	})
}

func TestLargeMessages(t *testing.T) {
	c := config(func(c *echo.Config) { c.Size = 1 << 20 })
	lab(t, testlab.Config{Forward: testlab.Wire(ms, 1e9)}, c, func(_ *testlab.Lab, r *echo.Result, _ *echo.TCPResult, _ *echo.UDPResult) {
		require.True(t, r.Intact)
		require.EqualValues(t, 5, r.Received)
	})
	c = config(func(c *echo.Config) { c.Protocol, c.Size = echo.UDP, 60_000 })
	lab(t, testlab.Config{Forward: testlab.Wire(ms, 1e9)}, c, func(_ *testlab.Lab, r *echo.Result, _ *echo.TCPResult, _ *echo.UDPResult) {
		require.True(t, r.Intact)
		require.EqualValues(t, 5, r.Received)
	})
}

func TestNobodyListens(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		found, err := l.Workload(echo.Type, config(nil), l.A)
		require.EqualError(t, err, "dial tcp 10.0.1.2:7: connection refused")
		require.False(t, found.(*echo.Result).Intact)
		found, err = l.Workload(echo.Type, config(func(c *echo.Config) { c.Protocol = echo.UDP }), l.A)
		require.NoError(t, err)
		require.EqualValues(t, 5, found.(*echo.Result).Lost)
	})
}

func TestServerGoes(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		server := l.Service(l.B, echo.TCPServer, &echo.TCPConfig{Listen: ":7"})
		i := l.Start(echo.Type, "probe", config(func(c *echo.Config) { c.Count = 0 }), l.A)
		l.Sleep(2500 * ms)
		_, err := server.Stop()
		require.NoError(t, err)
		found, err := i.Wait()
		require.NoError(t, err)
		r := found.(*echo.Result)
		require.False(t, r.Intact)
		require.EqualValues(t, 3, r.Received)
		require.EqualValues(t, 1, r.Errors)
	})
}

// The link goes down while the sender's buffers fill up: the end of the run does not wait for them.
func TestRunEndsWhileAMessageIsStuck(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 1e9)}, func(t *testing.T, l *testlab.Lab) {
		l.Service(l.B, echo.TCPServer, &echo.TCPConfig{Listen: ":7"})
		down := l.Links[0].Params(netem.Forward)
		down.Down = true
		l.At(500*ms, func() { require.NoError(t, l.Links[0].Set(netem.Forward, down)) })
		i := l.Start(echo.Type, "probe", config(func(c *echo.Config) { c.Count, c.Size, c.Interval = 0, 1<<20, units.Duration(100*ms) }), l.A)
		l.Sleep(10 * time.Second)
		found, err := i.Stop()
		require.NoError(t, err)
		r := found.(*echo.Result)
		require.True(t, r.Intact)
		require.EqualValues(t, 5, r.Received)
		require.Equal(t, 10*time.Second, l.Elapsed().Round(time.Microsecond))
	})
}

func TestValidate(t *testing.T) {
	require.NoError(t, config(nil).Validate())
	for field, change := range map[string]func(*echo.Config){
		"to":       func(c *echo.Config) { c.To = "" },
		"protocol": func(c *echo.Config) { c.Protocol = "sctp" },
		"count":    func(c *echo.Config) { c.Count = -1 },
		"interval": func(c *echo.Config) { c.Interval = 0 },
		"size":     func(c *echo.Config) { c.Protocol, c.Size = echo.UDP, 65508 },
		"timeout":  func(c *echo.Config) { c.Timeout = 0 },
	} {
		var wrong *services.FieldError
		require.ErrorAs(t, config(change).Validate(), &wrong)
		require.Equal(t, field, wrong.Field)
	}
}
