package main

import (
	"slices"
	"strconv"
	"strings"

	"netlab/captures/analysis"
)

// severities are those of notes, the most serious first.
var severities = []string{analysis.Error, analysis.Warning, analysis.Notable, analysis.Chat}

// noteSum is how often a kind of note is there.
type noteSum struct {
	kind, severity string
	count, first   int // first is the frame, 0 if it isn't among those listed
}

// sumNotes sums the notes up by kind, the most serious first, then in order of their first frames.
func sumNotes(a *analysis.Analysis) []*noteSum {
	byKind := map[string]*noteSum{}
	var list []*noteSum
	for i := range a.Notes {
		n := &a.Notes[i]
		s := byKind[n.Kind]
		if s == nil {
			s = &noteSum{kind: n.Kind, severity: n.Severity, count: a.NoteCounts[n.Kind], first: n.Frame}
			byKind[n.Kind] = s
			list = append(list, s)
		}
		if slices.Index(severities, n.Severity) < slices.Index(severities, s.severity) {
			s.severity = n.Severity
		}
	}
	var kinds []string
	for kind := range a.NoteCounts {
		if byKind[kind] == nil {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	for _, kind := range kinds {
		list = append(list, &noteSum{kind: kind, severity: analysis.Notable, count: a.NoteCounts[kind]})
	}
	slices.SortStableFunc(list, func(x, y *noteSum) int {
		return slices.Index(severities, x.severity) - slices.Index(severities, y.severity)
	})
	return list
}

// displayFilters are the display filters of Wireshark for kinds of notes that are no fields of tcp.analysis.
var displayFilters = map[string]string{
	"tls alert": "tls.alert_message",
	"syn":       "tcp.flags.syn == 1 && tcp.flags.ack == 0",
	"fin":       "tcp.flags.fin == 1",
	"reset":     "tcp.flags.reset == 1",
	"dropped":   `frame.comment contains "dropped"`,
	"cut":       "frame.cap_len < frame.len",
	"altered":   "frame.comment",
	"broken":    "_ws.malformed",
	"ecn_ce":    "ip.dsfield.ecn == 3 || ipv6.tclass.ecn == 3",
	"dsack":     "tcp.options.sack.dsack",
}

// displayFilter returns what finds a kind of notes in Wireshark. Those of applications are called as their protocol.
func displayFilter(kind string) string {
	if filter, ok := displayFilters[kind]; ok {
		return filter
	}
	for m := analysis.Mark(1); m.String() != "unknown"; m <<= 1 {
		if m.String() == kind {
			return "tcp.analysis." + kind
		}
	}
	return kind
}

func (f *inspectFlags) notes(p *page, a *analysis.Analysis) {
	p.heading("notes")
	t := &table{columns: []column{{title: "severity"}, {title: "what"}, {title: "count", right: true}, {title: "first frame", right: true}, {title: "in Wireshark", cut: true}}}
	for _, s := range sumNotes(a) {
		first := "–"
		if s.first > 0 {
			first = strconv.Itoa(s.first)
		}
		t.add(s.severity, strings.ReplaceAll(s.kind, "_", " "), printCount(uint64(s.count)), first, displayFilter(s.kind))
	}
	t.print(p, "  ", f.width)
	if !slices.Contains(f.sections, "notes") && !slices.Contains(f.sections, "all") {
		return
	}
	p.linef("")
	each := &table{columns: []column{{title: "frame", right: true}, {title: "at", right: true}, {title: "stream", right: true, spare: 1}, {title: "severity", spare: 2},
		{title: "what", spare: 3}, {title: "", cut: true}}}
	total := 0
	for _, n := range a.NoteCounts {
		total += n
	}
	for _, n := range a.Notes[:f.rows(len(a.Notes))] {
		stream := ""
		if n.Stream >= 0 {
			stream = strconv.Itoa(n.Stream)
		}
		each.add(strconv.Itoa(n.Frame), printDuration(n.At), stream, n.Severity, strings.ReplaceAll(n.Kind, "_", " "), n.Text)
	}
	each.print(p, "  ", f.width)
	p.more(total - len(each.rows))
}
