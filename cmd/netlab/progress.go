package main

import (
	"fmt"
	"time"

	"netlab"
)

// On anything but a terminal a line of progress is written after firstLine of the machine's time, and then every
// otherLines.
const (
	firstLine  = time.Second
	otherLines = 10 * time.Second
)

// progress prints how far a run is.
type progress struct {
	screen *console
	title  string
	total  time.Duration // virtual; 0 is unknown
	quiet  bool
	due    time.Duration // when the next line is due that stays
	last   netlab.Progress
}

func newProgress(screen *console, title string, total time.Duration, quiet bool) *progress {
	return &progress{screen: screen, title: title, total: total, quiet: quiet, due: firstLine}
}

// report takes what a run says of itself some ten times a second.
func (p *progress) report(now netlab.Progress) {
	switch {
	case p.quiet:
		p.screen.show("")
	case p.screen.terminal:
		p.screen.show(p.line(now))
	case now.Real >= p.due:
		p.due = now.Real + otherLines
		p.screen.say(p.line(now))
	default:
		p.screen.show("")
	}
}

// line describes the progress since the line before.
func (p *progress) line(now netlab.Progress) string {
	virtual := printDuration(now.Virtual)
	if p.total > 0 {
		virtual += " of " + printDuration(p.total)
	}
	var rate float64
	if span := now.Real - p.last.Real; span > 0 {
		rate = float64(now.Events-p.last.Events) / span.Seconds()
	}
	p.last = now
	return fmt.Sprintf("%s: %s, %s, %s events/s, %s frames", p.title, virtual, printSpeed(now.Virtual, now.Real),
		printShort(rate), printCount(now.Frames))
}
