package ip_test

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/ip"
	"netlab/netem"
	"netlab/tcp"
)

// neighbors are two hosts, 10.9.0.1 and 10.9.0.2, that ask for each other's MAC address.
func neighbors(t *testing.T, l *testlab.Lab) (hosts [2]*ip.Host) {
	var ports [2]*netem.Port
	for i, name := range []string{"x", "y"} {
		ports[i] = l.Net.NewPort(netem.PortConfig{Node: netem.NodeID(10 + i), Host: name, Name: name + "-eth0",
			MAC: net.HardwareAddr{2, 9, 0, 0, 0, byte(i + 1)}})
	}
	_, err := l.Net.Connect("x--y", ports[0], ports[1], testlab.Wire(10*ms, 0), testlab.Wire(10*ms, 0))
	require.NoError(t, err)
	for i, name := range []string{"x", "y"} {
		hosts[i], err = ip.NewHost(l.Net, ip.HostConfig{Name: name, Node: netem.NodeID(10 + i), IPv4: true, IPv6: true, Names: l.Names})
		require.NoError(t, err)
		hosts[i].AddInterface(ip.Interface{Port: ports[i], Switched: true, Addresses: []netip.Prefix{
			netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 9, 0, byte(i + 1)}), 24),
			netip.PrefixFrom(netip.AddrFrom16([16]byte{0: 0xfd, 7: 9, 15: byte(i + 1)}), 64)}})
		do(l, func() { require.NoError(t, hosts[i].Start(nil)) })
	}
	return hosts
}

// A host may crash while it asks for a MAC address, and when it comes back it and its neighbours ask anew as far as they have to.
func TestCrashWhileResolving(t *testing.T) {
	testlab.Run(t, testlab.Config{}, func(t *testing.T, l *testlab.Lab) {
		hosts := neighbors(t, l)
		defer do(l, func() {
			hosts[0].Crash()
			hosts[1].Crash()
		})
		l.Sleep(ms)
		for _, address := range []string{"10.9.0.99:80", "[fd00:0:0:9::99]:80", "10.9.0.2:80"} {
			hosts[0].Go(func() {
				_, err := tcp.Dial(context.Background(), hosts[0], address)
				require.ErrorIs(t, err, ip.ErrHostDown)
			})
		}
		l.Sleep(15 * ms) // a request is on its way back
		old := hosts[0]
		do(l, func() {
			old.Crash()
			var err error
			hosts[0], err = old.Reborn()
			require.NoError(t, err)
		})
		old.Wait()
		l.Sleep(10 * time.Second)
		for i := range 2 {
			listener, err := tcp.Listen(hosts[i], ":80")
			require.NoError(t, err)
			for _, a := range hosts[i].Addresses() {
				c, err := tcp.Dial(context.Background(), hosts[1-i], netip.AddrPortFrom(a, 80).String())
				require.NoError(t, err)
				require.NoError(t, c.Close())
			}
			require.NoError(t, listener.Close())
		}
	})
}
