package netem

import "netlab/units"

// dropTail is a first-in first-out queue that refuses what doesn't fit.
type dropTail struct {
	limit units.QueueLimit
	ring  []*Frame
	head  int
	count int
	bytes int
}

func (q *dropTail) len() int { return q.count }

// push appends a frame, or says that there is no room.
func (q *dropTail) push(f *Frame) bool {
	if q.limit.Packets > 0 && q.count >= q.limit.Packets {
		return false
	}
	if q.limit.Bytes > 0 && q.bytes+len(f.Data) > int(q.limit.Bytes) {
		return false
	}
	if q.count == len(q.ring) {
		grown := make([]*Frame, max(16, 2*len(q.ring)))
		n := copy(grown, q.ring[q.head:])
		copy(grown[n:], q.ring[:q.head])
		q.ring, q.head = grown, 0
	}
	q.ring[(q.head+q.count)%len(q.ring)] = f
	q.count++
	q.bytes += len(f.Data)
	return true
}

// pop removes the oldest frame. The queue must not be empty.
func (q *dropTail) pop() *Frame {
	f := q.ring[q.head]
	q.ring[q.head] = nil
	q.head = (q.head + 1) % len(q.ring)
	q.count--
	q.bytes -= len(f.Data)
	return f
}
