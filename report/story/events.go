package story

import (
	"fmt"
	"strings"

	"netlab/report"
)

// events tells what was done to the lab, and what its services and workloads noted.
func (t *teller) events() {
	list := t.folder.Events
	for i := 0; i < len(list); i++ {
		ev := &list[i]
		if ev.Kind == "drop" {
			continue // told with the packets
		}
		both := false
		if i+1 < len(list) && ev.Link != "" && ev.Frame == 0 {
			next := &list[i+1]
			both = next.Kind == ev.Kind && next.Link == ev.Link && next.TimeNS == ev.TimeNS && next.Dir != ev.Dir && next.Detail == ev.Detail
		}
		if both {
			i++
		}
		t.event(ev, both)
	}
}

func (t *teller) event(ev *report.Event, both bool) {
	e := Sentence{At: ev.At(), Kind: Fault, Node: ev.Node, Stream: -1}
	when := at(e.At)
	switch ev.Kind {
	case "partition":
		t.say(e, "At %s the network was partitioned (%s): what either side sent to the other was dropped from then on.", when, ev.Detail)
	case "heal":
		t.say(e, "At %s the partition ended (%s).", when, ev.Detail)
	case "crash":
		t.say(e, "At %s %s crashed: all its connections and what its programs held in memory were gone, without a word to anybody.", when, ev.Node)
	case "restart":
		t.say(e, "At %s %s started again, with a network stack that knows nothing of its earlier connections.", when, ev.Node)
	case "pause":
		t.say(e, "At %s %s was paused: what arrived waited%s.", when, ev.Node, colon(ev.Detail))
	case "resume":
		t.say(e, "At %s %s went on%s.", when, ev.Node, colon(ev.Detail))
	case "link-down", "link-up":
		e.pattern = ev.Kind + ev.Link + ev.Dir
		e.nodes = t.linkEnds(ev.Link)
		t.say(e, "At %s %s went %s.", when, t.linkName(ev, both), strings.TrimPrefix(ev.Kind, "link-"))
	case "set":
		e.pattern = ev.Kind + ev.Link + ev.Dir + ev.Detail
		e.nodes = t.linkEnds(ev.Link)
		t.say(e, "At %s %s changed%s.", when, t.linkName(ev, both), colon(ev.Detail))
	case "reroute":
		t.say(e, "At %s the routes were computed again: %s.", when, ev.Detail)
	case "rule":
		t.rule(e, ev)
	case "start":
		e.Kind, e.pattern = Workload, ev.Kind+ev.Workload
		t.say(e, "At %s the workload %s began%s.", when, ev.Workload, onNode(ev.Node))
	case "finish":
		e.Kind, e.pattern, e.ends = Workload, ev.Kind+ev.Workload, true
		t.say(e, "At %s the workload %s had ended%s%s.", when, ev.Workload, onNode(ev.Node), colon(ev.Detail))
	case "log":
		e.Kind = Warning
		e.pattern = ev.Node + ev.Workload + ev.Reason + ev.Detail
		who := ev.Node
		if ev.Workload != "" {
			who = "the workload " + ev.Workload
			if ev.Node != "" {
				who += " on " + ev.Node
			}
		}
		if who == "" {
			who = "the lab"
		}
		t.say(e, "At %s %s noted (%s): %s.", when, who, ev.Reason, ev.Detail)
	default:
		who := ev.Node
		if who == "" {
			who = ev.Link
		}
		if who != "" {
			who = " at " + who
		}
		t.say(e, "At %s there was an event %q%s%s.", when, ev.Kind, who, colon(ev.Detail))
	}
}

// rule tells of a packet that a rule met.
func (t *teller) rule(e Sentence, ev *report.Event) {
	e.pattern = "rule|" + ev.Link + ev.Dir + ev.Reason + ev.Detail
	e.nodes = t.linkEnds(ev.Link)
	packet := "a packet"
	if j := t.byID[ev.Frame]; j != nil {
		e.Frames = []Frame{t.sighted(j)}
		e.nodes = append(e.nodes, j.From, j.To)
		if j.Stream != nil {
			e.Stream = j.Stream.Index
		}
		packet = "the packet " + j.Text
	}
	if ev.Detail == ev.Reason || ev.Detail == "" {
		t.say(e, "At %s a rule on %s met %s%s: %s.", at(e.At), ev.Link, packet, t.in(e.Frames...), ev.Reason)
		return
	}
	t.say(e, "At %s a packet rule on %s met %s%s: %s (%s).", at(e.At), ev.Link, packet, t.in(e.Frames...), ev.Detail, ev.Reason)
}

// linkName names a link and, if it is one, the direction.
func (t *teller) linkName(ev *report.Event, both bool) string {
	if both || ev.Dir == "" {
		return "the link " + ev.Link
	}
	return fmt.Sprintf("the %s direction of the link %s", ev.Dir, ev.Link)
}

// linkEnds returns the nodes that a link joins.
func (t *teller) linkEnds(name string) []string {
	for _, l := range t.folder.Topology.Links {
		if l.Name == name {
			return strings.Split(l.Between, " - ")
		}
	}
	return nil
}

func colon(detail string) string {
	if detail == "" {
		return ""
	}
	return ": " + detail
}

func onNode(node string) string {
	if node == "" {
		return ""
	}
	return " on " + node
}
