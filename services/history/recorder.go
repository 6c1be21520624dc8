package history

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// Recorder writes down the operations of one workload as they happen. The zero value is ready. Several goroutines may use it.
type Recorder struct {
	// Workload, Name, Object and Model go into the history, see [History].
	Workload, Name, Object, Model string

	mu   sync.Mutex
	ops  []Operation
	done []bool
	end  time.Duration
}

// Invoke records that a client begins an operation, of which Client, Host, Kind, Key, Input, Invoked and Final count. It returns the number
// by which [Recorder.Complete] knows it.
func (r *Recorder) Invoke(op Operation) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	op.Index = len(r.ops)
	op.Input = slices.Clone(op.Input)
	op.Output, op.Found, op.Completed, op.Outcome = nil, false, 0, Unknown
	r.ops, r.done = append(r.ops, op), append(r.done, false)
	return op.Index
}

// Complete records how an operation ended: at a time since the start of the run, with an outcome, what was answered, the member that answered
// or was asked last (empty leaves what Invoke was given), and what the client was told if it isn't OK.
//
// It panics if there is no such operation or it has ended before.
func (r *Recorder) Complete(index int, at time.Duration, outcome Outcome, output []string, found bool, server, errText string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if index < 0 || index >= len(r.ops) || r.done[index] {
		panic(fmt.Sprintf("history: completes operation %d of %d, wanted one that is under way", index, len(r.ops)))
	}
	o := &r.ops[index]
	o.Completed, o.Outcome, o.Output, o.Found, o.Error = at, outcome, slices.Clone(output), found, errText
	if server != "" {
		o.Server = server
	}
	r.done[index] = true
}

// SetEnd says when the run ended, which is when those operations end that nobody saw the end of. Without it they never end.
func (r *Recorder) SetEnd(at time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.end = at
}

// History returns what was recorded, in the order of invocations, those of the same instant by client; operations are numbered in that order.
// An operation without an end is Unknown, and completed at the end of the run, or just before its client's next one where that is earlier.
func (r *Recorder) History() *History {
	r.mu.Lock()
	defer r.mu.Unlock()
	ops := slices.Clone(r.ops)
	next := map[int]time.Duration{}
	for i := len(ops) - 1; i >= 0; i-- {
		o := &ops[i]
		if !r.done[i] {
			o.Completed = never
			if r.end > 0 {
				o.Completed = max(r.end, o.Invoked)
			}
			if at, found := next[o.Client]; found { // its host crashed, and the client went on
				o.Completed = max(min(o.Completed, at), o.Invoked)
			}
		}
		next[o.Client] = o.Invoked
	}
	sortOperations(ops)
	for i := range ops {
		ops[i].Index = i
	}
	return &History{Workload: r.Workload, Name: r.Name, Object: r.Object, Model: r.Model, Operations: ops}
}

// Len returns how many operations were begun.
func (r *Recorder) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.ops)
}
