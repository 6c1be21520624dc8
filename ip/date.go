package ip

import (
	"fmt"
	"math"
	"math/bits"
	"sync"
	"time"
)

// machine is what of a host outlives a crash.
type machine struct {
	mu       sync.Mutex
	date     date
	slowdown float64
	disk     storage
}

func newMachine(disk DiskConfig) *machine {
	return &machine{slowdown: 1, disk: storage{config: disk, factor: 1}}
}

// date is how a host's date differs from the lab's.
type date struct {
	skew   time.Duration
	drift  int64         // in parts of driftUnit
	gained time.Duration // by drift, until since
	since  time.Duration
}

// driftUnit is what a drift is counted in, 10^-12, so that parts per million with six decimals are exact.
const driftUnit = 1e12

// by returns how much a clock of this drift gains in d, rounded towards zero. It never gains more than d.
func driftOf(d time.Duration, drift int64) time.Duration {
	hi, lo := bits.Mul64(uint64(d), uint64(max(drift, -drift)))
	gain, _ := bits.Div64(hi, lo, driftUnit)
	if drift < 0 {
		return -time.Duration(gain)
	}
	return time.Duration(gain)
}

// gain is what drift has added up to.
func (d *date) gain(now time.Duration) time.Duration {
	return d.gained + driftOf(now-d.since, d.drift)
}

// Now is the date that the host believes in: the lab's, plus its skew, plus what its drift has added up to. Services use it for time
// stamps, leases and certificates. It counts nanoseconds; without skew and drift it is the lab's. Timers and deadlines don't depend
// on it.
func (h *Host) Now() time.Time {
	now := h.net.Elapsed()
	m := h.machine
	m.mu.Lock()
	defer m.mu.Unlock()
	return h.net.Epoch().Add(now).Add(m.date.skew).Add(m.date.gain(now))
}

// SetSkew makes the host's date wrong by offset from now on, in place of the skew before: a positive one is ahead of the lab's. What
// drift has added up to stays.
func (h *Host) SetSkew(offset time.Duration) {
	m := h.machine
	m.mu.Lock()
	defer m.mu.Unlock()
	m.date.skew = offset
}

// SetDrift lets the host's date run at 1+ratio times the speed of the lab's from now on, in place of the drift before: 1e-4 is a clock
// that gains 100 microseconds each second. What has added up stays until then and afterwards; a later ratio of 0 only stops it. The ratio
// is rounded to 1e-12, and what is gained to whole nanoseconds, towards zero, each time that the drift is set. It is an error unless
// -1 < ratio <= 1: the date would stand still or go back, or there is no such clock.
func (h *Host) SetDrift(ratio float64) error {
	if !(ratio > -1 && ratio <= 1) {
		return fmt.Errorf("host %s: drift %v: want more than -1, and 1 at most", h.name, ratio)
	}
	now := h.net.Elapsed()
	m := h.machine
	m.mu.Lock()
	defer m.mu.Unlock()
	m.date.gained = m.date.gain(now)
	m.date.since = now
	m.date.drift = int64(math.Round(ratio * driftUnit))
	return nil
}

// SetSlowdown makes what services compute take factor times as long from now on, where they ask [Host.Slowed]. 1 is normal. It is an
// error unless the factor is a number above 0.
func (h *Host) SetSlowdown(factor float64) error {
	if err := validFactor(factor); err != nil {
		return fmt.Errorf("host %s: slowdown %w", h.name, err)
	}
	m := h.machine
	m.mu.Lock()
	defer m.mu.Unlock()
	m.slowdown = factor
	return nil
}

// Slowdown returns how many times as long as normal it takes services to compute something.
func (h *Host) Slowdown() float64 {
	m := h.machine
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.slowdown
}

// Slowed returns how long work takes on the host that takes d on a host which isn't slowed down, rounded to the nanosecond.
func (h *Host) Slowed(d time.Duration) time.Duration { return times(d, h.Slowdown()) }

func validFactor(f float64) error {
	if !(f > 0) || math.IsInf(f, 0) {
		return fmt.Errorf("%v: want a number above 0", f)
	}
	return nil
}

// times is d times f, or the end of time.
func times(d time.Duration, f float64) time.Duration {
	if f == 1 {
		return d
	}
	product := math.Round(float64(d) * f)
	if product >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(product)
}
