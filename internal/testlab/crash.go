package testlab

import (
	"errors"

	"netlab/ip"
	"netlab/netem"
	"netlab/services"
)

// errCrashed is why the context of what runs on a host ends when it crashes.
var errCrashed = errors.New("the host crashed")

// Do calls fn in the engine's loop, now, and waits for it. fn must not block.
func (l *Lab) Do(fn func()) {
	done := make(chan struct{})
	l.Net.AfterFunc(0, netem.KindControl, 0, func() {
		defer close(done)
		fn()
	})
	<-done
}

// Crash takes a host down, and with it what runs there: workloads for good, services until [Lab.Restart].
func (l *Lab) Crash(h *ip.Host) { l.Do(func() { l.crash(h) }) }

func (l *Lab) crash(h *ip.Host) {
	h.Crash()
	for _, i := range l.running {
		for _, p := range i.hosts {
			if p.host == h {
				p.crashed(errCrashed)
			}
		}
	}
}

// Restart starts a host that has crashed again, and the services that ran there. It takes the host's place as l.A or l.B.
func (l *Lab) Restart(h *ip.Host) *ip.Host {
	var next *ip.Host
	l.Do(func() { next = l.restart(h) })
	return next
}

func (l *Lab) restart(h *ip.Host) *ip.Host {
	next, err := h.Reborn()
	if err != nil {
		l.T.Errorf("lab: %v", err)
		return h
	}
	l.down = append(l.down, h)
	if h == l.A {
		l.A = next
	} else {
		l.B = next
	}
	for _, i := range l.running {
		for n, p := range i.hosts {
			if p.host == h && i.typ.Role == services.Service && !i.stopped {
				p.host = next
				i.run(n, p.done)
			}
		}
	}
	return next
}
