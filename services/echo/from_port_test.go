package echo_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/services/echo"
)

// Messages come from the port that was asked for, which has to be free, and only UDP has the choice.
func TestFromPort(t *testing.T) {
	wire := testlab.Config{Forward: testlab.Wire(10*ms, 0)}
	c := config(func(c *echo.Config) { c.Protocol, c.FromPort = echo.UDP, 4000 })
	require.NoError(t, c.Validate())
	lab(t, wire, c, func(_ *testlab.Lab, r *echo.Result, _ *echo.TCPResult, udp *echo.UDPResult) {
		require.Equal(t, uint64(5), r.Received)
		require.Equal(t, uint64(5), udp.Datagrams)
	})
	testlab.Run(t, wire, func(t *testing.T, l *testlab.Lab) {
		taken := l.Service(l.A, echo.UDPServer, &echo.UDPConfig{Listen: ":4000"})
		_, err := l.Workload(echo.Type, c, l.A)
		require.ErrorContains(t, err, "address already in use")
		_, err = taken.Stop()
		require.NoError(t, err)
	})
	require.EqualError(t, config(func(c *echo.Config) { c.FromPort = 4000 }).Validate(),
		"from_port: only udp has it: a TCP connection takes a port that is free")
}
