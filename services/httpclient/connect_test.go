package httpclient_test

import (
	"net/netip"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/services/httpclient"
	"netlab/units"
)

// An address that says nothing gets its time, and then the next one its turn; if none answers, the error is that of the first. The
// limit is not one for the answer.
func TestConnectTimeout(t *testing.T) {
	const limit = 200 * ms
	config := httpclient.NewConfig()
	config.ConnectTimeout, config.KeepAlive = units.Duration(limit), false
	require.NoError(t, config.Validate())
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(rtt/2, 0)}, func(t *testing.T, l *testlab.Lab) {
		serve(t, l, hello)
		server := l.B.Addresses()[0]
		dead := [2]netip.Addr{server.Next(), server.Next().Next()} // nobody's
		l.Names.Add("second", dead[0], server)
		l.Names.Add("third", dead[0], dead[1], server)
		l.Names.Add("none", dead[0], dead[1])
		l.Names.Add("refused", server, dead[0])
		c, err := httpclient.New(l.Context(), env(l), config, httpclient.Options{})
		require.NoError(t, err)
		defer c.Close()
		want := httpclient.Outcome{Status: 200, Bytes: 5, Target: server.String() + ":80", Protocol: "HTTP/1.1", Attempts: 1, Hops: 1,
			Dialed: true, Connect: limit + rtt, Wait: rtt, Answered: true, FirstByte: limit + 2*rtt, Total: limit + 2*rtt}
		require.Equal(t, want, c.Do(l.Context(), "http://second/"))
		want.Connect, want.FirstByte, want.Total = 2*limit+rtt, 2*limit+2*rtt, 2*limit+2*rtt
		require.Equal(t, want, c.Do(l.Context(), "http://third/"))

		o := c.Do(l.Context(), "http://none/")
		require.ErrorIs(t, o.Err, os.ErrDeadlineExceeded)
		require.ErrorContains(t, o.Err, dead[0].String())
		require.Equal(t, 2*limit, o.Total)

		o = c.Do(l.Context(), "http://refused:81/")
		require.ErrorIs(t, o.Err, syscall.ECONNREFUSED)
		require.Equal(t, rtt+limit, o.Total)
	})
}

// Without the limit a silent address uses up the time of the request.
func TestNoConnectTimeout(t *testing.T) {
	config := httpclient.NewConfig()
	config.Timeout = units.Duration(500 * ms)
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(rtt/2, 0)}, func(t *testing.T, l *testlab.Lab) {
		serve(t, l, hello)
		server := l.B.Addresses()[0]
		l.Names.Add("second", server.Next(), server)
		c, err := httpclient.New(l.Context(), env(l), config, httpclient.Options{})
		require.NoError(t, err)
		defer c.Close()
		o := c.Do(l.Context(), "http://second/")
		require.ErrorIs(t, o.Err, os.ErrDeadlineExceeded)
		require.Equal(t, 500*ms, o.Total)
	})
}

func TestValidateConnectTimeout(t *testing.T) {
	for d, want := range map[units.Duration]string{
		units.Duration(-ms):       "connect_timeout: found -1ms, wanted more than 0s, and less than the timeout of 1s",
		units.Duration(1000 * ms): "connect_timeout: found 1s, wanted more than 0s, and less than the timeout of 1s",
	} {
		c := httpclient.NewConfig()
		c.Timeout, c.ConnectTimeout = units.Duration(1000*ms), d
		require.EqualError(t, c.Validate(), want)
	}
}
