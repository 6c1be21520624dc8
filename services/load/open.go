package load

import (
	"sync"
	"time"

	"netlab/netem"
)

// openLoop makes the host's requests when they are due. An event of the engine's queue stands for the next one: it wakes somebody
// who has nothing to do, or asks for somebody new, and is set for the request after it.
func (h *host) openLoop() {
	o := &openLoop{host: h, done: make(chan struct{}),
		arrivals: newArrivals(h.config, h.env.Index, h.env.Count, h.env.Stream("arrivals"))}
	o.mu.Lock()
	o.timer = h.env.Host.Network().NewTimer(h.env.Host.Owner(), netem.KindWake, o.fire)
	o.planLocked()
	o.endLocked()
	o.mu.Unlock()
	select {
	case <-o.done:
	case <-h.ctx.Done():
		o.stop()
	}
	h.env.Wait()
	for _, c := range o.clients {
		if c != nil {
			c.Close() // one after the other, so that what they send is the same in every run
		}
	}
}

// openLoop is the open loop of one host.
type openLoop struct {
	*host
	done chan struct{} // closed when nothing is left to do

	mu       sync.Mutex
	timer    *netem.Timer
	arrivals *arrivals
	due      time.Duration // of the next request
	over     bool          // there is no next request
	waiting  []time.Duration
	idle     []chan time.Duration // who has nothing to do, the one who was busy last at the end
	clients  []Client
	busy     int
	ended    bool
}

// fire is called when a request is due.
func (o *openLoop) fire() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over {
		return
	}
	due := o.due
	free := o.busy < o.config.maxInFlight()
	o.tally.arrive(due, !free)
	switch {
	case !free:
		o.waiting = append(o.waiting, due)
	case len(o.idle) > 0:
		o.busy++
		last := len(o.idle) - 1
		o.idle[last] <- due // it has room for one
		o.idle = o.idle[:last]
	default:
		o.busy++
		index := len(o.clients)
		o.clients = append(o.clients, nil)
		o.env.Go(func() { o.work(index, due) })
	}
	o.planLocked()
}

// planLocked sets the timer for the next request.
func (o *openLoop) planLocked() {
	at, ok := o.arrivals.next()
	if !ok {
		o.over = true
		return
	}
	o.due = o.start + at
	o.timer.ResetAt(o.due)
}

// stop ends arrivals.
func (o *openLoop) stop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.over = true
	o.timer.Stop()
}

// work makes requests, the first of which is due now, until the loop ends.
func (o *openLoop) work(index int, due time.Duration) {
	_, client := o.user(index)
	if client == nil {
		return
	}
	o.mu.Lock()
	o.clients[index] = client
	o.mu.Unlock()
	turn := make(chan time.Duration, 1)
	for {
		o.request(client, due)
		next, ok := o.next(turn)
		if !ok {
			select {
			case next, ok = <-turn:
			case <-o.ctx.Done():
			case <-o.done:
			}
			if !ok {
				return
			}
		}
		due = next
	}
}

// next returns the request that has waited longest. If there is none, whoever asks will be told on turn when one is due.
func (o *openLoop) next(turn chan time.Duration) (due time.Duration, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.waiting) > 0 && o.ctx.Err() == nil {
		due = o.waiting[0]
		o.waiting = o.waiting[1:]
		return due, true
	}
	o.busy--
	o.idle = append(o.idle, turn)
	o.endLocked()
	return 0, false
}

// endLocked ends the loop when nothing is left to do.
func (o *openLoop) endLocked() {
	if o.over && o.busy == 0 && len(o.waiting) == 0 && !o.ended {
		o.ended = true
		close(o.done)
	}
}
