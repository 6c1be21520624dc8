package capacity

import (
	"time"

	shared "netlab/services/figures"
	"netlab/units"
)

// Result is what a model reports.
type Result struct {
	// Cores is how many there are, 0 for any number.
	Cores int `json:"cores"`
	// Arrived counts requests, Served those whose work was done, Rejected those that found the queue full, and Cancelled
	// those that nobody waited for to the end.
	Arrived   uint64 `json:"arrived"`
	Served    uint64 `json:"served"`
	Rejected  uint64 `json:"rejected"`
	Cancelled uint64 `json:"cancelled"`
	// Utilisation is the share of the time that a core was busy, on average over the cores, of the time in which the host was
	// up. Nil if there is any number of them.
	Utilisation *units.Probability `json:"utilisation"`
	// QueueMean is the mean length of the queue over time, QueueMax the greatest.
	QueueMean float64 `json:"queue_mean"`
	QueueMax  int     `json:"queue_max"`
	// Waiting is how long requests waited for a core, Service how long they had it.
	Waiting *shared.Spread `json:"waiting"`
	Service *shared.Spread `json:"service"`
}

// figures are what a model counts.
type figures struct {
	arrived, served, rejected, cancelled uint64
	longest                              int
	waits, services                      shared.Durations
	at                                   time.Duration // until when the areas are complete
	lasted                               time.Duration // that they are about
	busy, waiting                        area
}

// area is a count of something integrated over time, in units of nanoseconds.
type area struct{ nanoseconds float64 }

// advance brings the areas up to a time, with what there was since the last one.
func (f *figures) advance(now time.Duration, busy, waiting int) {
	if now <= f.at {
		return
	}
	d := float64(now - f.at)
	f.busy.nanoseconds += d * float64(busy)
	f.waiting.nanoseconds += d * float64(waiting)
	f.lasted += now - f.at
	f.at = now
}

// started counts a job that gets a core.
func (f *figures) started(j *job, now time.Duration) {
	f.waits.Add(now - j.arrived)
	f.services.Add(j.service)
}

// Result returns what there is to report until now.
func (c *Cores) Result() *Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := &c.count
	if !c.stopped {
		f.advance(c.env.Elapsed(), c.busy, c.waiting)
	}
	r := &Result{
		Cores: c.config.Cores, Arrived: f.arrived, Served: f.served, Rejected: f.rejected, Cancelled: f.cancelled,
		QueueMax: f.longest, Waiting: f.waits.Spread(), Service: f.services.Spread(),
	}
	if lasted := float64(f.lasted); lasted > 0 {
		r.QueueMean = f.waiting.nanoseconds / lasted
		if c.config.Cores > 0 {
			share := units.Probability(min(f.busy.nanoseconds/lasted/float64(c.config.Cores), 1))
			r.Utilisation = &share
		}
	}
	return r
}
