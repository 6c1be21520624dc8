package udp_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/ip"
	"netlab/tcp"
	"netlab/udp"
)

// A socket that is bound to an address of its host sends from that address to other hosts and to its own. Once the host has lo, two NICs
// have the address, and the stack took either of them, one time in two the wrong one.
func TestBoundSocketSendsEverywhere(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		testlab.Run(t, testlab.Config{PreferIPv6: v6}, func(t *testing.T, l *testlab.Lab) {
			own := func(h *ip.Host) netip.Addr {
				i := slices.IndexFunc(h.Addresses(), func(a netip.Addr) bool { return a.Is6() == v6 })
				return h.Addresses()[i]
			}
			from := own(l.A)
			buffer := make([]byte, 10)
			for _, to := range []*ip.Host{l.B, l.A, l.B} { // A has lo from the second one on
				listener, err := tcp.Listen(to, netip.AddrPortFrom(own(to), 0).String())
				require.NoError(t, err)
				server, err := udp.Listen(to, ":9")
				require.NoError(t, err)
				for range 20 {
					dialer := tcp.Dialer{Local: netip.AddrPortFrom(from, 0)}
					stream, err := dialer.Dial(l.Context(), l.A, listener.Addr().String())
					require.NoError(t, err)
					require.NoError(t, stream.Close())

					c, err := udp.Listen(l.A, netip.AddrPortFrom(from, 0).String())
					require.NoError(t, err)
					_, err = c.WriteToAddrPort([]byte("hi"), netip.AddrPortFrom(own(to), 9))
					require.NoError(t, err)
					n, sender, err := server.ReadFromAddrPort(buffer)
					require.NoError(t, err)
					require.Equal(t, "hi", string(buffer[:n]))
					require.Equal(t, from, sender.Addr().Unmap())
					require.NoError(t, c.Close())
				}
				require.NoError(t, listener.Close())
				require.NoError(t, server.Close())
			}
		})
	}
}
