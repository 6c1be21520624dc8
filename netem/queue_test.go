package netem

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

// The heap gives events out as a sorted slice would, whatever is pushed, popped and thrown away in between.
func TestEventQueueAgainstSortedSlice(t *testing.T) {
	compare := func(a, b event) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.key, b.key), cmp.Compare(a.seq, b.seq))
	}
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		var q eventQueue
		var sorted []event
		for seq := uint64(1); seq < 3000; seq++ {
			switch choice := r.IntN(100); {
			case choice < 55:
				e := event{at: time.Duration(r.IntN(40)), key: uint64(r.IntN(5)), seq: seq}
				q.push(e)
				i, _ := slices.BinarySearchFunc(sorted, e, compare)
				sorted = slices.Insert(sorted, i, e)
			case choice < 99:
				if len(sorted) > 0 {
					require.Equal(t, sorted[0], q.pop())
					sorted = sorted[1:]
				}
			default:
				divisor := uint64(r.IntN(4) + 1)
				q.filter(func(e *event) bool { return e.seq%divisor != 0 })
				sorted = slices.DeleteFunc(sorted, func(e event) bool { return e.seq%divisor == 0 })
			}
			require.Len(t, q, len(sorted))
		}
		for _, want := range sorted {
			require.Equal(t, want, q.pop())
		}
		require.Empty(t, q)
	}
}

// The ring of a drop-tail queue grows while it is wrapped around, and keeps order and count.
func TestDropTailGrows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var q dropTail
	var model []*Frame
	bytes := 0
	for step := range 20000 {
		// Long phases of growth alternate with phases of decline, so that the head is somewhere when the ring is full.
		if grow := step/700%2 == 0; len(model) == 0 || (r.IntN(10) < 7) == grow {
			f := &Frame{Data: make([]byte, r.IntN(100))}
			require.True(t, q.offer(f))
			model = append(model, f)
			bytes += len(f.Data)
		} else {
			f := q.pop()
			require.Same(t, model[0], f)
			model = model[1:]
			bytes -= len(f.Data)
		}
		require.Equal(t, len(model), q.len())
		require.Equal(t, bytes, q.bytes)
	}
	require.Greater(t, len(q.ring), 64)
	for len(model) > 0 {
		require.Same(t, model[0], q.pop())
		model = model[1:]
	}
	for _, f := range q.ring {
		require.Nil(t, f, "the queue holds on to a frame that it gave away")
	}
}

func TestDropTailLimits(t *testing.T) {
	frame := func(n int) *Frame { return &Frame{Data: make([]byte, n)} }
	q := dropTail{limit: units.QueueLimit{Bytes: 100}}
	require.True(t, q.offer(frame(60)))
	require.False(t, q.offer(frame(41)))
	require.True(t, q.offer(frame(40)), "exactly full")
	require.False(t, q.offer(frame(1)))
	q.pop()
	require.True(t, q.offer(frame(60)))

	q = dropTail{limit: units.QueueLimit{Packets: 2}}
	require.True(t, q.offer(frame(9000)))
	require.True(t, q.offer(frame(9000)))
	require.False(t, q.offer(frame(0)))
}

func BenchmarkEventQueue(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	var q eventQueue
	for i := range 10000 {
		q.push(event{at: time.Duration(r.IntN(1e6)), seq: uint64(i)})
	}
	b.ReportAllocs()
	for b.Loop() {
		e := q.pop()
		e.at += time.Duration(r.IntN(1e6))
		q.push(e)
	}
}
