package analysis

import "container/heap"

// source is a capture that is read: the frame at hand is the next one.
type source struct {
	index int
	next  func() (*Frame, bool)
	stop  func()
	err   error
	frame *Frame // nil at the end
}

func (s *source) advance() {
	f, ok := s.next()
	if !ok {
		f = nil
	}
	s.frame = f
}

// merge gives the frames of all captures in order of time. Of those at the same nanosecond, what leaves a node comes before what
// reaches one, and then the order of the captures decides.
func merge(sources []*source, frame func(capture int, f *Frame)) {
	var q sourceHeap
	for _, s := range sources {
		if s.advance(); s.frame != nil {
			q = append(q, s)
		}
	}
	heap.Init(&q)
	for len(q) > 0 {
		first := q[0]
		frame(first.index, first.frame)
		if first.advance(); first.frame != nil {
			heap.Fix(&q, 0)
		} else {
			heap.Pop(&q)
		}
	}
}

// sourceHeap is a heap of captures by their next frames.
type sourceHeap []*source

func (q sourceHeap) Len() int      { return len(q) }
func (q sourceHeap) Swap(i, k int) { q[i], q[k] = q[k], q[i] }
func (q *sourceHeap) Push(s any)   { *q = append(*q, s.(*source)) }

func (q *sourceHeap) Pop() any {
	last := len(*q) - 1
	s := (*q)[last]
	*q = (*q)[:last]
	return s
}

func (q sourceHeap) Less(i, k int) bool {
	a, b := q[i].frame.Packet, q[k].frame.Packet
	if !a.Time.Equal(b.Time) {
		return a.Time.Before(b.Time)
	}
	if inbound(a) != inbound(b) {
		return inbound(b)
	}
	return q[i].index < q[k].index
}
