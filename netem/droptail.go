package netem

import (
	"time"

	"netlab/units"
)

// dropTail is a first-in first-out queue that refuses what doesn't fit.
type dropTail struct {
	fifo
	limit units.QueueLimit
	out   outlet
}

func (q *dropTail) enqueue(at time.Duration, f *Frame) {
	if !q.offer(f) {
		q.out.drop(at, f, DropQueueFull)
	}
}

// offer appends a frame, or says that there is no room.
func (q *dropTail) offer(f *Frame) bool {
	if !q.fits(q.limit, f) {
		return false
	}
	q.push(f)
	return true
}

func (q *dropTail) dequeue(at time.Duration) *Frame { return q.empty(at) }

func (q *dropTail) empty(time.Duration) *Frame {
	if q.count == 0 {
		return nil
	}
	return q.pop()
}

func (q *dropTail) tune(_ time.Duration, p *Params) bool {
	q.limit = p.Queue.Limit
	return true
}

// fifo is a ring of frames, with the bytes in them.
type fifo struct {
	ring  []*Frame // as many as a power of two
	head  int
	count int
	bytes int
}

func (q *fifo) len() int  { return q.count }
func (q *fifo) size() int { return q.bytes }

// fits says whether a limit has room for another frame.
func (q *fifo) fits(limit units.QueueLimit, f *Frame) bool {
	if limit.Packets > 0 && q.count >= limit.Packets {
		return false
	}
	return limit.Bytes == 0 || q.bytes+len(f.Data) <= int(limit.Bytes)
}

// push appends a frame.
func (q *fifo) push(f *Frame) {
	if q.count == len(q.ring) {
		grown := make([]*Frame, max(16, 2*len(q.ring)))
		n := copy(grown, q.ring[q.head:])
		copy(grown[n:], q.ring[:q.head])
		q.ring, q.head = grown, 0
	}
	q.ring[(q.head+q.count)&(len(q.ring)-1)] = f
	q.count++
	q.bytes += len(f.Data)
}

// oldest returns the frame that pop would, or nil.
func (q *fifo) oldest() *Frame {
	if q.count == 0 {
		return nil
	}
	return q.ring[q.head]
}

// pop removes the oldest frame. There must be one.
func (q *fifo) pop() *Frame {
	f := q.ring[q.head]
	q.ring[q.head] = nil
	q.head = (q.head + 1) & (len(q.ring) - 1)
	q.count--
	q.bytes -= len(f.Data)
	return f
}
