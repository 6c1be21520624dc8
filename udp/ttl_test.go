package udp_test

import (
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/netem"
	"netlab/udp"
)

// ttlTap keeps the TTLs and hop limits of the datagrams that leave a.
type ttlTap struct{ seen []int }

func (p *ttlTap) Frame(_ time.Duration, port netem.PortID, dir netem.Direction, _ uint64, data []byte, _ string) {
	if port != 0 || dir != netem.Outbound {
		return
	}
	switch h := gopacket.NewPacket(data, layers.LayerTypeEthernet, gopacket.Default).NetworkLayer().(type) {
	case *layers.IPv4:
		p.seen = append(p.seen, int(h.TTL))
	case *layers.IPv6:
		p.seen = append(p.seen, int(h.HopLimit))
	}
}

func TestSetTTL(t *testing.T) {
	tap := new(ttlTap)
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(time.Millisecond, 0), Tap: tap}, func(t *testing.T, l *testlab.Lab) {
		// A socket for both IP versions.
		c, err := udp.Listen(l.A, ":9")
		require.NoError(t, err)
		defer c.Close()
		for _, ttl := range []int{1, 77, 255} {
			require.NoError(t, c.SetTTL(ttl))
			for _, a := range l.B.Addresses() {
				_, err := c.WriteTo([]byte("x"), &net.UDPAddr{IP: a.AsSlice(), Port: 9})
				require.NoError(t, err)
				l.Sleep(time.Millisecond)
			}
		}
		for _, ttl := range []int{-1, 0, 256, 300} {
			require.ErrorIs(t, c.SetTTL(ttl), syscall.EINVAL)
		}
	})
	require.Equal(t, []int{1, 1, 77, 77, 255, 255}, tap.seen)
}
