package netem

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

// overload sends packets of 100 bytes twice as fast as a link of 8 Mbit/s does, for two and a half seconds, and returns when
// packets were dropped.
//
// A packet takes 100 us, so that packets are dequeued at the multiples of it: packet k comes at 50k us and leaves at 100k us.
func overload(t *testing.T, q Queue, class byte, v6 bool) (*wire, []time.Duration) {
	var drops []time.Duration
	w := onWire(t, Params{Rate: units.FixedRate(8 * mbit), Queue: q}, func(w *wire) {
		w.Observe(func(ev Event) {
			if ev.Kind == "drop" {
				drops = append(drops, ev.At)
			}
		})
		for k := range 50000 {
			w.sendData(time.Duration(k)*50*time.Microsecond, udpFrame(v6, class, 1, 100))
		}
	})
	return w, drops
}

// Under an overload that nobody reacts to, the first drop comes when the sojourn time has been 5 ms or more for 100 ms, and the n-th
// gap after it is 100/sqrt(n) ms. Sojourn times reach 5 ms with the packet that leaves at 10 ms. A drop that is due
// happens with the next packet that is dequeued, and drop_next counts from when the one before was due, so every drop is at its
// theoretical time rounded up to the packet time: exact, not within a tolerance.
func TestCoDelDropsByItsLaw(t *testing.T) {
	each(t, func(t *testing.T, v6 bool) {
		const packet = 100 * time.Microsecond
		w, drops := overload(t, Queue{Discipline: CoDel}, 0, v6)
		due := 110 * ms
		for n, at := range drops[:140] {
			require.Equal(t, (due + packet - 1).Truncate(packet), at, "drop %d", n+1)
			due += time.Duration(float64(100*ms) / math.Sqrt(float64(n+1)))
		}
		for n, gap := range []time.Duration{100 * ms, 70710 * time.Microsecond, 57735 * time.Microsecond, 50 * ms} {
			require.InDelta(t, float64(gap), float64(drops[n+1]-drops[n]), float64(packet))
		}
		require.Equal(t, w.link.Stats(Forward).Dropped[DropCoDel], w.link.Stats(Forward).Dropped.Total())
	})
}

// With ECN packets are marked at the instants at which others would be dropped.
func TestCoDelMarksByItsLaw(t *testing.T) {
	each(t, func(t *testing.T, v6 bool) {
		const packet = 100 * time.Microsecond
		w, drops := overload(t, Queue{Discipline: CoDel, ECN: true}, 2, v6)
		require.Empty(t, drops)
		var marks []time.Duration
		for _, tap := range w.taps {
			if tap.dir == Outbound && tap.comment == "marked CE by CoDel on a--b" {
				marks = append(marks, tap.at)
			}
		}
		require.EqualValues(t, len(marks), w.link.Stats(Forward).Marked[DropCoDel])
		due := 110 * ms
		for n, at := range marks[:140] {
			require.Equal(t, (due + packet - 1).Truncate(packet), at, "mark %d", n+1)
			due += time.Duration(float64(100*ms) / math.Sqrt(float64(n+1)))
		}
	})
}

// codelBench is a CoDel queue that always holds enough; every millisecond one packet is dequeued, whose sojourn time the test says.
type codelBench struct {
	*bench
	at time.Duration
}

// run dequeues for some time and returns when packets were dropped.
func (b *codelBench) run(d, sojourn time.Duration) (drops []time.Duration) {
	b.drops = nil
	for end := b.at + d; b.at < end; b.at += ms {
		q := b.discipline.(*codel)
		for q.count < 40 {
			b.put(b.at, make([]byte, 1500))
		}
		for i := range q.count {
			q.ring[(q.head+i)%len(q.ring)].queued = b.at - sojourn
		}
		b.dequeue(b.at)
	}
	for _, d := range b.drops {
		drops = append(drops, d.at)
	}
	return drops
}

// A dropping state that begins soon after another begins with the count that the other reached, less the one that it began with
// (RFC 8289, section 5.5); one that begins 16 intervals later or more begins with 1.
func TestCoDelReusesItsCount(t *testing.T) {
	for _, c := range []struct {
		pause time.Duration
		count int
	}{{10 * ms, 4}, {1300 * ms, 4}, {1600 * ms, 1}} {
		b := &codelBench{onBench(t, Queue{Discipline: CoDel}), 0}
		// The last is due 228.4 ms after the first, so count is 5 when this ends, and the next would be due at 428 ms.
		first := b.run(400*ms, 20*ms)
		require.Equal(t, []time.Duration{100 * ms, 200 * ms, 271 * ms, 329 * ms, 379 * ms}, first)
		require.Empty(t, b.run(c.pause, 4*ms))
		start := b.at
		again := b.run(350*ms, 20*ms)
		require.Equal(t, start+100*ms, again[0], "once the sojourn time has been above the target for an interval")
		gap := time.Duration(float64(100*ms) / math.Sqrt(float64(c.count)))
		require.Equal(t, (gap + ms - 1).Truncate(ms), again[1]-again[0])
	}
}

// A sojourn time just below the target ends everything; one at the target counts as above.
func TestCoDelTarget(t *testing.T) {
	b := &codelBench{onBench(t, Queue{Discipline: CoDel}), 0}
	require.Empty(t, b.run(time.Second, 5*ms-1))
	require.Equal(t, 1100*ms, b.run(150*ms, 5*ms)[0])
	require.Empty(t, b.run(ms, 5*ms-1))
	require.Empty(t, b.run(100*ms, 5*ms), "the interval begins anew")
}

// However long packets wait, nothing is dropped as long as no more than one full-sized frame is behind.
func TestCoDelSparesTheLastPacket(t *testing.T) {
	for behind, dropped := range map[int]bool{1514: false, 1515: true} {
		b := onBench(t, Queue{Discipline: CoDel})
		for i := range 1000 {
			at := time.Duration(i) * time.Second
			b.put(at-time.Second, make([]byte, 60))
			b.put(at-time.Second, make([]byte, behind))
			b.dequeue(at)
			for b.empty(at) != nil {
				b.discipline.(*codel).firstAbove = 1 // as if it had been above the target since the beginning
			}
			b.discipline.(*codel).firstAbove = 1
		}
		require.Equal(t, dropped, len(b.drops) > 0)
	}
}

func TestCoDelHasALimit(t *testing.T) {
	for _, limit := range []units.QueueLimit{{Packets: 3}, {Bytes: 4500}, {Bytes: 5999}} {
		b := onBench(t, Queue{Discipline: CoDel, Limit: limit})
		for range 5 {
			b.put(0, make([]byte, 1500))
		}
		require.Equal(t, 3, b.len())
		require.Equal(t, []gone{{0, 4, DropQueueFull}, {0, 5, DropQueueFull}}, b.drops)
	}
}
