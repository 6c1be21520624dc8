package netlab

import (
	"context"
	"sync"
	"time"

	"netlab/netem"
	"netlab/report"
	"netlab/services"
	"netlab/topology"
	"netlab/units"
)

// defaultWatchEvery is how often a run is watched unless RunOptions.WatchEvery says otherwise.
const defaultWatchEvery = time.Second

// maxWatched is how many events a snapshot holds.
const maxWatched = 64

// Snapshot is the state of a lab at a moment of its run, for RunOptions.Watch. But for Real it is the same in every run in virtual
// time. Counters are those since the start of the run.
type Snapshot struct {
	At   time.Duration // on the lab's clock
	Real time.Duration // since the start of the run, on the machine's clock
	// Over says that this is the last snapshot: the state at the end of the run.
	Over bool
	// Frames is how many frames hosts and routers have put on the wire.
	Frames uint64
	// Nodes, Links and Workloads are in file order.
	Nodes     []NodeState
	Links     []LinkState
	Workloads []WorkloadState
	// Events are what has happened since the snapshot before: lines of events.jsonl in their order, without drops, which the links
	// count. There are at most the last 64; EventsLeft counts the others.
	Events     []report.Event
	EventsLeft int
}

// NodeState is how a node fares.
type NodeState struct {
	Name string
	Kind topology.NodeKind
	// Down says that it has crashed or is switched off, Paused that it is a host that stands still.
	Down, Paused bool
}

// LinkState is how the directions of a link fare.
type LinkState struct {
	Name string
	// Ends are the names of the nodes at both ends; Forward is from the first to the second.
	Ends              [2]string
	Forward, Backward DirectionState
}

// DirectionState is how one direction of a link fares.
type DirectionState struct {
	Down            bool
	Sent, Delivered netem.Count
	Dropped         netem.Drops
	// Waiting is how many frames are in the queue, without the one that is being sent, and WaitingBytes how many bytes.
	Waiting      int
	WaitingBytes units.Bytes
}

// WorkloadState is how far a workload is.
type WorkloadState struct {
	Name, Type string
	// Hosts is how many hosts it runs on. Running are those that have begun and not ended, Done those that ended by themselves, with or
	// without an error, and Failed those whose error is in the results.
	Hosts, Running, Done, Failed int
}

// watcher calls RunOptions.Watch. A nil one does nothing.
type watcher struct {
	call  func(*Snapshot)
	every time.Duration
	began time.Duration // on the machine's clock
	due   time.Duration // of the next snapshot
	over  bool

	mu     sync.Mutex
	events []report.Event
	left   int
}

func newWatcher(o *RunOptions) *watcher {
	if o.Watch == nil {
		return nil
	}
	w := &watcher{call: o.Watch, every: o.WatchEvery, began: machineClock()}
	if w.every == 0 {
		w.every = defaultWatchEvery
	}
	return w
}

// add takes an event. Any goroutine may call it.
func (w *watcher) add(ev report.Event) {
	if w == nil || ev.Kind == "drop" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.events) == maxWatched {
		w.events = append(w.events[:0], w.events[1:]...)
		w.left++
	}
	w.events = append(w.events, ev)
}

// before shows the state before anything happens at a time, once for each moment at which it is due until then, unless the run was
// interrupted. wait, which may be nil, is called with each of these moments first.
func (w *watcher) before(at time.Duration, r *Run, wait func(time.Duration), interrupted context.Context) {
	if w == nil || w.over {
		return
	}
	for w.due <= at && interrupted.Err() == nil {
		if wait != nil {
			wait(w.due)
		}
		w.show(w.due, r)
		w.due += w.every
	}
}

// between shows the state of a run in real time if it is time to.
func (w *watcher) between(at time.Duration, r *Run) {
	if w == nil || w.over || at < w.due {
		return
	}
	w.show(at, r)
	w.due = at + w.every
}

// finish shows the state at the end.
func (w *watcher) finish(r *Run) {
	if w != nil && !w.over {
		w.over = true
		w.show(r.engine.Elapsed(), r)
	}
}

// show calls the function that watches.
func (w *watcher) show(at time.Duration, r *Run) {
	s := &Snapshot{At: at, Real: machineClock() - w.began, Over: w.over, Frames: r.engine.Frames()}
	for _, n := range r.nodes {
		h := n.host()
		s.Nodes = append(s.Nodes, NodeState{Name: n.name, Kind: n.config.Kind, Down: n.down, Paused: h != nil && !n.down && h.Paused()})
	}
	for _, l := range r.net.Links() {
		a, b := l.Ports()
		s.Links = append(s.Links, LinkState{Name: l.ID(), Ends: [2]string{a.Host(), b.Host()},
			Forward: directionState(l, netem.Forward), Backward: directionState(l, netem.Backward)})
	}
	s.Workloads = r.workloadStates()
	w.mu.Lock()
	s.Events, s.EventsLeft = w.events, w.left
	w.events, w.left = nil, 0
	w.mu.Unlock()
	w.call(s)
}

func directionState(l *netem.Link, d int) DirectionState {
	stats := l.Stats(d)
	s := DirectionState{Down: l.Params(d).Down, Sent: stats.Sent, Delivered: stats.Delivered, Dropped: stats.Dropped}
	s.Waiting, s.WaitingBytes = l.Waiting(d)
	return s
}

func (r *Run) workloadStates() []WorkloadState {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []WorkloadState
	for _, j := range r.jobs {
		if j.role == services.Workload {
			list = append(list, WorkloadState{Name: j.name, Type: j.kind, Hosts: len(j.nodes), Running: j.running, Done: j.done, Failed: len(j.errors)})
		}
	}
	return list
}
