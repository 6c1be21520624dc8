package analysis

import (
	"net/netip"
	"time"

	"netlab/captures"
)

// Analysis is what one capture shows. Lists that grow with the number of packets hold the first [Options.Limit] entries; the counters
// beside them count all.
type Analysis struct {
	// Start is the time from which all others count: that of the run's start if the capture says so, else of its first packet.
	Start time.Time `json:"start"`
	// Application is the program that wrote the capture, Comments what it noted, if the file says so.
	Application string   `json:"application,omitempty"`
	Comments    []string `json:"comments,omitempty"`
	// Frames and Bytes count what passed the capture's filter, by lengths on the wire; Captured is what of that is in the file.
	Frames   int    `json:"frames"`
	Bytes    uint64 `json:"bytes"`
	Captured uint64 `json:"captured"`
	// First and Last are the times of the first and the last packet.
	First time.Duration `json:"first_ns"`
	Last  time.Duration `json:"last_ns"`
	// Dropped are the frames whose comment says that the emulated network dropped them.
	Dropped int `json:"dropped"`

	Interfaces    []Interface    `json:"interfaces"`
	Protocols     []*Protocol    `json:"protocols"`     // the tree's roots
	Endpoints     []*Endpoint    `json:"endpoints"`     // by address, in order of appearance
	Conversations []Conversation `json:"conversations"` // by pair of addresses, in order of appearance
	TCP           []*TCPStream   `json:"tcp"`
	TCPTotal      TCPTotal       `json:"tcp_total"` // of all streams, also of those beyond the limit
	UDP           []*UDPStream   `json:"udp"`
	UDPStreams    int            `json:"udp_streams"` // how many there are, also beyond the limit
	DNS           DNS            `json:"dns"`
	HTTP          HTTP           `json:"http"`
	TLS           TLSCounts      `json:"tls"`
	WebSocket     WebSocket      `json:"websocket"`
	ICMP          map[string]int `json:"icmp"` // messages by the words of captures.Describe, such as "echo request"
	ARP           map[string]int `json:"arp"`  // requests and replies
	// Notes are what deserves attention, in the order of frames; NoteCounts counts all of them by Kind.
	Notes      []Note         `json:"notes"`
	NoteCounts map[string]int `json:"note_counts"`
	// Marks counts the frames that have each mark, by Mark.String.
	Marks map[string]int `json:"marks"`
}

// TCPTotal counts over all connections of a capture.
type TCPTotal struct {
	Streams  int `json:"streams"`
	Segments int `json:"segments"`
	// SYNs and SYNACKs count with repetitions, Handshakes the connections whose handshake is complete.
	SYNs       int `json:"syns"`
	SYNACKs    int `json:"syn_acks"`
	Handshakes int `json:"handshakes"`
	// Retransmitted counts segments sent again by kind.
	Retransmitted map[Kind]int `json:"retransmitted"`
}

// Interface is one that frames were captured on.
type Interface struct {
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
	LinkType    uint16 `json:"link_type"`
	Frames      int    `json:"frames"`
	Bytes       uint64 `json:"bytes"`
}

// Protocol is a node of the protocol hierarchy, as Wireshark has it: the frames in which it was found, at that place.
type Protocol struct {
	Name     string      `json:"name"` // as in Wireshark's frame.protocols: eth, ip, ipv6, tcp, tls, http2, …
	Frames   int         `json:"frames"`
	Bytes    uint64      `json:"bytes"`
	Children []*Protocol `json:"children,omitempty"`
}

// Count is a number of frames and of their bytes on the wire.
type Count struct {
	Frames int    `json:"frames"`
	Bytes  uint64 `json:"bytes"`
}

// Endpoint is an address and what it sent and received.
type Endpoint struct {
	Addr     netip.Addr `json:"address"`
	Name     string     `json:"name,omitempty"`
	Sent     Count      `json:"sent"`
	Received Count      `json:"received"`
}

// Conversation is what two addresses sent each other.
type Conversation struct {
	A     netip.Addr    `json:"a"` // who sent first
	B     netip.Addr    `json:"b"`
	AName string        `json:"a_name,omitempty"`
	BName string        `json:"b_name,omitempty"`
	AToB  Count         `json:"a_to_b"`
	BToA  Count         `json:"b_to_a"`
	First time.Duration `json:"first_ns"`
	Last  time.Duration `json:"last_ns"`
}

// Address is an end of a stream.
type Address struct {
	Addr netip.Addr `json:"address"`
	Port uint16     `json:"port"`
	Name string     `json:"name,omitempty"` // of the address
}

// String returns "name:port", or "address:port" if there is no name.
func (a Address) String() string {
	if a.Name != "" {
		return a.Name + ":" + itoa(a.Port)
	}
	return netip.AddrPortFrom(a.Addr, a.Port).String()
}

// Sides of a stream.
const (
	Client = 0 // who opened it, or sent first if that wasn't captured
	Server = 1
)

// TCPStream is a connection.
type TCPStream struct {
	Index  int        `json:"stream"` // tcp.stream in Wireshark
	Ends   [2]Address `json:"ends"`   // Client and Server
	Frames int        `json:"frames"`
	// FirstFrame and LastFrame are the first and the last frame, First and Last their times.
	FirstFrame int           `json:"first_frame"`
	LastFrame  int           `json:"last_frame"`
	First      time.Duration `json:"first_ns"`
	Last       time.Duration `json:"last_ns"`
	Handshake  Handshake     `json:"handshake"`
	Sides      [2]Side       `json:"sides"` // what Client and Server sent
	Close      Close         `json:"close"`
	// Retransmissions are segments that were sent again, in order.
	Retransmissions []*Retransmission `json:"retransmissions,omitempty"`
	// Protocol is the application's, as Wireshark names it: http, http2, websocket, dns, tls if it could not be decrypted, or "".
	Protocol string `json:"protocol,omitempty"`
	TLS      *TLS   `json:"tls,omitempty"`

	state any // of the analyzer; nil once it is done
}

// Handshake is how a connection was opened (RFC 9293, section 3.5). Frames are 0 and times mean nothing where nothing was captured.
type Handshake struct {
	SYN    int `json:"syn_frame"`
	SYNACK int `json:"syn_ack_frame"`
	ACK    int `json:"ack_frame"`
	// SYNs and SYNACKs count with repetitions.
	SYNs    int `json:"syns"`
	SYNACKs int `json:"syn_acks"`
	// The times of the first SYN, the first SYN-ACK and the ACK.
	SYNAt    time.Duration `json:"syn_ns"`
	SYNACKAt time.Duration `json:"syn_ack_ns"`
	ACKAt    time.Duration `json:"ack_ns"`
	// Complete says that all three were captured; Took is the time from the first SYN to the ACK.
	Complete bool          `json:"complete"`
	Took     time.Duration `json:"took_ns"`
	Refused  bool          `json:"refused"` // a RST answered the SYN
}

// Ways in which a connection ends.
const (
	CloseOpen  = "open"  // not closed while it was captured
	CloseFIN   = "fin"   // both sides closed
	CloseHalf  = "half"  // one side closed
	CloseReset = "reset" // a RST ended it
)

// Close is how a connection ended.
type Close struct {
	How   string        `json:"how"`
	Side  int           `json:"side"` // who began: sent the first FIN, or the RST
	Frame int           `json:"frame"`
	At    time.Duration `json:"at_ns"`
}

// Side is what one end of a connection sent, as seen where the capture was taken.
type Side struct {
	Frames int `json:"frames"`
	// Bytes is the payload, Unique without what was sent again, Wire with all headers.
	Bytes  uint64 `json:"bytes"`
	Unique uint64 `json:"unique"`
	Wire   uint64 `json:"wire"`
	// MSS, Scale, SACK and Timestamps are what the SYN offered; Scale is -1 if it offered none or wasn't captured.
	MSS        uint16 `json:"mss"`
	Scale      int8   `json:"scale"`
	SACK       bool   `json:"sack"`
	Timestamps bool   `json:"timestamps"`

	// Retransmitted counts segments sent again by kind, RetransmittedBytes their payload.
	Retransmitted      map[Kind]int `json:"retransmitted"`
	RetransmittedBytes uint64       `json:"retransmitted_bytes"`
	// Timeouts is how often the retransmission timer ran out: one timeout may send many segments again.
	Timeouts      int `json:"timeouts"`
	OutOfOrder    int `json:"out_of_order"` // that came late: their original was not seen before
	DuplicateACKs int `json:"duplicate_acks"`
	LostSegments  int `json:"lost_segments"` // gaps before a segment: what should precede it was not captured
	ZeroWindows   int `json:"zero_windows"`
	WindowUpdates int `json:"window_updates"`
	WindowFulls   int `json:"window_fulls"`
	KeepAlives    int `json:"keep_alives"`
	Resets        int `json:"resets"`
	FINs          int `json:"fins"`
	SACKBlocks    int `json:"sack_blocks"`
	DSACKs        int `json:"dsacks"` // duplicates that the peer reported (RFC 2883)
	ECNMarks      int `json:"ecn_marks"`

	// RTT is how long ACKs took for what this side sent, without segments sent again (Karn's algorithm, RFC 6298).
	RTT RTT `json:"rtt"`
	// MaxInFlight is the most payload that was sent and not acknowledged.
	MaxInFlight uint64 `json:"max_in_flight"`
	// MinWindow and MaxWindow are the windows that this side offered, scaled, without that of the SYN.
	MinWindow uint64 `json:"min_window"`
	MaxWindow uint64 `json:"max_window"`
	// FirstByte and LastByte are when payload was first and last sent. They mean nothing if Bytes is 0.
	FirstByte time.Duration `json:"first_byte_ns"`
	LastByte  time.Duration `json:"last_byte_ns"`
	// Throughput is Unique over the time from FirstByte to LastByte in bytes per second, 0 if there is none.
	Throughput float64 `json:"throughput_bytes_per_second"`
	// LongestIdle is the longest time between two of its segments.
	LongestIdle time.Duration `json:"longest_idle_ns"`
}

// RTT sums round-trip times up. All are 0 if Count is.
type RTT struct {
	Count  int           `json:"count"`
	Min    time.Duration `json:"min_ns"`
	Avg    time.Duration `json:"avg_ns"`
	Max    time.Duration `json:"max_ns"`
	StdDev time.Duration `json:"stddev_ns"`
	Last   time.Duration `json:"last_ns"`
}

// Kind is why a segment was sent again, as far as the packets tell.
type Kind string

// The kinds of retransmissions.
const (
	// Fast is loss recovery that ACKs started: three duplicates, SACK blocks or RACK (RFC 5681, RFC 6675, RFC 8985).
	Fast Kind = "fast"
	// Timeout is the retransmission timer's (RFC 6298), with those that follow it without waiting for it again.
	Timeout Kind = "timeout"
	// TailLossProbe is sent when ACKs fail to come for two round trips (RFC 8985, section 7).
	TailLossProbe Kind = "tail-loss-probe"
	// Spurious is any whose original is known to have arrived: acknowledged before it was sent again, or reported by a
	// duplicate SACK (RFC 2883).
	Spurious Kind = "spurious"
	// Handshakes is a SYN or a SYN-ACK sent again.
	Handshakes Kind = "handshake"
	// Probe is a zero-window probe.
	Probe Kind = "zero-window-probe"
	// Copy is a packet that the network delivered twice: the same IP packet.
	Copy Kind = "copy"
)

// Retransmission is a segment that was sent again.
type Retransmission struct {
	Frame int           `json:"frame"`
	At    time.Duration `json:"at_ns"`
	Side  int           `json:"side"` // whose segment it is
	Kind  Kind          `json:"kind"`
	// Original is the frame that it repeats, the first part of it if it repeats several: the latest frame before it that carried its
	// first byte (or its SYN or FIN). It is 0 if that was not captured. OriginalAt is that frame's time.
	Original   int           `json:"original"`
	OriginalAt time.Duration `json:"original_ns"`
	// Seq is its sequence number from the start of the stream, Length its payload.
	Seq    uint64 `json:"seq"`
	Length int    `json:"length"`
	// Why says why the original was lost, or "" if the capture doesn't know: the comment of the original's frame without the word
	// dropped, such as "random loss on r1--server". What another node's capture knows is in [Repeat.Why].
	Why string `json:"why,omitempty"`
	// DuplicateACKs is how many duplicate ACKs had come for its first byte.
	DuplicateACKs int `json:"duplicate_acks"`

	previous *Retransmission // of the same first byte
}

// UDPStream is what two UDP ports exchanged; one that only ever sends is one too.
type UDPStream struct {
	Index int           `json:"stream"` // udp.stream in Wireshark
	Ends  [2]Address    `json:"ends"`   // who sent first is Client
	Sent  [2]Count      `json:"sent"`
	First time.Duration `json:"first_ns"`
	Last  time.Duration `json:"last_ns"`
}

// Severities of notes, as Wireshark's expert information has them.
const (
	Chat    = "chat"    // part of the usual course, such as a connection that opens
	Notable = "note"    // such as a duplicate ACK
	Warning = "warning" // such as a retransmission by timeout or a reset
	Error   = "error"   // such as a malformed packet
)

// Note is something that deserves attention.
type Note struct {
	Frame    int           `json:"frame"`
	At       time.Duration `json:"at_ns"`
	Severity string        `json:"severity"`
	Kind     string        `json:"kind"`             // such as "retransmission", in the words of Mark.String where there is one
	Stream   int           `json:"stream,omitempty"` // tcp.stream, -1 if there is none
	Text     string        `json:"text"`
}

// Marks is what is special about a frame, a set of [Mark].
type Marks uint32

// Mark is one of the things that can be special about a frame. Those of TCP have the names of Wireshark's tcp.analysis.
type Mark uint32

// The marks.
const (
	MarkRetransmission Mark = 1 << iota // of any Kind; see Frame.Retransmission
	MarkOutOfOrder
	MarkDuplicateACK
	MarkLostSegment
	MarkAckedUnseen // acknowledges what was not captured
	MarkZeroWindow
	MarkZeroWindowProbe
	MarkZeroWindowProbeACK
	MarkWindowUpdate
	MarkWindowFull
	MarkKeepAlive
	MarkKeepAliveACK
	MarkReset
	MarkOpens   // the SYN of a new connection
	MarkReused  // the ports of an earlier connection
	MarkCloses  // a FIN
	MarkDropped // the emulated network dropped it; the comment says why
	MarkAltered // the emulated network did something else to it
	MarkBroken  // it can't be read further
	MarkECN     // it has Congestion Experienced set
	MarkDSACK   // it reports a duplicate
	MarkCut     // the capture holds less of it than was on the wire
)

// Frame is a packet as it passes the analyzer, with what is known of it then. It and what it refers to are valid during the call
// only, except Stream and Retransmission.
type Frame struct {
	Number  int // from 1
	At      time.Duration
	Packet  *captures.Packet
	Headers *captures.Headers
	// LinkType is that of the interface.
	LinkType uint16
	Marks    Marks

	// For segments of TCP: what the header says, the stream and which side of it sent it. Stream is nil for other frames.
	Segment captures.Segment
	Stream  *TCPStream
	Side    int
	// Seq and Ack are the numbers of the segment from the start of the stream: the SYN has 0. They don't wrap around. Window is scaled.
	Seq, Ack, Window uint64
	// SACK are the blocks of the segment from the start of the stream, without that of a DSACK.
	SACK []Range
	// RTT is the round-trip time that this segment's ACK measures, 0 if it measures none.
	RTT time.Duration
	// InFlight is the payload that Side has sent and that is not acknowledged, after this frame; PeerInFlight is the other side's.
	InFlight, PeerInFlight uint64
	// Retransmission is not nil if the segment was sent again.
	Retransmission *Retransmission
	// UDP is the stream of a datagram, nil for other frames.
	UDP *UDPStream
	// Messages are what applications said, as far as it became complete with this frame; empty unless [Options.Applications].
	Messages []Message
	// Protocols are those of the applications that have a message which became complete with this frame, the outer ones first: tls,
	// http, http2, websocket, dns. Together with the headers they are its path in the protocol hierarchy.
	Protocols []string

	// overtaking says that MarkLostSegment or MarkOutOfOrder is only due to a segment that was dropped before it reached the queue.
	overtaking bool
}

// Range is a part of a stream's sequence numbers: From is the first byte, To the one after the last.
type Range struct{ From, To uint64 }

// Message is a unit of an application's protocol that became complete.
type Message struct {
	// Protocol is tls, http, http2, websocket or dns.
	Protocol string
	// Text says what it is in the words that ladders use, such as "TLS ClientHello (web.lab)" or "HTTP/2 HEADERS stream 1: GET /".
	Text string
	// FirstFrame is the frame in which it began.
	FirstFrame int
	// Bytes is how long it is.
	Bytes int
}
