package ip

import (
	"context"
	"io/fs"
	"math"
	"time"

	"netlab/internal/random"
	"netlab/netem"
)

// operation is something that a disk is asked to do.
type operation struct {
	host    *Host
	name    string // such as write
	path    string
	latency time.Duration
	size    func(s *storage) int   // how many bytes are moved, asked when it begins; nil means none
	apply   func(s *storage) error // does it, at its end
	fate    syncFate               // of a sync, from when it begins
	done    chan struct{}          // nil while nobody waits
	ended   bool
	left    bool // nobody waits for it any more
	err     error
}

// do carries out an operation when it is its turn.
func (d *Disk) do(ctx context.Context, o *operation) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s := &d.host.machine.disk
	if wait, err := d.ask(s, o); !wait {
		return err
	}
	select {
	case <-o.done:
	case <-d.host.gone:
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.ended {
		return o.err
	}
	o.left = true
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return d.host.Err()
}

// ask puts an operation into the queue, and says whether its end has to be waited for.
func (d *Disk) ask(s *storage, o *operation) (wait bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := d.host.Err(); err != nil {
		return false, err
	}
	if d.random == nil {
		d.random = random.Stream(d.host.net.Seed(), "nodes."+d.host.name+".disk", d.host.incarnation)
	}
	o.host = d.host
	o.latency = s.config.Latency.Sample(d.random)
	if o.name == "sync" {
		o.latency = add(o.latency, s.config.Sync.Sample(d.random))
	}
	s.queue = append(s.queue, o)
	if len(s.queue) == 1 {
		s.begin(d.host.net.Elapsed())
	}
	if o.ended {
		return false, o.err
	}
	o.done = make(chan struct{}, 1)
	return true, nil
}

// begin carries out operations until there is one that takes time. The mutex is held.
func (s *storage) begin(now time.Duration) {
	for len(s.queue) > 0 {
		o := s.queue[0]
		if o.left {
			s.queue = s.queue[1:]
			continue
		}
		d := o.latency
		if o.name == "sync" {
			if o.fate = s.syncFate(o.host); o.fate == syncSkipped {
				d = 0
			}
		}
		if o.size != nil {
			d = add(d, s.config.Rate.TransmitTime(o.size(s)))
		}
		if d = times(d, s.factor); d > 0 {
			// Elapsed is later than that if the host was paused.
			s.timer = o.host.net.At(o.host.owner, netem.KindWake, add(now, d), func() { s.next(o.host.net.Elapsed()) })
			return
		}
		s.end(o)
	}
}

// next ends the operation that is being carried out and begins others. The engine's loop calls it.
func (s *storage) next(now time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return // on the machine's clock the host may just have crashed
	}
	s.end(s.queue[0])
	s.begin(now)
}

// end lets the first operation of the queue take effect.
func (s *storage) end(o *operation) {
	s.queue[0] = nil
	s.queue = s.queue[1:]
	s.stats.Operations++
	if err := o.apply(s); err != nil {
		s.stats.Errors++
		o.err = &fs.PathError{Op: o.name, Path: o.path, Err: err}
	}
	o.ended = true
	if o.done != nil {
		o.host.net.Wake(o.done)
	}
}

// fence is a crash of the host: what is in the queue isn't carried out, and what isn't synced is lost.
func (s *storage) fence(h *Host) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
	}
	s.queue = nil
	s.used = 0
	if s.faults.tear {
		s.tear(h)
	}
	for _, f := range s.files {
		s.stats.BytesLost += uint64(f.dirty())
		f.settle(f.synced)
		s.used += int64(len(f.data))
	}
}

// add is a+b, or the end of time. Neither is negative.
func add(a, b time.Duration) time.Duration {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
