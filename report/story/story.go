package story

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"netlab/captures/analysis"
	"netlab/report"
)

// Options say what is told. The zero value tells of the whole run in at most 60 sentences.
type Options struct {
	// Limit is how many sentences there are at most; 0 means 60. A negative number means all, and nothing is folded then.
	Limit int
	// Streams are the connections that are told of, by their index in the run; empty means all, and what belongs to none.
	Streams []int
	// Nodes are those that are told of; empty means all. What concerns the network as a whole is told in any case.
	Nodes []string
	// From and To delimit the time; a To of 0 means the end.
	From, To time.Duration
	// Width is the longest line in columns, 0 means 100. It is at least 40.
	Width int
}

// defaultLimit and defaultWidth stand for 0 in Options, and minWidth is the narrowest text that can be read.
const (
	defaultLimit = 60
	defaultWidth = 100
	minWidth     = 40
)

// Story is a run in sentences.
type Story struct {
	Title     string     `json:"title"`
	Sentences []Sentence `json:"sentences"`
	// Left counts the sentences for which there was no room, by what they tell of.
	Left []Left `json:"left,omitempty"`
	// Notes say what could not be told, such as packets beyond the limit of the analysis.
	Notes []string `json:"notes,omitempty"`
}

// Left is how many sentences of a kind were left out.
type Left struct {
	Kind  Kind `json:"kind"`
	Count int  `json:"count"`
}

// Sentence is a part of a story, which may be several sentences about the same thing.
type Sentence struct {
	At     time.Duration `json:"t_ns"`
	Kind   Kind          `json:"kind"`
	Text   string        `json:"text"`
	Node   string        `json:"node,omitempty"`   // who did it, "" if nobody in particular
	Stream int           `json:"stream"`           // index in the run, -1 if it is about none
	Frames []Frame       `json:"frames,omitempty"` // those that are told of
	// Times is how often the same happened again later, up to Until; what is folded isn't told by itself.
	Times int           `json:"again,omitempty"`
	Until time.Duration `json:"until_ns,omitempty"`

	nodes   []string // all that it concerns; empty means everybody
	pattern string   // equal in sentences that tell the same but for times and numbers; "" is never folded
	ends    bool     // of a workload
	last    []Frame  // the frames of the last one that was folded into it
}

// Frame is a frame of a capture.
type Frame struct {
	Node  string `json:"node"`
	Frame int    `json:"frame"`
}

// Kind is what a sentence tells of.
type Kind string

// The kinds, in the order in which a long story keeps them.
const (
	Cast        Kind = "nodes"
	Expectation Kind = "expectation"
	Fault       Kind = "fault" // crash, restart, partition, changes of links, rules
	Loss        Kind = "loss"  // and how it was repaired
	Reset       Kind = "reset"
	Window      Kind = "window" // a receiver without room
	Handshake   Kind = "handshake"
	TLS         Kind = "tls"
	Name        Kind = "name" // a name that was looked up
	Request     Kind = "request"
	Transfer    Kind = "transfer"
	Queue       Kind = "queue"
	Datagram    Kind = "datagram" // ICMP, UDP and what is below
	Warning     Kind = "log"
	Workload    Kind = "workload"
	Close       Kind = "close"
)

// order is the kinds by importance, with the words for what is left out.
var order = []struct {
	kind   Kind
	one    string
	plural string
}{
	{Cast, "introduction", "introductions"}, {Expectation, "expectation", "expectations"}, {Fault, "event", "events"},
	{Loss, "loss", "losses"}, {Reset, "reset", "resets"}, {Window, "closed window", "closed windows"},
	{Handshake, "handshake", "handshakes"}, {TLS, "TLS handshake", "TLS handshakes"}, {Name, "name resolution", "name resolutions"},
	{Request, "request", "requests"}, {Transfer, "transfer", "transfers"}, {Queue, "queue", "queues"},
	{Datagram, "exchange of datagrams", "exchanges of datagrams"}, {Warning, "log message", "log messages"},
	{Workload, "workload's start or end", "starts and ends of workloads"}, {Close, "close", "closes"},
}

// rank is a kind's place in the order.
func rank(k Kind) int {
	for i, o := range order {
		if o.kind == k {
			return i
		}
	}
	return len(order)
}

// validate refuses what makes no sense for this run.
func (o *Options) validate(run *analysis.Run) error {
	switch {
	case o.Width != 0 && o.Width < minWidth:
		return fmt.Errorf("a width of %d columns: want %d or more", o.Width, minWidth)
	case o.From < 0 || o.To < 0:
		return errors.New("a time before the start of the run")
	case o.To != 0 && o.To < o.From:
		return fmt.Errorf("nothing lies between %v and %v: the end is before the beginning", o.From, o.To)
	}
	for _, s := range o.Streams {
		if s < 0 || s >= len(run.Streams) {
			return fmt.Errorf("there is no stream %d: the run has %s, counted from 0", s, count(len(run.Streams), "stream"))
		}
	}
	return nil
}

// Tell writes the story of a run. f is nil for captures that no run of netlab has left. An error is one of the options, or of w.
func Tell(w io.Writer, f *report.Folder, run *analysis.Run, o Options) error {
	s, err := Make(f, run, o)
	if err != nil {
		return err
	}
	return s.Print(w, o.Width)
}

// Make makes the story of a run; see [Tell].
func Make(f *report.Folder, run *analysis.Run, o Options) (*Story, error) {
	if err := o.validate(run); err != nil {
		return nil, err
	}
	known := map[string]bool{}
	t := newTeller(f, run)
	for _, n := range t.nodes() {
		known[n] = true
	}
	for _, n := range o.Nodes {
		if !known[n] {
			return nil, fmt.Errorf("there is no node %q: there are %s", n, printable(list(t.nodes())))
		}
	}
	t.byLength = t.nodes()
	slices.SortStableFunc(t.byLength, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	t.tell()
	s := &Story{Title: printable(t.title()), Notes: t.notes()}
	s.Sentences = slices.DeleteFunc(t.sentences, func(s Sentence) bool { return !o.wants(&s) })
	slices.SortStableFunc(s.Sentences, func(a, b Sentence) int {
		return cmp.Or(cmp.Compare(chapter(a.Kind), chapter(b.Kind)), cmp.Compare(a.At, b.At), cmp.Compare(a.turn(), b.turn()))
	})
	if o.Limit >= 0 {
		limit := cmp.Or(o.Limit, defaultLimit)
		s.fold(func(e *Sentence) string { return e.pattern }, "")
		if len(s.Sentences) > limit {
			s.fold(t.wide, " elsewhere")
		}
		s.shorten(limit)
		for i := range s.Sentences {
			s.Sentences[i].Frames = append(s.Sentences[i].Frames, s.Sentences[i].last...)
		}
	}
	return s, nil
}

// wants says whether a sentence passes the options' filters.
func (o *Options) wants(s *Sentence) bool {
	if s.Kind == Cast {
		return true
	}
	if len(o.Streams) > 0 && !slices.Contains(o.Streams, s.Stream) {
		return false
	}
	concerned := func(n string) bool { return slices.Contains(s.nodes, n) }
	if len(o.Nodes) > 0 && len(s.nodes) > 0 && !slices.ContainsFunc(o.Nodes, concerned) {
		return false
	}
	if chapter(s.Kind) != 1 {
		return true // about the run as a whole
	}
	return s.At >= o.From && (o.To == 0 || s.At <= o.To)
}

// chapter orders a story: who, what, and what came of it.
func chapter(k Kind) int {
	switch k {
	case Cast:
		return 0
	case Queue:
		return 2
	case Expectation:
		return 3
	}
	return 1
}

// turn orders what happened at the same time: a workload begins before its packets go out, and ends after them.
func (s *Sentence) turn() int {
	switch {
	case s.Kind == Workload && s.ends:
		return 3
	case s.Kind == Workload:
		return 0
	case s.Kind == Fault:
		return 1
	}
	return 2
}
