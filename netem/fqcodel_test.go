package netem

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

// frameOf is a frame of a packet, of a size.
func frameOf(p packet, size int) []byte { return append(p.data(), make([]byte, size)...)[:size] }

// Deficit round robin is exact: flows with packets of different sizes send a quantum in each round.
func TestFQCoDelTakesTurns(t *testing.T) {
	each(t, func(t *testing.T, v6 bool) {
		for _, c := range []struct {
			quantum units.Bytes
			sizes   [3]int
			want    string // flows in the order in which they send
		}{
			{1500, [3]int{1500, 500, 1500}, "abbbcabbbcabbbc"},
			{1500, [3]int{1500, 1500, 1500}, "abcabcabc"},
			// A flow with credits left sends once more and owes the rest: 1000 of 1500 leave 500, which buy another 1000.
			{1500, [3]int{1000, 1500, 1500}, "aabcabcaabcabc"},
			{300, [3]int{900, 300, 300}, "abcbcbcabcbcbcabc"},
		} {
			b := onBench(t, Queue{Discipline: FQCoDel, Quantum: c.quantum})
			for flow, size := range c.sizes {
				for range 20 {
					b.put(0, udpFrame(v6, 0, uint16(flow), size))
				}
			}
			got := ""
			for range c.want {
				f := b.dequeue(0)
				got += string("abc"[(f.ID-1)/20])
			}
			require.Equal(t, c.want, got)
		}
	})
}

// While all of them have packets, what two flows sent differs by no more than a quantum and a packet for each (Shreedhar and Varghese
// 1995, lemma 2), however large their packets are.
func TestFQCoDelIsFair(t *testing.T) {
	b := onBench(t, Queue{Discipline: FQCoDel})
	r := rand.New(rand.NewPCG(1, 1))
	const flows = 8
	var sent, waiting [flows]int
	of := map[uint64]int{}
	for range 50000 {
		for flow := range flows {
			for ; waiting[flow] < 3; waiting[flow]++ {
				f := b.put(0, udpFrame(flow%2 == 0, 0, uint16(flow), 60+r.IntN(100)+150*flow))
				of[f.ID] = flow
			}
		}
		f := b.dequeue(0)
		sent[of[f.ID]] += len(f.Data)
		waiting[of[f.ID]]--
		require.LessOrEqual(t, slices.Max(sent[:])-slices.Min(sent[:]), 1514+2*1210)
	}
}

// A sparse flow doesn't notice a bulk flow that overruns the link: its packets wait for the one that is being sent and no longer, less
// than the time of a quantum.
func TestFQCoDelIsolatesASparseFlow(t *testing.T) {
	each(t, func(t *testing.T, v6 bool) {
		sent := map[uint64]time.Duration{}
		r := rand.New(rand.NewPCG(1, 1))
		w := onWire(t, Params{Rate: units.FixedRate(8 * mbit), Queue: Queue{Discipline: FQCoDel, Limit: units.QueueLimit{Packets: 1000}}},
			func(w *wire) {
				for i := range 10000 {
					w.sendData(time.Duration(i)*ms, udpFrame(v6, 0, 1, 1514))
				}
				for i := range 500 {
					at := time.Duration(i)*20*ms + time.Duration(r.IntN(20000))*time.Microsecond
					w.At(1, KindWake, at, func() {
						f := w.NewFrame(100)
						copy(f.Data, udpFrame(v6, 0, 2, 100))
						w.a.Forward(at, f)
						sent[f.ID] = at
					})
				}
			})
		arrived := 0
		longest := time.Duration(0)
		for _, a := range w.arrivals {
			if at, ok := sent[a.id]; ok {
				arrived++
				longest = max(longest, a.at-at-100*time.Microsecond) // without its own transmission
			}
		}
		require.Equal(t, 500, arrived, "none is dropped")
		require.Less(t, longest, 1514*time.Microsecond, "the time that a packet and a quantum take")
		require.Greater(t, w.link.QueueStats(Forward).Sojourn.P95, 100*ms, "the bulk flow waits long")
		require.NotZero(t, w.link.Stats(Forward).Dropped[DropCoDel])
	})
}

// A queue that is full drops half of the packets of the fattest flow, from its head, and at most 64.
func TestFQCoDelDropsFromTheFattest(t *testing.T) {
	for _, c := range []struct {
		limit      units.QueueLimit
		fat, batch int
	}{
		{units.QueueLimit{Packets: 50}, 41, 20},
		{units.QueueLimit{Bytes: 41 * 1000}, 41, 20}, // less than those with the ten of 90 bytes
		{units.QueueLimit{Packets: 1000}, 991, 64},
		{units.QueueLimit{Packets: 10}, 1, 1},
	} {
		b := onBench(t, Queue{Discipline: FQCoDel, Limit: c.limit})
		for range 10 {
			b.put(0, udpFrame(false, 0, 1, 90))
		}
		for range c.fat - 1 {
			b.put(0, udpFrame(false, 0, 2, 1000))
		}
		require.Empty(t, b.drops)
		b.put(0, udpFrame(false, 0, 2, 1000))
		var want []gone
		for i := range c.batch {
			want = append(want, gone{0, uint64(11 + i), DropQueueFull})
		}
		require.Equal(t, want, b.drops)
		require.Equal(t, 10+c.fat-c.batch, b.len())
	}
}

// Packets of a flow share a queue; others have others, but for what the hash throws together. Fragments of a datagram stay together, and
// what isn't IP is one flow.
func TestFQCoDelClassifies(t *testing.T) {
	each(t, func(t *testing.T, v6 bool) {
		b := onBench(t, Queue{Discipline: FQCoDel, Flows: 65536})
		q := b.discipline.(*fqCoDel)
		of := func(p packet, size int) *flowQueue {
			p.v6 = v6
			return q.classify(&Frame{Data: frameOf(p, size)})
		}
		base := packet{src: 1, dst: 2, protocol: protocolTCP, ports: [4]byte{0, 80, 1, 2}}
		require.Same(t, of(base, 100), of(base, 1000))
		for _, change := range []func(p *packet){
			func(p *packet) { p.src = 3 }, func(p *packet) { p.dst = 3 }, func(p *packet) { p.protocol = protocolUDP },
			func(p *packet) { p.ports[1] = 81 }, func(p *packet) { p.ports[3] = 3 }, func(p *packet) { p.src, p.dst = 2, 1 },
		} {
			p := base
			change(&p)
			require.NotSame(t, of(base, 100), of(p, 100))
		}
		first, last, other := base, base, base
		first.more, last.offset, other.more = true, 800, true
		other.ports[1] = 81
		require.Same(t, of(first, 100), of(last, 100))
		require.Same(t, of(first, 100), of(other, 100))
		require.NotSame(t, of(first, 100), of(base, 100))
		arp := make([]byte, 60)
		binary.BigEndian.PutUint16(arp[etherTypeAt:], EtherTypeARP)
		require.Same(t, q.classify(&Frame{Data: arp}), q.classify(&Frame{Data: arp[:10]}))
	})
}

// The hash is even: flows that differ in a port or an address fill the queues as balls thrown at random do. The chi-square statistic
// with 1023 degrees of freedom has mean 1023 and standard deviation 45.2; the bound is 3.3 of them to either side.
func TestFQCoDelHashIsEven(t *testing.T) {
	const flows = 102400
	b := onBench(t, Queue{Discipline: FQCoDel})
	q := b.discipline.(*fqCoDel)
	number := map[*flowQueue]int{}
	for i := range flows {
		p := packet{v6: i%2 == 0, src: byte(i >> 16), dst: 9, protocol: protocolTCP, ports: [4]byte{byte(i >> 8), byte(i), 0, 80}}
		number[q.classify(&Frame{Data: frameOf(p, 100)})]++
	}
	chi := 0.0
	for _, flow := range q.flows {
		require.NotNil(t, flow)
		d := float64(number[flow] - 100)
		chi += d * d / 100
	}
	require.InDelta(t, 1023, chi, 3.3*45.2)
}

// Two links perturb the hash differently, and each the same in every run.
func TestFQCoDelHasItsOwnHash(t *testing.T) {
	salt := func(prefix string) uint64 {
		n := NewNetwork(NewEngine(Config{RealTime: true}), 1)
		p := Params{MTU: DefaultMTU, Queue: (Queue{Discipline: FQCoDel}).withDefaults(DefaultMTU)}
		return newDiscipline(0, &p, &sink{}, &streams{net: n, prefix: prefix}).(*fqCoDel).salt
	}
	require.Equal(t, salt("links.a--b.forward."), salt("links.a--b.forward."))
	require.NotEqual(t, salt("links.a--b.forward."), salt("links.a--b.backward."))
}

// A flow that comes back when the link has been idle is new again, with a whole quantum.
func TestFQCoDelForgetsWhileIdle(t *testing.T) {
	b := onBench(t, Queue{Discipline: FQCoDel})
	q := b.discipline.(*fqCoDel)
	b.put(0, udpFrame(false, 0, 1, 1000))
	require.NotNil(t, b.dequeue(0))
	b.put(ms/2, udpFrame(false, 0, 1, 1000)) // while the transmitter is busy: the same activity
	require.NotNil(t, b.dequeue(ms))
	require.Equal(t, 1514-2000, q.fresh.first.credits)
	b.idling = true
	b.put(10*ms, udpFrame(false, 0, 1, 1000))
	require.Equal(t, 1514, q.fresh.first.credits)
	require.Nil(t, q.fresh.first.after)
}
