package netlab

import (
	"fmt"

	"netlab/netem"
	"netlab/topology"
)

// Inject does what a fault says, from now on: Fault.At counts from the call. A fault with For ends by itself, one with Every happens
// again, and [Injection.Remove] ends it early. Names and patterns are those of the file. A fault without a name gets one for the
// results. Once the run is over it is an error.
func (r *Run) Inject(f topology.Fault) (*Injection, error) {
	if r.isFrozen() {
		return nil, errEnded
	}
	type outcome struct {
		active *activeFault
		err    error
	}
	done := make(chan outcome, 1)
	r.engine.AfterFunc(r.owner, netem.KindControl, 0, func() {
		resolved, err := r.lab.topology.ResolveFault(f, r.faultsSoFar())
		if err != nil {
			done <- outcome{err: err}
			return
		}
		now := r.engine.Elapsed()
		if whole := r.lab.topology.Duration.Std(); whole > 0 && now+f.At.Std() >= whole {
			done <- outcome{err: fmt.Errorf("at: found %s at %v, wanted less than the %v that are left of the run", f.At, now, whole-now)}
			return
		}
		a := r.newFault(&resolved)
		if f.At > 0 {
			a.at(now + f.At.Std())
		} else {
			if err = a.occur(now); err != nil {
				r.faults = r.faults[:len(r.faults)-1] // as if it had never been asked for
			}
		}
		done <- outcome{a, err}
	})
	select {
	case o := <-done:
		if o.err != nil {
			return nil, o.err
		}
		return &Injection{r, o.active}, nil
	case <-r.ctx.Done():
		return nil, errEnded
	}
}

// faultsSoFar are those of the file and the injected ones.
func (r *Run) faultsSoFar() []topology.Fault {
	list := make([]topology.Fault, len(r.faults))
	for i, a := range r.faults {
		list[i] = *a.fault
	}
	return list
}

// Injection is a fault that [Run.Inject] injected.
type Injection struct {
	run   *Run
	fault *activeFault
}

// Name is the fault's name in results and captures.
func (i *Injection) Name() string { return i.fault.fault.Name }

// Remove ends the fault: it puts back what the fault changed, and the fault doesn't happen again. Once is enough, and after the end
// of the run it does nothing.
func (i *Injection) Remove() {
	i.do(i.fault.remove)
}

// Stats returns how often the fault has happened and, for a rule, how many packets it has matched and hit. It is for the time of the
// run; what it came to is in [Results.Faults].
func (i *Injection) Stats() FaultResult {
	if i.run.isFrozen() {
		return i.fault.result() // nothing changes any more
	}
	var res FaultResult
	i.do(func() { res = i.fault.result() })
	return res
}

// Hits is the number of packets that a rule has acted on so far, 0 for other faults; see [Injection.Stats].
func (i *Injection) Hits() uint64 {
	if s := i.Stats(); s.RuleStats != nil {
		return s.Hits
	}
	return 0
}

// do runs fn in the engine's loop, unless the run is over: its channels are then out of reach.
func (i *Injection) do(fn func()) {
	if i.run.isFrozen() {
		return
	}
	done := make(chan struct{})
	i.run.engine.AfterFunc(i.run.owner, netem.KindControl, 0, func() {
		fn()
		close(done)
	})
	select {
	case <-done:
	case <-i.run.ctx.Done():
	}
}

// String names the fault.
func (i *Injection) String() string { return fmt.Sprintf("%s (%s)", i.Name(), i.fault.fault.Verb()) }
