package ip

import "netlab/netem"

// Pause lets the host stand still, as a long garbage collection or a virtual machine that is stopped does, until [Host.Resume].
// Frames that arrive wait and are in flight meanwhile. Timers of its stack, deadlines, and goroutines that Sleep, Go or a frame would
// wake wait too. Go's own timers fire, since a library may have set them; but what the goroutines then send waits. Frames that a link
// has taken already go on.
//
// Pausing a host that is paused or gone does nothing. Only the engine's loop may call it.
func (h *Host) Pause() {
	if h.Alive() && h.suspended.CompareAndSwap(false, true) {
		h.net.Suspend(h.owners()...)
	}
}

// Resume lets a paused host go on. What has waited happens now, in the order in which it would have happened: frames are received and
// timers fire, those that are overdue late. Resuming a host that isn't paused does nothing. Only the engine's loop may call it.
func (h *Host) Resume() {
	if h.suspended.CompareAndSwap(true, false) {
		h.net.Unsuspend(h.owners()...)
	}
}

// Paused says whether the host stands still.
func (h *Host) Paused() bool { return h.suspended.Load() }

// owners are whom the host's events and the frames at its ports belong to.
func (h *Host) owners() []netem.Owner {
	list := []netem.Owner{h.owner}
	for _, i := range h.interfaces {
		list = append(list, i.Port.Owner())
	}
	return list
}
