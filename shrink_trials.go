package netlab

import (
	"context"
	"fmt"
	"sync"

	"netlab/topology"
	"netlab/topology/expect"
)

// trials plays a lab with parts of its faults.
type trials struct {
	lab    *Lab
	play   func(context.Context, *Lab) ([]expect.Outcome, error)
	wanted int // an expectation, from 1; 0 is all that fail at first

	failing []string // expectations that have to fail

	mu       sync.Mutex
	outcomes map[string][]expect.Outcome // what became of them in runs that failed, by faults
}

// first runs the lab with all of its faults and finds out what fails.
func (t *trials) first(ctx context.Context) error {
	t.outcomes = map[string][]expect.Outcome{}
	outcomes, err := t.run(ctx, t.lab)
	if err != nil {
		return err
	}
	var failed []expect.Outcome
	for i, o := range outcomes {
		if !o.Holds && !o.Inconclusive && (t.wanted == 0 || t.wanted == i+1) {
			failed = append(failed, o)
			t.failing = append(t.failing, t.lab.topology.Expect[i])
		}
	}
	if t.failing == nil {
		if t.wanted == 0 {
			return fmt.Errorf("%w: every expectation holds or can't be decided", ErrNothingFails)
		}
		o := outcomes[t.wanted-1]
		if o.Inconclusive {
			return fmt.Errorf("%w: %s can't be decided: %s", ErrNothingFails, o.Text, o.Reason)
		}
		return fmt.Errorf("%w: %s holds", ErrNothingFails, o.Text)
	}
	t.note(t.lab.topology.Faults, failed)
	return nil
}

// run plays a lab with some of the faults.
func (t *trials) run(ctx context.Context, lab *Lab) ([]expect.Outcome, error) {
	outcomes, err := t.play(ctx, lab)
	if err != nil {
		return nil, fmt.Errorf("a run with %d of %d faults: %w", len(lab.topology.Faults), len(t.lab.topology.Faults), err)
	}
	if found, wanted := len(outcomes), len(lab.topology.Expect); found != wanted {
		return nil, fmt.Errorf("a run with %d of %d faults decided %d expectations, wanted %d", len(lab.topology.Faults), len(t.lab.topology.Faults), found, wanted)
	}
	return outcomes, nil
}

// fails says whether the lab with these faults fails as it did at first.
func (t *trials) fails(ctx context.Context, faults []topology.Fault) (bool, error) {
	lab, err := t.lab.withFaults(faults, t.failing)
	if err != nil {
		return false, nil // what is left of the schedule makes no sense
	}
	outcomes, err := t.run(ctx, lab)
	if err != nil {
		return false, err
	}
	for _, o := range outcomes {
		if o.Holds || o.Inconclusive {
			return false, nil
		}
	}
	t.note(faults, outcomes)
	return true, nil
}

// note keeps the outcomes of a run that failed.
func (t *trials) note(faults []topology.Fault, outcomes []expect.Outcome) {
	t.mu.Lock()
	t.outcomes[faultsKey(faults)] = outcomes
	t.mu.Unlock()
}

// failure returns what failed in the run with these faults.
func (t *trials) failure(faults []topology.Fault) []expect.Outcome {
	return t.outcomes[faultsKey(faults)]
}
