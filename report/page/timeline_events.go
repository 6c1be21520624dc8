package page

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"netlab/report"
)

// begins are the kinds of events that begin something, with what ends it and what it is called.
var begins = []struct{ kind, end, name string }{
	{"link-down", "link-up", "link down"},
	{"partition", "heal", "partition"},
	{"crash", "restart", "crashed"},
	{"pause", "resume", "paused"},
}

// states adds a row for each link, node and partition that was out of order, as the events tell.
func (t *timeline) states(f *report.Folder) {
	for _, s := range begins {
		rows := map[string]*row{}
		open := map[string]time.Duration{}
		var order []string
		for i := range f.Events {
			ev := &f.Events[i]
			if ev.Kind != s.kind && ev.Kind != s.end {
				continue
			}
			about := subject(ev)
			if rows[about] == nil {
				rows[about] = &row{Label: about + " " + s.name, Class: "state " + s.kind}
				if s.kind == "partition" {
					rows[about].Label = about + " in force"
				}
				order = append(order, about)
			}
			since, isOpen := open[about]
			switch {
			case ev.Kind == s.kind && !isOpen:
				open[about] = ev.At()
			case ev.Kind == s.end && isOpen:
				delete(open, about)
				text := fmt.Sprintf("%s from %s to %s", rows[about].Label, printDuration(since), printDuration(ev.At()))
				rows[about].Bars = append(rows[about].Bars, t.bar(since, ev.At(), text))
			}
		}
		for _, about := range order {
			if since, isOpen := open[about]; isOpen {
				text := fmt.Sprintf("%s from %s to the end", rows[about].Label, printDuration(since))
				rows[about].Bars = append(rows[about].Bars, t.bar(since, t.length, text))
			}
			t.add(rows[about])
		}
	}
}

// subject is what an event is about.
func subject(ev *report.Event) string {
	switch {
	case ev.Kind == "partition" || ev.Kind == "heal":
		name, _, _ := strings.Cut(ev.Detail, ":")
		return name
	case ev.Link != "":
		return strings.TrimSpace(ev.Link + " " + ev.Dir)
	default:
		return ev.Node
	}
}

// points adds a row for each kind of the other events, but for what workloads did and lost frames, and lists the first events.
func (t *timeline) points(f *report.Folder, listed int) {
	shown := []string{"drop", "start", "finish"}
	for _, s := range begins {
		shown = append(shown, s.kind, s.end)
	}
	rows := map[string]*row{}
	var order []*row
	for i := range f.Events {
		ev := &f.Events[i]
		if ev.Kind == "drop" {
			continue
		}
		line := eventLine{ev.At(), seconds(ev.At()), ev.Kind, strings.TrimSpace(strings.Join([]string{ev.Workload, ev.Node, ev.Link, ev.Dir}, " ")),
			strings.TrimSpace(ev.Reason + " " + ev.Detail)}
		if len(t.Events) < listed {
			t.Events = append(t.Events, line)
		} else {
			t.Left++
		}
		if slices.Contains(shown, ev.Kind) {
			continue
		}
		r := rows[ev.Kind]
		if r == nil {
			r = &row{Label: ev.Kind, Class: "event"}
			rows[ev.Kind] = r
			order = append(order, r)
		}
		text := fmt.Sprintf("%s %s: %s", printDuration(line.At), strings.TrimSpace(line.Kind+" "+line.Where), short(line.Detail, 160))
		if n := len(r.Bars); n > 0 && r.Bars[n-1].from == ev.At() { // several at one time are one point
			r.Bars[n-1].Text = short(r.Bars[n-1].Text+"; "+line.Where, 400)
			continue
		}
		r.Bars = append(r.Bars, t.point(ev.At(), text))
	}
	for _, r := range order {
		t.add(r)
	}
}

// density counts the frames that were lost over time.
func (t *timeline) density(f *report.Folder) {
	counts := make([]int, densities)
	for i := range f.Events {
		if ev := &f.Events[i]; ev.Kind == "drop" {
			at := int(float64(ev.At()) / float64(t.length) * densities)
			counts[min(max(at, 0), densities-1)]++
			t.Lost++
		}
	}
	t.Part = t.length / densities
	if t.Lost == 0 {
		return
	}
	t.Most = slices.Max(counts)
	var b strings.Builder
	b.WriteString("M0 100")
	for i, n := range counts {
		if i > 0 && n == counts[i-1] {
			continue
		}
		height := 100 - float64(n)/float64(t.Most)*96
		if n == 0 {
			height = 100
		}
		fmt.Fprintf(&b, "H%sV%s", coordinate(float64(i)*1000/densities), coordinate(height))
	}
	b.WriteString("H1000V100Z")
	t.Density = b.String()
}

// maxBands is how many times charts set off.
const maxBands = 30

// bands are the times that charts set off: when something was out of order, and faults whose times are known.
func (t *timeline) bands() []band {
	var list []band
	for _, r := range t.Rows {
		if r.Class == "workload" || r.Class == "event" {
			continue
		}
		for _, b := range r.Bars {
			if !b.Point && !b.Open && len(list) < maxBands && (b.from > 0 || b.to < t.length) {
				list = append(list, band{seconds(b.from), seconds(b.to), r.Label})
			}
		}
	}
	return list
}
