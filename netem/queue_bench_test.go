package netem

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

// BenchmarkQueue is a packet's way through a queue that holds about 50 of them, without the link around it: ns/op are those of
// enqueue and dequeue together. Packets are of 16 flows, and enter 50 at a time.
func BenchmarkQueue(b *testing.B) {
	for _, d := range disciplineNames {
		q := Queue{Discipline: d}
		if d == RED {
			q.MinThreshold, q.MaxThreshold = 20000, 60000
		}
		b.Run(string(d), func(b *testing.B) {
			s := onBench(b, q)
			s.drops = make([]gone, 0, 1000)
			var frames [50]*Frame
			for i := range frames {
				frames[i] = &Frame{Data: udpFrame(i%2 == 0, byte(i*4), uint16(i%16), 1000)}
			}
			at := time.Duration(0)
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; n += len(frames) {
				for _, f := range frames {
					f.queued = at
					s.enqueue(at, f)
				}
				for s.len() > 0 {
					at += 10 * time.Microsecond
					s.dequeue(at)
				}
				s.drops = s.drops[:0]
			}
		})
	}
}

// BenchmarkQueueOverload is the same with three packets coming for two that leave, so that the discipline has to drop.
func BenchmarkQueueOverload(b *testing.B) {
	for _, d := range disciplineNames {
		q := Queue{Discipline: d}
		q.Limit.Packets = 1000
		b.Run(string(d), func(b *testing.B) {
			s := onBench(b, q)
			s.drops = make([]gone, 0, 1000)
			ring := make([]*Frame, 4096) // more than can wait
			for i := range ring {
				ring[i] = &Frame{Data: udpFrame(i%2 == 0, byte(i*4), uint16(i%16), 1000)}
			}
			at := time.Duration(0)
			b.ReportAllocs()
			b.ResetTimer()
			for n := range b.N {
				f := ring[n%len(ring)]
				f.queued = at
				s.enqueue(at, f)
				if n%3 > 0 {
					at += time.Millisecond
					s.dequeue(at)
				}
				s.drops = s.drops[:0]
			}
		})
	}
}

// BenchmarkQueueHistory is what the statistics of a queue cost for each packet that waits: two lengths and a sojourn time.
func BenchmarkQueueHistory(b *testing.B) {
	h := newQueueHistory(0)
	at := time.Duration(0)
	b.ReportAllocs()
	for b.Loop() {
		h.length(at, 2000, 2)
		at += 100 * time.Microsecond
		h.sojourn(at, time.Duration(at%(50*time.Millisecond)))
		h.length(at, 1000, 1)
	}
}

// BenchmarkQueueOnLink is the whole way of a packet across a link on which 50 at a time wait, with statistics; ns/op are for one packet.
func BenchmarkQueueOnLink(b *testing.B) {
	for _, d := range disciplineNames {
		p := Params{MTU: DefaultMTU, Rate: units.FixedRate(1e12), Queue: Queue{Discipline: d, Limit: units.QueueLimit{Packets: 1000}}}
		b.Run(string(d), func(b *testing.B) {
			n := NewNetwork(NewEngine(Config{RealTime: true}), 1)
			for node, name := range []string{"a", "b"} {
				n.NewPort(PortConfig{Node: NodeID(node), Name: name, Passive: true, Receive: func(_ time.Duration, f *Frame) { f.Release() }})
			}
			link, err := n.Connect("a--b", n.ports[0], n.ports[1], p, p)
			require.NoError(b, err)
			var packets [50][]byte
			for i := range packets {
				packets[i] = udpFrame(i%2 == 0, byte(i*4), uint16(i%16), 1000)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for sent := 0; sent < b.N; sent += len(packets) {
				at := n.Elapsed()
				for _, data := range packets {
					f := n.NewFrame(len(data))
					copy(f.Data, data)
					n.ports[0].Forward(at, f)
				}
				for n.InFlight() > 0 {
					n.runDue()
				}
			}
			require.Greater(b, link.QueueStats(Forward).MaxPackets, 40)
		})
	}
}
