package ladder

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"netlab/captures/analysis"
	"netlab/units"
)

// Options say what a ladder shows.
type Options struct {
	// Nodes are the columns from left to right. Empty means the hosts and routers that the packets passed, ordered so that links join
	// neighbours as far as possible; switches show only if they are named here. Where there is no network, it means the ends of all
	// packets in order of appearance.
	Nodes []string
	// Hops draws each hop of a packet on a line of its own, at the time at which it began.
	Hops bool
	// Fold puts long stretches of plain data segments and ACKs together in a line each.
	Fold bool
	// Limit is how many packets are drawn at most; 0 means all.
	Limit int
	// Events are drawn as lines across the picture, between the packets.
	Events []Event
}

// Event is something that happened beside the packets, such as a fault.
type Event struct {
	At   time.Duration
	Text string
}

// Ladder is a picture that is ready to be drawn.
type Ladder struct {
	run     *analysis.Run
	network *Network
	columns []string
	column  map[string]int
	lines   []line
	ports   bool // there are several connections to tell apart
	shown   map[*analysis.Journey]bool
	// others counts the packets that don't touch two of the columns, left those beyond the limit, until the last of them.
	others, left int
	until        time.Duration
}

// line is a row of the picture: a packet or a part of its way, a stretch that is folded, or an event.
type line struct {
	at      time.Duration
	journey *analysis.Journey
	spans   []span
	later   bool // a hop after the first
	fold    *fold
	event   string
}

// UnknownNodeError says that a column was asked for that no packet and no node of the network has.
type UnknownNodeError struct {
	Node  string
	Known []string
}

// Error names the node and, if one is near, what may be meant.
func (e *UnknownNodeError) Error() string {
	if s := units.Suggest(e.Node, e.Known); s != "" {
		return fmt.Sprintf("there is no node %q; did you mean %s?", e.Node, s)
	}
	return fmt.Sprintf("there is no node %q", e.Node)
}

// ErrFewNodes says that a ladder would have less than two columns.
var ErrFewNodes = errors.New("a ladder needs at least two nodes")

// New prepares a ladder of some of a run's journeys, in the order of the run. network may be nil. The errors are [ErrFewNodes],
// an [*UnknownNodeError] and one for a node that is named twice.
func New(run *analysis.Run, network *Network, journeys []*analysis.Journey, o Options) (*Ladder, error) {
	if network != nil && !fits(run, network) {
		network = nil
	}
	l := &Ladder{run: run, network: network, shown: map[*analysis.Journey]bool{}}
	ways := make([][]leg, len(journeys))
	for i, j := range journeys {
		ways[i] = l.way(j)
	}
	if err := l.choose(o.Nodes, journeys, ways); err != nil {
		return nil, err
	}
	for i, j := range journeys {
		l.add(j, l.spans(j, ways[i]), o.Hops)
	}
	slices.SortStableFunc(l.lines, func(a, b line) int { return cmp.Compare(a.at, b.at) })
	l.surveyPorts()
	if o.Fold {
		l.lines = l.folded()
	}
	l.limit(o.Limit)
	l.addEvents(o.Events)
	return l, nil
}

// fits says whether the captures are those of the network's nodes.
func fits(run *analysis.Run, network *Network) bool {
	for _, c := range run.Captures {
		if !network.has(c.Node) {
			return false
		}
	}
	return true
}

// choose finds the columns.
func (l *Ladder) choose(nodes []string, journeys []*analysis.Journey, ways [][]leg) error {
	seen := l.participants(journeys, ways)
	if len(nodes) == 0 {
		l.columns = l.order(seen, ways)
	} else {
		known := append(l.network.Nodes(), seen...)
		for i, name := range nodes {
			if !slices.Contains(known, name) && (l.network != nil || len(journeys) > 0) {
				return &UnknownNodeError{name, known}
			}
			if slices.Contains(nodes[:i], name) {
				return fmt.Errorf("node %q is named twice", name)
			}
		}
		l.columns = slices.Clone(nodes)
	}
	if len(l.columns) < 2 {
		return ErrFewNodes
	}
	l.column = map[string]int{}
	for i, name := range l.columns {
		l.column[name] = i
	}
	return nil
}

// participants returns the nodes on the ways, without switches, in order of appearance.
func (l *Ladder) participants(journeys []*analysis.Journey, ways [][]leg) []string {
	var list []string
	seen := map[string]bool{"": true}
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			if !l.network.isSwitch(name) {
				list = append(list, name)
			}
		}
	}
	for i, legs := range ways {
		for _, g := range legs {
			add(g.from)
			add(g.to)
		}
		if l.network.has(journeys[i].To) {
			add(journeys[i].To)
		}
	}
	return list
}

// add makes the lines of a packet.
func (l *Ladder) add(j *analysis.Journey, spans []span, hops bool) {
	if len(spans) == 0 {
		l.others++
		return
	}
	if !hops {
		l.lines = append(l.lines, line{at: spans[0].sent, journey: j, spans: spans})
		return
	}
	for i := range spans {
		l.lines = append(l.lines, line{at: spans[i].sent, journey: j, spans: spans[i : i+1], later: i > 0})
	}
}

// surveyPorts finds out whether there are several connections in the picture.
func (l *Ladder) surveyPorts() {
	first := [2]string{}
	for i := range l.lines {
		d := describe(l.lines[i].journey)
		if d.fromPort == "" {
			continue
		}
		pair := [2]string{d.from + " " + d.fromPort, d.to + " " + d.toPort}
		if pair[1] < pair[0] {
			pair[0], pair[1] = pair[1], pair[0]
		}
		if first[0] == "" {
			first = pair
		} else if first != pair {
			l.ports = true
			return
		}
	}
}

// limit leaves out what is beyond so many packets.
func (l *Ladder) limit(n int) {
	keep := len(l.lines)
	for i := range l.lines {
		j := l.lines[i].journey
		if j == nil || l.shown[j] {
			continue
		}
		if n > 0 && len(l.shown) == n {
			keep = i
			break
		}
		l.shown[j] = true
	}
	left := map[*analysis.Journey]bool{}
	for i := range l.lines[keep:] {
		rest := &l.lines[keep+i]
		l.until = rest.at
		if rest.fold != nil {
			l.left += rest.fold.packets
			l.until = rest.fold.last
		} else if !l.shown[rest.journey] && !left[rest.journey] {
			left[rest.journey] = true
			l.left++
		}
	}
	l.lines = l.lines[:keep]
}

// addEvents sorts events in between the packets, up to the last packet if some are left out.
func (l *Ladder) addEvents(events []Event) {
	for _, e := range events {
		if l.left > 0 && (len(l.lines) == 0 || e.At > l.lines[len(l.lines)-1].at) {
			continue
		}
		l.lines = append(l.lines, line{at: e.At, event: e.Text})
	}
	slices.SortStableFunc(l.lines, func(a, b line) int {
		if c := cmp.Compare(a.at, b.at); c != 0 {
			return c
		}
		return cmp.Compare(boolInt(a.event == ""), boolInt(b.event == ""))
	})
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Columns returns the nodes of the picture from left to right.
func (l *Ladder) Columns() []string { return slices.Clone(l.columns) }

// Left is how many packets are beyond the limit.
func (l *Ladder) Left() int { return l.left }

// number is a packet's number, "#31".
func number(j *analysis.Journey) string { return fmt.Sprintf("#%d", j.Index+1) }
