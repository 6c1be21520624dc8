package netlab

import (
	"time"

	"netlab/dns"
	"netlab/ip"
	"netlab/netem"
	"netlab/services"
	"netlab/services/slo"
	"netlab/topology"
	"netlab/topology/expect"
)

// Results are what a run found: results.json.
type Results struct {
	Run       RunResult                    `json:"run"`
	Nodes     topology.Map[NodeResult]     `json:"nodes"`
	Links     topology.Map[LinkResult]     `json:"links"`
	Workloads topology.Map[WorkloadResult] `json:"workloads"`
	Faults    topology.Map[FaultResult]    `json:"faults,omitzero"`
	Expect    []expect.Outcome             `json:"expect"`
}

// RunResult is about the run as a whole.
type RunResult struct {
	Name     string        `json:"name"`
	Variant  string        `json:"variant,omitempty"`
	Seed     uint64        `json:"seed"`
	Duration time.Duration `json:"duration_ns"` // virtual
	Ended    string        `json:"ended"`       // EndedDone, EndedDuration or EndedInterrupted
	Frames   uint64        `json:"frames"`      // put on the wire by hosts and routers
	Events   uint64        `json:"events"`      // of the engine
	Version  string        `json:"version"`
}

// NodeResult holds the counters of a node and what its services report.
type NodeResult struct {
	Kind topology.NodeKind `json:"kind"`
	*ip.Stats
	Switch   *netem.SwitchStats          `json:"switch,omitempty"`
	DNS      *dns.ResolverStats          `json:"dns,omitempty"` // of a host that asks name servers
	Services topology.Map[ServiceReport] `json:"services,omitzero"`
}

// LinkResult holds the counters of both directions of a link.
type LinkResult struct {
	Forward  DirectionResult `json:"forward"`
	Backward DirectionResult `json:"backward"`
}

// MarshalJSON writes the counters as plain numbers.
func (l LinkResult) MarshalJSON() ([]byte, error) {
	type plain LinkResult
	return encodeReport(plain(l))
}

// MarshalJSON writes the counters as plain numbers.
func (f FaultResult) MarshalJSON() ([]byte, error) {
	type plain FaultResult
	return encodeReport(plain(f))
}

// DirectionResult holds the counters of one direction of a link. Sent and Duplicated are Delivered, Dropped and InFlight together.
type DirectionResult struct {
	Sent       netem.Count       `json:"sent"`
	Delivered  netem.Count       `json:"delivered"`
	Dropped    map[string]uint64 `json:"dropped"`    // frames by reason
	Duplicated netem.Count       `json:"duplicated"` // copies that the wire or a rule made
	Corrupted  uint64            `json:"corrupted"`
	Truncated  uint64            `json:"truncated"`
	Reordered  uint64            `json:"reordered"`
	Marked     map[string]uint64 `json:"marked"` // frames with Congestion Experienced set, by what marked them
	// Queue is about frames that waited, nil if none did.
	Queue    *netem.QueueStats `json:"queue,omitempty"`
	InFlight uint64            `json:"in_flight"` // frames in the queue or on the wire at the end
}

// WorkloadResult is what a workload reports, and when it ran.
type WorkloadResult struct {
	Type string
	// Started and Ended are times since the start of the run: of the first host that began and the last that ended.
	Started, Ended time.Duration
	// Completed says that all hosts were done before the run ended.
	Completed bool
	// Errors are the errors by host.
	Errors map[string]string
	// Report is what the workload's runner reports.
	Report any
	// SLO is how the workload's users were served, if the file asks for it.
	SLO *slo.Result
}

// workloadFrame is the part of a workload's result that netlab adds to its report.
type workloadFrame struct {
	Type      string            `json:"type"`
	Started   time.Duration     `json:"started_ns"`
	Ended     time.Duration     `json:"ended_ns"`
	Completed bool              `json:"completed"`
	Errors    map[string]string `json:"host_errors,omitempty"`
}

// workloadLevel is what netlab adds to the report of a workload that has an objective.
type workloadLevel struct {
	SLO *slo.Result `json:"slo"`
}

// MarshalJSON writes the report's fields beside those of the frame.
func (w WorkloadResult) MarshalJSON() ([]byte, error) {
	parts := []any{workloadFrame{w.Type, w.Started, w.Ended, w.Completed, w.Errors}}
	if w.SLO != nil {
		parts = append(parts, workloadLevel{w.SLO})
	}
	if w.Report != nil {
		parts = append(parts, w.Report)
	}
	var all []byte
	for _, part := range parts {
		object, err := encodeReport(part)
		if err != nil {
			return nil, err
		}
		switch {
		case all == nil:
			all = object
		case len(object) > len("{}"):
			all = append(append(all[:len(all)-1], ','), object[1:]...)
		}
	}
	return all, nil
}

// ServiceReport is what a service reports.
type ServiceReport struct{ Report any }

// MarshalJSON writes the report.
func (s ServiceReport) MarshalJSON() ([]byte, error) { return encodeReport(s.Report) }

// Verdict is what a run's expectations say together.
type Verdict int

// The verdicts, with the exit codes of the command.
const (
	Holds        Verdict = 0 // all expectations hold, or there are none
	Fails        Verdict = 1 // at least one doesn't
	Inconclusive Verdict = 2 // none fails, but at least one could not be decided
)

// Verdict sums the expectations up.
func (r *Results) Verdict() Verdict {
	v := Holds
	for _, e := range r.Expect {
		switch {
		case e.Inconclusive:
			if v == Holds {
				v = Inconclusive
			}
		case !e.Holds:
			return Fails
		}
	}
	return v
}

// takeSnapshot reads all counters. The engine's loop calls it.
func (r *Run) takeSnapshot() *Results {
	t := r.lab.topology
	res := &Results{Run: RunResult{
		Name: t.Name, Variant: r.lab.variant, Seed: t.Seed, Duration: r.engine.Elapsed(),
		Ended: r.ended, Frames: r.engine.Frames(), Events: r.engine.Step(), Version: Version(),
	}}
	for _, n := range r.nodes {
		node := NodeResult{Kind: n.config.Kind}
		switch {
		case n.host() != nil:
			s := n.host().Stats()
			node.Stats = &s
			if r, ok := n.host().Resolver().(*dns.Resolver); ok {
				asked := r.Stats()
				node.DNS = &asked
			}
		case n.router != nil:
			s := n.router.Stats()
			node.Stats = &s
		default:
			s := n.sw.Stats()
			node.Switch = &s
		}
		res.Nodes.Set(n.name, node)
	}
	for _, a := range r.faults {
		res.Faults.Set(a.fault.Name, a.result())
	}
	for _, l := range r.net.Links() {
		res.Links.Set(l.ID(), LinkResult{direction(l, netem.Forward), direction(l, netem.Backward)})
	}
	return res
}

func direction(l *netem.Link, d int) DirectionResult {
	s := l.Stats(d)
	return DirectionResult{s.Sent, s.Delivered, s.Dropped.Map(), s.Duplicated, s.Corrupted, s.Truncated, s.Reordered, s.Marked.Marks(),
		l.QueueStats(d), s.InFlight()}
}

// results adds to the snapshot what services and workloads report, now that all of them have ended, and decides the
// expectations.
func (r *Run) results() *Results {
	res := r.snapshot
	for _, j := range r.jobs {
		report := j.runner.Result()
		if j.role == services.Service {
			if report != nil {
				node, _ := res.Nodes.Get(j.nodes[0].name)
				node.Services.Set(j.name, ServiceReport{report})
				res.Nodes.Set(j.nodes[0].name, node)
			}
			continue
		}
		w := WorkloadResult{Type: j.kind, Started: j.started, Ended: j.ended, Completed: j.done == len(j.nodes), Report: report}
		if j.level != nil {
			end := res.Run.Duration
			if w.Completed {
				end = w.Ended
			}
			w.SLO = j.level.Result(end)
		}
		for _, n := range j.nodes {
			if err := j.errors[n.name]; err != nil {
				if w.Errors == nil {
					w.Errors = map[string]string{}
				}
				w.Errors[n.name] = err.Error()
			}
		}
		res.Workloads.Set(j.name, w)
	}
	res.Expect = decide(r.lab.topology, res)
	return res
}

// decide evaluates expectations over results.
func decide(t *topology.Topology, res *Results) []expect.Outcome {
	choose := mentioned(t.Expect...)
	known, figures := prototypeFigures(t, choose), resultFigures(res, choose)
	list := []expect.Outcome{}
	for _, text := range t.Expect {
		e, err := expect.Compile(text, known)
		if err != nil { // it compiled when the file was read
			list = append(list, expect.Outcome{Text: text, Inconclusive: true, Reason: err.Error()})
			continue
		}
		list = append(list, e.Evaluate(figures))
	}
	return list
}
