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
	pauses         int // faults that make it stand still
	full           int // faults that fill its disk
	slow, slowDisk influences
	skew           time.Duration
	drift          influences

	ctx    context.Context // of what runs on the host's present incarnation
	cancel context.CancelCauseFunc
}

// host returns the host, nil for routers and switches.
func (n *worldNode) host() *ip.Host { return n.live.Load() }

// nodeContext returns the context of an incarnation of a host.
func (r *Run) nodeContext() (context.Context, context.CancelCauseFunc) {
	return context.WithCancelCause(r.ctx)
}
