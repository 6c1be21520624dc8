package netem

import (
	"fmt"
	"strings"

	"netlab/units"
)

// Unlimited is the queue limit of a link that drops nothing.
var Unlimited = units.QueueLimit{}

// DefaultMTU is the MTU of Ethernet (RFC 894) in bytes.
const DefaultMTU = 1500

// The smallest MTU is that of IPv4 (RFC 791), the largest what the length of an IP packet can say.
const (
	minMTU = 68
	maxMTU = 65535
)

// Params are the properties of one direction of a link. The zero value, with an MTU, is a wire without limits. They may be
// compared with ==.
type Params struct {
	// Latency is the propagation delay.
	Latency units.Distribution
	// LatencyCorrelation is how much a latency that varies is like that of the frame before, from -1 to 1: each frame's place in the
	// distribution comes from a normal value, and those of neighbours have this correlation. The latencies keep
	// their distribution exactly. 0 draws them independently of each other. A constant latency has nothing to correlate.
	LatencyCorrelation float64
	// Overtaking lets frames overtake each other when latencies vary. Otherwise one that would arrives together with the one
	// before it.
	Overtaking bool
	// Rate is how fast the transmitter sends. A frame takes size/rate, at the rate that there is when its first bit leaves; with
	// a trace see mahimahi. The zero value means that a frame takes no time.
	Rate units.LinkRate
	// Burst, when not 0, makes the transmitter a token bucket: see tokenBucket. Rate must be fixed then, and Burst hold the largest
	// frame, MTU + 14 bytes, and be at most 2GB. PeakRate is how fast a frame is sent for which there are tokens: 0 means
	// that it takes no time; otherwise it must not be less than Rate.
	Burst    units.Bytes
	PeakRate units.BitRate
	// Queue is what waits for the transmitter, without the frame that it sends or, in a token bucket, keeps until there are tokens.
	Queue Queue
	// Loss is what the wire loses, after the transmitter has sent it.
	Loss units.Loss
	// Reorder, Duplicate, Corrupt and Truncate are what else the wire does to frames.
	Reorder   Reorder
	Duplicate units.Probability
	Corrupt   Corrupt
	Truncate  Truncate
	// MTU is the largest packet in bytes, without the Ethernet header, 68 to 65535.
	MTU int
	// Down says that the direction carries nothing.
	Down bool
}

// Validate returns what is wrong with the properties, or nil. The text begins with the key in the file of the first that is, as in
// "burst 1kB: want 1514B, the largest frame, to 2GB".
func (p *Params) Validate() error {
	switch {
	case p.MTU < minMTU || p.MTU > maxMTU:
		return fmt.Errorf("mtu %dB: want %dB to %dB", p.MTU, minMTU, maxMTU)
	case p.Latency.File() != "" && p.Latency.Table() == nil:
		return fmt.Errorf("latency %s: its data is missing", p.Latency)
	case !(p.LatencyCorrelation >= -1 && p.LatencyCorrelation <= 1):
		return fmt.Errorf("latency_correlation %v: want -1 to 1", p.LatencyCorrelation)
	case p.Loss.File() != "" && p.Loss.Trace() == nil:
		return fmt.Errorf("loss %s: its data is missing", p.Loss)
	case !share(p.Duplicate):
		return wrongShare("duplicate", p.Duplicate)
	}
	for _, validate := range []func() error{p.validateRate, p.Reorder.validate, p.Corrupt.validate, p.Truncate.validate} {
		if err := validate(); err != nil {
			return err
		}
	}
	return p.Queue.validate(p.MTU)
}

func (p *Params) validateRate() error {
	fixed := p.Rate.Kind() == units.RateFixed
	largest := units.Bytes(p.MTU + etherHeader)
	switch {
	case p.Rate.Kind() == units.RateTrace && p.Rate.Opportunities() == nil:
		return fmt.Errorf("rate %s: its data is missing", p.Rate)
	case p.Burst == 0 && p.PeakRate != 0:
		return fmt.Errorf("peak_rate %s without a burst: it belongs to a token bucket, want burst too", p.PeakRate)
	case p.Burst == 0:
		return nil
	case !fixed:
		return fmt.Errorf("burst %s with a rate of %s: a token bucket wants a fixed rate, such as 10Mbit/s", p.Burst, p.Rate)
	case p.Burst < largest || p.Burst > maxBurst:
		return fmt.Errorf("burst %s: want %s, the largest frame, to %s", p.Burst, largest, maxBurst)
	case p.PeakRate != 0 && p.PeakRate < p.Rate.Fixed():
		return fmt.Errorf("peak_rate %s: want at least the rate of %s", p.PeakRate, p.Rate)
	}
	return nil
}

// share says whether p is a probability, from 0 to 1.
func share(p units.Probability) bool { return p >= 0 && p <= 1 }

func wrongShare(key string, p units.Probability) error {
	return fmt.Errorf("%s %v: want 0 to 1", key, p.Float())
}

// describe says what the properties are, in the words of the file. What is as it is by default is left out but for those
// that every link has.
func (p *Params) describe() string {
	var b strings.Builder
	add := func(set bool, format string, args ...any) {
		if set {
			fmt.Fprintf(&b, format, args...)
		}
	}
	add(true, "latency %s", p.Latency)
	add(p.LatencyCorrelation != 0, ", latency_correlation %v", p.LatencyCorrelation)
	add(p.Overtaking, ", keep_order false")
	add(true, ", rate %s", p.Rate)
	add(p.Burst != 0, ", burst %s", p.Burst)
	add(p.PeakRate != 0, ", peak_rate %s", p.PeakRate)
	add(true, ", queue %s, loss %s", p.Queue, p.Loss)
	add(p.Reorder.Probability > 0, ", reorder %s", p.Reorder)
	add(p.Duplicate > 0, ", duplicate %s", p.Duplicate)
	add(p.Corrupt.Probability > 0, ", corrupt %s", p.Corrupt)
	add(p.Truncate.Probability > 0, ", truncate %s", p.Truncate)
	add(true, ", mtu %dB", p.MTU)
	return b.String()
}
