package story

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"netlab/captures"
	"netlab/captures/analysis"
)

// handshake tells how a connection was opened.
func (t *teller) handshake(s *analysis.Stream) {
	v := &s.Views[s.End(t.run, analysis.Client)]
	h := v.Handshake
	client := host(s, analysis.Client)
	if h.SYN == 0 {
		e := t.about(s, Handshake, v.First, client, "seen late")
		e.Frames = []Frame{t.frame(v.Capture, v.FirstFrame)}
		t.say(e, "At %s the first packet of a connection between %s and %s is seen, which was open already (stream %d)%s.",
			at(v.First), s.Client, s.Server, s.Index, t.in(e.Frames...))
		return
	}
	e := t.about(s, Handshake, h.SYNAt, client, "open")
	e.Frames = []Frame{t.frame(v.Capture, h.SYN)}
	switch {
	case h.Refused:
		e.pattern = "refused|" + e.pattern
		e.Frames = append(e.Frames, t.frame(v.Capture, v.Close.Frame))
		t.say(e, "At %s %s wanted to open a connection to %s (stream %d), and was refused: a RST answered the SYN%s.",
			at(h.SYNAt), client, s.Server, s.Index, t.in(e.Frames...))
	case h.Complete:
		e.Frames = append(e.Frames, t.frame(v.Capture, h.SYNACK), t.frame(v.Capture, h.ACK))
		extra := ""
		if n := handshakes(s, analysis.Client); n > 1 {
			e.pattern = fmt.Sprintf("%d SYNs|%s", n, e.pattern)
			extra = fmt.Sprintf(", because the SYN had to be sent %s", times(n))
		} else if n := handshakes(s, analysis.Server); n > 1 {
			e.pattern = "again|" + e.pattern
			extra = fmt.Sprintf(", in which the SYN-ACK was sent %s", times(n))
		}
		t.say(e, "At %s%s %s opened a connection to %s (stream %d): SYN, SYN-ACK and ACK took %s%s%s.",
			at(h.SYNAt), t.seen(v.Capture, client), client, s.Server, s.Index, lasting(h.Took), extra, t.in(e.Frames...))
	case h.SYNACK == 0:
		n := handshakes(s, analysis.Client)
		e.pattern = fmt.Sprintf("unanswered %d|%s", n, e.pattern)
		again := ""
		if n > 1 {
			again = fmt.Sprintf(", though it sent its SYN %s", times(n))
		}
		t.say(e, "At %s %s wanted to open a connection to %s (stream %d), and no answer came%s%s.",
			at(h.SYNAt), client, s.Server, s.Index, again, t.in(e.Frames...))
	default:
		e.Frames = append(e.Frames, t.frame(v.Capture, h.SYNACK))
		e.pattern = "half|" + e.pattern
		t.say(e, "At %s %s sent a SYN to %s (stream %d), which was answered, but the connection was not completed%s.",
			at(h.SYNAt), client, s.Server, s.Index, t.in(e.Frames...))
	}
}

// handshakes returns how often a side sent its SYN or SYN-ACK.
func handshakes(s *analysis.Stream, side int) int {
	n := 1
	for _, r := range s.Repeats {
		if r.From == side && r.Kind == analysis.Handshakes {
			n++
		}
	}
	return n
}

// seen says at whose capture something was seen if it is not that of the node which did it: times are those of the capture.
func (t *teller) seen(capture int, node string) string {
	if n := t.run.Captures[capture].Node; n != node && t.folder != nil {
		return ", as seen at " + n + ","
	}
	return ""
}

// times writes "once", "twice", "three times".
func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return number(n) + " times"
}

// tls tells of a TLS handshake.
func (t *teller) tls(s *analysis.Stream) {
	v := &s.Views[s.End(t.run, analysis.Client)]
	h := v.TLS
	if h == nil || h.ClientHello == 0 {
		return
	}
	client, server := host(s, analysis.Client), host(s, analysis.Server)
	if h.ServerName != "" {
		server = h.ServerName
	}
	e := t.about(s, TLS, h.ClientHelloAt, client, fmt.Sprintf("%s %v %v %v", h.Version, h.Resumed, h.Retry, h.Finished > 0))
	e.Frames = []Frame{t.frame(v.Capture, h.ClientHello), t.frame(v.Capture, h.ServerHello), t.frame(v.Capture, h.Finished)}
	var alert string
	alerts := slices.DeleteFunc(slices.Clone(h.Alerts), func(a string) bool { return strings.Contains(a, "close notify") || strings.Contains(a, "close_notify") })
	if len(alerts) > 0 {
		e.pattern += "|" + strings.Join(alerts, ",")
		alert = fmt.Sprintf(" It came to %s: %s.", plainly(len(alerts), "alert"), list(alerts))
	}
	switch {
	case h.ServerHello == 0:
		t.say(e, "At %s %s sent the ClientHello of a TLS handshake with %s over stream %d, and no ServerHello came%s.%s",
			at(h.ClientHelloAt), client, server, s.Index, t.in(e.Frames...), alert)
		return
	case h.Finished == 0:
		t.say(e, "At %s %s and %s began a handshake of %s over stream %d, the end of which can't be seen%s.%s",
			at(h.ClientHelloAt), client, server, h.Version, s.Index, t.in(e.Frames...), alert)
		return
	}
	how := ""
	if h.Resumed {
		how = "resumed an earlier session with"
	} else {
		how = "agreed on keys with"
	}
	text := fmt.Sprintf("At %s %s %s %s by %s over stream %d", at(h.ClientHelloAt), client, how, server, h.Version, s.Index)
	if h.ALPN != "" {
		text += ", to speak " + h.ALPN
	}
	text += fmt.Sprintf(": from the ClientHello until both had finished it took %s", lasting(h.Took))
	if n := trips(h.Took, v.Handshake); n > 0 {
		text += fmt.Sprintf(", which is %s", count(n, "round trip"))
	}
	if h.Retry {
		text += "; the server had asked for another ClientHello"
	}
	t.say(e, "%s%s.%s", text, t.in(e.Frames...), alert)
}

// trips returns how many round trips something took, measured by those of the TCP handshake; 0 if it is not close to a whole number.
func trips(took time.Duration, h analysis.Handshake) int {
	if !h.Complete || h.Took <= 0 || h.SYNs != 1 || h.SYNACKs != 1 {
		return 0
	}
	share := float64(took) / float64(h.Took)
	n := int(share + 0.5)
	if n < 1 || share < float64(n)-0.1 || share > float64(n)+0.35 {
		return 0
	}
	return n
}

// transfer tells how much was sent over a connection on which no requests were seen.
func (t *teller) transfer(s *analysis.Stream) {
	understood := func(v analysis.View) bool { return v.Protocol != "" && v.Protocol != "tls" }
	if slices.ContainsFunc(s.Views, understood) {
		return
	}
	for side := range 2 {
		v := &s.Views[s.End(t.run, side)]
		sent := v.Sent(side)
		if sent.Unique == 0 {
			continue
		}
		from, to := host(s, side), host(s, 1-side)
		e := t.about(s, Transfer, sent.FirstByte, from, fmt.Sprintf("%d %d", side, sent.Unique))
		words, when := "", "At "+at(sent.FirstByte)
		if sent.LastByte > sent.FirstByte {
			words, when = fmt.Sprintf(", the last of them at %s", at(sent.LastByte)), "From "+at(sent.FirstByte)+" on"
			if sent.Throughput > 0 && sent.Unique >= 100_000 {
				words += fmt.Sprintf(": %s", rate(8*sent.Throughput))
			}
		}
		var again string
		if n := sent.RetransmittedBytes; n > 0 {
			again = fmt.Sprintf(" The %s that it sent again are not counted in that.", volume(n))
		}
		t.say(e, "%s %s sent %s to %s over stream %d%s.%s", when, from, volume(sent.Unique), to, s.Index, words, again)
	}
}

// webSocket tells of the messages of a connection that became one of WebSocket.
func (t *teller) webSocket(s *analysis.Stream) {
	var packets [2]int
	var first *analysis.Journey
	var last time.Duration
	for _, j := range t.segments[s] {
		if j.Protocol != "websocket" {
			continue
		}
		if first == nil {
			first = j
		}
		last = j.At
		packets[j.Side]++
	}
	if first == nil {
		return
	}
	client, server := host(s, analysis.Client), host(s, analysis.Server)
	e := t.about(s, Transfer, first.At, host(s, first.Side), "websocket")
	e.Frames = []Frame{t.sighted(first)}
	t.say(e, "From %s to %s messages of WebSocket went over stream %d, in %s from %s and %s from %s; the first was %q%s.", at(first.At), at(last),
		s.Index, count(packets[0], "packet"), client, count(packets[1], "packet"), server, first.Message, t.in(e.Frames...))
}

// windows tells where a receiver had no more room, and when it had again.
func (t *teller) windows(s *analysis.Stream) {
	var closed [2]*analysis.Journey
	var probes [2]int
	tell := func(side int, open *analysis.Journey) {
		j := closed[side]
		closed[side] = nil
		receiver, sender := host(s, side), host(s, 1-side)
		e := t.about(s, Window, j.At, receiver, fmt.Sprintf("window %d %v", side, open != nil))
		e.Frames = []Frame{t.sighted(j)}
		text := fmt.Sprintf("At %s %s had no more room for what %s sent over stream %d: it announced a window of 0%s.", at(j.At), receiver,
			sender, s.Index, t.in(e.Frames...))
		if n := probes[side]; n > 0 {
			text += fmt.Sprintf(" Meanwhile %s waited and asked %s with a probe whether there was room again.", sender, times(n))
		}
		if open != nil {
			opened := t.sighted(open)
			e.Frames = append(e.Frames, opened)
			text += fmt.Sprintf(" After %s, at %s, %s opened the window again%s.", lasting(open.At-j.At), at(open.At), receiver, t.in(opened))
		} else {
			text += " It stayed closed as long as can be seen."
		}
		t.say(e, "%s", text)
	}
	for _, j := range t.segments[s] {
		side := j.Side
		switch {
		case j.Marks&analysis.Marks(analysis.MarkZeroWindow) != 0:
			if closed[side] == nil {
				closed[side], probes[side] = j, 0
			}
		case closed[side] != nil && j.Flags&captures.ACK != 0 && j.Flags&captures.RST == 0:
			tell(side, j)
		}
		if j.Marks&analysis.Marks(analysis.MarkZeroWindowProbe) != 0 && closed[1-side] != nil {
			probes[1-side]++
		}
	}
	for side := range 2 {
		if closed[side] != nil {
			tell(side, nil)
		}
	}
}
