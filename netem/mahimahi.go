package netem

import (
	"sort"
	"time"

	"netlab/units"
)

// mahimahi is a transmitter that sends when a recorded trace says so, as Mahimahi's mm-link does (Netravali et al. 2015, "Mahimahi:
// Accurate Record-and-Replay for HTTP"; its src/frontend/link_queue.cc). Each opportunity of the trace is for 1504 bytes
// (units.OpportunityBytes). Small frames share one; a large frame takes several and leaves with the last of them, in no
// time. What is left of an opportunity when nothing waits is lost, and so is an opportunity that comes in the very nanosecond in which a
// frame finds the queue empty. The trace begins with the run and repeats; a change of other parameters, or one that is
// taken back, leaves it where it is.
//
// A frame counts as its IP packet and 4 bytes, the header of the TUN device that mm-link reads packets from: one of 1500 bytes takes
// exactly one opportunity. It waits in the queue until the first of its opportunities.
type mahimahi struct {
	trace *units.Opportunities
	next  int // opportunity, over all repetitions, of which bytes are left
	left  int

	planned, plannedLeft int // what next and left are after the frame that was planned last
}

// tunHeader is what mm-link counts for each packet besides itself.
const tunHeader = 4

// newMahimahi returns a transmitter that uses the opportunities after a time.
func newMahimahi(trace *units.Opportunities, at time.Duration) *mahimahi {
	m := &mahimahi{trace: trace}
	m.skip(at)
	return m
}

// skip goes to the first opportunity after a time.
func (m *mahimahi) skip(at time.Duration) {
	m.left = int(units.OpportunityBytes)
	// In the repetition in which the time is, the last opportunity comes at its end, after the time.
	first := int(at/m.trace.Period()) * m.trace.Len()
	m.next = first + sort.Search(m.trace.Len(), func(i int) bool { return m.trace.At(first+i) > at })
}

func (m *mahimahi) idle(at time.Duration) {
	if m.trace.At(m.next) <= at {
		m.skip(at)
	}
}

func (m *mahimahi) open(at time.Duration) time.Duration {
	if m.left == 0 {
		m.next++
		m.left = int(units.OpportunityBytes)
	}
	if m.trace.At(m.next) < at {
		m.skip(at - 1)
	}
	return m.trace.At(m.next)
}

func (m *mahimahi) plan(at time.Duration, size int) (begin, end time.Duration) {
	m.open(at)
	more := max(size-etherHeader, 0) + tunHeader - m.left
	m.planned, m.plannedLeft = m.next, -more
	if more > 0 {
		const each = int(units.OpportunityBytes)
		count := (more + each - 1) / each
		m.planned, m.plannedLeft = m.next+count, count*each-more
	}
	begin = m.trace.At(m.planned)
	return begin, begin
}

func (m *mahimahi) sent() { m.next, m.left = m.planned, m.plannedLeft }
