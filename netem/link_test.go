package netem

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

// arrival is a frame that reached the far end.
type arrival struct {
	at time.Duration
	id uint64
}

// wire is two ports joined by a link, driven by events alone.
type wire struct {
	*Network
	a, b     *Port
	link     *Link
	arrivals []arrival
	taps     []tapped
}

type tapped struct {
	at      time.Duration
	dir     Direction
	comment string
}

func (w *wire) Frame(at time.Duration, _ PortID, dir Direction, _ uint64, _ []byte, comment string) {
	w.taps = append(w.taps, tapped{at, dir, comment})
}

// onWire runs scenario in a bubble and then the engine until nothing is left to do.
func onWire(t *testing.T, p Params, scenario func(w *wire)) *wire {
	t.Helper()
	w := &wire{}
	synctest.Test(t, func(t *testing.T) {
		if p.MTU == 0 {
			p.MTU = DefaultMTU
		}
		e := NewEngine(Config{})
		w.Network = NewNetwork(e, 1)
		w.SetTap(w)
		w.a = w.NewPort(PortConfig{Node: 0, Host: "a", Name: "a-eth0", MAC: []byte{2, 0, 0, 0, 0, 1}, Passive: true,
			Receive: func(_ time.Duration, f *Frame) { f.Release() }})
		w.b = w.NewPort(PortConfig{Node: 1, Host: "b", Name: "b-eth0", MAC: []byte{2, 0, 0, 0, 0, 2}, Passive: true,
			Receive: func(at time.Duration, f *Frame) {
				w.arrivals = append(w.arrivals, arrival{at, f.ID})
				f.Release()
			}})
		var err error
		w.link, err = w.Connect("a--b", w.a, w.b, p, p)
		require.NoError(t, err)
		scenario(w)
		require.ErrorIs(t, e.Run(context.Background()), ErrStandstill)
		for d := range 2 {
			s := w.link.Stats(d)
			require.Equal(t, s.Sent.Frames+s.Duplicated.Frames, s.Delivered.Frames+s.Dropped.Total(), "every frame is delivered or dropped at the end")
		}
		require.Zero(t, w.InFlight())
	})
	return w
}

// send sends frames of these sizes at one instant.
func (w *wire) send(at time.Duration, sizes ...int) {
	w.At(0, KindControl, at, func() {
		for _, n := range sizes {
			w.a.Forward(w.Elapsed(), w.NewFrame(n))
		}
	})
}

func (w *wire) times() []time.Duration {
	var list []time.Duration
	for _, a := range w.arrivals {
		list = append(list, a.at)
	}
	return list
}

const mbit = units.BitRate(1e6)

// A frame takes size/rate to be sent and then the propagation latency: 1500 B at 10 Mbit/s and 20 ms arrive after 21.2 ms.
func TestArrivalIsSerialisationPlusPropagation(t *testing.T) {
	w := onWire(t, Params{Rate: units.FixedRate(10 * mbit), Latency: units.Constant(20 * time.Millisecond)}, func(w *wire) { w.send(time.Second, 1500) })
	require.Equal(t, []time.Duration{time.Second + 21200*time.Microsecond}, w.times())
	require.Equal(t, tapped{time.Second, Outbound, ""}, w.taps[0], "the first bit leaves at once")
}

func TestFramesQueueBehindEachOther(t *testing.T) {
	w := onWire(t, Params{Rate: units.FixedRate(10 * mbit), Latency: units.Constant(20 * time.Millisecond)}, func(w *wire) {
		w.send(0, 1500, 1500, 500)
		w.send(1200*time.Microsecond, 100) // the first has just left; the third still waits
	})
	ms := func(us int) time.Duration { return time.Duration(us) * time.Microsecond }
	require.Equal(t, []time.Duration{ms(21200), ms(22400), ms(22800), ms(22880)}, w.times())
}

// A thousand frames sent at one instant over a link without a rate arrive at one instant, however many nanoseconds the
// engine puts between their events.
func TestCoincidentEventsDoNotShiftTimes(t *testing.T) {
	w := onWire(t, Params{Latency: units.Constant(time.Millisecond)}, func(w *wire) {
		for range 1000 {
			w.send(time.Second, 100)
		}
	})
	require.Len(t, w.arrivals, 1000)
	for i, a := range w.arrivals {
		require.Equal(t, time.Second+time.Millisecond, a.at)
		require.Equal(t, uint64(i+1), a.id, "in the order in which they were sent")
	}
}

func TestDropTailCountsByArithmetic(t *testing.T) {
	for name, limit := range map[string]units.QueueLimit{"packets": {Packets: 3}, "bytes": {Bytes: 3000}} {
		t.Run(name, func(t *testing.T) {
			w := onWire(t, Params{Rate: units.FixedRate(8 * mbit), Queue: Queue{Limit: limit}}, func(w *wire) {
				w.send(0, 1000, 1000, 1000, 1000, 1000, 1000) // one is sent, three wait, two are dropped
				w.send(1500*time.Microsecond, 1000, 1000)     // two have left, so one waits more and one is dropped
			})
			s := w.link.Stats(Forward)
			require.EqualValues(t, 8, s.Sent.Frames)
			require.EqualValues(t, 5, s.Delivered.Frames)
			require.EqualValues(t, 3, s.Dropped[DropQueueFull])
			require.Contains(t, w.taps, tapped{0, Outbound, "dropped: queue full on a--b"})
			require.Equal(t, 5*time.Millisecond, w.times()[4])
		})
	}
}

func TestJitterKeepsTheOrder(t *testing.T) {
	d, err := units.Uniform(0, 10*time.Millisecond)
	require.NoError(t, err)
	w := onWire(t, Params{Latency: d}, func(w *wire) {
		for i := range 1000 {
			w.send(time.Duration(i)*time.Millisecond, 60)
		}
	})
	require.Len(t, w.arrivals, 1000)
	for i := 1; i < len(w.arrivals); i++ {
		require.Greater(t, w.arrivals[i].id, w.arrivals[i-1].id)
		require.GreaterOrEqual(t, w.arrivals[i].at, w.arrivals[i-1].at)
	}
}

// A link that goes down drops what waits and what is sent; what is on the wire arrives.
func TestDownAndUp(t *testing.T) {
	p := Params{Rate: units.FixedRate(8 * mbit), Latency: units.Constant(10 * time.Millisecond), MTU: DefaultMTU}
	down := p
	down.Down = true
	w := onWire(t, p, func(w *wire) {
		w.send(0, 1000, 1000, 1000)
		w.At(0, KindControl, 500*time.Microsecond, func() { require.NoError(t, w.link.Set(Forward, down)) })
		w.send(time.Millisecond, 1000)
		w.At(0, KindControl, 2*time.Millisecond, func() { require.NoError(t, w.link.Set(Forward, p)) })
		w.send(3*time.Millisecond, 1000)
	})
	require.Equal(t, []time.Duration{11 * time.Millisecond, 14 * time.Millisecond}, w.times())
	require.EqualValues(t, 3, w.link.Stats(Forward).Dropped[DropLinkDown])
}

func TestNewRateCountsFromTheNextFrame(t *testing.T) {
	p := Params{Rate: units.FixedRate(8 * mbit), MTU: DefaultMTU}
	fast := p
	fast.Rate = units.FixedRate(80 * mbit)
	w := onWire(t, p, func(w *wire) {
		w.send(0, 1000, 1000)
		w.At(0, KindControl, 500*time.Microsecond, func() { require.NoError(t, w.link.Set(Forward, fast)) })
	})
	require.Equal(t, []time.Duration{time.Millisecond, 1100 * time.Microsecond}, w.times())
}

func TestTooBigIsDropped(t *testing.T) {
	w := onWire(t, Params{}, func(w *wire) { w.send(0, DefaultMTU+14, DefaultMTU+15) })
	require.EqualValues(t, 1, w.link.Stats(Forward).Dropped[DropTooBig])
	require.Len(t, w.arrivals, 1)
}
