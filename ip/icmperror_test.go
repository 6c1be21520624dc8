package ip_test

import (
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/ip"
	"netlab/netem"
	"netlab/udp"
)

const (
	ms          = time.Millisecond
	protocolUDP = 17
)

// dialFrom sends a datagram from a with a TTL and returns the socket's address.
func dialFrom(t *testing.T, l *testlab.Lab, to netip.AddrPort, ttl, size int) netip.AddrPort {
	t.Helper()
	c, err := udp.Dial(l.Context(), l.A, to.String())
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetTTL(ttl))
	_, err = c.Write(make([]byte, size))
	require.NoError(t, err)
	return c.LocalAddr().(*net.UDPAddr).AddrPort()
}

func TestListenErrors(t *testing.T) {
	for name, v6 := range map[string]bool{"IPv4": false, "IPv6": true} {
		t.Run(name, func(t *testing.T) {
			router, far, near, nobody := "10.0.1.2", "10.0.2.2", "10.0.1.1", "192.0.2.1"
			ttl, closed, noRoute := [2]uint8{11, 0}, [2]uint8{3, 3}, [2]uint8{3, 0}
			if v6 {
				router, far, near, nobody = "fd00:0:0:1::2", "fd00:0:0:2::2", "fd00:0:0:1::1", "2001:db8::1"
				ttl, closed, noRoute = [2]uint8{3, 0}, [2]uint8{1, 4}, [2]uint8{1, 0}
			}
			testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0), Routers: 1}, func(t *testing.T, l *testlab.Lab) {
				errs, err := ip.ListenErrors(l.A, v6)
				require.NoError(t, err)
				defer errs.Close()
				for _, c := range []struct {
					from, to string
					ttl      int
					message  [2]uint8 // type and code
					kind     ip.ErrorKind
					rtt      time.Duration
				}{
					{router, far, 1, ttl, ip.TTLExceeded, 20 * ms},
					{far, far, 64, closed, ip.PortUnreachable, 40 * ms},
					{router, nobody, 64, noRoute, ip.NetworkUnreachable, 20 * ms},
				} {
					start := l.Elapsed()
					to := netip.AddrPortFrom(netip.MustParseAddr(c.to), 33434)
					source := dialFrom(t, l, to, c.ttl, 8)
					require.Equal(t, near, source.Addr().String())
					e, err := errs.Read(time.Time{})
					require.NoError(t, err)
					require.Equal(t, start+c.rtt, e.At)
					e.At = 0
					require.Equal(t, ip.ICMPError{From: netip.MustParseAddr(c.from), Type: c.message[0], Code: c.message[1],
						Protocol: protocolUDP, Source: source, Destination: to}, e)
					require.Equal(t, c.kind, e.Kind())
				}
			})
		})
	}
}

func TestErrorsThatAreTooLate(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		errs, err := ip.ListenErrors(l.A, false)
		require.NoError(t, err)
		dialFrom(t, l, netip.MustParseAddrPort("10.0.1.2:9"), 64, 8)
		_, err = errs.Read(time.Now().Add(19 * ms))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, 19*ms, l.Elapsed())
		e, err := errs.Read(time.Time{})
		require.NoError(t, err)
		require.Equal(t, 20*ms, e.At)
		// The reply to a ping is no error.
		echo, err := ip.DialEcho(l.A, netip.MustParseAddr("10.0.1.2"))
		require.NoError(t, err)
		defer echo.Close()
		require.NoError(t, echo.Send(1, nil))
		_, err = errs.Read(time.Now().Add(time.Second))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.NoError(t, errs.Close())
		_, err = errs.Read(time.Time{})
		require.ErrorIs(t, err, net.ErrClosed)
	})
}

func TestCloseEndsReadingErrors(t *testing.T) {
	testlab.Run(t, testlab.Config{}, func(t *testing.T, l *testlab.Lab) {
		errs, err := ip.ListenErrors(l.A, false)
		require.NoError(t, err)
		l.At(time.Second, func() { errs.Close() })
		_, err = errs.Read(time.Time{})
		require.ErrorIs(t, err, net.ErrClosed)
		require.Equal(t, time.Second, l.Elapsed().Round(time.Microsecond))
	})
}

func TestPacketTooBig(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0), Routers: 1}, func(t *testing.T, l *testlab.Lab) {
		for direction := range 2 {
			p := l.Links[1].Params(direction)
			p.MTU = 1280
			require.NoError(t, l.Links[1].Set(direction, p))
		}
		errs, err := ip.ListenErrors(l.A, true)
		require.NoError(t, err)
		defer errs.Close()
		dialFrom(t, l, netip.MustParseAddrPort("[fd00:0:0:2::2]:9"), 64, 1400)
		e, err := errs.Read(time.Time{})
		require.NoError(t, err)
		require.Equal(t, ip.PacketTooBig, e.Kind())
		require.Equal(t, 1280, e.MTU)
		require.Equal(t, "fd00:0:0:1::2", e.From.String())
		require.Zero(t, l.Delivered(1, netem.Forward))
	})
}
