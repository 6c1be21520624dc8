package http

import (
	"context"
	"sync"

	"netlab/ip"
)

// Gates let one request to each server through until it has a connection, and the others then one after the other. So requests
// that start together share a connection of HTTP/2 in the order in which they came.
type Gates struct {
	host *ip.Host
	mu   sync.Mutex
	all  map[string]*gate
}

// gate is that of one server.
type gate struct {
	open    bool // a request has had a connection
	taken   bool // a request is on its way to one
	waiting []chan struct{}
}

// NewGates returns gates that are closed, for clients of a host.
func NewGates(h *ip.Host) *Gates { return &Gates{host: h, all: map[string]*gate{}} }

// Enter waits until a request to a server may go. What it returns is nil when the gate is open; otherwise it is to be called when
// the request has a connection, and when it is over.
func (g *Gates) Enter(ctx context.Context, server string) (leave func(connected bool), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at, ok := g.all[server]
	if !ok {
		at = new(gate)
		g.all[server] = at
	}
	for at.taken && !at.open {
		wake := make(chan struct{}, 1)
		at.waiting = append(at.waiting, wake)
		g.mu.Unlock()
		select {
		case <-wake:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		g.mu.Lock()
		if err != nil {
			g.pass(at, wake)
			return nil, err
		}
	}
	if at.open {
		return nil, nil
	}
	at.taken = true
	left := false
	return func(connected bool) {
		g.mu.Lock()
		defer g.mu.Unlock()
		if left {
			return
		}
		left = true
		at.taken, at.open = false, connected
		g.wake(at)
	}, nil
}

// wake wakes those who may go now. The engine does it when nothing else goes on, and the connection is in the pool.
func (g *Gates) wake(at *gate) {
	next := at.waiting
	if !at.open && len(next) > 1 {
		next = next[:1]
	}
	at.waiting = at.waiting[len(next):]
	g.host.Network().WakeTogether(next)
}

// pass takes one that waits no longer out of the line. If it was its turn, it is that of the next one.
func (g *Gates) pass(at *gate, mine chan struct{}) {
	for i, c := range at.waiting {
		if c == mine {
			at.waiting = append(at.waiting[:i:i], at.waiting[i+1:]...)
			return
		}
	}
	if !at.taken {
		g.wake(at)
	}
}
