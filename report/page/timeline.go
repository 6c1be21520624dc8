package page

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"netlab/report"
)

// timeline is what happened when: a row for each workload, each fault and each thing that was out of order, with the frames that were
// lost below.
type timeline struct {
	Ticks   []tick
	Rows    []*row
	Density string // of lost frames, as the path of a polygon in a box of 1000 by 100
	Lost    int
	Most    int // lost in a part
	Part    time.Duration
	Events  []eventLine
	// Left counts events that are not in the list, RowsLeft rows that are not drawn.
	Left, RowsLeft int

	length time.Duration
}

type tick struct {
	At   float64 // in percent
	Text string
	End  bool // near the right edge
}

// row is a line of the timeline.
type row struct {
	Label string
	Class string // workload, fault, state or event
	Bars  []bar
}

// bar is a part of a row. One without a length is a point.
type bar struct {
	From, Width float64 // in percent
	Seconds     float64 // when it begins
	Text        string  // what it is, with its times
	Open        bool    // its end is not known
	Point       bool
	Class       string
	from, to    time.Duration
}

// eventLine is a line of the list.
type eventLine struct {
	At                  time.Duration
	Seconds             float64
	Kind, Where, Detail string
}

// How much a timeline shows.
const (
	maxRows   = 60
	maxBars   = 200 // in a row
	densities = 250
)

// newTimeline reads the events, and lists so many of them.
func newTimeline(f *report.Folder, events int) *timeline {
	t := &timeline{length: runLength(f)}
	if t.length <= 0 {
		t.length = 1
	}
	t.ticks()
	t.workloads(f)
	t.faults(f)
	t.states(f)
	t.points(f, events)
	if len(t.Rows) > maxRows {
		t.RowsLeft = len(t.Rows) - maxRows
		t.Rows = t.Rows[:maxRows]
	}
	t.density(f)
	return t
}

// runLength is how long the run was; without results it is the time of the last event.
func runLength(f *report.Folder) time.Duration {
	length := f.Results.Run.Duration
	if n := len(f.Events); n > 0 {
		length = max(length, f.Events[n-1].At())
	}
	return length
}

func (t *timeline) percent(d time.Duration) float64 {
	share := float64(min(max(d, 0), t.length)) / float64(t.length)
	return math.Round(share*1e5) / 1e3
}

// bar makes one from a time to another.
func (t *timeline) bar(from, to time.Duration, text string) bar {
	b := bar{From: t.percent(from), Seconds: seconds(from), Text: text, from: from, to: to}
	if b.Width = math.Round((t.percent(to)-b.From)*1e3) / 1e3; b.Width == 0 {
		b.Point = true
	}
	return b
}

func (t *timeline) point(at time.Duration, text string) bar {
	b := t.bar(at, at, text)
	b.Point = true
	return b
}

// add adds a row, if there is something in it.
func (t *timeline) add(r *row) {
	if len(r.Bars) == 0 {
		return
	}
	if n := len(r.Bars); n > maxBars {
		r.Label += fmt.Sprintf(" (the first %d of %s)", maxBars, printCount(n))
		r.Bars = r.Bars[:maxBars]
	}
	t.Rows = append(t.Rows, r)
}

// ticks chooses round times, some five of them.
func (t *timeline) ticks() {
	step := niceStep(t.length / 5)
	for at := time.Duration(0); at <= t.length; at += step {
		t.Ticks = append(t.Ticks, tick{t.percent(at), printDuration(at), t.percent(at) > 92})
	}
}

// niceStep is the smallest round time that is not below d: 1, 2, 5, 10 and so on, from a minute on in minutes and hours.
func niceStep(d time.Duration) time.Duration {
	for unit := time.Duration(1); unit <= 10*time.Second; unit *= 10 {
		for _, n := range []time.Duration{1, 2, 5} {
			if unit*n >= d {
				return unit * n
			}
		}
	}
	step := time.Minute
	for _, more := range []time.Duration{2, 5, 10, 15, 30, 60, 120, 360, 720, 1440} {
		if step >= d {
			return step
		}
		step = more * time.Minute
	}
	for step < d {
		step *= 2
	}
	return step
}

// workloads adds a row for each workload.
func (t *timeline) workloads(f *report.Folder) {
	for _, w := range f.Results.Workloads {
		var r struct {
			Type      string        `json:"type"`
			Started   time.Duration `json:"started_ns"`
			Ended     time.Duration `json:"ended_ns"`
			Completed bool          `json:"completed"`
			SLO       struct {
				Outages []struct {
					From     time.Duration `json:"from_ns"`
					To       time.Duration `json:"to_ns"`
					Requests uint64        `json:"requests"`
					Bad      uint64        `json:"bad"`
				} `json:"outages"`
			} `json:"slo"`
		}
		if json.Unmarshal(w.Value, &r) != nil {
			continue
		}
		ends := "done at "
		if !r.Completed {
			ends = "cut off at "
		}
		if r.Ended == 0 && !r.Completed {
			r.Ended = t.length
		}
		text := fmt.Sprintf("%s: %s, from %s, %s%s", w.Name, r.Type, printDuration(r.Started), ends, printDuration(r.Ended))
		b := t.bar(r.Started, r.Ended, text)
		b.Open = !r.Completed
		t.add(&row{Label: w.Name, Class: "workload", Bars: []bar{b}})
		if len(r.SLO.Outages) == 0 {
			continue
		}
		down := &row{Label: w.Name + " down", Class: "state"}
		for _, o := range r.SLO.Outages {
			text := fmt.Sprintf("%s: %s of %s requests bad, from %s to %s", down.Label, printCount(int64(o.Bad)), printCount(int64(o.Requests)), printDuration(o.From), printDuration(o.To))
			down.Bars = append(down.Bars, t.bar(o.From, o.To, text))
		}
		t.add(down)
	}
}
