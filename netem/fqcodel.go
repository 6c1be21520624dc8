package netem

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"time"
)

// fqCoDel is FlowQueue-CoDel, RFC 8290: flows are hashed to queues, each a CoDel queue of its own, which take turns by deficit round
// robin; one that has just become active goes before the others for its first quantum.
//
// Packets of a flow have the same addresses, protocol and ports. Fragments go by addresses and protocol, so that those of a datagram
// stay together; what isn't IP is one flow. A queue with no credits left, not only one that owes some, has had its
// turn, as in Linux. CoDel's exemption of the last packet counts the bytes in the flow's own queue.
type fqCoDel struct {
	flows   []*flowQueue // by hash; nil if none was needed yet
	fresh   flowList     // the RFC's new queues
	old     flowList
	frames  int
	bytes   int
	salt    uint64 // the perturbation of the hash
	config  Queue
	control codelConfig
	out     outlet
}

// flowQueue is the queue of the flows of one hash.
type flowQueue struct {
	codelQueue
	credits int        // bytes that it may send in this round
	active  bool       // it is in one of the lists
	after   *flowQueue // the next in the list
}

// maxBatch is how many packets are dropped at once at most when the limit is reached (RFC 8290, section 4.1).
const maxBatch = 64

func newFQCoDel(p *Params, out outlet, random *rand.Rand) *fqCoDel {
	q := &fqCoDel{flows: make([]*flowQueue, p.Queue.Flows), salt: random.Uint64(), out: out}
	q.tune(0, p)
	return q
}

func (q *fqCoDel) tune(_ time.Duration, p *Params) bool {
	if p.Queue.Flows != len(q.flows) {
		return false
	}
	q.config, q.control = p.Queue, newCodelConfig(p)
	return true
}

func (q *fqCoDel) enqueue(at time.Duration, f *Frame) {
	if _, idle := q.out.idle(at); idle && q.frames == 0 {
		q.rest()
	}
	flow := q.classify(f)
	flow.push(f)
	q.frames++
	q.bytes += len(f.Data)
	if !flow.active {
		flow.active, flow.credits = true, int(q.config.Quantum)
		q.fresh.append(flow)
	}
	for q.full() {
		q.dropBatch(at)
	}
}

// rest makes all queues inactive: the transmitter has asked for a packet before and found none.
func (q *fqCoDel) rest() {
	for _, list := range []*flowList{&q.fresh, &q.old} {
		for list.first != nil {
			list.remove().active = false
		}
	}
}

func (q *fqCoDel) full() bool {
	limit := q.config.Limit
	return limit.Packets > 0 && q.frames > limit.Packets || limit.Bytes > 0 && q.bytes > int(limit.Bytes)
}

// dropBatch drops half of the packets of the queue with the most bytes, from its head (RFC 8290, section 4.1).
func (q *fqCoDel) dropBatch(at time.Duration) {
	var fattest *flowQueue
	for _, list := range []*flowList{&q.fresh, &q.old} {
		for flow := list.first; flow != nil; flow = flow.after {
			if fattest == nil || flow.bytes > fattest.bytes {
				fattest = flow
			}
		}
	}
	for range min(max(fattest.count/2, 1), maxBatch) {
		f := fattest.take()
		q.frames--
		q.bytes -= len(f.Data)
		q.out.drop(at, f, DropQueueFull)
	}
}

func (q *fqCoDel) dequeue(at time.Duration) *Frame {
	for {
		list := &q.fresh
		if list.first == nil {
			list = &q.old
		}
		flow := list.first
		if flow == nil {
			return nil
		}
		if flow.credits <= 0 {
			flow.credits += int(q.config.Quantum)
			q.old.append(list.remove())
			continue
		}
		frames, size := flow.count, flow.bytes
		f := flow.next(at, &q.control, q.out)
		q.frames -= frames - flow.count
		q.bytes -= size - flow.bytes
		if f != nil {
			flow.credits -= len(f.Data)
			return f
		}
		// An empty new queue goes through the old ones once, so that it can't come back as a new one at once.
		list.remove()
		if list == &q.fresh {
			q.old.append(flow)
		} else {
			flow.active = false
		}
	}
}

// empty leaves queues in their lists that have become empty: dequeue and rest remove them.
func (q *fqCoDel) empty(time.Duration) *Frame {
	var from *flowQueue
	for _, list := range []*flowList{&q.fresh, &q.old} {
		for flow := list.first; flow != nil; flow = flow.after {
			if f := flow.oldest(); f != nil && (from == nil || f.queued < from.oldest().queued) {
				from = flow
			}
		}
	}
	if from == nil {
		return nil
	}
	f := from.take()
	q.frames--
	q.bytes -= len(f.Data)
	return f
}

func (q *fqCoDel) len() int  { return q.frames }
func (q *fqCoDel) size() int { return q.bytes }

// classify returns the queue of a frame's flow.
func (q *fqCoDel) classify(f *Frame) *flowQueue {
	w := f.flow()
	if w.fragment {
		clear(w.key[flowPorts:flowProtocol])
	}
	h := q.salt
	mix := func(v uint64) {
		high, low := bits.Mul64(h^v, 0x9e3779b97f4a7c15)
		h = high ^ low ^ h>>29
	}
	for i := 0; i < flowPorts; i += 8 {
		mix(binary.LittleEndian.Uint64(w.key[i:]))
	}
	mix(uint64(binary.LittleEndian.Uint32(w.key[flowPorts:])) | uint64(w.key[flowProtocol])<<32)
	mix(q.salt)
	i, _ := bits.Mul64(h, uint64(len(q.flows)))
	if q.flows[i] == nil {
		q.flows[i] = &flowQueue{}
	}
	return q.flows[i]
}

// flowList is a list of queues.
type flowList struct{ first, last *flowQueue }

func (l *flowList) append(q *flowQueue) {
	q.after = nil
	if l.first == nil {
		l.first = q
	} else {
		l.last.after = q
	}
	l.last = q
}

// remove removes the first queue. There must be one.
func (l *flowList) remove() *flowQueue {
	q := l.first
	l.first = q.after
	q.after = nil
	return q
}
