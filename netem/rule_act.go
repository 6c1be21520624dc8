package netem

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"netlab/units"
)

// Action is what a packet rule does to the frames that it hits.
type Action string

// The actions. The frames that they add count as LinkStats.Duplicated, and captures show them with a comment. What is forged meets no
// further rule on its link. That which goes on takes the place of the frame, in the queue too. That which answers the sender reaches
// the port where the rule looks at the same instant, in an event of its own: it crosses no wire, and what the other direction
// does to frames doesn't touch it. If it isn't meant for that port's node, the node forwards it like any other.
const (
	// ActPass counts frames and lets them pass.
	ActPass Action = "pass"
	// ActDrop drops them.
	ActDrop Action = "drop"
	// ActDelay holds each for a time; those behind it may overtake it meanwhile. It then enters the link as if it came now, but for
	// the rules that it has passed. Until then it counts as in flight.
	ActDelay Action = "delay"
	// ActDuplicate adds copies. They go right behind the frame, through the rules that come next and the queue.
	ActDuplicate Action = "duplicate"
	// ActCorrupt flips bits. The receiver's checksums may find out.
	ActCorrupt Action = "corrupt"
	// ActTruncate cuts off the end.
	ActTruncate Action = "truncate"
	// ActReset drops TCP segments and forges a RST to either end, as if it came from the other (RFC 9293, sections 3.5.2 and 3.10.7).
	// Frames without a complete TCP segment don't match such a rule, nor do RSTs, fragments, and frames to or from groups. An end
	// whose next expected byte isn't the segment's (others before it were lost or are delayed) ignores the RST or asks back
	// (RFC 5961, section 3.2).
	ActReset Action = "reset"
	// ActReject drops packets and answers their senders with an ICMP error, as if from the destination. What must not be answered
	// (RFC 1122, section 3.2.2; RFC 4443, section 2.4) is dropped without answer: ICMP errors, fragments but the first, what isn't
	// to and from a single node, and what isn't IP.
	ActReject Action = "reject"
)

// action is how one of the actions is done.
type action struct {
	name Action
	// act does it and says whether the frame is gone: dropped, or on a way of its own.
	act func(r *Rule, at time.Duration, d *direction, f *Frame) (taken bool)
	// random says that it draws random numbers.
	random bool
}

var actions = []action{
	{ActPass, (*Rule).pass, false},
	{ActDrop, (*Rule).drop, false},
	{ActDelay, (*Rule).delay, true},
	{ActDuplicate, (*Rule).duplicate, false},
	{ActCorrupt, (*Rule).alter, true},
	{ActTruncate, (*Rule).alter, true},
	{ActReset, (*Rule).reset, false},
	{ActReject, (*Rule).reject, false},
}

// action returns the rule's action, whose options it checks.
func (c *RuleConfig) action() (a action, err error) {
	i := slices.IndexFunc(actions, func(a action) bool { return a.name == c.Action })
	if i < 0 {
		var names []string
		for _, a := range actions {
			names = append(names, string(a.name))
		}
		return a, fmt.Errorf("action %q: want one of %s", c.Action, strings.Join(names, ", "))
	}
	for _, o := range []struct {
		name string
		set  bool
		of   Action
	}{
		{"a delay", c.Delay != units.Distribution{}, ActDelay},
		{"a number of copies", c.Copies != 0, ActDuplicate},
		{"a number of bits", c.Bits != 0, ActCorrupt},
		{"a size to truncate to", c.To != 0, ActTruncate},
		{"a rejection", c.Rejection != "", ActReject},
		{"an MTU", c.MTU != 0, ActReject},
	} {
		if o.set && o.of != c.Action {
			return a, fmt.Errorf("%s is set, which belongs to the action %s: found the action %s", o.name, o.of, c.Action)
		}
	}
	return actions[i], c.checkOptions()
}

// checkOptions checks the values of the action's options.
func (c *RuleConfig) checkOptions() error {
	switch {
	case c.Action == ActDelay && c.Delay == units.Distribution{}:
		return errors.New("a rule that delays needs a delay")
	case c.Delay.File() != "" && c.Delay.Table() == nil:
		return fmt.Errorf("the delay %v has no data: want a distribution whose file has been read", c.Delay)
	case c.Copies < 0 || c.Copies > MaxCopies:
		return fmt.Errorf("%d copies: want 1 to %d, or 0 for 1", c.Copies, MaxCopies)
	case c.Action == ActCorrupt:
		return (&Corrupt{1, c.Bits}).validate()
	case c.Action == ActTruncate:
		return (&Truncate{1, c.To}).validate()
	case c.Action == ActReject:
		return c.checkRejection()
	}
	return nil
}

// watched says whether anybody wants to know what the rule does to a frame that stays.
func (r *Rule) watched() bool { return r.net.tap != nil || r.net.observe != nil }

// report tells the log what the rule has done to a frame, and if noted the captures too.
func (r *Rule) report(at time.Duration, d *direction, f *Frame, words string, noted bool) {
	if noted && r.net.tap != nil {
		f.ruled = join(f.ruled, words)
	}
	r.net.emit(Event{At: at, Kind: "rule", Node: d.from.host, Link: d.link.id, Dir: d.name, Frame: f.ID,
		Reason: string(r.config.Action), Detail: words})
}

func (r *Rule) pass(at time.Duration, d *direction, f *Frame) bool {
	r.report(at, d, f, r.words, false)
	return false
}

func (r *Rule) drop(at time.Duration, d *direction, f *Frame) bool {
	d.drop(at, f, DropRule, r.words)
	return true
}

func (r *Rule) delay(at time.Duration, d *direction, f *Frame) bool {
	held := min(r.config.Delay.Sample(r.random), maxTime-at)
	if r.watched() {
		r.report(at, d, f, fmt.Sprintf("delayed by %v by %s", units.Duration(held), r.words), true)
	}
	if held == 0 {
		return false
	}
	r.net.schedule(at+held, d.freeKey, &release{d, r.seq}, f)
	return true
}

// release is the event that a frame enters a direction after a delay.
type release struct {
	d     *direction
	after uint64 // the number of the rule that has delayed it
}

func (r *release) quiet() bool { return true }

func (r *release) handle(at time.Duration, f *Frame) { r.d.enter(at, f, r.after) }

func (r *Rule) duplicate(at time.Duration, d *direction, f *Frame) bool {
	copies := max(r.config.Copies, 1)
	last := f.Clone() // before somebody alters or releases the frame
	if r.watched() {
		r.report(at, d, f, fmt.Sprintf("sent %d times by %s", copies+1, r.words), true)
	}
	d.judge(at, f, r.seq)
	for i := range copies {
		c := last
		if i < copies-1 {
			c = last.Clone()
		}
		d.stats.Duplicated.add(c)
		r.net.inFlight++
		if r.net.tap != nil {
			c.ruled = join(c.ruled, fmt.Sprintf("duplicate %d of %d by %s", i+2, copies+1, r.words))
		}
		d.judge(at, c, r.seq)
	}
	return true
}

// alter does to a frame what a wire that alters every frame does.
func (r *Rule) alter(at time.Duration, d *direction, f *Frame) bool {
	v := &r.verdict
	*v = verdict{size: len(f.Data)}
	r.wire.apply(v)
	change, count := v.damage, &d.stats.Corrupted
	if v.cut != nil {
		change, count = v.cut, &d.stats.Truncated
	}
	words := "not altered by "
	if change != nil {
		if r.watched() {
			words = change.words(f) + " by "
		}
		change.alter(f)
		f.Damaged = true
		*count++
	}
	if r.watched() {
		r.report(at, d, f, words+r.words, true)
	}
	return false
}

func (r *Rule) reset(at time.Duration, d *direction, f *Frame) bool {
	s, _ := parseSegment(f) // it is one, or else the frame would be no match
	onwards, back := s.resetReceiver(r.net.Engine), s.resetSender(r.net.Engine)
	d.drop(at, f, DropRule, r.words)
	d.forge(onwards, r.forged)
	d.admit(at, onwards)
	d.answer(at, back, r.forged)
	return true
}

func (r *Rule) reject(at time.Duration, d *direction, f *Frame) bool {
	answer := r.message.answer(r.net.Engine, f, r.config.MTU, d.reverse().params.MTU)
	d.drop(at, f, DropRule, r.words)
	if answer != nil {
		d.answer(at, answer, r.forged)
	}
	return true
}
