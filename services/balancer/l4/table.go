package l4

import (
	"time"

	"netlab/ip"
	"netlab/services/backend"
)

// The states of a connection that have a timeout of their own.
const (
	stateSYN = iota
	stateEstablished
	stateFIN
	stateUDP
	states
)

// The directions.
const (
	forward  = 0 // from the client
	backward = 1 // from the backend
)

// table is the connections that a director knows. Each state's are in a list, those that were heard of last at its end, so that the
// first ones are those that time out first.
type table struct {
	most     int
	timeouts [states]time.Duration
	entries  map[ip.Flow]*entry
	count    int
	lists    [states]list
}

// entry is a connection.
type entry struct {
	// arrives is the flow of packets as they come, by direction, and leaves that with which they go on. In the mode direct only packets
	// from the client are seen.
	arrives, leaves [2]ip.Flow
	seen            [2]bool // arrives is in the table
	backend         *member
	lease           *backend.Lease
	tcp             tcpState
	next            [2]uint32 // of TCP, by direction: the sequence number after the highest that went on
	state           uint8
	end             time.Duration
	before, after   *entry
	listed          bool
}

// tcpState is what is known of a TCP connection, by direction.
type tcpState struct {
	syn, fin    [2]bool
	established bool
	reset       bool
	blind       bool // what the backend sends isn't seen
}

// over says that the connection carries nothing any more, as far as can be seen, so that a SYN begins a new one.
func (s *tcpState) over() bool { return s.reset || s.fin[forward] && (s.blind || s.fin[backward]) }

// see takes in the flags of a segment and returns the state that holds now.
func (s *tcpState) see(direction int, flags uint8) uint8 {
	if flags&ip.RST != 0 {
		s.reset = true
	}
	if flags&ip.SYN != 0 {
		s.syn[direction] = true
	}
	if flags&ip.FIN != 0 {
		s.fin[direction] = true
	}
	if flags&ip.ACK != 0 && flags&ip.SYN == 0 && s.syn[forward] && (s.blind || s.syn[backward]) {
		s.established = true
	}
	switch {
	case s.reset || s.fin[forward] || s.fin[backward]:
		return stateFIN
	case s.established:
		return stateEstablished
	}
	return stateSYN
}

func newTable(c *Config) *table {
	t := &table{most: c.Table.entries(), entries: map[ip.Flow]*entry{}}
	t.timeouts = [states]time.Duration{
		stateSYN:         or(c.Table.SYN, time.Minute),
		stateEstablished: or(c.Table.Established, 15*time.Minute),
		stateFIN:         or(c.Table.FIN, 2*time.Minute),
		stateUDP:         or(c.Table.UDP, 5*time.Minute),
	}
	return t
}

// find returns the connection that a packet belongs to, and the packet's direction.
func (t *table) find(f ip.Flow) (e *entry, direction int) {
	e = t.entries[f]
	if e != nil && e.arrives[forward] != f {
		direction = backward
	}
	return e, direction
}

// add adds a connection. There must be room, and none with the same flows.
func (t *table) add(e *entry, both bool) {
	t.entries[e.arrives[forward]] = e
	e.seen[forward] = true
	if both {
		t.entries[e.arrives[backward]] = e
		e.seen[backward] = true
	}
	t.count++
}

// remove forgets a connection.
func (t *table) remove(e *entry) {
	for d, seen := range e.seen {
		if seen {
			delete(t.entries, e.arrives[d])
		}
	}
	t.unlist(e)
	t.count--
}

// heard gives a connection the timeout of a state from now on.
func (t *table) heard(e *entry, state uint8, at time.Duration) {
	t.unlist(e)
	e.state, e.end = state, at+t.timeouts[state]
	l := &t.lists[state]
	e.before, e.after = l.last, nil
	if l.last == nil {
		l.first = e
	} else {
		l.last.after = e
	}
	l.last, e.listed = e, true
}

func (t *table) unlist(e *entry) {
	if !e.listed {
		return
	}
	l := &t.lists[e.state]
	if e.before == nil {
		l.first = e.after
	} else {
		e.before.after = e.after
	}
	if e.after == nil {
		l.last = e.before
	} else {
		e.after.before = e.before
	}
	e.before, e.after, e.listed = nil, nil, false
}

// oldest returns the connection that times out first, or nil.
func (t *table) oldest() *entry {
	var first *entry
	for i := range t.lists {
		if e := t.lists[i].first; e != nil && (first == nil || e.end < first.end) {
			first = e
		}
	}
	return first
}

// list is a list of connections, those that end first in front.
type list struct{ first, last *entry }
