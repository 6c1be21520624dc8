package tcp_test

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"
	_ "unsafe" // for go:linkname

	"github.com/stretchr/testify/require"
	"golang.org/x/net/nettest"

	"netlab/internal/testlab"
	"netlab/ip"
	"netlab/netem"
	"netlab/tcp"
	"netlab/units"
)

// nettest.TestConn calls t.Run, which a bubble doesn't allow, so its subtests run in a bubble each.

//go:linkname testBasicIO golang.org/x/net/nettest.testBasicIO
func testBasicIO(t *testing.T, c1, c2 net.Conn)

//go:linkname testPingPong golang.org/x/net/nettest.testPingPong
func testPingPong(t *testing.T, c1, c2 net.Conn)

//go:linkname testRacyRead golang.org/x/net/nettest.testRacyRead
func testRacyRead(t *testing.T, c1, c2 net.Conn)

//go:linkname testRacyWrite golang.org/x/net/nettest.testRacyWrite
func testRacyWrite(t *testing.T, c1, c2 net.Conn)

//go:linkname testReadTimeout golang.org/x/net/nettest.testReadTimeout
func testReadTimeout(t *testing.T, c1, c2 net.Conn)

//go:linkname testWriteTimeout golang.org/x/net/nettest.testWriteTimeout
func testWriteTimeout(t *testing.T, c1, c2 net.Conn)

//go:linkname testPastTimeout golang.org/x/net/nettest.testPastTimeout
func testPastTimeout(t *testing.T, c1, c2 net.Conn)

//go:linkname testPresentTimeout golang.org/x/net/nettest.testPresentTimeout
func testPresentTimeout(t *testing.T, c1, c2 net.Conn)

//go:linkname testFutureTimeout golang.org/x/net/nettest.testFutureTimeout
func testFutureTimeout(t *testing.T, c1, c2 net.Conn)

//go:linkname testCloseTimeout golang.org/x/net/nettest.testCloseTimeout
func testCloseTimeout(t *testing.T, c1, c2 net.Conn)

//go:linkname testConcurrentMethods golang.org/x/net/nettest.testConcurrentMethods
func testConcurrentMethods(t *testing.T, c1, c2 net.Conn)

// pipe connects two hosts.
func pipe(a, b *ip.Host) (c1, c2 *tcp.Conn, err error) {
	l, err := tcp.Listen(b, ":5001")
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	if c1, err = tcp.Dial(context.Background(), a, "b:5001"); err != nil {
		return nil, nil, err
	}
	c2, err = l.AcceptTCP()
	return c1, c2, err
}

func TestConnInVirtualTime(t *testing.T) {
	for name, test := range map[string]func(t *testing.T, c1, c2 net.Conn){
		"BasicIO": testBasicIO, "PingPong": testPingPong, "RacyRead": testRacyRead, "RacyWrite": testRacyWrite,
		"ReadTimeout": testReadTimeout, "WriteTimeout": testWriteTimeout, "PastTimeout": testPastTimeout,
		"PresentTimeout": testPresentTimeout, "FutureTimeout": testFutureTimeout, "CloseTimeout": testCloseTimeout,
		"ConcurrentMethods": testConcurrentMethods,
	} {
		for setting, config := range map[string]ip.TCPConfig{"": {}, "/small buffers": {SendBuffer: 16 << 10, ReceiveBuffer: 16 << 10}} {
			t.Run(name+setting, func(t *testing.T) {
				wire := testlab.Wire(time.Millisecond, 100e6)
				testlab.Run(t, testlab.Config{Forward: wire, TCP: config}, func(t *testing.T, l *testlab.Lab) {
					c1, c2, err := pipe(l.A, l.B)
					require.NoError(t, err)
					defer c1.Abort()
					defer c2.Abort()
					test(t, c1, c2)
				})
			})
		}
	}
}

func TestConnInRealTime(t *testing.T) {
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		n := netem.NewNetwork(netem.NewEngine(netem.Config{RealTime: true}), 1)
		names := &ip.Names{}
		var hosts []*ip.Host
		var ports []*netem.Port
		for i, name := range []string{"a", "b"} {
			h, err := ip.NewHost(n, ip.HostConfig{Name: name, Node: netem.NodeID(i), IPv4: true, IPv6: true, Names: names})
			if err != nil {
				return nil, nil, nil, err
			}
			ports = append(ports, n.NewPort(netem.PortConfig{Node: netem.NodeID(i), Host: name, Name: name + "-eth0",
				MAC: net.HardwareAddr{2, 0, 0, 0, 0, byte(i + 1)}}))
			hosts = append(hosts, h)
			names.Add(name, netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}))
		}
		p := netem.Params{Latency: units.Constant(10 * time.Microsecond), MTU: netem.DefaultMTU}
		if _, err := n.Connect("a--b", ports[0], ports[1], p, p); err != nil {
			return nil, nil, nil, err
		}
		for i, h := range hosts {
			h.AddInterface(ip.Interface{Port: ports[i], Addresses: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), 31)}})
			if err := h.Start(nil); err != nil {
				return nil, nil, nil, err
			}
		}
		over := make(chan error)
		go func() { over <- n.Run(context.Background()) }()
		stop = func() {
			for _, c := range []net.Conn{c1, c2} {
				if c != nil {
					c.(*tcp.Conn).Abort()
				}
			}
			n.Stop()
			require.NoError(t, <-over)
			for _, h := range hosts {
				h.Destroy()
			}
		}
		t1, t2, err := pipe(hosts[0], hosts[1])
		c1, c2 = t1, t2
		return c1, c2, stop, err
	})
}
