package units

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"strconv"
	"time"
)

// OpportunityBytes is how many bytes each opportunity of a trace delivers.
const OpportunityBytes Bytes = 1504

// Opportunities is a packet-delivery trace as Mahimahi's mm-link plays it
// (Netravali et al. 2015, "Mahimahi: Accurate Record-and-Replay for HTTP";
// Mahimahi's src/frontend/link_queue.cc and .hh): times at which a link delivers
// 1504 bytes (OpportunityBytes) each. What an opportunity leaves over of a frame
// waits for the next one; what a frame leaves over of an opportunity serves the
// next frame; an opportunity that finds nothing waiting is lost. After its last
// time stamp the trace repeats, with that time stamp as its period. It does not
// change after ParseOpportunities.
type Opportunities struct {
	times []time.Duration // not descending, the last one more than 0
}

const (
	// maxOpportunities is how many opportunities a trace has at most.
	maxOpportunities = 10_000_000
	// maxOpportunity is the latest time stamp, in milliseconds: some 49 days.
	maxOpportunity = math.MaxUint32
)

// ParseOpportunities reads a trace: on each line a whole number of milliseconds
// since its start, not less than that of the line before. A number that is
// repeated is as many opportunities at once. Unlike mm-link it skips empty lines
// and what follows a "#". There must be at least one opportunity and at most
// 10,000,000, the last of them later than 0 and at most 4294967295. An error
// names the line.
func ParseOpportunities(r io.Reader) (*Opportunities, error) {
	o := new(Opportunities)
	err := readLines(r, func(line string) error {
		number, err := strconv.ParseUint(line, 10, 64)
		at := time.Duration(number) * time.Millisecond
		switch {
		case digits(line) != len(line):
			return fmt.Errorf("%s is not a time stamp: want a whole number of milliseconds", quote(line))
		case err != nil || number > maxOpportunity:
			return fmt.Errorf("%s is too large: want at most %d", quote(line), maxOpportunity)
		case len(o.times) == maxOpportunities:
			return fmt.Errorf("want at most %d opportunities", maxOpportunities)
		case len(o.times) > 0 && at < o.times[len(o.times)-1]:
			return fmt.Errorf("%d is less than the %d before it: want time stamps that do not go back", number, o.times[len(o.times)-1]/time.Millisecond)
		}
		o.times = append(o.times, at)
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case len(o.times) == 0:
		return nil, errors.New("there is no time stamp: want a whole number of milliseconds on each line")
	case o.Period() == 0:
		return nil, errors.New("the last time stamp is 0: want more than that, because the trace repeats after it")
	}
	return o, nil
}

// Len returns how many opportunities there are before the trace repeats.
func (o *Opportunities) Len() int { return len(o.times) }

// Period returns after which time the trace repeats: its last time stamp.
func (o *Opportunities) Period() time.Duration { return o.times[len(o.times)-1] }

// At returns when the i-th opportunity comes, over all repetitions, from 0, since
// the start of the trace. A time beyond the largest time.Duration is that largest
// one. It panics if i is negative.
func (o *Opportunities) At(i int) time.Duration {
	at, rounds := o.times[i%len(o.times)], i/len(o.times)
	hi, start := bits.Mul64(uint64(rounds), uint64(o.Period()))
	if hi > 0 || start > uint64(math.MaxInt64-at) {
		return math.MaxInt64
	}
	return time.Duration(start) + at
}

// Rate returns the mean rate of the trace: the bits of all its opportunities by
// its period, rounded up, so that it is never 0.
func (o *Opportunities) Rate() BitRate {
	// At most 10^7 opportunities of 12,032 bits in at least a millisecond.
	bits := int64(len(o.times)) * 8 * int64(OpportunityBytes)
	period := o.Period().Milliseconds()
	return BitRate((bits*1000 + period - 1) / period)
}

// File returns the path of the file that holds the trace, or "" for any other
// kind.
func (r LinkRate) File() string { return r.path }

// Opportunities returns the data of a trace: nil until WithOpportunities, and for
// any other kind.
func (r LinkRate) Opportunities() *Opportunities { return r.opportunities }

// WithOpportunities returns r with the data of its file. It panics if r has no
// file.
func (r LinkRate) WithOpportunities(o *Opportunities) LinkRate {
	if r.kind != RateTrace {
		panic(fmt.Sprintf("units: WithOpportunities on the rate %v: want one with a file", r))
	}
	r.opportunities = o
	return r
}
