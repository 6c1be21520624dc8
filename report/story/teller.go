package story

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"netlab/captures/analysis"
	"netlab/captures/telemetry"
	"netlab/report"
)

// teller makes the sentences of a story.
type teller struct {
	folder    *report.Folder // nil for captures of others
	run       *analysis.Run
	sentences []Sentence
	// byView finds the connections of the run by capture and the stream there.
	byView map[[2]int]*analysis.Stream
	// segments are those of each connection, in order of time.
	segments map[*analysis.Stream][]*analysis.Journey
	byID     map[uint64]*analysis.Journey
	byLength []string // the names of nodes, the longest first
	routers  map[string][]string
	controls map[connectionKey][]*telemetry.Connection // nil until it is asked for
}

func newTeller(f *report.Folder, run *analysis.Run) *teller {
	t := &teller{
		folder: f, run: run, byView: map[[2]int]*analysis.Stream{}, segments: map[*analysis.Stream][]*analysis.Journey{},
		byID: map[uint64]*analysis.Journey{},
	}
	if f != nil {
		t.routers = f.Topology.Routers()
	}
	for _, s := range run.Streams {
		for _, v := range s.Views {
			t.byView[[2]int{v.Capture, v.Index}] = s
		}
	}
	for _, j := range run.Journeys {
		if j.Stream != nil {
			t.segments[j.Stream] = append(t.segments[j.Stream], j)
		}
		if j.ID != 0 {
			t.byID[j.ID] = j
		}
	}
	return t
}

func (t *teller) tell() {
	t.introduce()
	for _, s := range t.run.Streams {
		t.handshake(s)
		t.tls(s)
		t.transfer(s)
		t.webSocket(s)
		t.windows(s)
		t.repairs(s)
		t.end(s)
	}
	t.names()
	t.requests()
	t.datagrams()
	t.losses()
	if t.folder != nil {
		t.events()
		t.queues()
		t.expectations()
	}
}

// say adds a sentence.
func (t *teller) say(s Sentence, format string, args ...any) {
	s.Text = printable(fmt.Sprintf(format, args...))
	if s.Node != "" && !slices.Contains(s.nodes, s.Node) {
		s.nodes = append(s.nodes, s.Node)
	}
	if s.pattern != "" {
		s.pattern = string(s.Kind) + "|" + s.pattern
	}
	t.sentences = append(t.sentences, s)
}

// about begins a sentence about a connection.
func (t *teller) about(s *analysis.Stream, kind Kind, when time.Duration, node, pattern string) Sentence {
	if pattern != "" {
		pattern += "|" + hostOf(s.Client) + "|" + s.Server
	}
	return Sentence{At: when, Kind: kind, Node: node, Stream: s.Index, nodes: t.passing(s), pattern: pattern}
}

// passing returns the nodes that a connection concerns: those that captured it and its ends.
func (t *teller) passing(s *analysis.Stream) []string {
	nodes := []string{hostOf(s.Client), hostOf(s.Server)}
	for _, v := range s.Views {
		if n := t.run.Captures[v.Capture].Node; !slices.Contains(nodes, n) && carries(v) {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// carries says whether a capture is of a node on a connection's way: a switch floods what it doesn't know yet, so that others see a
// packet or two of one direction.
func carries(v analysis.View) bool { return v.Sides[0].Frames > 0 && v.Sides[1].Frames > 0 }

// hostOf returns the host of "name:port".
func hostOf(end string) string {
	if i := strings.LastIndexByte(end, ':'); i > 0 {
		return strings.Trim(end[:i], "[]")
	}
	return end
}

// host returns the name of a side of a connection, peer that of the other.
func host(s *analysis.Stream, side int) string {
	if side == analysis.Client {
		return hostOf(s.Client)
	}
	return hostOf(s.Server)
}

// frame names a frame by capture and number.
func (t *teller) frame(capture, number int) Frame { return Frame{t.run.Captures[capture].Node, number} }

// sighted is where a packet was seen first.
func (t *teller) sighted(j *analysis.Journey) Frame {
	return t.frame(j.Hops[0].Capture, j.Hops[0].Frame)
}

// file returns the name of a node's capture.
func (t *teller) file(node string) string {
	for _, c := range t.run.Captures {
		if c.Node == node {
			return filepath.Base(c.Path)
		}
	}
	return node
}

// in names frames in parentheses; zero numbers, which are not captured, are left out.
func (t *teller) in(frames ...Frame) string {
	frames = slices.DeleteFunc(slices.Clone(frames), func(f Frame) bool { return f.Frame == 0 })
	if len(frames) == 0 {
		return ""
	}
	return " (" + t.framesText(frames) + ")"
}

// parenthesis names frames where the capture's name is known already.
func parenthesis(frames []Frame) string {
	var parts []string
	for _, f := range frames {
		if f.Frame > 0 {
			parts = append(parts, fmt.Sprint(f.Frame))
		}
	}
	switch len(parts) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf(" (frame %s in %s's capture)", parts[0], frames[0].Node)
	}
	return fmt.Sprintf(" (frames %s in %s's capture)", few(parts, 4), frames[0].Node)
}

// wire names the direction of a link on which a packet was lost: "r1 -> web (link r1--web)".
func (t *teller) wire(l *analysis.Loss) string {
	if t.folder == nil || l.Link == "" {
		if l.Link == "" {
			return l.Node
		}
		return l.Link
	}
	for _, link := range t.folder.Topology.Links {
		if link.Name != l.Link {
			continue
		}
		a, b, _ := strings.Cut(link.Between, " - ")
		from, to := a, b
		// A node that is down is where the packet would have arrived; else it was dropped where it was sent.
		if atEnd := l.Reason == nodeDown; (l.Node == b) != atEnd {
			from, to = b, a
		}
		return from + " -> " + to
	}
	return l.Link
}

// nodeDown is the reason of drops at the far end of a link.
const nodeDown = "node down"

// nodes returns the names that can be asked for.
func (t *teller) nodes() []string {
	var names []string
	if t.folder != nil {
		for _, n := range t.folder.Topology.Nodes {
			names = append(names, n.Name)
		}
		return names
	}
	for _, c := range t.run.Captures {
		for _, e := range c.Endpoints {
			name := e.Name
			if name == "" {
				name = e.Addr.String()
			}
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

func (t *teller) notes() []string {
	var notes []string
	for _, n := range t.run.Notes {
		notes = append(notes, printable(n))
	}
	if t.run.Left > 0 {
		notes = append(notes, fmt.Sprintf("the packets after the first %s, which are %s, are not told of", thousands(len(t.run.Journeys)), thousands(t.run.Left)))
	}
	return notes
}
