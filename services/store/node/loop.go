package node

import (
	"context"
	"sync"
)

// Loop is the events that one goroutine of a node works on, in the order in which they came.
type Loop struct {
	mu     sync.Mutex
	events []func()
	wake   chan struct{}
}

// NewLoop returns an empty loop.
func NewLoop() *Loop { return &Loop{wake: make(chan struct{}, 1)} }

// Post adds an event. It never waits.
func (l *Loop) Post(event func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, event)
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Next waits until there are events and returns them, or nil once ctx has ended.
func (l *Loop) Next(ctx context.Context) []func() {
	for {
		if ctx.Err() != nil {
			return nil
		}
		l.mu.Lock()
		list := l.events
		l.events = nil
		l.mu.Unlock()
		if len(list) > 0 {
			return list
		}
		select {
		case <-l.wake:
		case <-ctx.Done():
		}
	}
}
