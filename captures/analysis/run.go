package analysis

import (
	"time"
)

// Run is what the captures of a run's folder, or a single capture, show together.
type Run struct {
	// Start is the time from which all others count.
	Start time.Time
	// Captures are the vantage points, in the order that was asked for.
	Captures []*Capture
	// Journeys are the packets in the order of their first sighting. They are the first [RunOptions.Limit] ones; Left is how many there
	// are beyond.
	Journeys []*Journey
	Left     int
	// Streams are the connections, each once, in the order of their first packets. Repeats are the segments that were sent again.
	Streams []*Stream
	Repeats []*Repeat
	// Notes say what is missing: captures that were left out, and why.
	Notes []string

	frames [][]int32 // by capture and frame the journey's index + 1
}

// JourneyAt returns the journey of which a capture's frame is a sighting, nil if there is none: the number is not that of a frame, or
// the packet is beyond the limit. capture is an index in Captures, frame counts from 1.
func (r *Run) JourneyAt(capture, frame int) *Journey {
	if capture < 0 || capture >= len(r.frames) || frame < 1 || frame > len(r.frames[capture]) {
		return nil
	}
	if i := r.frames[capture][frame-1]; i > 0 {
		return r.Journeys[i-1]
	}
	return nil
}

// Capture is a vantage point.
type Capture struct {
	// Node is the node's name, which is the file's without its extension.
	Node string
	Path string
	*Analysis
}

// Journey is a packet on its way, as all captures together saw it.
type Journey struct {
	Index int    // in Run.Journeys
	ID    uint64 // [captures.Packet.ID], 0 in captures without
	At    time.Duration
	// From and To are the nodes that it goes between, by the names of its addresses, or the addresses themselves.
	From, To string
	// Text is its description, as [captures.Describer] and the messages that became complete at the far end make it.
	Text string
	// Protocol is what the packet is, as the last part of Wireshark's frame.protocols has it: tcp, tls, http, dns, icmp, arp, …
	Protocol string
	Bytes    int // on the wire
	// Hops are where it was seen, in order of time. There is at least one.
	Hops []Hop
	// Lost is not nil if the network dropped it and, of copies, none arrived. What a host or router throws away, because its time to live
	// is over or nobody listens, is not lost in this sense; for routers see [Run.EndedAt].
	Lost *Loss
	// Comments are what netlab did to it besides, each once.
	Comments []string
	// For segments: the connection, the side that sent it, its numbers as in [Frame], and what is special about it at its first hop.
	Stream  *Stream
	Side    int
	Seq     uint64
	Ack     uint64
	Length  int
	Flags   uint8
	Marks   Marks
	SACK    []Range // the blocks of its selective acknowledgement
	Repeat  *Repeat // not nil if it was sent again
	Message string  // what applications said, as far as it became complete with this packet at the far end; "" if nothing did
}

// Hop is a sighting of a packet.
type Hop struct {
	Capture   int // index in Run.Captures
	Interface string
	Frame     int // frame.number in that capture
	At        time.Duration
	Inbound   bool
	Dropped   bool // it ended there

	entrusted bool // it came to a router to be sent on, whole; see captureState.entrusted
}

// Loss is where and why a packet ended.
type Loss struct {
	At   time.Duration
	Node string // at whose end of the link it was seen last
	Link string // "" if the comment names none
	// Reason is the comment's, such as "random loss" or "queue full".
	Reason string
	Frame  int // at Node's capture
}

// Stream is a connection of a run.
type Stream struct {
	Index int
	// Client and Server are its ends as the client's capture sees them, such as "client:49152".
	Client, Server string
	// Views are the connection as each capture that saw it shows it, in the order of Run.Captures. Behind NAT its ports differ.
	Views []View
	// Best is the index in Views of the capture that shows best what happened: at the host that sent more payload.
	Best int
	// Repeats are its segments that were sent again.
	Repeats []*Repeat
}

// View is a connection as one capture shows it.
type View struct {
	Capture int // index in Run.Captures
	// Flipped says that the capture missed how the connection was opened and takes the server for the client.
	Flipped bool
	*TCPStream
}

// Repeat is a segment that was sent again, with what all captures know of it.
type Repeat struct {
	*Retransmission
	Stream *Stream
	// From is the side that sent it, Capture the vantage point whose frames Retransmission counts.
	From, Capture int
	// Journey is that of the segment sent again, Original that of the segment which it repeats, nil if it was not captured.
	Journey, Original *Journey
	// Why says why it was sent again: how the original or the ACKs for it were lost, or that nothing was.
	Why Cause
	// Text is Why in words, such as "the original (frame 31) was dropped on r1--web: queue full".
	Text string
}

// Cause is why a segment was sent again.
type Cause string

// The causes.
const (
	OriginalLost Cause = "original-lost" // the network dropped the original
	ACKLost      Cause = "ack-lost"      // the original arrived, and ACKs for it were lost
	Late         Cause = "late"          // the original or its ACK arrived, but too late
	Unread       Cause = "unread"        // the original arrived at a host that did not take it: damaged, paused or without room
	Needless     Cause = "needless"      // the original and an ACK for it arrived in time, and it was sent again all the same
	Unknown      Cause = "unknown"       // the captures don't tell
)
