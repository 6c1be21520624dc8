package story

import (
	"fmt"
	"strings"
	"time"

	"netlab/captures/analysis"
)

// chain is a segment with all that was sent of it again, one after the other.
type chain struct {
	repeats []*analysis.Repeat
	// more are chains that tell the same: of segments that were lost together and sent again in the same way.
	more []*chain
}

func (c *chain) first() *analysis.Repeat { return c.repeats[0] }
func (c *chain) last() *analysis.Repeat  { return c.repeats[len(c.repeats)-1] }

// chains puts the repetitions of a connection together.
func chains(s *analysis.Stream) []*chain {
	var all []*chain
	type place struct{ from, frame int }
	open := map[place]*chain{} // by the frame that was sent last
	for _, r := range s.Repeats {
		c := open[place{r.From, r.Retransmission.Original}]
		if c == nil || c.last().Seq != r.Seq || r.Retransmission.Original == 0 {
			c = &chain{}
			all = append(all, c)
		}
		c.repeats = append(c.repeats, r)
		open[place{r.From, r.Frame}] = c
	}
	var kept []*chain
	for _, c := range all {
		if n := len(kept); n > 0 && kept[n-1].together(c) {
			kept[n-1].more = append(kept[n-1].more, c)
			continue
		}
		kept = append(kept, c)
	}
	return kept
}

// together says whether c tells the same as the chain before it: its original was sent before that one was sent again.
func (before *chain) together(c *chain) bool {
	a, b := before.first(), c.first()
	if len(c.repeats) > 1 || a.From != b.From || a.Original == nil || b.Original == nil || b.OriginalAt >= a.At {
		return false
	}
	if before.timedOut() { // what had gone out behind the segment for which the timer ran out
		return b.Kind == analysis.Timeout
	}
	return a.Kind == b.Kind && a.Why == b.Why && sameLoss(a.Original.Lost, b.Original.Lost)
}

// timedOut says whether the retransmission timer ran out for the segment.
func (c *chain) timedOut() bool { return c.last().Kind == analysis.Timeout }

func sameLoss(a, b *analysis.Loss) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Link == b.Link && a.Reason == b.Reason && a.Node == b.Node
}

// repairs tells of segments that were sent again, with what came before.
func (t *teller) repairs(s *analysis.Stream) {
	for _, c := range chains(s) {
		t.repair(s, c)
	}
}

func (t *teller) repair(s *analysis.Stream, c *chain) {
	r := c.first()
	sender := host(s, r.From)
	begin := r.At
	if r.Retransmission.Original > 0 {
		begin = r.OriginalAt
	}
	pattern := ""
	if len(c.repeats) == 1 {
		pattern = fmt.Sprintf("%d %s %s %v", r.From, r.Kind, r.Why, len(c.more) > 0)
		if o := r.Original; o != nil && o.Lost != nil {
			pattern += o.Lost.Link + o.Lost.Reason
			begin = o.Lost.At
		}
	}
	e := t.about(s, Loss, begin, sender, pattern)
	original, again := t.frame(r.Capture, r.Retransmission.Original), t.frame(r.Capture, r.Frame)
	segment := segmentWords(r)
	lead := ""
	switch {
	case r.Original != nil && r.Original.Lost != nil:
		lead = fmt.Sprintf("At %s %s of stream %d%s was %s.", at(begin), segment, s.Index, t.in(original),
			dropped(t.wire(r.Original.Lost), r.Original.Lost.Reason))
	case r.Retransmission.Original > 0:
		fate := strings.TrimPrefix(r.Text, "the original ("+t.framesText([]Frame{original})+") ")
		if r.Kind == analysis.Spurious && r.Why == analysis.Unknown {
			fate = "arrived, as the receiver told later"
		}
		if r.Why == analysis.Unknown && t.folder == nil {
			fate = ""
		}
		if r.Original != nil {
			if router := t.run.EndedAt(r.Original, t.routers); router != "" {
				fate = "came to " + router + ", which did not send it on"
			}
		}
		if fate != "" {
			fate = "; it " + fate
		}
		lead = fmt.Sprintf("At %s %s sent %s of stream %d%s%s.", at(begin), sender, segment, s.Index, t.in(original), fate)
	default:
		lead = fmt.Sprintf("At %s %s sent %s over stream %d, which is seen only when it was sent again.", at(begin), sender, segment, s.Index)
	}
	e.Frames = []Frame{original, again}
	if len(c.repeats) > 1 {
		text := t.doubling(c, sender, &e)
		t.say(e, "%s %s%s", lead, text, t.together(c, &e))
		return
	}
	t.say(e, "%s %s%s", lead, t.how(r, sender, t.in(again))+t.window(r), t.together(c, &e))
}

// segmentWords names a segment by what it is or by its numbers, which count from the start of the stream.
func segmentWords(r *analysis.Repeat) string {
	if r.Kind == analysis.Handshakes {
		if r.From == analysis.Client {
			return "the SYN"
		}
		return "the SYN-ACK"
	}
	if r.Length == 0 {
		return fmt.Sprintf("the FIN (seq %d)", r.Seq)
	}
	return fmt.Sprintf("the segment with seq %d (%s)", r.Seq, volume(uint64(r.Length)))
}

// how tells in what way a segment was sent again.
func (t *teller) how(r *analysis.Repeat, sender, frame string) string {
	waited := lasting(r.At - r.OriginalAt)
	switch r.Kind {
	case analysis.Fast:
		switch {
		case r.DuplicateACKs == 0:
			return fmt.Sprintf("From the ACKs for later segments %s saw that it was missing, and sent it again at %s%s: a fast retransmit, %s after the original.",
				sender, at(r.At), frame, waited)
		default:
			return fmt.Sprintf("%s later, at %s, %s sent it again%s by fast retransmit, %s after the original.",
				capital(count(r.DuplicateACKs, "duplicate ACK")), at(r.At), sender, frame, waited)
		}
	case analysis.Timeout, analysis.Handshakes:
		return fmt.Sprintf("No ACK for it came to %s, so %s after sending it, at %s, its retransmission timer ran out and it sent it again%s.",
			sender, waited, at(r.At), frame)
	case analysis.TailLossProbe:
		return fmt.Sprintf("No ACK came, and nothing followed that could have shown the gap: at %s, after %s, %s sent it again%s as a tail loss probe.",
			at(r.At), waited, sender, frame)
	case analysis.Spurious:
		return fmt.Sprintf("At %s, after %s, %s sent it again%s, which was not needed: a spurious retransmission.", at(r.At), waited, sender, frame)
	case analysis.Probe:
		return fmt.Sprintf("At %s, after %s, %s sent it again%s to probe whether the window was open.", at(r.At), waited, sender, frame)
	}
	return fmt.Sprintf("At %s, after %s, %s sent it again%s.", at(r.At), waited, sender, frame)
}

// doubling tells of a segment that was sent again several times, waits and all.
func (t *teller) doubling(c *chain, sender string, e *Sentence) string {
	var when, waits []string
	var frames []Frame
	var gaps []time.Duration
	previous := c.first().OriginalAt
	dropped := 0
	for _, r := range c.repeats {
		when = append(when, at(r.At))
		gaps = append(gaps, r.At-previous)
		waits = append(waits, lasting(r.At-previous))
		frames = append(frames, t.frame(r.Capture, r.Frame))
		previous = r.At
		if r.Journey != nil && r.Journey.Lost != nil {
			dropped++
		}
	}
	e.Frames = append(e.Frames[:1], frames...)
	n := len(c.repeats)
	text := fmt.Sprintf("No ACK for it came to %s, which sent it again %s, at %s%s, after waits of %s", sender, times(n), list(when), t.in(frames...), list(waits))
	switch {
	case c.first().Kind == analysis.TailLossProbe && doubles(gaps[1:]):
		text += ": first as a tail loss probe, and then whenever its retransmission timer ran out, which it doubled each time"
	case c.timedOut() && doubles(gaps):
		text += ": each time its retransmission timer ran out, it doubled the timer"
	}
	last := c.last()
	switch {
	case dropped == n:
		text += ". All of these were dropped, too."
	case last.Journey != nil && last.Journey.Lost == nil && dropped == n-1 && n > 1:
		text += fmt.Sprintf(". The %s got through.", ordinal(n))
	default:
		text += "."
	}
	for _, r := range c.repeats {
		if r.Kind == analysis.Timeout {
			return text + t.window(r)
		}
	}
	return text
}

// doubles says whether each wait but the first, which a running timer may have shortened, is twice the one before.
func doubles(gaps []time.Duration) bool {
	for i := 1; i < len(gaps); i++ {
		share := float64(gaps[i]) / float64(gaps[i-1])
		if share > 2.1 || share < 1.9 && i > 1 || share < 1.5 {
			return false
		}
	}
	return len(gaps) > 1
}

// together tells of the segments that fared like the first.
func (t *teller) together(c *chain, e *Sentence) string {
	if len(c.more) == 0 {
		return ""
	}
	var frames []Frame
	for _, m := range c.more {
		frames = append(frames, t.frame(m.first().Capture, m.first().Frame))
	}
	e.Frames = append(e.Frames, frames...)
	begin, end := c.more[0].first().At, c.more[len(c.more)-1].last().At
	if c.timedOut() {
		lost := 0
		for _, m := range c.more {
			if m.first().Why == analysis.OriginalLost {
				lost++
			}
		}
		text := fmt.Sprintf(" After that segment the sender went on with %s that had gone out behind it, ", count(len(c.more), "segment"))
		if lost > 0 {
			text += fmt.Sprintf("%s been dropped, ", ofWhich(lost, len(c.more)))
		}
		return fmt.Sprintf("%swithout waiting for the timer again: %s%s.", text, inSpan(begin, end), t.in(frames...))
	}
	if len(c.more) == 1 {
		return fmt.Sprintf(" One more segment that was on its way then fared alike: it was sent again at %s%s.", at(end), t.in(frames...))
	}
	return fmt.Sprintf(" %s more segments that were on their way then fared alike: they were sent again until %s%s.", capital(number(len(c.more))), at(end),
		t.in(frames...))
}

// ofWhich counts a part of several things: "all of which had", "two of which had", "which had".
func ofWhich(part, all int) string {
	switch {
	case part == all && all == 1:
		return "which had"
	case part == all:
		return "all of which had"
	}
	return number(part) + " of which had"
}

// inSpan is when several things happened, within a sentence.
func inSpan(from, to time.Duration) string {
	if at(from) == at(to) {
		return "at " + at(from)
	}
	return fmt.Sprintf("from %s to %s", at(from), at(to))
}
