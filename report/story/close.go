package story

import (
	"fmt"
	"strings"

	"netlab/captures/analysis"
)

// end tells how a connection ended.
func (t *teller) end(s *analysis.Stream) {
	v := &s.Views[s.End(t.run, analysis.Client)]
	c := v.Close
	if v.Handshake.Refused || v.Handshake.SYN > 0 && !v.Handshake.Complete && c.How == analysis.CloseOpen {
		return // it never was open
	}
	by := c.Side
	if v.Flipped {
		by = 1 - by
	}
	who, peer := host(s, by), host(s, 1-by)
	f := t.frame(v.Capture, c.Frame)
	switch c.How {
	case analysis.CloseReset:
		e := t.about(s, Reset, c.At, who, fmt.Sprintf("reset %d", by))
		e.Frames = []Frame{f}
		forged := ""
		if j := t.run.JourneyAt(v.Capture, c.Frame); j != nil {
			for _, text := range j.Comments {
				if strings.HasPrefix(text, "forged") {
					forged = ", though not by " + who + " itself: the packet was " + text
				}
			}
		}
		after := ""
		for side := range 2 {
			if v.Sent(side).FINs > 0 && forged == "" {
				after = fmt.Sprintf(", after %s had closed it", host(s, side))
			}
		}
		if v.Sent(0).FINs > 0 && v.Sent(1).FINs > 0 {
			after = ", after both sides had closed it"
		}
		e.pattern += after
		t.say(e, "At %s the connection of stream %d was reset by %s%s%s%s.", at(c.At), s.Index, who, t.in(f), after, forged)
	case analysis.CloseFIN:
		e := t.about(s, Close, c.At, who, fmt.Sprintf("close %d", by))
		e.Frames = []Frame{f}
		t.say(e, "At %s %s began to close stream %d with a FIN%s, and %s closed its side, too.", at(c.At), who, s.Index, t.in(f), peer)
	case analysis.CloseHalf:
		e := t.about(s, Close, c.At, who, fmt.Sprintf("half %d", by))
		e.Frames = []Frame{f}
		t.say(e, "At %s %s closed its side of stream %d with a FIN%s; %s never closed its own.", at(c.At), who, s.Index, t.in(f), peer)
	default:
		e := t.about(s, Close, v.Last, "", "open")
		e.Frames = []Frame{t.frame(v.Capture, v.LastFrame)}
		t.say(e, "Stream %d, from %s to %s, was not closed; its last packet is seen at %s%s.", s.Index, s.Client, s.Server, at(v.Last), t.in(e.Frames...))
	}
}
