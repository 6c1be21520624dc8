package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"netlab"
	"netlab/netem"
	"netlab/report"
	"netlab/topology"
)

const bold = "1"

// The most lines that nodes and workloads take where there isn't room for all.
const (
	maxNodeLines     = 3
	maxWorkloadLines = 6
)

// layout makes the lines of a view. Links take what room the rest leaves, at least one line.
func (w *watch) layout(columns, lines int) []line {
	s := w.past[len(w.past)-1]
	top := append([]line{w.head(s)}, nodeLines(s.Nodes, columns)...)
	var bottom []line
	if len(s.Workloads) > 0 {
		bottom = append(bottom, workloadLines(s.Workloads)...)
	}
	if len(w.events) > 0 {
		bottom = append(bottom, words(bold, "events"))
		for _, ev := range w.events {
			bottom = append(bottom, eventLine(ev))
		}
	}
	view := append(top, w.linkLines(max(lines-len(top)-len(bottom), 3))...)
	view = append(view, bottom...)
	for i := range view {
		view[i] = view[i].cut(columns)
	}
	if w.terminal && len(view) > lines {
		view = view[:lines]
	}
	return view
}

// head says how far the run is. How fast it goes differs between runs and is for terminals only.
func (w *watch) head(s *netlab.Snapshot) line {
	at := printClock(s.At)
	if w.total > 0 {
		at += " of " + printDuration(w.total)
	}
	text := fmt.Sprintf("  %s  %s frames", at, printCount(s.Frames))
	if first := w.past[0]; w.terminal && s != first {
		text += "  " + printSpeed(s.At-first.At, s.Real-first.Real)
	}
	if s.Over {
		text += "  over"
	}
	return line{{bold, w.title}, {"", text}}
}

// printClock prints a time with milliseconds.
func printClock(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) + "s"
}

// nodeLines lists the nodes, those that don't work first if not all have room.
func nodeLines(nodes []netlab.NodeState, columns int) []line {
	entry := func(n netlab.NodeState) part {
		switch {
		case n.Down:
			return part{red, n.Name + " down"}
		case n.Paused:
			return part{yellow, n.Name + " paused"}
		case n.Kind != topology.Host:
			return part{"", n.Name + " (" + string(n.Kind) + ")"}
		}
		return part{"", n.Name}
	}
	var entries []part
	total := 0
	for _, n := range nodes {
		entries = append(entries, entry(n))
		total += width(entries[len(entries)-1].text) + 2
	}
	if room := maxNodeLines * (columns - len("nodes  ") - 20); total > room {
		sick := func(p part) int { return len(p.code) }
		slices.SortStableFunc(entries, func(a, b part) int { return cmp.Compare(min(sick(b), 1), min(sick(a), 1)) })
		n, used := 0, 0
		for ; n < len(entries) && used+width(entries[n].text)+2 <= room; n++ {
			used += width(entries[n].text) + 2
		}
		entries = append(entries[:n:n], part{"", fmt.Sprintf("and %d more", len(entries)-n)})
	}
	lines := []line{{{bold, "nodes"}}}
	for _, e := range entries {
		last := &lines[len(lines)-1]
		if last.width()+2+width(e.text) > columns && len(*last) > 1 {
			lines = append(lines, line{{"", "     "}})
			last = &lines[len(lines)-1]
		}
		*last = append(*last, part{"", "  "}, e)
	}
	return lines
}

// direction is one direction of a link with what it has done since an earlier snapshot.
type direction struct {
	name            string
	state           netlab.DirectionState
	sent, delivered float64 // bit/s
	dropped         uint64
	index           int
}

// directions lists all directions of all links.
func (w *watch) directions() []direction {
	s, before := w.past[len(w.past)-1], w.past[0]
	span := (s.At - before.At).Seconds()
	var list []direction
	for i := range s.Links {
		l, was := &s.Links[i], &before.Links[i]
		for d, name := range []string{l.Ends[0] + " → " + l.Ends[1], l.Ends[0] + " ← " + l.Ends[1]} {
			now, then := &l.Forward, &was.Forward
			if d == netem.Backward {
				now, then = &l.Backward, &was.Backward
			}
			one := direction{name: name, state: *now, dropped: now.Dropped.Total() - then.Dropped.Total(), index: len(list)}
			if span > 0 {
				one.sent = float64(now.Sent.Bytes-then.Sent.Bytes) * 8 / span
				one.delivered = float64(now.Delivered.Bytes-then.Delivered.Bytes) * 8 / span
			}
			list = append(list, one)
		}
	}
	return list
}

// linkLines is the table of links in at most so many lines: the most active directions if there are too many.
func (w *watch) linkLines(lines int) []line {
	list := w.directions()
	hidden := 0
	if room := lines - 1; len(list) > room {
		hidden = len(list) - (room - 1)
		slices.SortStableFunc(list, func(a, b direction) int {
			return cmp.Or(cmp.Compare(b.dropped, a.dropped), cmp.Compare(b.sent, a.sent), cmp.Compare(b.state.Waiting, a.state.Waiting),
				cmp.Compare(b.state.Sent.Frames, a.state.Sent.Frames))
		})
		list = list[:room-1]
		slices.SortFunc(list, func(a, b direction) int { return cmp.Compare(a.index, b.index) })
	}
	name := len("links")
	for _, d := range list {
		name = max(name, width(d.name))
	}
	name = min(name, 36)
	out := []line{words(bold, fmt.Sprintf("%-*s %12s %12s %8s  %s", name, "links", "sent", "delivered", "queue", "dropped"))}
	for _, d := range list {
		out = append(out, d.line(name))
	}
	if hidden > 0 {
		out = append(out, words("", fmt.Sprintf("%s of links that do less %s not shown", plural(hidden, "direction"), isOrAre(hidden))))
	}
	return out
}

func isOrAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// line is a row of the table.
func (d *direction) line(name int) line {
	label := words("", d.name).cut(name)[0].text
	l := line{{"", label + strings.Repeat(" ", max(name-width(label), 0))}}
	code := ""
	switch {
	case d.state.Down:
		l = append(l, part{red, fmt.Sprintf(" %12s %12s", "down", "")})
	default:
		l = append(l, part{"", fmt.Sprintf(" %12s %12s", printRate(d.sent), printRate(d.delivered))})
	}
	if d.state.Waiting > 0 {
		code = yellow
	}
	l = append(l, part{code, fmt.Sprintf(" %8s", printCount(uint64(d.state.Waiting)))})
	if drops := printDrops(d.state.Dropped); drops != "" {
		code = ""
		if d.dropped > 0 {
			code = red
		}
		l = append(l, part{code, "  " + drops})
	}
	return l
}

// printRate prints bits per second.
func printRate(r float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e9, "Gbit/s"}, {1e6, "Mbit/s"}, {1e3, "kbit/s"}} {
		if r >= unit.size {
			return strconv.FormatFloat(r/unit.size, 'f', 2, 64) + unit.name
		}
	}
	return strconv.FormatFloat(r, 'f', 0, 64) + "bit/s"
}

// printDrops lists dropped frames by reason.
func printDrops(d netem.Drops) string {
	var list []string
	for reason, n := range d {
		if n > 0 {
			list = append(list, printCount(n)+" "+netem.DropReason(reason).String())
		}
	}
	return strings.Join(list, ", ")
}

// workloadLines says how far the workloads are: those that run first if not all have room.
func workloadLines(list []netlab.WorkloadState) []line {
	hidden := 0
	if len(list) > maxWorkloadLines {
		hidden = len(list) - (maxWorkloadLines - 1)
		list = slices.Clone(list)
		slices.SortStableFunc(list, func(a, b netlab.WorkloadState) int { return cmp.Compare(min(b.Running, 1), min(a.Running, 1)) })
		list = list[:maxWorkloadLines-1]
	}
	out := []line{words(bold, "workloads")}
	name, kind := 0, 0
	for _, s := range list {
		name, kind = max(name, width(s.Name)), max(kind, width(s.Type))
	}
	for _, s := range list {
		out = append(out, workloadLine(s, name, kind))
	}
	if hidden > 0 {
		out = append(out, words("", fmt.Sprintf("  and %d more", hidden)))
	}
	return out
}

func workloadLine(s netlab.WorkloadState, name, kind int) line {
	code, state := "", ""
	switch {
	case s.Running == 0 && s.Done == 0:
		state = "not begun"
	case s.Running == 0 && s.Done == s.Hosts:
		code, state = green, "done"
	case s.Hosts == 1:
		state = "running"
	default:
		state = fmt.Sprintf("running on %d, done on %d of %d hosts", s.Running, s.Done, s.Hosts)
	}
	l := line{{"", fmt.Sprintf("  %-*s  %-*s  ", name, s.Name, kind, s.Type)}, {code, state}}
	if s.Failed > 0 {
		l = append(l, part{red, fmt.Sprintf("  error on %s", plural(s.Failed, "host"))})
	}
	return l
}

// eventLine shows an event.
func eventLine(ev report.Event) line {
	code := ""
	switch ev.Kind {
	case "log":
		if ev.Reason == "error" {
			code = red
		}
	case "start", "finish":
	default:
		code = yellow
	}
	list := []string{ev.Kind}
	for _, word := range []string{ev.Workload, ev.Node, ev.Link, ev.Dir, ev.Reason, ev.Detail} {
		if word != "" {
			list = append(list, strings.Join(strings.Fields(word), " "))
		}
	}
	return line{{"", fmt.Sprintf("%10s  ", printClock(ev.At()))}, {code, strings.Join(list, "  ")}}
}
