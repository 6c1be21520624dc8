package ip_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"netlab/internal/testlab"
	"netlab/ip"
	"netlab/netem"
	"netlab/tcp"
)

// sums checks the checksums of all IPv4 packets on all links.
type sums struct{ checked, wrong int }

func (s *sums) Frame(_ time.Duration, _ netem.PortID, _ netem.Direction, _ uint64, data []byte, _ string) {
	if binary.BigEndian.Uint16(data[12:]) != netem.EtherTypeIPv4 {
		return
	}
	h := header.IPv4(data[14:])
	sum := uint16(0)
	if p := h.TransportProtocol(); p != header.ICMPv4ProtocolNumber {
		sum = header.PseudoHeaderChecksum(p, h.SourceAddress(), h.DestinationAddress(), uint16(len(h.Payload())))
	}
	if s.checked++; !h.IsChecksumValid() || checksum.Checksum(h.Payload(), sum) != 0xffff {
		s.wrong++
	}
}

// home is a lab in which r1 hides a, and r2 and r3 stand between r1 and b. The link between those two takes packets of at most
// 1280 bytes. Without c r1 hides nothing.
func home(t *testing.T, c *ip.NATConfig, body func(t *testing.T, l *testlab.Lab)) {
	var s sums
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0), Routers: 3, Tap: &s}, func(t *testing.T, l *testlab.Lab) {
		for direction := range 2 {
			p := l.Links[2].Params(direction)
			p.MTU = 1280
			require.NoError(t, l.Links[2].Set(direction, p))
		}
		if c == nil {
			body(t, l)
			return
		}
		c.Inside, c.Outside = []int{0}, 1
		_, err := l.Routers[0].SetNAT(*c)
		require.NoError(t, err)
		_, err = l.Routers[0].SetFirewall(ip.FirewallConfig{Default: ip.Drop, Rules: []ip.FirewallRule{
			{Action: ip.Accept, In: []int{0}},
			{Action: ip.Accept, Destinations: []netip.Prefix{netip.MustParsePrefix("10.0.1.1/32")}, Protocol: ip.TCP, DestinationPorts: []ip.PortRange{{First: 80, Last: 80}}},
		}})
		require.NoError(t, err)
		// Nobody else knows the network behind r1.
		require.NoError(t, l.Routers[1].ReplaceRoutes([]ip.Route{{To: netip.MustParsePrefix("10.0.4.0/24"), Via: netip.MustParseAddr("10.0.3.2")}}))
		body(t, l)
	})
	require.Positive(t, s.checked)
	require.Zero(t, s.wrong)
}

// sendAcross sends data from a connection's client to its server and waits until it has arrived.
func sendAcross(t *testing.T, l *testlab.Lab, from, to *ip.Host, listen, dial string) (client, seen net.Addr) {
	t.Helper()
	listener, err := tcp.Listen(to, listen)
	require.NoError(t, err)
	defer listener.Close()
	data := bytes.Repeat([]byte("network"), 30000)
	var got []byte
	done := make(chan struct{})
	to.Go(func() {
		defer close(done)
		c, err := listener.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		seen = c.RemoteAddr()
		got, err = io.ReadAll(c)
		if err != nil {
			t.Error(err)
		}
	})
	c, err := tcp.Dial(l.Context(), from, dial)
	require.NoError(t, err)
	_, err = c.Write(data)
	require.NoError(t, err)
	require.NoError(t, c.Close())
	<-done
	require.True(t, bytes.Equal(data, got))
	return c.LocalAddr(), seen
}

// A host behind NAT sends to one outside over a link with a smaller MTU: "fragmentation needed" reaches it, and the transfer goes
// on with smaller segments. It takes as long as without NAT, to the nanosecond.
func TestTCPThroughNAT(t *testing.T) {
	var plain time.Duration
	home(t, nil, func(t *testing.T, l *testlab.Lab) {
		start := l.Elapsed()
		sendAcross(t, l, l.A, l.B, ":9000", "10.0.4.2:9000")
		plain = l.Elapsed() - start
		require.Positive(t, l.Routers[1].Stats().IP.TooBig)
	})
	for _, kind := range []ip.NATKind{ip.FullCone, ip.PortRestrictedCone, ip.Symmetric} {
		home(t, &ip.NATConfig{Kind: kind, RandomPorts: true}, func(t *testing.T, l *testlab.Lab) {
			start := l.Elapsed()
			client, seen := sendAcross(t, l, l.A, l.B, ":9000", "10.0.4.2:9000")
			require.Equal(t, plain, l.Elapsed()-start)
			require.Equal(t, "10.0.2.1", seen.(*net.TCPAddr).IP.String())
			require.NotEqual(t, client.(*net.TCPAddr).Port, seen.(*net.TCPAddr).Port)
			require.Positive(t, l.Routers[1].Stats().IP.TooBig)
			s := l.Routers[0].Stats()
			require.Equal(t, l.Routers[1].Stats().IP.TooBig, s.NAT.Errors)
			require.Equal(t, s.NAT.Errors, s.Firewall.Accepted.Related)
			require.Zero(t, s.NAT.Filtered+s.NAT.Unsolicited+s.Tracking.OutOfState)
			require.EqualValues(t, 1, s.Tracking.Opened)
		})
	}
}

// A host outside reaches one inside by a forwarded port.
func TestTCPThroughForward(t *testing.T) {
	home(t, &ip.NATConfig{Forwards: []ip.PortForward{{Protocol: ip.TCP, External: 8080, To: netip.MustParseAddrPort("10.0.1.1:80")}}}, func(t *testing.T, l *testlab.Lab) {
		client, seen := sendAcross(t, l, l.B, l.A, ":80", "10.0.2.1:8080")
		require.Equal(t, client.String(), seen.String())
	})
}

// A host behind NAT hears of each router on the way, of a closed port, and of echo replies.
func TestTracerouteThroughNAT(t *testing.T) {
	home(t, &ip.NATConfig{RandomPorts: true}, func(t *testing.T, l *testlab.Lab) {
		errs, err := ip.ListenErrors(l.A, false)
		require.NoError(t, err)
		defer errs.Close()
		to := netip.MustParseAddrPort("10.0.4.2:33434")
		for i, want := range []struct {
			from string
			kind ip.ErrorKind
		}{{"10.0.1.2", ip.TTLExceeded}, {"10.0.2.2", ip.TTLExceeded}, {"10.0.3.2", ip.TTLExceeded}, {"10.0.4.2", ip.PortUnreachable}} {
			start := l.Elapsed()
			source := dialFrom(t, l, to, i+1, 8)
			e, err := errs.Read(time.Time{})
			require.NoError(t, err)
			require.Equal(t, start+time.Duration(i+1)*20*ms, e.At)
			require.Equal(t, []any{want.from, want.kind, source, to}, []any{e.From.String(), e.Kind(), e.Source, e.Destination})
		}
		echo, err := ip.DialEcho(l.A, to.Addr())
		require.NoError(t, err)
		defer echo.Close()
		start := l.Elapsed()
		require.NoError(t, echo.Send(1, []byte("hello")))
		r, err := echo.Receive(time.Time{})
		require.NoError(t, err)
		require.Equal(t, ip.EchoReply{Sequence: 1, Bytes: 13, TTL: 61, At: start + 80*ms}, r)
	})
}

// While the router was down it forgot the connection: what follows is out of state, and the sender learns nothing of it.
func TestTCPAfterNATRestart(t *testing.T) {
	for _, c := range []struct {
		action ip.Action
		want   error
	}{{ip.Drop, nil}, {ip.Reject, syscall.ECONNRESET}} {
		home(t, &ip.NATConfig{Tracking: ip.Tracking{OutOfState: c.action}}, func(t *testing.T, l *testlab.Lab) {
			listener, err := tcp.Listen(l.B, ":9000")
			require.NoError(t, err)
			defer listener.Close()
			conn, err := tcp.Dial(l.Context(), l.A, "10.0.4.2:9000")
			require.NoError(t, err)
			defer conn.Close()
			l.Sleep(time.Second)
			l.At(l.Elapsed(), func() { l.Routers[0].SetDown(true) })
			l.At(l.Elapsed()+time.Second, func() { l.Routers[0].SetDown(false) })
			l.Sleep(2 * time.Second)
			_, err = conn.Write([]byte("still there?"))
			require.NoError(t, err)
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
			_, err = conn.Read(make([]byte, 1))
			if c.want != nil {
				require.ErrorIs(t, err, c.want)
			} else {
				require.ErrorContains(t, err, "timeout")
			}
			require.Positive(t, l.Routers[0].Stats().Tracking.OutOfState)
		})
	}
}
