package ip

import (
	"context"
	"math"
	"net"
	"time"

	"netlab/netem"
)

// resume lets the stack's workers run; in virtual time they stand still otherwise, because synctest doesn't count them as
// idle. Only the engine's loop may call it.
func (h *Host) resume() {
	if h.paused && !h.destroyed {
		h.paused = false
		h.stack.Resume()
	}
}

// pause returns when the stack's workers have done what there was to do.
func (h *Host) pause() {
	if !h.paused && !h.destroyed && !h.net.RealTime() {
		h.paused = true
		h.stack.Pause()
	}
}

// awake runs fn while the stack's workers run, unless there is no stack any more. Only the engine's loop may call it.
func (h *Host) awake(fn func()) {
	if h.destroyed {
		return
	}
	h.resume()
	fn()
	h.pause()
}

// Kick lets the stack's workers do what a socket call left for them, in an event of its own. Sockets call it after
// closing.
func (h *Host) Kick() {
	if h.net.RealTime() || h.crashed() {
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

// Sleep waits for d of the lab's time, or until ctx ends or the host goes; then it returns ctx's cause or [Host.Err].
func (h *Host) Sleep(ctx context.Context, d time.Duration) error {
	now := h.net.Elapsed()
	at := now + max(d, 0)
	if at < now { // beyond the end of time
		at = math.MaxInt64
	}
	return h.SleepUntil(ctx, at)
}

// SleepUntil waits until a time since the start of the run, like [Host.Sleep].
func (h *Host) SleepUntil(ctx context.Context, at time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := h.Err(); err != nil {
		return err
	}
	woken := make(chan struct{})
	t := h.net.At(h.owner, netem.KindWake, at, func() { close(woken) })
	select {
	case <-woken:
		return nil
	case <-ctx.Done():
		t.Stop()
		return context.Cause(ctx)
	case <-h.gone:
		t.Stop()
		return h.Err()
	}
}

// The states of a host.
const (
	hostUp int32 = iota
	hostClosed
	hostCrashed
)

// Alive says whether the host runs: it hasn't crashed, and the run isn't over.
func (h *Host) Alive() bool { return h.state.Load() == hostUp }

// crashed says whether the host is down. Unlike one that was closed it leaves nothing to its stack.
func (h *Host) crashed() bool { return h.state.Load() == hostCrashed }

// Gone is closed when the host goes: when it crashes, or at the end of the run.
func (h *Host) Gone() <-chan struct{} { return h.gone }

// Err says why the host is gone: [ErrHostDown] after a crash, net.ErrClosed at the end of the run. It is nil while the host is
// alive.
func (h *Host) Err() error {
	switch h.state.Load() {
	case hostCrashed:
		return ErrHostDown
	case hostClosed:
		return net.ErrClosed
	}
	return nil
}

// Close ends every wait on the host's sockets with net.ErrClosed. No new sockets can be made. A host that is paused goes on, so that
// its goroutines can end.
func (h *Host) Close() {
	if h.state.CompareAndSwap(hostUp, hostClosed) {
		close(h.gone)
		h.Resume()
	}
}

// Destroy ends the host's stack without a word to anybody. The engine must have stopped.
func (h *Host) Destroy() {
	h.Close()
	h.destroy()
}

// destroy ends the stack of a host that is gone. Only the engine's loop may call it.
func (h *Host) destroy() {
	if h.stack == nil || h.destroyed {
		return
	}
	h.resume()
	h.destroyed = true
	h.stack.Close()
	if h.net.RealTime() && h.crashed() {
		// Somebody may just be opening a connection, which the stack would wait for in vain.
		go h.stack.Wait()
		return
	}
	h.stack.Wait()
}

// Speaks says which IP versions the host speaks.
func (h *Host) Speaks() (v4, v6 bool) { return h.ipv4, h.ipv6 }
