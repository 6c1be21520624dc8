package story

import (
	"fmt"
	"strings"
	"time"

	"netlab/report"
)

// notable is the longest queue in packets that isn't worth a sentence.
const notable = 2

// queues tells where packets had to wait.
func (t *teller) queues() {
	for _, l := range t.folder.Results.Links {
		ends := t.linkEnds(l.Name)
		if len(ends) != 2 {
			continue
		}
		t.queue(ends[0], ends[1], &l.Value.Forward)
		t.queue(ends[1], ends[0], &l.Value.Backward)
	}
}

func (t *teller) queue(from, to string, d *report.Direction) {
	q := d.Queue
	if q == nil || q.MaxPackets <= notable {
		return
	}
	peak, when := 0, time.Duration(0)
	for i, b := range q.Buckets {
		if b.MaxPackets > peak {
			peak, when = b.MaxPackets, q.Start+time.Duration(i)*q.Width
		}
	}
	e := Sentence{At: when, Kind: Queue, Node: from, Stream: -1, nodes: []string{from, to}}
	text := fmt.Sprintf("In front of %s -> %s up to %s (%s) waited", from, to, count(q.MaxPackets, "packet"), volume(uint64(q.MaxBytes)))
	if peak > 0 {
		text += fmt.Sprintf(", most of them between %s and %s", at(when), at(when+q.Width))
	}
	text += fmt.Sprintf("; a packet that waited did so for %s on average and %s at most.", lasting(q.Sojourn.Avg), lasting(q.Sojourn.Max))
	if n := d.Dropped["queue_full"]; n > 0 {
		text += fmt.Sprintf(" %s found the queue full and %s dropped.", capital(count(int(n), "packet")), was(int(n)))
	}
	for _, aqm := range []struct{ key, name string }{{"red", "random early detection"}, {"codel", "CoDel"}, {"pie", "PIE"}} {
		if n := d.Dropped[aqm.key]; n > 0 {
			text += fmt.Sprintf(" %s dropped %s to keep it short.", capital(aqm.name), count(int(n), "packet"))
		}
		if n := d.Marked[aqm.key]; n > 0 {
			text += fmt.Sprintf(" %s marked %s with Congestion Experienced instead.", capital(aqm.name), count(int(n), "packet"))
		}
	}
	t.say(e, "%s", text)
}

func was(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// expectations tells what the run was expected to show and whether it did.
func (t *teller) expectations() {
	for _, o := range t.folder.Results.Expect {
		e := Sentence{At: t.folder.Results.Run.Duration, Kind: Expectation, Stream: -1}
		var values []string
		for _, v := range o.Values {
			values = append(values, v.Name+" = "+v.Value)
		}
		with := ""
		if len(values) > 0 {
			with = ": " + strings.Join(values, ", ")
		}
		reason := ""
		if o.Reason != "" {
			reason = " (" + o.Reason + ")"
		}
		verdict := "does not hold"
		switch {
		case o.Inconclusive:
			verdict = "can't be decided"
		case o.Holds:
			verdict = "holds"
		}
		t.say(e, "%s %s%s%s.", o.Text, verdict, with, reason)
	}
}
