package ladder

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"netlab/captures"
	"netlab/captures/analysis"
	"netlab/report"
	"netlab/units"
)

// Selection chooses packets of a run. The zero value chooses all.
type Selection struct {
	// Stream is the number of a connection of the run, nil for all packets.
	Stream *int
	// Protocols are names such as tcp, udp, icmp, arp, dns, tls or http2; a packet of any of them is chosen. tcp and udp choose what is
	// carried by them, too.
	Protocols []string
	// From is the time from which packets set out, To the last one at which they do, nil for the end.
	From time.Duration
	To   *time.Duration
	// Lost chooses packets that were lost, Retransmissions segments that were sent again; with both, what is either.
	Lost, Retransmissions bool
	// Context is how many packets before and after each that Lost or Retransmissions chose are shown, too.
	Context int
	// Filter, if it isn't nil, says which packets fit besides; see [Matcher].
	Filter func(*analysis.Journey) bool
}

// Of returns the packets of a run that are chosen, in order. A stream or a protocol that the run doesn't have is an error.
func (s *Selection) Of(run *analysis.Run) ([]*analysis.Journey, error) {
	if s.Stream != nil && (*s.Stream < 0 || *s.Stream >= len(run.Streams)) {
		if len(run.Streams) == 0 {
			return nil, fmt.Errorf("there is no stream %d: there are no TCP connections", *s.Stream)
		}
		return nil, fmt.Errorf("there is no stream %d: the last of %d is %d", *s.Stream, len(run.Streams), len(run.Streams)-1)
	}
	if err := s.known(run); err != nil {
		return nil, err
	}
	var list []*analysis.Journey
	for _, j := range run.Journeys {
		if s.fits(j) {
			list = append(list, j)
		}
	}
	if !s.Lost && !s.Retransmissions {
		return list, nil
	}
	keep := make([]bool, len(list))
	for i, j := range list {
		if s.Lost && j.Lost != nil || s.Retransmissions && j.Repeat != nil {
			for k := max(0, i-s.Context); k <= min(i+s.Context, len(list)-1); k++ {
				keep[k] = true
			}
		}
	}
	chosen := list[:0]
	for i, j := range list {
		if keep[i] {
			chosen = append(chosen, j)
		}
	}
	return chosen, nil
}

func (s *Selection) fits(j *analysis.Journey) bool {
	return (s.Stream == nil || j.Stream != nil && j.Stream.Index == *s.Stream) &&
		j.At >= s.From && (s.To == nil || j.At <= *s.To) &&
		(len(s.Protocols) == 0 || slices.ContainsFunc(s.Protocols, func(p string) bool { return is(j, p) })) &&
		(s.Filter == nil || s.Filter(j))
}

// is says whether a packet is one of a protocol.
func is(j *analysis.Journey, protocol string) bool {
	switch protocol {
	case j.Protocol:
		return true
	case "tcp":
		return j.Stream != nil
	case "udp":
		return strings.HasPrefix(j.Text, "UDP ")
	}
	return false
}

// usual are protocols that are right to ask for even where a run has none of their packets.
var usual = []string{"tcp", "udp", "icmp", "icmpv6", "arp", "dns", "tls", "http", "http2", "websocket"}

// known refuses protocols that nobody knows.
func (s *Selection) known(run *analysis.Run) error {
	for _, name := range s.Protocols {
		if slices.Contains(usual, name) || slices.ContainsFunc(run.Journeys, func(j *analysis.Journey) bool { return j.Protocol == name }) {
			continue
		}
		hint := ""
		if near := units.Suggest(name, usual); near != "" {
			hint = "; did you mean " + near + "?"
		}
		return fmt.Errorf("there is no packet of protocol %q%s", name, hint)
	}
	return nil
}

// Matcher remembers which packets a filter lets through while a run is read: its Frame goes into [analysis.RunOptions].
type Matcher struct {
	filter *captures.Filter
	frames map[[2]int]bool
}

// NewMatcher makes a matcher for a filter.
func NewMatcher(filter *captures.Filter) *Matcher { return &Matcher{filter, map[[2]int]bool{}} }

// Frame takes a frame of a capture.
func (m *Matcher) Frame(capture int, f *analysis.Frame) {
	if m.filter.MatchHeaders(f.Headers) {
		m.frames[[2]int{capture, f.Number}] = true
	}
}

// Match says whether the filter let one of a packet's sightings through.
func (m *Matcher) Match(j *analysis.Journey) bool {
	return slices.ContainsFunc(j.Hops, func(h analysis.Hop) bool { return m.frames[[2]int{h.Capture, h.Frame}] })
}

// Addresses returns a function that finds a node's addresses, for filters with names.
func Addresses(t *report.Topology) func(node string) ([]netip.Addr, bool) {
	return func(node string) ([]netip.Addr, bool) {
		if _, ok := t.Nodes.Get(node); !ok {
			return nil, false
		}
		var list []netip.Addr
		for _, l := range t.Links {
			for _, text := range l.Addresses[node] {
				if p, err := netip.ParsePrefix(text); err == nil && !slices.Contains(list, p.Addr()) {
					list = append(list, p.Addr())
				}
			}
		}
		return list, true
	}
}

// AddressesIn returns the same for the names in a capture, as far as they stand before its first packet.
func AddressesIn(path string) (func(name string) ([]netip.Addr, bool), error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := captures.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	byName := map[string][]netip.Addr{}
	for {
		b, err := r.Next()
		if _, packet := b.(*captures.Packet); packet || err != nil {
			break // whoever reads the packets tells of a fault
		}
		if names, ok := b.(*captures.Names); ok {
			for _, n := range names.Names {
				byName[n.Name] = append(byName[n.Name], n.Addr)
			}
		}
	}
	return func(name string) ([]netip.Addr, bool) {
		list, ok := byName[name]
		return list, ok
	}, nil
}

// Events returns what happened to the network in a run, faults and their ends, as lines for a ladder. Drops show at their packets.
func Events(f *report.Folder) []Event {
	var list []Event
	for i := range f.Events {
		e := &f.Events[i]
		switch e.Kind {
		case "drop", "start", "finish", "log":
			continue
		}
		words := []string{strings.ReplaceAll(e.Kind, "-", " ")}
		for _, w := range []string{e.Node, e.Link, e.Detail} {
			if w != "" {
				words = append(words, w)
			}
		}
		list = append(list, Event{e.At(), strings.Join(words, " ")})
	}
	return list
}
