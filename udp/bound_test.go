package udp_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/tcp"
	"netlab/udp"
)

// A socket that is bound to an address of its host sends to other hosts and to its own, from that address, whether the host has talked to
// itself before, and so has the address twice, or not. Without lo each time there was a chance of 1 in 2 that it couldn't.
func TestBoundSocketSendsEverywhere(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		testlab.Run(t, testlab.Config{PreferIPv6: v6}, func(t *testing.T, l *testlab.Lab) {
			own := func(addresses []netip.Addr) netip.Addr {
				for _, a := range addresses {
					if a.Is6() == v6 {
						return a
					}
				}
				return netip.Addr{}
			}
			from, there := own(l.A.Addresses()), own(l.B.Addresses())
			l.A.Reach(from)
			other, err := udp.Listen(l.B, ":9")
			require.NoError(t, err)
			defer other.Close()
			same, err := udp.Listen(l.A, ":9")
			require.NoError(t, err)
			defer same.Close()
			buffer := make([]byte, 10)
			for range 20 {
				c, err := udp.Listen(l.A, netip.AddrPortFrom(from, 0).String())
				require.NoError(t, err)
				for to, server := range map[netip.Addr]*udp.Conn{there: other, from: same} {
					_, err = c.WriteToAddrPort([]byte("hi"), netip.AddrPortFrom(to, 9))
					require.NoError(t, err)
					n, sender, err := server.ReadFromAddrPort(buffer)
					require.NoError(t, err)
					require.Equal(t, "hi", string(buffer[:n]))
					require.Equal(t, from, sender.Addr().Unmap())
				}
				require.NoError(t, c.Close())
			}
			for host, to := range map[string]netip.Addr{"a": from, "b": there} {
				h := l.A
				if host == "b" {
					h = l.B
				}
				listener, err := tcp.Listen(h, netip.AddrPortFrom(to, 7).String())
				require.NoError(t, err)
				defer listener.Close()
				for range 20 {
					dialer := tcp.Dialer{Local: netip.AddrPortFrom(from, 0)}
					c, err := dialer.Dial(l.Context(), l.A, netip.AddrPortFrom(to, 7).String())
					require.NoError(t, err, host)
					require.NoError(t, c.Close())
				}
			}
		})
	}
}
