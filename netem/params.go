package netem

import (
	"fmt"
	"strings"
	"time"

	"netlab/units"
)

// Unlimited is the queue limit of a link that drops nothing.
var Unlimited = units.QueueLimit{}

// DefaultMTU is the MTU of Ethernet (RFC 894) in bytes.
const DefaultMTU = 1500

// Params are the properties of one direction of a link. The zero value, with an MTU, is a wire without limits.
type Params struct {
	// Latency is the propagation delay.
	Latency units.Distribution
	// LatencyCorrelation is how much a frame's latency is like that of the frame before, -1 to 1: see jitter.
	LatencyCorrelation float64
	// Overtaking lets frames overtake each other when latencies vary. Otherwise one that would arrives together with the one
	// before it.
	Overtaking bool
	// Rate is the bit rate of the transmitter; 0 means that a frame takes no time.
	Rate units.BitRate
	// Queue is what waits for the transmitter, without the frame that it sends.
	Queue Queue
	// Loss is the probability with which the wire loses a frame, after the transmitter has sent it.
	Loss units.Probability
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

func (p *Params) validate() error {
	switch {
	case p.MTU < 68 || p.MTU > 65535:
		return fmt.Errorf("MTU of %d bytes: want 68 to 65535", p.MTU)
	case p.Rate < 0:
		return fmt.Errorf("rate %d: want 0 or more", p.Rate)
	case p.Loss < 0 || p.Loss > 1:
		return fmt.Errorf("loss %v: want 0 to 1", float64(p.Loss))
	}
	return nil
}

// describe says what the properties are, in the words of the file. What is as it is by default is left out but for those
// that every link has.
func (p *Params) describe() string {
	rate := "unlimited"
	if p.Rate > 0 {
		rate = p.Rate.String()
	}
	return fmt.Sprintf("latency %s, rate %s, queue %s, loss %s, mtu %dB", p.Latency, rate, p.Queue, p.Loss, p.MTU) + p.describeRest()
}

func (p *Params) describeRest() string {
	var b strings.Builder
	add := func(set bool, format string, args ...any) {
		if set {
			fmt.Fprintf(&b, ", "+format, args...)
		}
	}
	add(p.LatencyCorrelation != 0, "latency_correlation %v", p.LatencyCorrelation)
	add(p.Overtaking, "keep_order false")
	add(p.Reorder.Probability > 0, "reorder %s", p.Reorder)
	add(p.Duplicate > 0, "duplicate %s", p.Duplicate)
	add(p.Corrupt.Probability > 0, "corrupt %s", p.Corrupt)
	add(p.Truncate.Probability > 0, "truncate %s", p.Truncate)
	return b.String()
}

// Reorder is how a wire changes the order of frames: the chosen ones are late. Every Gap-th frame is chosen with the probability.
// It waits until Depth later frames have been sent and arrives right behind the last of them (its reordering extent of RFC 4737,
// section 4.2.1, is then Depth), or, if fewer come, Hold after it would have arrived.
type Reorder struct {
	Probability units.Probability
	Gap         int           // 0 means 1
	Depth       int           // 0 means 1
	Hold        time.Duration // 0 means DefaultHold
}

// DefaultHold is how long a reordered frame waits for frames to be behind.
const DefaultHold = 100 * time.Millisecond

// Corrupt is how a wire damages frames: each with the probability, by flipping Bits different bits behind the Ethernet header, as
// if the damage had escaped the frame check sequence. Checksums of IP, TCP and UDP may catch it.
type Corrupt struct {
	Probability units.Probability
	Bits        int // 0 means 1
}

// Truncate is how a wire shortens frames: each with the probability, to a size that is To or, with 0, drawn evenly from what is
// shorter. Sizes count from the IP header on.
type Truncate struct {
	Probability units.Probability
	To          int
}

// String writes it for a log.
func (r Reorder) String() string {
	return fmt.Sprintf("%s gap %d depth %d hold %v", r.Probability, max(r.Gap, 1), max(r.Depth, 1), units.Duration(r.hold()))
}

func (r Reorder) hold() time.Duration {
	if r.Hold == 0 {
		return DefaultHold
	}
	return r.Hold
}

// String writes it for a log.
func (c Corrupt) String() string { return fmt.Sprintf("%s by %d bits", c.Probability, max(c.Bits, 1)) }

// String writes it for a log.
func (t Truncate) String() string {
	if t.To == 0 {
		return t.Probability.String()
	}
	return fmt.Sprintf("%s to %dB", t.Probability, t.To)
}
