package netem

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"netlab/units"
)

// RuleConfig describes a packet rule: which frames it looks at, which of those it hits, and what it does to them. A rule acts
// where a frame enters a link, before the queue. A link that is down, a frame that is too big and a partition come first. When
// several rules look at a frame they act in the order in which they were added, each on what the ones before let through.
type RuleConfig struct {
	// Name is for the log and for the comments in captures. No two rules in force have the same. What the rule draws comes from
	// the random streams that are called after it, such as rules.NAME.share; a rule that is added again after its removal
	// goes on in them where it was.
	Name string
	// Match says whether a frame, from its destination MAC address on, matches. It must neither change nor keep the frame. nil means
	// that every frame matches.
	Match func(frame []byte) bool
	// Places are where the rule looks; a direction of a link that is there twice counts once. Empty means every link that exists
	// when the rule is added, with Own set, so that the rule sees each frame once: where it begins its way.
	Places []Place
	// Own lets only those frames match that come from the node at the near end of the link itself, not those that it forwards:
	// the IP source (ARP: sender) is an address of the node. For an address of no node (0.0.0.0, ::, link-local ones) and for what
	// isn't IP or ARP the source MAC address decides. What a router's NAT has rewritten is the router's own.
	Own bool

	// Which of the matches are hits: the first First; the Nth alone, counted from 1; every EveryNth; or each with the probability
	// Share. At most one of these may be set, 0 means that it isn't. With none, every match is a hit.
	First, Nth, EveryNth int
	Share                units.Probability
	// Limit is how many hits there are at most; 0 means no limit.
	Limit int

	// Action is what happens to a hit. The fields below belong to one action each, and must be zero for the others.
	Action Action
	// Delay is for how long ActDelay holds a frame.
	Delay units.Distribution
	// Copies is how many copies ActDuplicate adds, 1 to MaxCopies; 0 means 1.
	Copies int
	// Bits is how many different bits behind the Ethernet header ActCorrupt flips, 1 to 160; 0 means 1.
	Bits int
	// To is to how many bytes, from the IP header on, ActTruncate cuts a frame; 0 means that the size is drawn evenly from those
	// that are smaller than the frame's, from 0. A frame that isn't larger than To stays as it is, though it is a hit.
	To int
	// Rejection is what ActReject answers.
	Rejection Rejection
	// MTU is what TooBig says that the link carries, 68 to 65535 bytes. A sender ignores less than it supports (RFC 8201: 1280).
	MTU int
}

// MaxCopies is how many copies of a frame a rule makes at most.
const MaxCopies = 1000

// Place is a direction of a link, as a port sees it: what leaves the port, or what arrives there.
type Place struct {
	Port *Port
	Way  Direction
}

// Rule is a packet rule that has been added to a network.
type Rule struct {
	config  RuleConfig
	net     *Network
	seq     uint64 // numbers rules from 1, in the order in which they were added
	words   string // rule "name"
	forged  string // the comment of the frames that it makes
	dirs    []*direction
	own     bool
	removed bool
	act     func(r *Rule, at time.Duration, d *direction, f *Frame) (taken bool)
	message rejection  // of ActReject
	wire    impairment // what ActCorrupt and ActTruncate do
	verdict verdict    // of wire about the present frame

	share, random               *rand.Rand // for the decision, and for what is done
	matchCount, hitCount, bytes atomic.Uint64
}

// RuleStats are the counters of a rule, in frames.
type RuleStats struct {
	Matches uint64      `json:"matches"`
	Hits    uint64      `json:"hits"`
	Bytes   units.Bytes `json:"bytes"` // in the frames that were hit, Ethernet headers included, as they came
}

// rules are those of a network in force.
type rules struct {
	active  []*Rule
	added   uint64
	streams streams
}

// AddRule puts a rule in force. It doesn't see frames that wait in a queue or are on the wire already, but those that another rule
// delays. Only the engine's loop may call it, or whoever builds the network.
func (n *Network) AddRule(c RuleConfig) (*Rule, error) {
	a, err := c.action()
	if err == nil {
		err = c.validate()
	}
	if err != nil {
		return nil, fmt.Errorf("rule %q: %w", c.Name, err)
	}
	if slices.ContainsFunc(n.rules.active, func(r *Rule) bool { return r.config.Name == c.Name }) {
		return nil, fmt.Errorf("rule %q: there is one of this name already; remove it first, or choose another name", c.Name)
	}
	r := &Rule{config: c, net: n, own: c.Own || len(c.Places) == 0, act: a.act}
	if r.dirs, err = n.directions(c.Places); err != nil {
		return nil, fmt.Errorf("rule %q: %w", c.Name, err)
	}
	r.words = fmt.Sprintf("rule %q", c.Name)
	r.forged = "forged by " + r.words
	if c.Share > 0 {
		r.share = n.rules.streams.get(c.Name + ".share")
	}
	if a.random {
		r.random = n.rules.streams.get(c.Name + "." + string(c.Action))
	}
	switch c.Action {
	case ActReject:
		r.message, _ = c.Rejection.message()
	case ActCorrupt:
		r.wire = &corruption{Corrupt: Corrupt{1, c.Bits}, random: r.random}
	case ActTruncate:
		r.wire = &truncation{Truncate: Truncate{1, c.To}, random: r.random}
	}
	n.rules.added++
	r.seq = n.rules.added
	n.rules.active = append(n.rules.active, r)
	for _, d := range r.dirs {
		d.rules = append(d.rules, r)
	}
	return r, nil
}

// directions are the directions of links that are meant by places, each once.
func (n *Network) directions(places []Place) ([]*direction, error) {
	var list []*direction
	if len(places) == 0 {
		for _, l := range n.links {
			list = append(list, &l.dirs[Forward], &l.dirs[Backward])
		}
		return list, nil
	}
	for _, p := range places {
		if p.Port == nil || p.Port.net != n || p.Port.out == nil {
			return nil, fmt.Errorf("port %v is joined to no link of this network", p.Port)
		}
		d := p.Port.out
		switch p.Way {
		case Outbound:
		case Inbound:
			d = d.reverse()
		default:
			return nil, fmt.Errorf("way %d at port %v: want Outbound or Inbound", p.Way, p.Port)
		}
		if !slices.Contains(list, d) {
			list = append(list, d)
		}
	}
	return list, nil
}

// Remove ends the rule. Frames that it delays still go on. A rule that has been removed stays so. Only the engine's loop may call it.
func (r *Rule) Remove() {
	if r.removed {
		return
	}
	r.removed = true
	// New lists, because somebody may be looking at the old ones.
	without := func(list []*Rule) []*Rule {
		i := slices.Index(list, r)
		return append(list[:i:i], list[i+1:]...)
	}
	r.net.rules.active = without(r.net.rules.active)
	for _, d := range r.dirs {
		d.rules = without(d.rules)
	}
}

// Matches is how many frames have matched. Any goroutine may ask.
func (r *Rule) Matches() uint64 { return r.matchCount.Load() }

// Hits is how many frames were hit. Any goroutine may ask.
func (r *Rule) Hits() uint64 { return r.hitCount.Load() }

// Stats returns the counters. Any goroutine may ask.
func (r *Rule) Stats() RuleStats {
	return RuleStats{Matches: r.Matches(), Hits: r.Hits(), Bytes: units.Bytes(r.bytes.Load())}
}

// validate checks what doesn't depend on the network or on the action.
func (c *RuleConfig) validate() error {
	triggers := 0
	for _, t := range []struct {
		name  string
		value int
	}{{"first", c.First}, {"nth", c.Nth}, {"every nth", c.EveryNth}, {"limit", c.Limit}} {
		if t.value < 0 {
			return fmt.Errorf("%s of %d: want 1 or more, or 0 for none", t.name, t.value)
		}
		if t.value > 0 && t.name != "limit" {
			triggers++
		}
	}
	if !(c.Share >= 0 && c.Share <= 1) {
		return fmt.Errorf("share of %v: want 0 to 1", float64(c.Share))
	}
	if c.Share > 0 {
		triggers++
	}
	switch {
	case c.Name == "":
		return errors.New("a rule needs a name")
	case triggers > 1:
		return errors.New("more than one of first, nth, every nth and share is set: want at most one")
	}
	return nil
}
