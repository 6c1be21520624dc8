package transfer

import (
	"math/big"
	"time"

	"netlab/services/figures"
	"netlab/units"
)

// Result is what the workload reports, over all flows of all hosts.
type Result struct {
	// Intact says that something arrived and every byte of it was right, of each flow. Cut says whether the flows are complete.
	Intact bool `json:"intact"`
	// Bytes is the data that is known to have arrived, without the lines of the protocol.
	Bytes units.Bytes `json:"bytes"`
	// Duration is the time from the first dial to the last end of a flow that did not fail. An upload ends with the answer.
	Duration *units.Duration `json:"duration_ns"`
	// Goodput is Bytes over Duration, or over the duration in the file if there is one; of a download with a warm-up, the bytes
	// after it over the time after it. Flows that failed do not count. It has no value if an upload was cut off.
	Goodput *units.BitRate `json:"goodput_bps"`
	// Connect is the time that a connection took to be established, the longest among the flows.
	Connect *units.Duration `json:"connect_ns"`
	// FirstByte is the time from the dial to the first byte of a download, the longest among the flows.
	FirstByte *units.Duration `json:"first_byte_ns"`
	// Fairness is Jain's index over the goodputs of the flows, 1/n to 1 (Jain, Chiu, Hawe, "A Quantitative Measure of
	// Fairness and Discrimination for Resource Allocation in Shared Computer Systems", 1984). Flows that failed have 0. It has
	// no value if an upload was cut off.
	Fairness *units.Probability `json:"fairness"`
	// Retransmits counts segments that the clients sent again. A download's are in the report of the tcp-sink.
	Retransmits uint64 `json:"retransmits"`
	// Cut counts flows that the end of the run, or of the host, cut off or did not let begin. Downloads count with what arrived until then.
	Cut uint64 `json:"cut"`
	// Errors counts flows that failed.
	Errors uint64 `json:"errors"`
	Flows  []Flow `json:"flows"`
}

// Flow is one connection.
type Flow struct {
	From string `json:"from"` // the host that opened it
	// Intact says that it is known what arrived, and that it was right, be it nothing.
	Intact bool `json:"intact"`
	// Cut says that the end of the run, or of its host, cut it off. An upload then has no Goodput and is not intact.
	Cut     bool            `json:"cut"`
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
	r := Flow{From: from, Intact: f.intact, Cut: f.cut, Bytes: units.Bytes(f.bytes), Error: f.err, Goodput: f.goodput()}
	if f.connected {
		r.Connect = figures.Duration(f.connect - f.start)
		r.RTT = figures.Duration(f.info.RTT)
		r.Cwnd, r.Retransmits = f.info.Cwnd, f.info.Retransmits
	}
	return r
}

// goodput is the flow's goodput; nil for one that failed or of which nothing is known.
func (f *flow) goodput() *units.BitRate {
	if f.err != "" || !f.started || f.unknown() {
		return nil
	}
	return figures.Rate(uint64(f.counted), units.Duration(f.until()-f.start)-f.config.Warmup)
}

// Result implements services.Runner.
func (r *runner) Result() any {
	all := &Result{Intact: true, Flows: []Flow{}}
	var start, end, until time.Duration
	var counted uint64
	var rates []units.BitRate
	good, unknown := 0, false
	for i := range r.flows {
		f := &r.flows[i]
		rate := units.BitRate(0)
		all.Intact = all.Intact && f.intact
		switch {
		case f.err != "":
			all.Errors++
		case f.cut, !f.started:
			all.Cut++
		}
		if f.started {
			report := f.report(r.hosts[i/r.config.Flows])
			all.Flows = append(all.Flows, report)
			all.Bytes += report.Bytes
			all.Retransmits += report.Retransmits
			all.Connect = longest(all.Connect, report.Connect)
			if f.firstByte > 0 {
				all.FirstByte = longest(all.FirstByte, figures.Duration(f.firstByte-f.start))
			}
			if report.Goodput != nil {
				rate = *report.Goodput
			}
		}
		rates = append(rates, rate)
		if f.err != "" || !f.started {
			continue
		}
		if good == 0 || f.start < start {
			start = f.start
		}
		end, until = max(end, f.end), max(until, f.until())
		counted += uint64(f.counted)
		unknown = unknown || f.unknown()
		good++
	}
	all.Intact = all.Intact && all.Bytes > 0
	if good > 0 {
		all.Duration = figures.Duration(end - start)
	}
	if good > 0 && !unknown {
		all.Goodput = figures.Rate(counted, units.Duration(until-start)-r.config.Warmup)
		all.Fairness = jain(rates)
	}
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
