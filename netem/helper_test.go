package netem

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

// bubble builds something on a network in a bubble of virtual time, and then runs the engine until nothing is left to do.
func bubble(t *testing.T, c Config, build func(n *Network)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork(NewEngine(c), 1)
		build(n)
		require.ErrorIs(t, n.Run(context.Background()), ErrStandstill)
		require.Zero(t, n.InFlight())
		for _, l := range n.Links() {
			for d := range 2 {
				s := l.Stats(d)
				require.Equal(t, s.Sent.Frames+s.Duplicated.Frames, s.Delivered.Frames+s.Dropped.Total(), "every frame is delivered or dropped")
			}
		}
	})
}

// stock fills the pool of frames and returns a check that all of them are back, each once.
func stock(t *testing.T, e *Engine) (check func()) { return stockOf(t, e, 64) }

// stockOf is stock for a test that needs this many frames at once.
func stockOf(t *testing.T, e *Engine, size int) (check func()) {
	all := map[*Frame]bool{}
	for range size {
		all[e.NewFrame(1)] = true
		all[e.NewFrame(frameRoom)] = true
	}
	for f := range all {
		f.Release()
	}
	return func() {
		t.Helper()
		require.Len(t, slices.Concat(e.small.free, e.full.free), 2*size, "frames were lost, or released twice")
		for _, f := range slices.Concat(e.small.free, e.full.free) {
			require.True(t, all[f], "a frame was released twice")
			delete(all, f)
		}
	}
}

// mac is the address of the n-th station.
func mac(n byte) [6]byte { return [6]byte{2, 0, 0, 0, 0, n} }

var broadcast = [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// received is a frame that reached a station.
type received struct {
	port int
	at   time.Duration
	src  byte // last byte of the source address
}

// lan is stations around a switch, joined by links without latency or rate. Station i is node i and has port i.
type lan struct {
	*Network
	sw    *Switch
	ports []*Port
	got   []received
}

func newLAN(t *testing.T, n *Network, stations int, ageing time.Duration) *lan {
	sw, err := NewSwitch(ageing)
	require.NoError(t, err)
	l := &lan{Network: n, sw: sw}
	for i := range stations {
		p := n.NewPort(PortConfig{Node: NodeID(i), Host: "h", Name: "h-eth0", Passive: true, Receive: func(at time.Duration, f *Frame) {
			l.got = append(l.got, received{i, at, f.Data[11]})
			f.Data[11] = 0xee // a copy is nobody else's
			f.Release()
		}})
		l.join(t, p)
		l.ports = append(l.ports, p)
	}
	return l
}

// join links a port to a new port of the switch.
func (l *lan) join(t *testing.T, p *Port) *Link {
	p2 := l.sw.NewPort(l.Network, PortConfig{Node: 100, Host: "sw", Name: "sw-eth"})
	link, err := l.Connect(p.Name()+"--"+p2.Name(), p, p2, Params{MTU: DefaultMTU}, Params{MTU: DefaultMTU})
	require.NoError(t, err)
	return link
}

// send sends a frame from a station at a time.
func (l *lan) send(at time.Duration, station int, dst, src [6]byte) {
	l.At(0, KindControl, at, func() {
		f := l.NewFrame(60)
		clear(f.Data)
		copy(f.Data, dst[:])
		copy(f.Data[6:], src[:])
		l.ports[station].Forward(l.Elapsed(), f)
	})
}

// latency returns parameters of a link with a latency.
func latency(d time.Duration) Params { return Params{Latency: units.Constant(d), MTU: DefaultMTU} }

// large skips a test of many thousand frames with -short: one goroutine plays them all, so the race detector learns nothing from it.
func large(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("many thousand frames")
	}
}
