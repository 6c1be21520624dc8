package ip

import (
	"context"
	"time"

	"netlab/netem"
)

// resume lets the stack's workers run; in virtual time they stand still otherwise, because synctest doesn't count them as
// idle. Only the engine's loop may call it.
func (h *Host) resume() {
	if h.paused {
		h.paused = false
		h.stack.Resume()
	}
}

// pause returns when the stack's workers have done what there was to do.
func (h *Host) pause() {
	if !h.paused && !h.net.RealTime() {
		h.paused = true
		h.stack.Pause()
	}
}

// awake runs fn while the stack's workers run. Only the engine's loop may call it.
func (h *Host) awake(fn func()) {
	h.resume()
	fn()
	h.pause()
}

// Kick lets the stack's workers do what a socket call left for them, in an event of its own. Sockets call it after
// closing.
func (h *Host) Kick() {
	if h.net.RealTime() {
		return
	}
	h.net.AfterFunc(h.owner, netem.KindTimer, 0, func() { h.awake(func() {}) })
}

// Later has the engine's loop call fn when every goroutine is blocked, before time moves on. key orders the calls of a host at
// one instant.
func (h *Host) Later(key uint64, fn func()) { h.net.Later(h.owner, key, fn) }

// Go runs fn in a goroutine of the host, which starts in an event of its own.
func (h *Host) Go(fn func()) {
	h.running.Add(1)
	h.net.Go(h.owner, func() {
		defer h.running.Done()
		fn()
	})
}

// Wait returns when all goroutines that [Host.Go] started are done.
func (h *Host) Wait() { h.running.Wait() }

// Sleep waits for d of the lab's time, or until ctx ends; then it returns ctx's cause.
func (h *Host) Sleep(ctx context.Context, d time.Duration) error { return h.net.Sleep(ctx, h.owner, d) }

// SleepUntil waits until a time since the start of the run, or until ctx ends; then it returns ctx's cause.
func (h *Host) SleepUntil(ctx context.Context, at time.Duration) error {
	return h.net.SleepUntil(ctx, h.owner, at)
}

// Close ends every wait on the host's sockets with net.ErrClosed. No new sockets can be made.
func (h *Host) Close() {
	if !h.muted.Swap(true) {
		close(h.gone)
	}
}

// Destroy ends the host's stack without a word to anybody. The engine must have stopped.
func (h *Host) Destroy() {
	h.Close()
	if h.stack == nil {
		return
	}
	h.resume()
	h.stack.Destroy()
}

// Gone is closed when the host goes: at the end of the run.
func (h *Host) Gone() <-chan struct{} { return h.gone }

// Speaks says which IP versions the host speaks.
func (h *Host) Speaks() (v4, v6 bool) { return h.ipv4, h.ipv6 }
