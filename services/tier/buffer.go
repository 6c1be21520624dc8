package tier

import (
	"context"
	"net"
	"slices"
	"sync/atomic"
)

// buffer holds what write-back has acknowledged and not yet written to the store. The server's mutex is for it, too.
type buffer struct {
	dirty  map[string]*dirty
	oldest []*dirty        // in the order in which they became dirty; some are clean by now
	full   chan struct{}   // there are as many as a batch
	room   []chan struct{} // of those who wait for a place
}

// dirty is a key in the buffer.
type dirty struct {
	key      string
	entry    entry
	flushed  uint64   // version that the store has
	unsafe   []uint64 // versions that were acknowledged and that the store does not have
	flushing bool     // it is on its way to the store
	clean    bool     // it has left the buffer
}

func newBuffer() buffer {
	return buffer{dirty: map[string]*dirty{}, full: make(chan struct{}, 1)}
}

// inBuffer finds a key in the buffer.
func (s *server) inBuffer(key string) (entry, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.dirty[key]; d != nil {
		return d.entry, true
	}
	return entry{}, false
}

// dirtied puts a value into the buffer, when there is room.
func (s *server) dirtied(key string, e *entry) error {
	s.mu.Lock()
	for s.dirty[key] == nil && len(s.dirty) >= s.config.MaxDirty {
		if err := s.makeRoom(); err != nil {
			s.mu.Unlock()
			return err
		}
	}
	defer s.mu.Unlock()
	d := s.dirty[key]
	if d == nil {
		d = &dirty{key: key}
		s.dirty[key] = d
		s.oldest = append(s.oldest, d)
		s.buffered.DirtyMax = max(s.buffered.DirtyMax, len(s.dirty))
	} else {
		s.buffered.Combined++
	}
	if e.version > d.entry.version { // a later write may have come first, where both waited for room
		d.entry = *e
	}
	if s.config.FlushBatch > 0 && len(s.dirty) >= s.config.FlushBatch {
		select {
		case s.full <- struct{}{}:
		default:
		}
	}
	return nil
}

// promised notes that a write has been acknowledged. The mutex is held.
func (s *server) promised(key string, version uint64) {
	if d := s.dirty[key]; d != nil && version > d.flushed {
		d.unsafe = append(d.unsafe, version)
	}
}

// makeRoom writes the oldest key to the store, or waits until one that is on its way has got there. The mutex is held before and after.
func (s *server) makeRoom() error {
	if i := slices.IndexFunc(s.oldest, func(d *dirty) bool { return !d.clean && !d.flushing }); i >= 0 {
		d := s.oldest[i]
		s.buffered.EvictionWrites++
		s.mu.Unlock()
		err := s.flush(d)
		s.mu.Lock()
		return err
	}
	wait := make(chan struct{}, 1)
	s.room = append(s.room, wait)
	s.mu.Unlock()
	<-wait // flush wakes it, at the latest when the host goes down
	s.mu.Lock()
	return context.Cause(s.life)
}

// flush writes a key to the store. If it was written again meanwhile it stays dirty.
func (s *server) flush(d *dirty) error {
	if s.env.Over(s.life) {
		return net.ErrClosed
	}
	s.mu.Lock()
	if d.clean || d.flushing {
		s.mu.Unlock()
		return nil
	}
	d.flushing = true
	e := d.entry
	s.mu.Unlock()
	err := s.storePut(d.key, &e)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil || s.env.Host.Alive() {
		d.flushing = false // otherwise nobody knows whether it got there
	}
	if err == nil {
		d.flushed = e.version
		d.unsafe = slices.DeleteFunc(d.unsafe, func(version uint64) bool { return version <= e.version })
		if d.entry.version == e.version {
			s.clean(d)
		}
	}
	waiting := s.room
	s.room = nil
	s.env.Host.Network().WakeTogether(waiting)
	return err
}

// clean takes a key out of the buffer.
func (s *server) clean(d *dirty) {
	d.clean = true
	delete(s.dirty, d.key)
	for len(s.oldest) > 0 && s.oldest[0].clean {
		s.oldest[0] = nil
		s.oldest = s.oldest[1:]
	}
}

// flushes writes the buffer to the store, a flush_interval after the last time or as soon as there is a batch.
func (s *server) flushes(ctx context.Context) {
	for {
		interval, cancel := s.env.WithTimeout(ctx, s.config.FlushInterval.Std())
		batch := false
		select {
		case <-s.full:
			batch = true
		case <-interval.Done():
		}
		cancel()
		if ctx.Err() != nil {
			return
		}
		s.flushAll(batch)
	}
}

// flushAll writes what is in the buffer to the store, the oldest first and several at a time.
func (s *server) flushAll(batch bool) {
	s.mu.Lock()
	var list []*dirty
	for _, d := range s.oldest {
		if !d.clean && !d.flushing {
			list = append(list, d)
		}
	}
	if len(list) > 0 && batch {
		s.buffered.BatchFlushes++
	} else if len(list) > 0 {
		s.buffered.IntervalFlushes++
	}
	s.mu.Unlock()
	workers := min(s.config.FlushParallel, len(list))
	done := make(chan struct{}, workers)
	var next atomic.Int64
	for range workers {
		s.env.Go(func() {
			defer func() { done <- struct{}{} }()
			for i := next.Add(1) - 1; i < int64(len(list)) && s.life.Err() == nil; i = next.Add(1) - 1 {
				if err := s.flush(list[i]); err != nil && !s.env.Over(s.life) {
					s.env.WarnOnce("flush", "a write that was acknowledged can't be flushed yet", "key", list[i].key, "error", err)
				}
			}
		})
	}
	for range workers {
		<-done
	}
}

// lose counts what was in the buffer when the host crashed. The mutex is held.
func (s *server) lose() {
	for _, d := range s.dirty {
		lost := uint64(len(d.unsafe))
		s.buffered.LostWrites += lost
		if lost > 0 {
			s.buffered.LostKeys++
		}
		if d.flushing {
			s.buffered.UncertainWrites += lost
		}
	}
	s.buffer = newBuffer()
}
