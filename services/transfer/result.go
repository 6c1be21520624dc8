package transfer

import (
	"math/big"
	"time"

	"netlab/services/figures"
	"netlab/units"
)

// Result is what the workload reports, over all flows of all hosts.
type Result struct {
	// Intact says that every flow was complete and every byte right.
	Intact bool `json:"intact"`
	// Bytes is the data that is known to have arrived, without the lines of the protocol.
	Bytes units.Bytes `json:"bytes"`
	// Duration is the time from the first dial to the last end of a flow that did not fail.
	Duration *units.Duration `json:"duration_ns"`
	// Goodput is Bytes over Duration; of a download with a warm-up, the bytes after it over the time after it. Flows that
	// failed do not count.
	Goodput *units.BitRate `json:"goodput_bps"`
	// Connect is the time that a connection took to be established, the longest among the flows.
	Connect *units.Duration `json:"connect_ns"`
	// FirstByte is the time from the dial to the first byte of a download, the longest among the flows.
	FirstByte *units.Duration `json:"first_byte_ns"`
	// Fairness is Jain's index over the goodputs of the flows, 1/n to 1 (Jain, Chiu, Hawe, "A Quantitative Measure of
	// Fairness and Discrimination for Resource Allocation in Shared Computer Systems", 1984). Flows that failed have 0.
	Fairness *units.Probability `json:"fairness"`
	// Retransmits counts segments that the clients sent again. A download's are in the report of the tcp-sink.
	Retransmits uint64 `json:"retransmits"`
	// Errors counts flows that failed or were unfinished when the run ended.
	Errors uint64 `json:"errors"`
	Flows  []Flow `json:"flows"`
}

// Flow is one connection.
type Flow struct {
	From    string          `json:"from"` // the host that opened it
	Intact  bool            `json:"intact"`
	Bytes   units.Bytes     `json:"bytes"`
	Goodput *units.BitRate  `json:"goodput_bps"`
	Connect *units.Duration `json:"connect_ns"`
	// RTT, Cwnd (in segments) and Retransmits are those of the client's end when the flow was over.
	RTT         *units.Duration `json:"rtt_ns"`
	Cwnd        int             `json:"cwnd"`
	Retransmits uint64          `json:"retransmits"`
	Error       string          `json:"error,omitempty"`
}

// report is the flow as it is reported.
func (f *flow) report(from string) Flow {
	r := Flow{From: from, Intact: f.intact, Bytes: units.Bytes(f.bytes), Error: f.err, Goodput: f.goodput(f.start + f.warmup)}
	if f.connected {
		r.Connect = figures.Duration(f.connect - f.start)
		r.RTT = figures.Duration(f.info.RTT)
		r.Cwnd, r.Retransmits = f.info.Cwnd, f.info.Retransmits
	}
	return r
}

// goodput is the flow's goodput since a time; nil for one that failed.
func (f *flow) goodput(since time.Duration) *units.BitRate {
	if f.err != "" || !f.started {
		return nil
	}
	return figures.Rate(uint64(f.warm), units.Duration(f.end-since))
}

// Result implements services.Runner.
func (r *runner) Result() any {
	all := &Result{Flows: []Flow{}}
	var start, end time.Duration
	var warm uint64
	var rates []units.BitRate
	good := 0
	for i := range r.flows {
		f := &r.flows[i]
		if !f.started {
			all.Errors++
			rates = append(rates, 0)
			continue
		}
		report := f.report(r.hosts[i/r.config.Flows])
		all.Flows = append(all.Flows, report)
		all.Bytes += report.Bytes
		all.Retransmits += report.Retransmits
		all.Connect = longest(all.Connect, report.Connect)
		if f.firstByte > 0 {
			all.FirstByte = longest(all.FirstByte, figures.Duration(f.firstByte-f.start))
		}
		rate := units.BitRate(0)
		if report.Goodput != nil {
			rate = *report.Goodput
		}
		rates = append(rates, rate)
		if f.err != "" {
			all.Errors++
			continue
		}
		if good == 0 || f.start < start {
			start = f.start
		}
		end = max(end, f.end)
		warm += uint64(f.warm)
		good++
	}
	all.Intact = all.Errors == 0
	if good > 0 {
		all.Duration = figures.Duration(end - start)
		all.Goodput = figures.Rate(warm, units.Duration(end-start)-r.config.Warmup)
	}
	all.Fairness = jain(rates)
	return all
}

func longest(a, b *units.Duration) *units.Duration {
	if a == nil || b != nil && *b > *a {
		return b
	}
	return a
}

// jain is (Σx)² / (n Σx²), or nil when all are 0.
func jain(rates []units.BitRate) *units.Probability {
	sum, squares := new(big.Int), new(big.Int)
	for _, rate := range rates {
		x := big.NewInt(int64(rate))
		sum.Add(sum, x)
		squares.Add(squares, x.Mul(x, x))
	}
	if squares.Sign() == 0 {
		return nil
	}
	squares.Mul(squares, big.NewInt(int64(len(rates))))
	index, _ := new(big.Rat).SetFrac(sum.Mul(sum, sum), squares).Float64()
	p := units.Probability(index)
	return &p
}
