package netlab

import (
	"fmt"
	"math/rand/v2"
	"time"

	"netlab/internal/random"
	"netlab/netem"
	"netlab/topology"
)

// activeFault is a fault of the file, or one that was injected, from when it is scheduled on. The engine's loop alone uses it.
type activeFault struct {
	run    *Run
	fault  *topology.Fault
	random *rand.Rand

	times, skipped int
	undo           func()          // puts back what the present occurrence changed, nil between occurrences
	end            *netem.Timer    // of the present occurrence
	next           *netem.Timer    // the next occurrence
	rule           *netem.Rule     // in force
	before         netem.RuleStats // of the rules of earlier occurrences
}

// newFault prepares a fault of which everything was checked. Its random choices come from a stream of its own.
func (r *Run) newFault(f *topology.Fault) *activeFault {
	a := &activeFault{run: r, fault: f, random: random.Stream(r.lab.topology.Seed, "faults."+f.Name, 0)}
	r.faults = append(r.faults, a)
	return a
}

// scheduleFaults puts the topology's faults on the engine's queue.
func (r *Run) scheduleFaults() {
	for i := range r.lab.topology.Faults {
		a := r.newFault(&r.lab.topology.Faults[i])
		a.at(time.Duration(a.fault.At))
	}
}

// at schedules an occurrence.
func (a *activeFault) at(t time.Duration) {
	a.next = a.run.engine.At(a.run.owner, netem.KindControl, t, func() {
		if a.run.isFrozen() {
			return
		}
		if err := a.occur(t); err != nil {
			a.run.fail(fmt.Errorf("fault %s: %w", a.fault.Name, err))
		}
	})
}

// occur makes the fault happen at a time, unless its probability says no, and schedules its end and its next occurrence. What it
// draws is the same whether it happens or not.
func (a *activeFault) occur(t time.Duration) error {
	f := a.fault
	happens := f.Probability == nil || a.random.Float64() < float64(*f.Probability)
	lasts := f.For.Sample(a.random)
	period := f.Every.Sample(a.random)
	if happens {
		undo, err := a.run.begin(a)
		if err != nil {
			return err
		}
		a.times++
		a.undo = undo
		if !f.For.IsZero() {
			a.end = a.run.engine.At(a.run.owner, netem.KindControl, t+lasts, a.finish)
		}
	} else {
		a.skipped++
	}
	if f.Every.IsZero() || f.Times > 0 && a.times+a.skipped >= f.Times {
		return nil
	}
	if !f.For.IsZero() {
		period = max(period, lasts)
	}
	a.at(t + max(period, 1)) // time moves on, whatever the distribution
	return nil
}

// finish ends the present occurrence.
func (a *activeFault) finish() {
	if a.run.isFrozen() {
		return
	}
	if a.undo != nil {
		a.undo()
		a.undo = nil
	}
	if a.rule != nil {
		a.before = a.ruleStats()
		a.rule.Remove()
		a.rule = nil
	}
}

// remove ends the fault for good.
func (a *activeFault) remove() {
	for _, t := range []*netem.Timer{a.end, a.next} {
		if t != nil {
			t.Stop()
		}
	}
	a.finish()
}

// ruleStats are the counters of all rules that the fault has had.
func (a *activeFault) ruleStats() netem.RuleStats {
	s := a.before
	if a.rule != nil {
		now := a.rule.Stats()
		s.Matches += now.Matches
		s.Hits += now.Hits
		s.Bytes += now.Bytes
	}
	return s
}

// isFrozen says whether the results stand: what happens now is of no consequence.
func (r *Run) isFrozen() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.frozen
}

// begin does what a fault says and returns what puts it back, nil if nothing can.
func (r *Run) begin(a *activeFault) (undo func(), err error) {
	f := a.fault
	switch verb := f.Verb(); verb {
	case "cut", "restore", "flap", "set":
		return r.linkFault(verb, f, a)
	case "partition":
		p, err := r.partition(f)
		if err != nil {
			return nil, err
		}
		return func() { r.net.Heal(p) }, nil
	case "heal":
		return nil, r.heal(f.Heal)
	case "":
		return nil, fmt.Errorf("a fault has exactly one verb: want one")
	default:
		if f.IsRule() {
			a.rule, err = r.addRule(f)
			return nil, err
		}
		return r.nodeFault(verb, f)
	}
}

// FaultResult is what became of a fault.
type FaultResult struct {
	Verb string `json:"verb"`
	// Times is how often it happened, Skipped how often its probability said no.
	Times   int `json:"times"`
	Skipped int `json:"skipped"`
	// The counters of a rule, nil for other faults.
	*netem.RuleStats
}

// result reports on a fault.
func (a *activeFault) result() FaultResult {
	res := FaultResult{Verb: a.fault.Verb(), Times: a.times, Skipped: a.skipped}
	if a.fault.IsRule() {
		s := a.ruleStats()
		res.RuleStats = &s
	}
	return res
}
