package ip_test

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/ip"
	"netlab/netem"
)

// The MTU of a host's own link may change while connections are open. Their segments keep their size, and the host sends them in
// fragments from then on; connections that begin later have smaller segments. Nothing is lost.
func TestMTUChangesDuringTransfer(t *testing.T) {
	const (
		ethernet   = 14
		smaller    = 1300
		down, up   = 300 * ms, 500 * ms
		waiting    = 64 * ms // by then what was queued on the link before is sent
		size       = 1 << 20
		linkOfHost = 0
	)
	for _, v6 := range []bool{false, true} {
		tap := &record{}
		c := testlab.Config{Forward: testlab.Wire(10*ms, 10e6), Tap: tap, PreferIPv6: v6, Routers: 1, TCP: ip.TCPConfig{ReceiveBuffer: 64 << 10}}
		testlab.Run(t, c, func(t *testing.T, l *testlab.Lab) {
			a, b := pair(t, l)
			change := func(mtu int) func() {
				return func() {
					p := l.Links[linkOfHost].Params(netem.Forward)
					p.MTU = mtu
					require.NoError(t, l.Links[linkOfHost].Set(netem.Forward, p))
				}
			}
			l.At(down, change(smaller))
			l.At(up, change(netem.DefaultMTU))
			l.A.Go(func() {
				a.Write(make([]byte, size))
				a.Close()
			})
			got, err := io.ReadAll(b)
			require.NoError(t, err)
			require.Len(t, got, size)
			require.Zero(t, l.A.Stats().TCP.Retransmits)
			require.Zero(t, l.Dropped(linkOfHost, netem.Forward))
			largest := func(from, to time.Duration) (size int) {
				for _, f := range tap.after(0, from) {
					if f.at < to {
						size = max(size, len(f.data)-ethernet)
					}
				}
				return size
			}
			require.Greater(t, largest(0, down), smaller)
			require.InDelta(t, smaller, largest(down+waiting, up), 7, "fragments are cut at multiples of 8 bytes")
			require.LessOrEqual(t, largest(down+waiting, up), smaller)
			require.Greater(t, largest(up+waiting, time.Hour), smaller)
		})
	}
}
