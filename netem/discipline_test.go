package netem

import (
	"encoding/binary"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

// gone is a frame that a queue gave up.
type gone struct {
	at     time.Duration
	id     uint64
	reason DropReason
}

// sink is an outlet that takes down what a queue does. Its transmitter is busy unless the test says otherwise.
type sink struct {
	drops     []gone
	marks     []gone
	idling    bool
	idleSince time.Duration
}

func (s *sink) drop(at time.Duration, f *Frame, reason DropReason) {
	s.drops = append(s.drops, gone{at, f.ID, reason})
}

func (s *sink) mark(at time.Duration, f *Frame, reason DropReason) bool {
	if congestion(f) == notECT {
		return false
	}
	setCongestionExperienced(f)
	s.marks = append(s.marks, gone{at, f.ID, reason})
	return true
}

func (s *sink) idle(time.Duration) (time.Duration, bool) { return s.idleSince, s.idling }

// bench is a queue with nothing around it.
type bench struct {
	discipline
	sink
	ids uint64
}

func onBench(t testing.TB, q Queue) *bench {
	t.Helper()
	require.NoError(t, q.validate(DefaultMTU))
	b := &bench{}
	n := NewNetwork(NewEngine(Config{RealTime: true}), 1)
	p := Params{MTU: DefaultMTU, Queue: q.withDefaults(DefaultMTU)}
	b.discipline = newDiscipline(0, &p, &b.sink, &streams{net: n, prefix: "test."})
	return b
}

// put gives the queue a frame at a time and returns it.
func (b *bench) put(at time.Duration, data []byte) *Frame {
	b.ids++
	f := &Frame{Data: data, ID: b.ids, queued: at}
	b.enqueue(at, f)
	return f
}

// udpFrame is a frame of a size with a UDP packet of a flow, whose traffic class is given.
func udpFrame(v6 bool, class byte, flow uint16, size int) []byte {
	p := packet{v6: v6, src: 1, dst: 2, protocol: protocolUDP, ports: [4]byte{byte(flow >> 8), byte(flow), 0, 80}}
	d := append(p.data(), make([]byte, size)...)[:size]
	if v6 {
		d[14] |= class >> 4
		d[15] |= class << 4
		return d
	}
	d[15] = class
	binary.BigEndian.PutUint16(d[24:], headerChecksum(d[14:34]))
	return d
}

// headerChecksum is IPv4's (RFC 791), over a header whose own is 0 there.
func headerChecksum(header []byte) uint16 {
	sum := uint32(0)
	for i := 0; i < len(header); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(header[i:]))
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// each runs a test for IPv4 and for IPv6.
func each(t *testing.T, test func(t *testing.T, v6 bool)) {
	for name, v6 := range map[string]bool{"IPv4": false, "IPv6": true} {
		t.Run(name, func(t *testing.T) { test(t, v6) })
	}
}

// sendData sends frames with this content at a time.
func (w *wire) sendData(at time.Duration, list ...[]byte) {
	w.At(0, KindControl, at, func() {
		for _, data := range list {
			f := w.NewFrame(len(data))
			copy(f.Data, data)
			w.a.Forward(w.Elapsed(), f)
		}
	})
}

// queues has one queue of each discipline, with and without ECN, small enough to be overrun.
func queues() map[string]Queue {
	limit := units.QueueLimit{Bytes: 30000}
	list := map[string]Queue{}
	for _, d := range disciplineNames {
		list[string(d)] = Queue{Discipline: d, Limit: limit}
		list[string(d)+" by packets"] = Queue{Discipline: d, Limit: units.QueueLimit{Packets: 20}}
	}
	for _, d := range []Discipline{RED, CoDel, FQCoDel, PIE} {
		list[string(d)+" with ECN"] = Queue{Discipline: d, Limit: limit, ECN: true}
	}
	list["red, gentle"] = Queue{Discipline: RED, Limit: limit, Gentle: true, Weight: 0.1}
	list["codel, unlimited"] = Queue{Discipline: CoDel}
	list["fq-codel, 7 flows"] = Queue{Discipline: FQCoDel, Limit: limit, Flows: 7, Quantum: 300}
	list["pie, quick"] = Queue{Discipline: PIE, Limit: limit, Interval: 5 * time.Millisecond, Burst: time.Millisecond}
	list["priority, 64 bands"] = Queue{Discipline: Priority, Limit: limit, BandCount: 64, Bands: func() (b [64]uint8) {
		for i := range b {
			b[i] = uint8(63 - i)
		}
		return b
	}()}
	return list
}

// Whatever the discipline: packets that come faster than they leave are all accounted for, in the order of each flow, and no more
// wait than the limit says.
func TestEveryDisciplineConservesFrames(t *testing.T) {
	for name, q := range queues() {
		t.Run(name, func(t *testing.T) {
			b := onBench(t, q)
			r := rand.New(rand.NewPCG(1, 1))
			flows := map[uint64]uint16{}
			lastOf := map[uint16]uint64{}
			frames, size, left := 0, 0, 0
			sizes := map[uint64]int{}
			seen := func(f *Frame) {
				left++
				flow := flows[f.ID]
				require.Greater(t, f.ID, lastOf[flow], "in the order of the flow")
				lastOf[flow] = f.ID
			}
			at := time.Duration(0)
			for range 20000 {
				at += time.Duration(r.IntN(2000)) * time.Microsecond
				if r.IntN(100) < 52 {
					flow, n := uint16(r.IntN(20)), 60+r.IntN(1454)
					flows[b.ids+1], sizes[b.ids+1] = flow, n
					b.put(at, udpFrame(flow%2 == 0, byte(flow%4), flow, n))
				} else if f := b.dequeue(at); f != nil {
					seen(f)
				}
				require.Equal(t, int(b.ids), b.len()+left+len(b.drops))
				frames, size = max(frames, b.len()), max(size, b.size())
			}
			for b.len() > 0 {
				seen(b.empty(at))
			}
			require.Nil(t, b.empty(at))
			require.Nil(t, b.dequeue(at))
			require.Zero(t, b.size())
			require.Equal(t, int(b.ids), left+len(b.drops))
			if q.Limit.Packets > 0 && q.Discipline != Priority {
				require.LessOrEqual(t, frames, q.Limit.Packets)
			}
			if q.Limit.Bytes > 0 && q.Discipline != Priority {
				require.LessOrEqual(t, size, int(q.Limit.Bytes))
			}
			ids := map[uint64]bool{}
			for _, d := range b.drops {
				require.False(t, ids[d.id], "a frame was dropped twice")
				ids[d.id] = true
			}
			if !q.ECN {
				require.Empty(t, b.marks)
			}
		})
	}
}

// Frames that wait when the discipline changes, the link goes down or the parameters change are neither lost nor counted twice:
// onWire checks that sent = delivered + dropped, stock that each frame comes back once.
func TestDisciplinesChangeWhileFramesWait(t *testing.T) {
	var list []Queue
	for _, name := range sortedKeys(queues()) {
		list = append(list, queues()[name])
	}
	for seed := range uint64(30) {
		var check func()
		w := onWire(t, Params{Rate: units.FixedRate(8 * mbit), Queue: list[seed%uint64(len(list))]}, func(w *wire) {
			check = stock(t, w.Engine)
			r := rand.New(rand.NewPCG(seed, 1))
			for range 60 {
				at := time.Duration(r.IntN(200)) * time.Millisecond
				w.sendData(at, udpFrame(r.IntN(2) == 0, byte(r.IntN(256)), uint16(r.IntN(9)), 60+r.IntN(1454)))
			}
			for range 40 {
				p := Params{Rate: units.FixedRate(units.BitRate(1+r.IntN(8)) * mbit), MTU: 1500 + r.IntN(2), Queue: list[r.IntN(len(list))],
					Down: r.IntN(10) == 0}
				w.At(0, KindControl, time.Duration(r.IntN(200))*time.Millisecond, func() { require.NoError(t, w.link.Set(Forward, p)) })
			}
		})
		s := w.link.Stats(Forward)
		require.EqualValues(t, 60, s.Sent.Frames)
		require.Equal(t, s.Sent.Frames, s.Delivered.Frames+s.Dropped.Total())
		check()
	}
}

func sortedKeys(m map[string]Queue) []string {
	return slices.Sorted(maps.Keys(m))
}

// A queue that is replaced hands its frames over oldest first, and their sojourn times go on.
func TestANewDisciplineTakesFramesOldestFirst(t *testing.T) {
	for name, q := range queues() {
		t.Run(name, func(t *testing.T) {
			q.Limit = units.QueueLimit{Packets: 1000}
			if q.Discipline == RED {
				q.MinThreshold, q.MaxThreshold = 1e6, 2e6
			}
			b := onBench(t, q)
			for i := range uint16(50) {
				b.put(time.Duration(i)*ms, udpFrame(i%2 == 0, byte(i*37), i*7, 100))
			}
			for i := range 50 {
				f := b.empty(50 * ms)
				require.EqualValues(t, i+1, f.ID)
				require.Equal(t, time.Duration(i)*ms, f.queued)
			}
			require.Empty(t, b.drops)
		})
	}
}

// In the steady state no discipline allocates anything for a packet.
func TestQueuesDoNotAllocate(t *testing.T) {
	for name, q := range queues() {
		b := onBench(t, q)
		ring := make([]Frame, 64) // more than can wait
		for i := range ring {
			ring[i].Data = udpFrame(i%2 == 0, byte(i*4), uint16(i%16), 1000)
		}
		at, n := time.Duration(0), 0
		b.drops, b.marks = make([]gone, 0, 10), make([]gone, 0, 10)
		step := func() {
			f := &ring[n%len(ring)]
			f.queued = at
			b.enqueue(at, f)
			if n++; n%3 > 0 {
				at += ms
				b.dequeue(at)
			}
			for b.len() > 50 {
				b.empty(at)
			}
			b.drops, b.marks = b.drops[:0], b.marks[:0]
		}
		for range 1000 {
			step()
		}
		require.Zero(t, testing.AllocsPerRun(10000, step), name)
	}
}

// A smaller limit applies to what comes after it; what waits stays.
func TestASmallerLimitKeepsWhatWaits(t *testing.T) {
	for _, d := range disciplineNames {
		q := Queue{Discipline: d, Limit: units.QueueLimit{Packets: 100}}
		small := q
		small.Limit.Packets = 10
		p := Params{Rate: units.FixedRate(8 * mbit), Queue: q}
		w := onWire(t, p, func(w *wire) {
			for range 51 {
				w.sendData(0, udpFrame(false, 0, 1, 100))
			}
			p := w.link.Params(Forward)
			p.Queue = small
			w.At(0, KindControl, 1, func() { require.NoError(t, w.link.Set(Forward, p)) })
		})
		require.EqualValues(t, 51, w.link.Stats(Forward).Delivered.Frames, d)
	}
}

func TestQueuesAreChecked(t *testing.T) {
	for _, c := range []struct {
		q    Queue
		want string
	}{
		{Queue{Discipline: "blue"}, `queue discipline "blue": want drop-tail, red, codel, fq-codel, pie or priority`},
		{Queue{ECN: true}, "queue: drop-tail has no ecn; it belongs to red, codel, fq-codel or pie"},
		{Queue{Discipline: RED, Target: 1}, "queue: red has no target; it belongs to codel, fq-codel or pie"},
		{Queue{Discipline: Priority, Interval: 1}, "queue: priority has no interval; it belongs to codel, fq-codel or pie"},
		{Queue{Discipline: CoDel, Burst: 1}, "queue: codel has no burst; it belongs to pie"},
		{Queue{Discipline: CoDel, Flows: 1}, "queue: codel has no flows; it belongs to fq-codel"},
		{Queue{Discipline: PIE, Quantum: 1}, "queue: pie has no quantum; it belongs to fq-codel"},
		{Queue{Discipline: PIE, MinThreshold: 1}, "queue: pie has no min_threshold; it belongs to red"},
		{Queue{Discipline: PIE, MaxThreshold: 1}, "queue: pie has no max_threshold; it belongs to red"},
		{Queue{Discipline: PIE, MaxProbability: 1}, "queue: pie has no max_probability; it belongs to red"},
		{Queue{Discipline: PIE, Weight: 1}, "queue: pie has no weight; it belongs to red"},
		{Queue{Discipline: PIE, Gentle: true}, "queue: pie has no gentle; it belongs to red"},
		{Queue{Discipline: RED, BandCount: 1}, "queue: red has no bands; it belongs to priority"},
		{Queue{Limit: units.QueueLimit{Bytes: 1, Packets: 1}},
			"queue limit of 1 bytes and 1 packets: want one of them to be more than 0 and the other 0, or both 0 for no limit"},
		{Queue{Limit: units.QueueLimit{Packets: -1}},
			"queue limit of 0 bytes and -1 packets: want one of them to be more than 0 and the other 0, or both 0 for no limit"},
		{Queue{Discipline: RED}, "queue: red without limit wants a max_threshold"},
		{Queue{Discipline: RED, MinThreshold: 2000, MaxThreshold: 2000},
			"queue min_threshold 2kB and max_threshold 2kB: want 0 < min_threshold < max_threshold"},
		{Queue{Discipline: RED, MinThreshold: -1, MaxThreshold: 2000},
			"queue min_threshold -1B and max_threshold 2kB: want 0 < min_threshold < max_threshold"},
		{Queue{Discipline: RED, MaxThreshold: 2000, Limit: units.QueueLimit{Bytes: 1000}},
			"queue max_threshold 2kB is more than the limit of 1kB: the queue would be full before"},
		{Queue{Discipline: RED, MaxThreshold: 2000, MaxProbability: 1.5}, "queue max_probability 1.5: want more than 0 and at most 1"},
		{Queue{Discipline: RED, MaxThreshold: 2000, Weight: -1}, "queue weight -1: want more than 0 and at most 1"},
		{Queue{Discipline: CoDel, Target: -1}, "queue target -1ns: want more than 0 and at most 1h0m0s"},
		{Queue{Discipline: CoDel, Interval: 2 * time.Hour}, "queue interval 2h0m0s: want more than 0 and at most 1h0m0s"},
		{Queue{Discipline: PIE, Burst: -1}, "queue burst -1ns: want more than 0 and at most 1h0m0s"},
		{Queue{Discipline: PIE, Interval: 1}, "queue interval 1ns: pie wants at least 10µs"},
		{Queue{Discipline: CoDel, Target: 100 * ms}, "queue target 100ms and interval 100ms: want the target to be less than the interval"},
		{Queue{Discipline: FQCoDel, Flows: 1 << 17}, "queue flows 131072: want 1 to 65536"},
		{Queue{Discipline: FQCoDel, Flows: -1}, "queue flows -1: want 1 to 65536"},
		{Queue{Discipline: FQCoDel, Quantum: 100}, "queue quantum 100B: want 256B to 1MiB"},
		{Queue{Discipline: Priority, BandCount: 65}, "queue with 65 bands: want 1 to 64"},
		{Queue{Discipline: Priority, Bands: [64]uint8{5: 1}}, "queue with 0 bands: want 1 to 64"},
		{Queue{Discipline: Priority, BandCount: 2, Bands: [64]uint8{5: 2}}, "queue band 2 of DSCP 5: want 0 to 1, since there are 2 bands"},
	} {
		p := Params{MTU: 1500, Queue: c.q}
		require.EqualError(t, p.Validate(), c.want)
	}
	for name, q := range queues() {
		require.NoError(t, q.validate(DefaultMTU), name)
		full := q.withDefaults(DefaultMTU)
		require.NoError(t, full.validate(DefaultMTU), name)
		require.Equal(t, full, full.withDefaults(DefaultMTU), name)
	}
}

func TestQueuesAreDescribed(t *testing.T) {
	for want, q := range map[string]Queue{
		"unlimited":                   {},
		"64KiB":                       {Discipline: DropTail, Limit: units.QueueLimit{Bytes: 65536}},
		"codel of unlimited":          {Discipline: CoDel},
		"pie of 9 packets (ecn)":      {Discipline: PIE, ECN: true, Limit: units.QueueLimit{Packets: 9}},
		"priority of 1kB (bands 2)":   {Discipline: Priority, BandCount: 2, Limit: units.QueueLimit{Bytes: 1000}},
		"pie of unlimited (burst 1s)": {Discipline: PIE, Burst: time.Second},
		"red of unlimited (max_threshold 60kB, max_probability 2%, weight 0.01, gentle)": {Discipline: RED, MaxThreshold: 60000,
			MaxProbability: 0.02, Weight: 0.01, Gentle: true},
		"fq-codel of unlimited (target 6ms, interval 80ms, flows 7, quantum 300B)": {Discipline: FQCoDel, Target: 6 * ms, Interval: 80 * ms,
			Flows: 7, Quantum: 300},
	} {
		require.Equal(t, want, q.String())
	}
}

func TestDefaultsOfQueues(t *testing.T) {
	for want, q := range map[Queue]Queue{
		{}:                     {},
		{Discipline: DropTail}: {Discipline: DropTail},
		{Discipline: RED, Limit: units.QueueLimit{Bytes: 60000}, MinThreshold: 5000, MaxThreshold: 15000, MaxProbability: 0.1, Weight: 0.002}: {
			Discipline: RED, Limit: units.QueueLimit{Bytes: 60000}},
		{Discipline: RED, Limit: units.QueueLimit{Packets: 12}, MinThreshold: 1514, MaxThreshold: 4542, MaxProbability: 0.1, Weight: 0.002}: {
			Discipline: RED, Limit: units.QueueLimit{Packets: 12}},
		{Discipline: CoDel, Target: 5 * ms, Interval: 100 * ms}:                               {Discipline: CoDel},
		{Discipline: FQCoDel, Target: 5 * ms, Interval: 100 * ms, Flows: 1024, Quantum: 1514}: {Discipline: FQCoDel},
		{Discipline: PIE, Target: 15 * ms, Interval: 15 * ms, Burst: 150 * ms}:                {Discipline: PIE},
		{Discipline: Priority, Bands: DefaultBands(), BandCount: 3}:                           {Discipline: Priority},
	} {
		require.Equal(t, want, q.withDefaults(DefaultMTU))
	}
}
