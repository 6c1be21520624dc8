package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"netlab"
	"netlab/report"
)

// How often a run that is watched is shown: redraws on a terminal, on the machine's clock, and blocks of text on anything else, on the
// lab's.
const (
	redrawEvery = 100 * time.Millisecond
	blockEvery  = time.Second
)

// The size of what is drawn where nobody says how large the terminal is, and of blocks of text.
const (
	watchColumns = 100
	watchLines   = 40
)

// watch shows a run as it goes: on a terminal it redraws what stands there, elsewhere it prints one block of text after the other.
type watch struct {
	out      io.Writer
	title    string
	total    time.Duration // virtual; 0 is unknown
	terminal bool
	colour   bool
	plain    bool // ASCII only
	size     func() (columns, lines int)
	every    time.Duration

	past   []*netlab.Snapshot // the last ones, over which rates are averaged
	events []report.Event     // the last ones
	drawn  int                // lines on the terminal
	err    error              // the first that writing met
}

// newWatch returns what shows a run, nil if nobody asked for it.
func newWatch(out io.Writer, f *runFlags, j job) *watch {
	if !f.watch {
		return nil
	}
	w := &watch{out: out, title: j.title(), total: j.lab.Topology().Duration.Std(), plain: !localeIsUTF8(os.Getenv), every: blockEvery,
		size: func() (int, int) { return watchColumns, watchLines }}
	if file, ok := out.(*os.File); ok && isTerminal(file) {
		w.terminal, w.colour, w.every = true, coloured(out), redrawEvery
		if f.speed > 0 {
			w.every = max(time.Duration(float64(redrawEvery)*f.speed), 1)
		}
		w.size = func() (int, int) {
			if columns, lines, ok := terminalSize(out); ok {
				return columns, lines
			}
			return watchColumns, watchLines
		}
	}
	if f.watchEvery != nil {
		w.every = f.watchEvery.Std()
	}
	return w
}

// averagedOver is how many snapshots back rates go on a terminal: a second of the machine's time.
const averagedOver = int(time.Second / redrawEvery)

// lastEvents is how many events are shown.
const lastEvents = 8

// show takes a snapshot.
func (w *watch) show(s *netlab.Snapshot) {
	w.events = append(w.events, s.Events...)
	w.events = w.events[max(0, len(w.events)-lastEvents):]
	back := 1
	if w.terminal {
		back = averagedOver
	}
	w.past = append(w.past, s)
	w.past = w.past[max(0, len(w.past)-back-1):]
	columns, lines := w.size()
	view := w.layout(columns, lines-1) // the last line is for the cursor
	if w.terminal {
		w.redraw(view)
	} else {
		w.write(w.encode(view) + "\n")
	}
}

// redraw replaces what stands on the terminal.
func (w *watch) redraw(view []line) {
	var b strings.Builder
	if w.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r", w.drawn)
	}
	b.WriteString(strings.ReplaceAll(w.encode(view), "\n", "\x1b[K\n"))
	b.WriteString("\x1b[J")
	w.drawn = len(view)
	w.write(b.String())
}

// write keeps the first error; a run goes on if nobody can watch it.
func (w *watch) write(text string) {
	if w.err == nil {
		_, w.err = io.WriteString(w.out, text)
	}
}
