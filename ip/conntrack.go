package ip

import (
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// tracker knows the connections that go through a router. A connection is forgotten when the first packet or reader after its
// end comes; until then nobody can tell the difference.
type tracker struct {
	given  Tracking // as it was configured
	config Tracking // with defaults
	flows  map[tuple]*flow
	count  int
	// lists holds the flows by timeout, those that end first in front.
	lists     [timeouts]flowList
	earliest  time.Duration // no flow ends before
	fragments fragments
	stats     TrackingStats
	spare     *flow // flows to use again, by next
}

// The timeouts of [Tracking].
const (
	timeoutUDP = iota
	timeoutEstablished
	timeoutTransitory
	timeoutICMP
	timeouts
)

// never is later than any time of a run.
const never = time.Duration(1<<63 - 1)

// flow is a tracked connection.
type flow struct {
	// keys are the tuples of packets as they arrive, in the direction of the first one and in the other. A packet of one
	// direction leaves as the inverse of the other direction's key.
	keys       [2]tuple
	translated bool // they differ
	// mappings of the address translation that the flow uses: for the source of the first packet and for its destination.
	mappings [2]*mapping
	tcp      tcpState
	timeout  uint8
	end      time.Duration
	list     *flowList
	prev     *flow
	next     *flow
}

// tcpState is what is known of a TCP connection.
type tcpState struct {
	syn, fin    [2]bool // seen by direction
	established bool
	reset       bool
}

// closed says that the connection is over, so that a SYN begins a new one.
func (s *tcpState) closed() bool { return s.reset || s.fin[0] && s.fin[1] }

// see takes in a segment and returns which timeout holds now.
func (s *tcpState) see(direction int, flags header.TCPFlags) uint8 {
	switch {
	case flags&header.TCPFlagRst != 0:
		s.reset = true
	case flags&header.TCPFlagSyn != 0:
		s.syn[direction] = true
	case flags&header.TCPFlagAck != 0 && s.syn[0] && s.syn[1]:
		s.established = true
	}
	if flags&header.TCPFlagFin != 0 {
		s.fin[direction] = true
	}
	if s.established && !s.reset && !s.fin[0] && !s.fin[1] {
		return timeoutEstablished
	}
	return timeoutTransitory
}

func newTracker(given, config Tracking) *tracker {
	return &tracker{given: given, config: config, flows: map[tuple]*flow{}, earliest: never}
}

// lifetime is how long a timeout is.
func (t *tracker) lifetime(timeout uint8) time.Duration {
	switch timeout {
	case timeoutUDP:
		return t.config.UDP
	case timeoutEstablished:
		return t.config.TCPEstablished
	case timeoutTransitory:
		return t.config.TCPTransitory
	}
	return t.config.ICMP
}

// find returns the flow that a tuple belongs to, and in which direction.
func (t *tracker) find(key *tuple) (f *flow, direction int) {
	if f = t.flows[*key]; f != nil && f.keys[0] != *key {
		direction = 1
	}
	return f, direction
}

// open begins to track a flow, of which p is the first packet. back is the tuple that answers will have.
func (t *tracker) open(at time.Duration, p *packet, back tuple) *flow {
	switch {
	case t.count >= t.config.MaxEntries:
		t.stats.TableFull++
		return nil
	case t.flows[p.key] != nil || t.flows[back] != nil:
		t.stats.Clashes++
		return nil
	}
	f := t.spare
	if f == nil {
		f = &flow{}
	} else {
		t.spare = f.next
	}
	*f = flow{keys: [2]tuple{p.key, back}, translated: back.inverse() != p.key}
	t.flows[f.keys[0]], t.flows[f.keys[1]] = f, f
	t.count++
	t.stats.Opened++
	if p.kind == continuing { // somebody let it in without a SYN
		f.tcp = tcpState{syn: [2]bool{true, true}}
	}
	t.see(at, f, 0, p)
	return f
}

// see takes in a packet of a flow that is forwarded.
func (t *tracker) see(at time.Duration, f *flow, direction int, p *packet) {
	switch p.key.protocol {
	case protocolTCP:
		f.timeout = f.tcp.see(direction, p.flags)
	case protocolICMP, protocolICMPv6:
		f.timeout = timeoutICMP
	default:
		f.timeout = timeoutUDP
	}
	for _, m := range f.mappings {
		if m != nil {
			m.used = at
		}
	}
	f.end = at + t.lifetime(f.timeout)
	t.earliest = min(t.earliest, f.end)
	if f.list != nil {
		f.list.remove(f)
	}
	f.list = &t.lists[f.timeout]
	f.list.insert(f)
}

// expire forgets the flows whose time is over.
func (t *tracker) expire(at time.Duration) {
	if at < t.earliest {
		return
	}
	t.earliest = never
	for i := range t.lists {
		for f := t.lists[i].first; f != nil; f = t.lists[i].first {
			if f.end > at {
				t.earliest = min(t.earliest, f.end)
				break
			}
			t.stats.Expired++
			t.remove(f)
		}
	}
}

// remove forgets a flow.
func (t *tracker) remove(f *flow) {
	delete(t.flows, f.keys[0])
	delete(t.flows, f.keys[1])
	f.list.remove(f)
	t.count--
	for i, m := range f.mappings {
		if m != nil {
			m.leave(f.keys[i].dst)
		}
	}
	*f = flow{next: t.spare}
	t.spare = f
}

// removeIf forgets the flows of which which is true, in the order of their ends.
func (t *tracker) removeIf(which func(*flow) bool) {
	for i := range t.lists {
		for f := t.lists[i].first; f != nil; {
			next := f.next
			if which(f) {
				t.remove(f)
			}
			f = next
		}
	}
}

// flowList is a list of flows, those that end first in front.
type flowList struct{ first, last *flow }

// insert puts a flow at its place, which is the end but for times that don't grow.
func (l *flowList) insert(f *flow) {
	after := l.last
	for after != nil && after.end > f.end {
		after = after.prev
	}
	f.prev = after
	if after == nil {
		f.next, l.first = l.first, f
	} else {
		f.next, after.next = after.next, f
	}
	if f.next == nil {
		l.last = f
	} else {
		f.next.prev = f
	}
}

func (l *flowList) remove(f *flow) {
	if f.prev == nil {
		l.first = f.next
	} else {
		f.prev.next = f.next
	}
	if f.next == nil {
		l.last = f.prev
	} else {
		f.next.prev = f.prev
	}
	f.prev, f.next = nil, nil
}
