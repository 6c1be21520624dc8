package tier

import (
	"math"
	"strconv"
	"time"
)

// Where the answer to a read comes from, as the field X-Cache says it.
const (
	fromCache  = "hit"
	fromStore  = "miss"
	fromBuffer = "buffer"
)

// lockPrefix is what locks in the cache are called by.
const lockPrefix = "lock:"

// read finds a key, and says where.
func (s *server) read(key string) (e entry, from string, err error) {
	if s.config.Strategy == None {
		e, err = s.load(key)
		return e, fromStore, err
	}
	if e, ok := s.inBuffer(key); ok {
		s.count(func(r *Result) { r.Hits++ })
		return e, fromBuffer, nil
	}
	e, ok := s.cacheGet(key)
	early := ok && s.early(&e)
	s.count(func(r *Result) {
		switch {
		case early:
			r.EarlyRefreshes++
			r.Hits++
		case !ok:
			r.Misses++
		default:
			r.Hits++
			if !e.found {
				r.NegativeHits++
			}
		}
	})
	if ok && !early {
		return e, fromCache, nil
	}
	switch s.config.Stampede {
	case SingleFlight:
		e, err = s.loadOnce(key)
	case Lock:
		return s.loadLocked(key)
	default:
		e, err = s.fill(key)
	}
	return e, fromStore, err
}

// early says whether a key that is in the cache is to be loaded again (XFetch).
func (s *server) early(e *entry) bool {
	if s.config.Stampede != EarlyRefresh || e.expires == 0 {
		return false
	}
	s.mu.Lock()
	u := 1 - s.random.Float64() // more than 0
	s.mu.Unlock()
	ahead := -float64(e.delta) * s.config.Beta * math.Log(u)
	return float64(s.env.Elapsed())+ahead >= float64(e.expires)
}

// load reads a key from the store and counts how many do so at once.
func (s *server) load(key string) (entry, error) {
	s.mu.Lock()
	s.loads[key]++
	s.result.StampedePeak = max(s.result.StampedePeak, s.loads[key])
	s.mu.Unlock()
	e, err := s.storeGet(key)
	s.mu.Lock()
	if s.loads[key]--; s.loads[key] == 0 {
		delete(s.loads, key)
	}
	s.mu.Unlock()
	return e, err
}

// fill loads a key and puts it into the cache.
func (s *server) fill(key string) (entry, error) {
	e, err := s.load(key)
	if err == nil {
		s.cacheSet(key, &e)
	}
	return e, err
}

// flight is a load that others wait for.
type flight struct {
	waiting []chan struct{}
	entry   entry
	err     error
}

// loadOnce is fill, once for all who ask for the same key meanwhile.
func (s *server) loadOnce(key string) (entry, error) {
	s.mu.Lock()
	if f := s.flights[key]; f != nil {
		done := make(chan struct{}, 1)
		f.waiting = append(f.waiting, done)
		s.result.Coalesced++
		s.mu.Unlock()
		<-done // the load ends with the host at the latest
		return f.entry, f.err
	}
	f := new(flight)
	s.flights[key] = f
	s.mu.Unlock()
	f.entry, f.err = s.fill(key)
	s.mu.Lock()
	delete(s.flights, key)
	s.mu.Unlock()
	s.env.Host.Network().WakeTogether(f.waiting)
	return f.entry, f.err
}

// loadLocked is fill by the one who has the key's lock in the cache; the others look again until the key is there. Who has waited for
// as long as a lock lasts, or finds the cache gone, loads the key all the same.
func (s *server) loadLocked(key string) (e entry, from string, err error) {
	began := s.env.Elapsed()
	limit := s.config.LockTime.Std()
	for {
		reply, ok := s.cacheDo("SET", lockPrefix+key, s.env.Host.Name(), "NX", "PX", milliseconds(limit))
		if !ok || reply.OK() || s.env.Elapsed()-began >= limit {
			start := s.env.Elapsed()
			e, err = s.fill(key)
			if ok && reply.OK() && s.env.Elapsed()-start < limit { // else it may be another one's by now
				s.cacheDo("DEL", lockPrefix+key)
			}
			return e, fromStore, err
		}
		if err = s.env.Sleep(s.life, s.config.LockWait.Std()); err != nil {
			return e, fromStore, err
		}
		if e, ok = s.cacheGet(key); ok {
			s.count(func(r *Result) { r.Coalesced++ })
			return e, fromCache, nil
		}
	}
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
