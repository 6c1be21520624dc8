package netlab

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"netlab/topology"
	"netlab/topology/expect"
)

// ShrinkOptions say how a failing schedule of faults is cut down.
type ShrinkOptions struct {
	// Play runs a lab and returns what became of its expectations. Up to Jobs calls are made at a time, and their context ends when the
	// answer is of no use any more. It has to give the same answer for the same faults. Nil runs the lab in this process, which only
	// one lab can do at a time.
	Play func(ctx context.Context, lab *Lab) ([]expect.Outcome, error)
	// Expect is the expectation that has to fail, counted from 1 as the file lists them. 0 means all that fail at first.
	Expect int
	// Jobs is how many runs are made at a time; 0 means 1. It doesn't change what comes out.
	Jobs int
	// Trials is how many runs are made at most; 0 means as many as it takes. Runs that were begun ahead of their turn and turned out
	// not to be needed don't count.
	Trials int
	// Simplify says that faults that are left are made simpler too: once in place of again and again, always in place of with a
	// probability, for a shorter time.
	Simplify bool
	// Progress, when not nil, is called after each trial.
	Progress func(Trial)
}

// Trial is one run on the way to a smaller schedule.
type Trial struct {
	Number int  // from 1
	Faults int  // how many faults it had
	Failed bool // whether it failed as the whole schedule does
	Best   int  // how many faults the smallest schedule has so far that fails
}

// Shrunk is a schedule that was cut down.
type Shrunk struct {
	// Lab is the lab with the faults that are left.
	Lab *Lab
	// LeftOut are expectations about faults that were removed; the lab doesn't have them.
	LeftOut []string
	// Expect are the expectations that fail, with their values in the last run that failed.
	Expect []expect.Outcome
	// Kept and Removed are the places of faults in the list of the lab that was shrunk.
	Kept, Removed []int
	// Simplified are the places of faults that are left and were made simpler.
	Simplified []int
	// Trials is how many runs it took, the first one included.
	Trials int
	// Minimal says that without any one of the faults that are left the lab doesn't fail any more. It is false when there were too
	// many trials.
	Minimal bool
}

// ErrNothingFails is what [Lab.Shrink] returns for a lab that doesn't fail.
var ErrNothingFails = errors.New("nothing fails")

// Shrink finds a small part of the lab's faults with which it still fails: none of what is left can be taken away. It is the
// algorithm ddmin of Zeller and Hildebrandt ("Simplifying and Isolating Failure-Inducing Input", IEEE Transactions on Software
// Engineering 28, 2002, section 3), whose answer needn't be the smallest of all.
//
// A lab fails as it did at first when every expectation is false that was false at first, or the one that the options name. One that
// can't be decided isn't false; others may do what they like, and those about a fault go with it. A part of the faults that is no valid schedule, such as a restart
// without the crash before it, doesn't fail.
//
// The error is [ErrNothingFails] if the lab with all of its faults doesn't fail. When ctx ends, or a run can't be made, there is an
// error, and what was found so far if there is anything.
func (l *Lab) Shrink(ctx context.Context, o *ShrinkOptions) (*Shrunk, error) {
	if o == nil {
		o = &ShrinkOptions{}
	}
	expects := len(l.topology.Expect)
	switch {
	case expects == 0:
		return nil, errors.New("the lab expects nothing, so it can't fail: give the file an expectation")
	case o.Expect < 0 || o.Expect > expects:
		return nil, fmt.Errorf("found expectation %d, wanted 1 to %d", o.Expect, expects)
	case o.Jobs > 1 && o.Play == nil:
		return nil, fmt.Errorf("found %d jobs, wanted 1: only one lab can run in this process", o.Jobs)
	case o.Jobs < 0:
		return nil, fmt.Errorf("found %d jobs, wanted 1 or more", o.Jobs)
	case o.Trials < 0:
		return nil, fmt.Errorf("found %d trials, wanted 1 or more", o.Trials)
	}
	t := &trials{lab: l, play: o.Play, wanted: o.Expect}
	if t.play == nil {
		t.play = playHere
	}
	if err := t.first(ctx); err != nil {
		return nil, err
	}
	s := &shrinker{fails: t.fails, jobs: max(o.Jobs, 1), limit: o.Trials, progress: o.Progress}
	s.begin(l.topology.Faults)
	left, err := s.shrink(ctx, l.topology.Faults, o.Simplify)
	out := &Shrunk{Trials: s.count, Minimal: s.minimal, Expect: t.failure(left.faults())}
	for i := range l.topology.Faults {
		at := slices.IndexFunc(left, func(p part) bool { return p.index == i })
		if at < 0 {
			out.Removed = append(out.Removed, i)
			continue
		}
		out.Kept = append(out.Kept, i)
		if left[at].simpler {
			out.Simplified = append(out.Simplified, i)
		}
	}
	var failed error
	out.Lab, out.LeftOut, failed = l.smaller(left.faults(), t.failing)
	return out, errors.Join(err, failed)
}

// withFaults returns the lab with other faults and expectations in place of its own.
func (l *Lab) withFaults(faults []topology.Fault, expect []string) (*Lab, error) {
	t := *l.topology
	t.Faults, t.Expect = faults, expect
	lab, err := New(&t)
	if err != nil {
		return nil, err
	}
	lab.variant = l.variant
	return lab, nil
}

// smaller returns the lab with the faults that are left, and the expectations that are about others and therefore left out.
func (l *Lab) smaller(faults []topology.Fault, failing []string) (lab *Lab, leftOut []string, err error) {
	if lab, err = l.withFaults(faults, failing); err != nil {
		return nil, nil, err
	}
	var kept []string
	for _, text := range l.topology.Expect {
		if _, err := checkExpect(lab.topology, text); err != nil {
			leftOut = append(leftOut, text)
		} else {
			kept = append(kept, text)
		}
	}
	lab, err = l.withFaults(faults, kept)
	return lab, leftOut, err
}

// playHere runs a lab in this process.
func playHere(ctx context.Context, lab *Lab) ([]expect.Outcome, error) {
	results, err := lab.Run(ctx, nil, nil)
	if err != nil {
		return nil, err
	}
	return results.Expect, nil
}
