package units

import (
	"fmt"
	"time"
)

// LinkRate is how fast a link sends, now and later. It is one of these, written
// so:
//
//	10Mbit/s                                             always this BitRate
//	unlimited                                            frames take no time to send
//	steps(0s 10Mbit/s, 10s 1Mbit/s, every 30s)           from each offset on this rate
//	ramp(0s 10Mbit/s, 10s 1Mbit/s, 20s 10Mbit/s)         straight lines between the points
//	mahimahi("lte.trace")                                when the trace in a file says so (ParseOpportunities)
//
// The offsets of steps and ramp count from the start of the run. The first one
// is 0s and each is later than the one before; there are at most 1000. After the
// last one its rate stays, unless "every" with a period stands at the end: then
// all begins again after each period. The period of steps is longer than the
// last offset, that of ramp at least as long; between the last offset of a ramp
// and the period's end the rate stays.
//
// The zero value is unlimited. Two rates with the same text are equal with ==,
// those of a trace if they have the same Opportunities too.
//
// Reading the text of a trace does not open its file: who reads it hands over
// its data by WithOpportunities.
type LinkRate struct {
	kind  RateKind
	fixed BitRate

	schedule schedule

	path          string
	opportunities *Opportunities
}

// RateKind is the family of a LinkRate.
type RateKind uint8

const (
	// RateUnlimited sends in no time.
	RateUnlimited RateKind = iota
	// RateFixed is always the rate Fixed.
	RateFixed
	// RateSteps changes at once, at the times that Next tells.
	RateSteps
	// RateRamp changes all the time, in straight lines between the times that
	// Next tells.
	RateRamp
	// RateTrace sends at the times of Opportunities, which come from File.
	RateTrace
)

// FixedRate returns the rate that is always b; 0 is unlimited, as it is for
// BitRate.TransmitTime. It panics if b is negative.
func FixedRate(b BitRate) LinkRate {
	switch {
	case b < 0:
		panic(fmt.Sprintf("units: FixedRate(%v): want 0bit/s or more", b))
	case b == 0:
		return LinkRate{}
	}
	return LinkRate{kind: RateFixed, fixed: b}
}

// TraceRate returns mahimahi(path) with its data; o may be nil for data that
// WithOpportunities brings later. It panics unless the path is one that text can
// hold, as Empirical does.
func TraceRate(path string, o *Opportunities) LinkRate {
	if err := checkPath(path); err != nil {
		panic("units: TraceRate: " + err.Error())
	}
	return LinkRate{kind: RateTrace, path: path, opportunities: o}
}

// IsZero tells whether r is the zero value, which is unlimited.
func (r LinkRate) IsZero() bool { return r == LinkRate{} }

// Kind returns which family r belongs to, and so which methods describe it.
func (r LinkRate) Kind() RateKind { return r.kind }

// Fixed returns the rate of a fixed one, and 0 for any other.
func (r LinkRate) Fixed() BitRate { return r.fixed }

// At returns the rate at time t since the start of the run, more than 0 for a
// fixed rate, steps and a ramp. At the time of a step it is the new rate already.
// On a ramp the part of a bit per second is cut off towards the rate of the point
// before t. For unlimited it is 0, which BitRate.TransmitTime understands. For a
// trace it is the mean rate (Opportunities.Rate), which is for reports: frames
// leave at the opportunities. It allocates nothing. It panics if t is negative,
// and for a trace without its data.
func (r LinkRate) At(t time.Duration) BitRate {
	if t < 0 {
		panic(fmt.Sprintf("units: the rate at %v: want a time since the start of the run, 0s or more", t))
	}
	switch r.kind {
	case RateSteps:
		i, _, _ := r.schedule.find(t)
		return r.schedule.rate(i)
	case RateRamp:
		return r.schedule.between(t)
	case RateTrace:
		if r.opportunities == nil {
			panic(fmt.Sprintf("units: %v has no data: want WithOpportunities before its rate is asked for", r))
		}
		return r.opportunities.Rate()
	}
	return r.fixed
}

// Next returns when the next step or the next knee of a ramp comes after t, both
// since the start of the run. It is false when there is none: the rate is fixed,
// unlimited or a trace, the last point of a schedule that does not repeat is
// over, or the time is beyond the largest time.Duration. The end of a period
// counts also where the rate goes on as it was. It panics if t is negative.
func (r LinkRate) Next(t time.Duration) (time.Duration, bool) {
	if t < 0 {
		panic(fmt.Sprintf("units: the change of rate after %v: want a time since the start of the run, 0s or more", t))
	}
	if r.kind != RateSteps && r.kind != RateRamp {
		return 0, false
	}
	return r.schedule.next(t)
}
