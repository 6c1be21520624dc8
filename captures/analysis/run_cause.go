package analysis

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"netlab/captures"
)

// findRepeats makes the run's list of segments that were sent again, as seen at the end that sent them, and finds out why.
func findRepeats(run *Run) {
	for _, s := range run.Streams {
		for side := range 2 {
			v := &s.Views[s.End(run, side)]
			for _, r := range v.Retransmissions {
				if r.Side != v.side(side) || r.Kind == Copy {
					continue
				}
				repeat := &Repeat{
					Retransmission: r, Stream: s, From: side, Capture: v.Capture,
					Journey: run.JourneyAt(v.Capture, r.Frame), Original: run.JourneyAt(v.Capture, r.Original),
				}
				if repeat.Journey != nil {
					repeat.Journey.Repeat = repeat
				}
				s.Repeats = append(s.Repeats, repeat)
			}
		}
		slices.SortStableFunc(s.Repeats, func(a, b *Repeat) int { return cmp.Compare(a.At, b.At) })
		run.Repeats = append(run.Repeats, s.Repeats...)
	}
	slices.SortStableFunc(run.Repeats, func(a, b *Repeat) int { return cmp.Compare(a.At, b.At) })
	a := &inquiry{run: run, sent: segmentsOf(run)}
	for _, r := range run.Repeats {
		r.Why, r.Text = a.cause(r)
	}
}

// sender is one side of a connection.
type sender struct {
	stream *Stream
	side   int
}

// segmentsOf returns what each side of the connections with repeated segments sent, in order of time.
func segmentsOf(run *Run) map[sender][]*Journey {
	sent := map[sender][]*Journey{}
	for _, j := range run.Journeys {
		if j.Stream != nil && len(j.Stream.Repeats) > 0 {
			sent[sender{j.Stream, j.Side}] = append(sent[sender{j.Stream, j.Side}], j)
		}
	}
	return sent
}

// inquiry finds out why segments were sent again.
type inquiry struct {
	run  *Run
	sent map[sender][]*Journey
}

// cause says why a segment was sent again, and tells it in words.
func (q *inquiry) cause(r *Repeat) (Cause, string) {
	o := r.Original
	switch {
	case r.Retransmission.Original == 0:
		return Unknown, "the original was not captured"
	case o == nil:
		return Unknown, "the original is beyond the limit of packets"
	}
	original := "the original (" + q.frame(r.Capture, r.Retransmission.Original) + ")"
	if o.Lost != nil {
		return OriginalLost, original + " was " + fate(o)
	}
	peer := 1 - r.From
	node := q.run.Captures[r.Stream.Views[r.Stream.End(q.run, peer)].Capture].Node
	arrival, ok := q.arrival(o, r.Stream, peer)
	switch {
	case !ok && damaged(o.Comments):
		return Unread, original + " was damaged on its way and seen last at " + q.last(o) + ": " + strings.Join(o.Comments, "; ")
	case !ok && q.own(r.Stream, peer):
		return Unknown, original + " was seen last at " + q.last(o) + " and never at " + node
	case !ok:
		return Unknown, original + " was not dropped where it was captured; what became of it then is not known"
	case damaged(o.Comments):
		return Unread, original + " arrived at " + node + ", but damaged: " + strings.Join(o.Comments, "; ")
	case arrival.At > r.At:
		return Late, fmt.Sprintf("%s was still on its way: it reached %s at %s", original, node, seconds(arrival.At))
	}
	return q.acknowledged(r, original, node, arrival)
}

// acknowledged goes on where the original is known to have arrived in time: what became of the ACKs for it?
func (q *inquiry) acknowledged(r *Repeat, original, node string, arrival Hop) (Cause, string) {
	original += fmt.Sprintf(" arrived at %s at %s", node, seconds(arrival.At))
	var acks, lost []*Journey
	var late time.Duration
	for _, a := range q.between(sender{r.Stream, 1 - r.From}, arrival.At, r.At) {
		if !covers(a, r.Original) {
			continue
		}
		acks = append(acks, a)
		back, ok := q.arrival(a, r.Stream, r.From)
		switch {
		case a.Lost != nil || damaged(a.Comments):
			lost = append(lost, a)
		case ok && back.At <= r.At:
			return Needless, original + " and was acknowledged by " + q.frame(back.Capture, back.Frame) + " before it was sent again"
		case ok && late == 0:
			late = back.At
		}
	}
	switch {
	case len(acks) == 0 && q.closed(r):
		return Unread, original + ", which had no room for it"
	case len(acks) == 0:
		return Unread, original + ", which did not acknowledge it before it was sent again"
	case len(lost) == 1:
		return ACKLost, original + ", but " + ackWords(r.Original) + " (" + q.first(lost[0]) + ") was " + fate(lost[0])
	case len(lost) > 1:
		return ACKLost, fmt.Sprintf("%s, but %d ACKs that covered it were lost: the first (%s) was %s", original, len(lost), q.first(lost[0]), fate(lost[0]))
	case late > 0:
		return Late, fmt.Sprintf("%s, but %s (%s) came too late, at %s", original, ackWords(r.Original), q.first(acks[0]), seconds(late))
	}
	return Unknown, original + ", and where its ACK (" + q.first(acks[0]) + ") went was not captured"
}

// arrival returns where a packet reached an end of the connection, ok false if it was not seen there.
func (q *inquiry) arrival(j *Journey, s *Stream, side int) (Hop, bool) {
	if !q.own(s, side) {
		return Hop{}, false
	}
	capture := s.Views[s.End(q.run, side)].Capture
	i := slices.IndexFunc(j.Hops, func(h Hop) bool { return h.Capture == capture && h.Inbound && !h.Dropped })
	if i < 0 {
		return Hop{}, false
	}
	return j.Hops[i], true
}

// last returns the node at which a packet was seen last.
func (q *inquiry) last(j *Journey) string { return q.run.Captures[j.Hops[len(j.Hops)-1].Capture].Node }

// own says whether there is a capture of the host at that end of the connection.
func (q *inquiry) own(s *Stream, side int) bool {
	v := &s.Views[s.End(q.run, side)]
	return q.run.Captures[v.Capture].Node == v.End(side).Name
}

// between returns what a side sent from one time to another.
func (q *inquiry) between(s sender, from, to time.Duration) []*Journey {
	list := q.sent[s]
	begin := sort.Search(len(list), func(i int) bool { return list[i].At >= from })
	end := sort.Search(len(list), func(i int) bool { return list[i].At >= to })
	return list[min(begin, end):end]
}

// closed says whether the host that the segment was sent to had said that it has no room.
func (q *inquiry) closed(r *Repeat) bool {
	list := q.between(sender{r.Stream, 1 - r.From}, 0, r.At)
	return r.Kind == Probe || len(list) > 0 && list[len(list)-1].Marks&Marks(MarkZeroWindow) != 0
}

// covers says whether an ACK tells that a segment arrived.
func covers(ack, segment *Journey) bool {
	end := segment.Seq + uint64(segment.Length)
	if segment.Flags&(captures.SYN|captures.FIN) != 0 {
		end++
	}
	if ack.Flags&captures.ACK == 0 || end == segment.Seq {
		return false
	}
	sacked := func(r Range) bool { return r.From <= segment.Seq && end <= r.To }
	return ack.Ack >= end || slices.ContainsFunc(ack.SACK, sacked)
}

// frame names a frame by its number and its capture's file.
func (q *inquiry) frame(capture, number int) string {
	return fmt.Sprintf("frame %d in %s", number, filepath.Base(q.run.Captures[capture].Path))
}

// first names a packet by its first sighting.
func (q *inquiry) first(j *Journey) string { return q.frame(j.Hops[0].Capture, j.Hops[0].Frame) }

// on names a link, if there is one.
func on(link string) string {
	if link == "" {
		return ""
	}
	return " on " + link
}

// seconds writes a time to the microsecond, with at least three decimals: "0.412 s".
func seconds(d time.Duration) string {
	text := strconv.FormatFloat(d.Seconds(), 'f', 6, 64)
	for range 3 {
		text = strings.TrimSuffix(text, "0")
	}
	return text + " s"
}

// fate says how a packet was lost.
func fate(j *Journey) string {
	if j.Lost == nil {
		return "damaged: " + strings.Join(j.Comments, "; ")
	}
	if strings.HasPrefix(j.Lost.Reason, "rule ") {
		return "dropped" + on(j.Lost.Link) + " by the packet " + j.Lost.Reason
	}
	return "dropped" + on(j.Lost.Link) + ": " + j.Lost.Reason
}

// ackWords names what acknowledges a segment.
func ackWords(segment *Journey) string {
	if segment.Flags&captures.SYN != 0 && segment.Flags&captures.ACK == 0 {
		return "the SYN-ACK that answered it"
	}
	return "its ACK"
}
