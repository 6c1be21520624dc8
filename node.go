package netlab

import (
	"context"
	"sync/atomic"
	"time"

	"netlab/ip"
	"netlab/netem"
	"netlab/topology"
)

// worldNode is a node: a host, a router or a switch. But for the host, the engine's loop alone changes it.
type worldNode struct {
	name   string
	config topology.Node
	live   atomic.Pointer[ip.Host] // the present incarnation of a host
	router *ip.Router
	sw     *netem.Switch

	// What faults have done to it.
	down           bool
	crashes        int // how often it has crashed: a fault undoes no crash but its own
	pauses         int // faults that make it stand still
	resumes        int // how often resume has ended all pauses, which then have nothing left to end
	full           int // faults that fill its disk
	skipSync, tear int // faults that let its disk skip syncs and tear writes
	slow, slowDisk influences
	failSync       influences // shares of syncs that do not fail
	skew           time.Duration
	drift          influences

	// tasks are what runs on the host's present incarnation, in the order in which it was started.
	tasks []*task
}

// task is a job on one incarnation of a host. It has a context of its own: contexts that end together do so in an order that is left
// to chance.
type task struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	// crashed gets a token when the host crashes.
	crashed chan struct{}
}

// newTask prepares what is to run on a host.
func (r *Run) newTask(n *worldNode) *task {
	t := &task{crashed: make(chan struct{}, 1)}
	t.ctx, t.cancel = context.WithCancelCause(r.ctx)
	n.tasks = append(n.tasks, t)
	return t
}

// watch ends the task when its host crashes, and is done when the task is.
func (t *task) watch(done <-chan struct{}) {
	select {
	case <-t.crashed:
		t.cancel(errCrashed)
	case <-done:
	}
}

// host returns the host, nil for routers and switches.
func (n *worldNode) host() *ip.Host { return n.live.Load() }
