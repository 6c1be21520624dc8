package ladder

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"netlab/captures/analysis"
)

// Packet is a packet as [Ladder.JSON] writes it. Times count in nanoseconds from the start of the run.
type Packet struct {
	Number   int           `json:"number"` // from 1, in the order of the run
	ID       uint64        `json:"id,omitempty"`
	At       time.Duration `json:"t_ns"`
	From     string        `json:"from"`
	To       string        `json:"to"`
	Protocol string        `json:"protocol"`
	Bytes    int           `json:"bytes"`
	Text     string        `json:"text"`
	Message  string        `json:"message,omitempty"`
	// Stream is that of the run, of segments of TCP only.
	Stream  *int     `json:"stream,omitempty"`
	Hops    []Hop    `json:"hops"`
	Lost    *Loss    `json:"lost,omitempty"`
	Repeats *Repeats `json:"repeats,omitempty"`
	// Comments say what netlab did to the packet besides.
	Comments []string `json:"comments,omitempty"`
}

// Hop is a sighting of a packet.
type Hop struct {
	Node      string        `json:"node"`
	Interface string        `json:"interface,omitempty"`
	Frame     int           `json:"frame"` // frame.number in Wireshark
	At        time.Duration `json:"t_ns"`
	Direction string        `json:"direction,omitempty"` // in or out, absent where it is not known
}

// Loss is where and why a packet was lost.
type Loss struct {
	At     time.Duration `json:"t_ns"`
	Node   string        `json:"node"`
	Link   string        `json:"link,omitempty"`
	Reason string        `json:"reason"`
}

// Repeats says of a segment that was sent again what it repeats.
type Repeats struct {
	Kind analysis.Kind `json:"kind"`
	// Original is the number of the packet, absent if that was not captured.
	Original int            `json:"original,omitempty"`
	Cause    analysis.Cause `json:"cause"`
	Text     string         `json:"text"`
}

// JSON writes the packets that the ladder shows, an object on a line each. Columns, folding and hops make no difference but
// for which packets there are: those that are folded are not written.
func (l *Ladder) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for i := range l.lines {
		n := &l.lines[i]
		if n.journey == nil || n.later {
			continue
		}
		if err := e.Encode(l.packet(n.journey)); err != nil {
			return fmt.Errorf("ladder: write: %w", err)
		}
	}
	return nil
}

func (l *Ladder) packet(j *analysis.Journey) *Packet {
	p := &Packet{Number: j.Index + 1, ID: j.ID, At: j.At, From: j.From, To: j.To, Protocol: j.Protocol, Bytes: j.Bytes, Text: j.Text,
		Message: j.Message, Comments: j.Comments, Hops: []Hop{}}
	if j.Stream != nil {
		p.Stream = &j.Stream.Index
	}
	for i := range j.Hops {
		h := &j.Hops[i]
		hop := Hop{Node: l.nodeOf(h), Interface: h.Interface, Frame: h.Frame, At: h.At}
		if l.network != nil {
			hop.Direction = "out"
			if h.Inbound {
				hop.Direction = "in"
			}
		}
		p.Hops = append(p.Hops, hop)
	}
	if loss := j.Lost; loss != nil {
		p.Lost = &Loss{loss.At, loss.Node, loss.Link, loss.Reason}
	}
	if r := j.Repeat; r != nil && r.Retransmission != nil {
		p.Repeats = &Repeats{Kind: r.Kind, Cause: r.Why, Text: r.Text}
		if r.Original != nil {
			p.Repeats.Original = r.Original.Index + 1
		}
	}
	return p
}
