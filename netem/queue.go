package netem

import "time"

// Kind orders events of one owner that are due at the same instant.
type Kind uint8

// The kinds of events.
const (
	KindControl  Kind = iota // faults, ends of phases
	KindArrival              // a frame reaches a port
	KindTransmit             // a transmitter is free again
	KindTimer                // a timer of a network stack
	KindDeadline             // a deadline of a socket
	KindWake                 // a goroutine of a service starts or wakes up
)

// Owner is the host, link direction or other thing that an event belongs to. The engine hands them out in the order
// in which the lab is built; 0 is the lab itself.
type Owner int32

// handler is what an event calls.
type handler interface {
	// handle runs the event. at is its nominal time.
	handle(at time.Duration, f *Frame)
	// quiet says that the event touches no goroutine: it only moves frames inside netem and nodes that are made of
	// events alone. The engine need not wait for anybody after it.
	quiet() bool
}

// event is an entry of the queue.
type event struct {
	at    time.Duration
	key   uint64 // owner and kind
	seq   uint64
	h     handler
	frame *Frame
}

func (a *event) before(b *event) bool {
	if a.at != b.at {
		return a.at < b.at
	}
	if a.key != b.key {
		return a.key < b.key
	}
	return a.seq < b.seq
}

// eventQueue is a heap in which every entry has up to four children: shallower than a binary one, and the children share
// cache lines.
type eventQueue []event

func (q *eventQueue) push(e event) {
	*q = append(*q, e)
	q.up(len(*q) - 1)
}

func (q *eventQueue) pop() event {
	h := *q
	top := h[0]
	last := len(h) - 1
	h[0] = h[last]
	h[last] = event{}
	*q = h[:last]
	if last > 1 {
		q.down(0)
	}
	return top
}

func (q eventQueue) up(i int) {
	e := q[i]
	for i > 0 {
		parent := (i - 1) / 4
		if !e.before(&q[parent]) {
			break
		}
		q[i] = q[parent]
		i = parent
	}
	q[i] = e
}

func (q eventQueue) down(i int) {
	e := q[i]
	for {
		first := 4*i + 1
		if first >= len(q) {
			break
		}
		least := first
		for c := first + 1; c < min(first+4, len(q)); c++ {
			if q[c].before(&q[least]) {
				least = c
			}
		}
		if !q[least].before(&e) {
			break
		}
		q[i] = q[least]
		i = least
	}
	q[i] = e
}

// filter keeps the entries for which keep holds.
func (q *eventQueue) filter(keep func(*event) bool) {
	h := *q
	n := 0
	for i := range h {
		if keep(&h[i]) {
			h[n] = h[i]
			n++
		}
	}
	clear(h[n:])
	*q = h[:n]
	for i := (n - 2) / 4; i >= 0 && n > 1; i-- {
		q.down(i)
	}
}
