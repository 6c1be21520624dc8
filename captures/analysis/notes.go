package analysis

import (
	"fmt"
	"strings"
)

// noteKinds are the marks that are worth a note, with how serious each is.
var noteKinds = [...]struct {
	mark     Mark
	severity string
}{
	{MarkOpens, Chat}, {MarkReused, Notable}, {MarkRetransmission, Notable}, {MarkOutOfOrder, Warning}, {MarkDuplicateACK, Notable},
	{MarkLostSegment, Warning}, {MarkAckedUnseen, Warning}, {MarkZeroWindow, Warning}, {MarkZeroWindowProbe, Notable},
	{MarkZeroWindowProbeACK, Notable}, {MarkWindowUpdate, Chat}, {MarkWindowFull, Warning}, {MarkKeepAlive, Notable},
	{MarkKeepAliveACK, Notable}, {MarkReset, Warning}, {MarkCloses, Chat}, {MarkDropped, Warning}, {MarkAltered, Warning},
	{MarkBroken, Error}, {MarkECN, Notable}, {MarkDSACK, Notable},
}

// note adds the notes of a frame.
func (a *Analyzer) note(f *Frame) {
	if f.Marks == 0 {
		return
	}
	for i := range noteKinds {
		k := &noteKinds[i]
		if !f.Marks.Has(k.mark) || f.overtaking && (k.mark == MarkLostSegment || k.mark == MarkOutOfOrder) {
			continue
		}
		a.analysis.NoteCounts[k.mark.String()]++
		if !a.room(len(a.analysis.Notes)) {
			continue
		}
		n := Note{Frame: f.Number, At: f.At, Severity: k.severity, Kind: k.mark.String(), Stream: -1, Text: a.noteText(f, k.mark)}
		if f.Stream != nil {
			n.Stream = f.Stream.Index
		}
		if r := f.Retransmission; k.mark == MarkRetransmission && r != nil && (r.Kind == Timeout || r.Kind == Handshakes) {
			n.Severity = Warning
		}
		a.analysis.Notes = append(a.analysis.Notes, n)
	}
}

func (a *Analyzer) noteText(f *Frame, m Mark) string {
	switch m {
	case MarkOpens:
		return fmt.Sprintf("%s opens a connection to %s", f.Stream.Ends[f.Side], f.Stream.Ends[1-f.Side])
	case MarkReused:
		return "the ports of an earlier connection are used again"
	case MarkRetransmission:
		return f.Retransmission.text()
	case MarkOutOfOrder:
		return fmt.Sprintf("seq %d comes after later segments", f.Seq)
	case MarkDuplicateACK:
		d := &f.Stream.state.(*streamState).sides[f.Side]
		return fmt.Sprintf("duplicate %d of ACK %d", d.duplicates, f.Ack)
	case MarkLostSegment:
		return fmt.Sprintf("what precedes seq %d was not captured", f.Seq)
	case MarkAckedUnseen:
		return fmt.Sprintf("ACK %d is for a segment that was not captured", f.Ack)
	case MarkZeroWindow:
		return fmt.Sprintf("%s has no room", f.Stream.Ends[f.Side])
	case MarkZeroWindowProbe:
		return "zero-window probe"
	case MarkZeroWindowProbeACK:
		return "there is still no room"
	case MarkWindowUpdate:
		return fmt.Sprintf("window of %d bytes", f.Window)
	case MarkWindowFull:
		return fmt.Sprintf("the window of %s is full", f.Stream.Ends[1-f.Side])
	case MarkKeepAlive:
		return "keep-alive"
	case MarkKeepAliveACK:
		return "ACK to a keep-alive"
	case MarkReset:
		return fmt.Sprintf("%s resets the connection", f.Stream.Ends[f.Side])
	case MarkCloses:
		return fmt.Sprintf("%s closes its side", f.Stream.Ends[f.Side])
	case MarkDropped, MarkAltered:
		return strings.ReplaceAll(f.Packet.Comment, "\n", "; ")
	case MarkECN:
		return "a router has marked congestion"
	case MarkDSACK:
		return fmt.Sprintf("%s has got something twice", f.Stream.Ends[f.Side])
	}
	if p := f.Headers.Problem(); p != "" {
		return p
	}
	return "a TCP header that can't be read"
}

// text says what was sent again and why, as far as the capture knows.
func (r *Retransmission) text() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s: seq %d", r.Kind, r.Seq)
	if r.Original != 0 {
		fmt.Fprintf(&s, " again, first in frame %d", r.Original)
	}
	if r.Why != "" {
		fmt.Fprintf(&s, ", lost to %s", r.Why)
	}
	return s.String()
}
