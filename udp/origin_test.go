package udp_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/ip"
	"netlab/udp"
	"netlab/units"
)

// A socket that listens on all addresses answers from the one that was asked, with the TTL and the ECN codepoint that it was set to, from
// the host's own when the asked one is gone, and says nothing of the address where there is only one.
func TestAnswer(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		testlab.Run(t, testlab.Config{PreferIPv6: v6}, func(t *testing.T, l *testlab.Lab) {
			server, err := udp.Listen(l.B, ":9")
			require.NoError(t, err)
			defer server.Close()
			client, err := udp.Listen(l.A, ":0")
			require.NoError(t, err)
			defer client.Close()
			client.ReceiveECN()
			var own netip.Addr
			for _, a := range l.B.Addresses() {
				if a.Is6() == v6 {
					own = a
				}
			}
			shared := own.Next().Next()
			buffer := make([]byte, 10_000)
			ask := func(a netip.Addr, size int) udp.Origin {
				_, err := client.WriteToAddrPort(buffer[:size], netip.AddrPortFrom(a, 9))
				require.NoError(t, err)
				n, o, err := server.ReadOrigin(buffer)
				require.NoError(t, err)
				require.Equal(t, size, n)
				return o
			}
			hear := func(size int) (netip.Addr, ip.ECN) {
				n, from, ecn, err := client.ReadECN(buffer)
				require.NoError(t, err)
				require.Equal(t, size, n)
				require.EqualValues(t, 9, from.Port())
				return from.Addr(), ecn
			}
			o := ask(own, 3)
			require.False(t, o.To.IsValid(), "there is no other")
			_, err = server.Answer(buffer[:3], o)
			require.NoError(t, err)
			from, _ := hear(3)
			require.Equal(t, own, from)

			require.NoError(t, l.B.AddAddress(0, ip.VirtualAddress{Address: shared}))
			require.NoError(t, server.SetTrafficClass(units.DSCP(0), ip.CE))
			for _, size := range []int{0, 3, 5000} { // in fragments too
				for _, a := range []netip.Addr{shared, own} {
					o := ask(a, size)
					require.Equal(t, a, o.To)
					n, err := server.Answer(buffer[:size], o)
					require.NoError(t, err)
					require.Equal(t, size, n)
					from, ecn := hear(size)
					require.Equal(t, a, from)
					require.Equal(t, ip.CE, ecn)
				}
			}
			o = ask(shared, 3)
			require.NoError(t, l.B.RemoveAddress(shared))
			_, err = server.Answer(buffer[:3], o)
			require.NoError(t, err)
			from, _ = hear(3)
			require.Equal(t, own, from)
			l.Sleep(time.Millisecond)
			require.NoError(t, server.Close())
			_, err = server.Answer(buffer[:3], o)
			require.Error(t, err)
		})
	}
}
