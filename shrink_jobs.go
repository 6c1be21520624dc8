package netlab

import (
	"context"
	"sync"

	"netlab/topology"
)

// guess is a trial that was begun.
type guess struct {
	fails bool
	err   error
	done  chan struct{}
}

// first returns the place of the first schedule that fails, -1 if none does. Trials of later ones are begun ahead of their turn when
// there are jobs for them, but count only when their turn comes: what is found, and how many trials it takes, is the same for any
// number of jobs.
func (s *shrinker) first(ctx context.Context, candidates []parts) (int, error) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	begun := make([]*guess, len(candidates))
	next, ahead := 0, 0
	for i, c := range candidates {
		for ; next < len(candidates) && ahead < s.jobs; next++ {
			faults := candidates[next].faults()
			if _, known := s.known[faultsKey(faults)]; known || s.limit > 0 && s.count+ahead >= s.limit {
				continue
			}
			begun[next] = s.start(ctx, &running, faults)
			ahead++
		}
		faults := c.faults()
		fails, known := s.known[faultsKey(faults)]
		if !known {
			if begun[i] == nil {
				if s.limit > 0 && s.count >= s.limit {
					return -1, errTrials
				}
				begun[i] = s.start(ctx, &running, faults) // there were too many ahead of it
				ahead++
			}
			<-begun[i].done
			ahead--
			if err := begun[i].err; err != nil {
				return -1, err
			}
			fails = begun[i].fails
			s.answer(faults, fails)
		} else if begun[i] != nil {
			ahead--
		}
		if fails {
			return i, nil
		}
	}
	return -1, nil
}

// start begins a trial.
func (s *shrinker) start(ctx context.Context, running *sync.WaitGroup, faults []topology.Fault) *guess {
	g := &guess{done: make(chan struct{})}
	running.Go(func() {
		defer close(g.done)
		g.fails, g.err = s.fails(ctx, faults)
	})
	return g
}

// answer notes what a trial found.
func (s *shrinker) answer(faults []topology.Fault, fails bool) {
	s.known[faultsKey(faults)] = fails
	s.count++
	if fails {
		s.best = min(s.best, len(faults))
	}
	if s.progress != nil {
		s.progress(Trial{Number: s.count, Faults: len(faults), Failed: fails, Best: s.best})
	}
}
