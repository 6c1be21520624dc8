package story

import (
	"fmt"

	"netlab/captures"
	"netlab/captures/analysis"
)

// lossKey is what packets have in common that were lost and never sent again.
type lossKey struct {
	stream        *analysis.Stream
	from, to      string
	link, reason  string
	node, segment string
}

// losses tells of packets that were lost and not sent again by TCP.
func (t *teller) losses() {
	told := map[*analysis.Journey]bool{}
	for _, r := range t.run.Repeats {
		told[r.Original] = true
	}
	var order []lossKey
	lost := map[lossKey][]*analysis.Journey{}
	for _, j := range t.run.Journeys {
		if j.Lost == nil || told[j] || j.Stream == nil && j.Protocol != "dns" {
			continue
		}
		if j.Repeat != nil && len(j.Stream.Repeats) > 0 {
			continue // told with the segment that it repeats
		}
		k := lossKey{j.Stream, j.From, j.To, j.Lost.Link, j.Lost.Reason, j.Lost.Node, segmentKind(j)}
		if lost[k] == nil {
			order = append(order, k)
		}
		lost[k] = append(lost[k], j)
	}
	for _, k := range order {
		packets := lost[k]
		first, last := packets[0], packets[len(packets)-1]
		e := Sentence{At: first.Lost.At, Kind: Loss, Node: k.from, Stream: -1, nodes: []string{k.from, k.to}, Frames: []Frame{t.sighted(first)}}
		over := ""
		if k.stream != nil {
			pattern := fmt.Sprintf("unrepaired %s %s %s %s", k.segment, k.link, k.reason, k.from)
			e = t.about(k.stream, Loss, first.Lost.At, k.from, pattern)
			e.Frames = []Frame{t.sighted(first)}
			over = fmt.Sprintf(" over stream %d", k.stream.Index)
		}
		fate := dropped(t.wire(first.Lost), k.reason)
		if len(packets) == 1 {
			t.say(e, "At %s %s from %s to %s%s%s was %s.%s", at(first.Lost.At), article(k.segment), k.from, k.to, over, t.in(e.Frames...), fate,
				consequence(k.segment, 1))
			continue
		}
		e.pattern = ""
		e.Frames = append(e.Frames, t.sighted(last))
		t.say(e, "%s %s from %s to %s%s were %s (the first is %s).%s", span(first.Lost.At, last.Lost.At), count(len(packets), k.segment),
			k.from, k.to, over, fate, t.framesText(e.Frames[:1]), consequence(k.segment, len(packets)))
	}
}

// segmentKind names what was lost.
func segmentKind(j *analysis.Journey) string {
	switch {
	case j.Stream == nil:
		return "DNS message"
	case j.Flags&captures.SYN != 0 && j.Flags&captures.ACK != 0:
		return "SYN-ACK"
	case j.Flags&captures.SYN != 0:
		return "SYN"
	case j.Flags&captures.RST != 0:
		return "RST"
	case j.Length > 0:
		return "segment"
	case j.Flags&captures.FIN != 0:
		return "FIN"
	}
	return "ACK"
}

// consequence says what the loss of something that is not sent again means.
func consequence(segment string, n int) string {
	switch {
	case segment == "ACK" && n == 1:
		return " Nothing had to be sent again for that: a later ACK says the same and more."
	case segment == "ACK":
		return " ACKs are not sent again: a later one says the same and more."
	case segment == "RST":
		return " A RST is not sent again: its receiver goes on as if the connection were open."
	case segment == "segment" || segment == "FIN" || segment == "SYN" || segment == "SYN-ACK":
		if n == 1 {
			return " It was not sent again."
		}
		return " They were not sent again."
	}
	return ""
}

// article puts "a" or "an" before a word.
func article(word string) string {
	if word == "ACK" || word == "RST" {
		return "an " + word
	}
	return "a " + word
}
