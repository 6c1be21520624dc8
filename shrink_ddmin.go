package netlab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"netlab/topology"
	"netlab/units"
)

// errTrials ends the search for a smaller schedule.
var errTrials = errors.New("too many trials")

// part is a fault of the schedule that is cut down.
type part struct {
	index   int
	fault   topology.Fault
	simpler bool
}

// parts are a schedule.
type parts []part

func (p parts) faults() []topology.Fault {
	list := make([]topology.Fault, len(p))
	for i := range p {
		list[i] = p[i].fault
	}
	return list
}

// shrinker searches for a small schedule that fails.
type shrinker struct {
	fails    func(context.Context, []topology.Fault) (bool, error)
	jobs     int
	limit    int // of trials; 0 is none
	progress func(Trial)

	known   map[string]bool // answers by schedule
	count   int             // trials that were needed
	best    int             // faults of the smallest schedule that fails
	minimal bool
}

// begin notes that the whole schedule fails, which took a trial to find out.
func (s *shrinker) begin(faults []topology.Fault) {
	s.known, s.best = map[string]bool{}, len(faults)
	s.answer(faults, true)
}

// shrink returns a schedule that fails and from which nothing can be taken away. At an error it is the smallest that was found.
func (s *shrinker) shrink(ctx context.Context, faults []topology.Fault, simplify bool) (parts, error) {
	all := make(parts, len(faults))
	for i, f := range faults {
		all[i] = part{index: i, fault: f}
	}
	for {
		err := s.minimize(ctx, &all)
		changed := false
		if err == nil && simplify {
			changed, err = s.simplify(ctx, all)
		}
		switch {
		case errors.Is(err, errTrials):
			return all, nil
		case err != nil:
			return all, err
		case !changed:
			s.minimal = true
			return all, nil
		}
	}
}

// minimize is ddmin, with the empty schedule tried first: a lab may fail without any fault.
func (s *shrinker) minimize(ctx context.Context, all *parts) error {
	if len(*all) == 0 {
		return nil
	}
	if found, err := s.first(ctx, []parts{{}}); err != nil || found == 0 {
		if err == nil {
			*all = parts{}
		}
		return err
	}
	for n := 2; len(*all) > 1; {
		chunks := split(*all, n)
		candidates := chunks
		if n > 2 { // of two halves each is the rest without the other
			for i := range chunks {
				candidates = append(candidates, without(chunks[:n:n], i))
			}
		}
		found, err := s.first(ctx, candidates)
		switch {
		case err != nil:
			return err
		case found < 0 && n == len(*all):
			return nil
		case found < 0:
			n = min(2*n, len(*all))
		default:
			*all = candidates[found]
			if found < len(chunks) {
				n = 2
			} else {
				n = max(n-1, 2)
			}
			n = min(n, max(len(*all), 2))
		}
	}
	return nil
}

// split returns n parts of a schedule, as even as can be.
func split(all parts, n int) []parts {
	chunks := make([]parts, n)
	for i := range n {
		chunks[i] = all[i*len(all)/n : (i+1)*len(all)/n]
	}
	return chunks
}

// without joins all chunks but one.
func without(chunks []parts, i int) parts {
	var rest parts
	for j, c := range chunks {
		if j != i {
			rest = append(rest, c...)
		}
	}
	return rest
}

// simplify replaces faults of a schedule by simpler ones as long as it still fails.
func (s *shrinker) simplify(ctx context.Context, all parts) (changed bool, err error) {
	for i := range all {
		for step := 0; step < len(simpler); {
			f, ok := simpler[step](all[i].fault)
			if !ok {
				step++
				continue
			}
			try := append(parts(nil), all...)
			try[i].fault = f
			found, err := s.first(ctx, []parts{try})
			switch {
			case err != nil:
				return changed, err
			case found < 0:
				step++
			default:
				all[i].fault, all[i].simpler, changed = f, true, true
			}
		}
	}
	return changed, nil
}

// simpler are ways to make a fault simpler, each of which ends at some time.
var simpler = []func(topology.Fault) (topology.Fault, bool){
	func(f topology.Fault) (topology.Fault, bool) { // once
		ok := !f.Every.IsZero()
		f.Every, f.Times = units.Distribution{}, 0
		return f, ok
	},
	func(f topology.Fault) (topology.Fault, bool) { // for sure
		ok := f.Probability != nil
		f.Probability = nil
		return f, ok
	},
	func(f topology.Fault) (topology.Fault, bool) { // for half as long
		if f.For.IsZero() || !f.For.IsConstant() {
			return f, false
		}
		half := (f.For.Mean() / 2).Round(time.Millisecond)
		if half <= 0 || half >= f.For.Mean() {
			return f, false
		}
		f.For = units.Constant(half)
		return f, true
	},
}

// faultsKey tells schedules apart.
func faultsKey(faults []topology.Fault) string {
	key, err := json.Marshal(faults)
	if err != nil {
		panic(fmt.Sprintf("netlab: faults of a checked topology can't be written: %v", err))
	}
	return string(key)
}
