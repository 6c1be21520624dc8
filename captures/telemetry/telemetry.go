// Package telemetry is what netlab takes down of a run over virtual time, beside its packets: how the congestion control of each
// connection fared, as the stack itself says, and how busy each link was. A run writes it to the file telemetry.json.
//
// A connection is looked at after each event of the run in which it received or sent a segment, so also after a retransmission timer
// has run out, once everything that the event led to has happened. What doesn't change isn't taken down again.
//
// Series are kept compact whatever the run's length. A connection's series has at most a fixed number of points; when it is full those
// that are close to each other become one that keeps the last values and the extremes, in parts of a time that doubles until there
// is room again. So what happens seldom, such as the expiries of a retransmission timer, stays apart beside thousands of
// acknowledgements. A link's series has at most [MaxParts] parts of equal length; when the run is longer than they are each two become
// one that is twice as long. There are at most as many connections as [Options] say, those that began first, and the rest is
// counted.
package telemetry

import "time"

// File is telemetry.json.
type File struct {
	// Connections are in order of the time at which they began, those of one instant in the order of nodes and addresses.
	Connections []*Connection `json:"connections"`
	// Left is how many connections were not taken down because there were too many.
	Left int `json:"left"`
	// Links are in file order.
	Links []*Link `json:"links"`
}

// Connection is one end of a TCP connection.
type Connection struct {
	Node   string `json:"node"`
	Local  string `json:"local"`  // address:port, [address]:port of IPv6
	Remote string `json:"remote"` // address:port, [address]:port of IPv6
	// Start is when its first segment came or went, on the lab's clock.
	Start time.Duration `json:"start_ns"`
	// MSS is the largest payload of a segment that it has sent, in bytes: with it windows in segments become windows in bytes. 0 if
	// it has sent no data.
	MSS int `json:"mss"`
	// Points are in order of time, none of them before the handshake is over. Width is how long the parts of the run are, counted from
	// its start, of which each has one point at most; 0 if every look that found a change has a point of its own.
	Width  time.Duration `json:"width_ns"`
	Points Points        `json:"points"`
	// States are the changes of the connection's and of the congestion control's state, the first MaxStates of them; StatesLeft counts
	// the rest.
	States     []State `json:"states"`
	StatesLeft int     `json:"states_left"`
}

// MaxStates is how many changes of state are listed for a connection.
const MaxStates = 256

// Point is the state of a connection's sender at the end of an event in which a segment came or went. Where several have become one, it
// has the time and the values of the last, and the extremes of all of them.
type Point struct {
	T           time.Duration // on the lab's clock
	Cwnd        int           // congestion window, in segments
	MinCwnd     int
	MaxCwnd     int
	Ssthresh    int           // slow start threshold, in segments; -1 until the first loss
	RTT         time.Duration // smoothed (RFC 6298, SRTT); 0 until it is measured
	MaxRTT      time.Duration
	RTTVar      time.Duration
	RTO         time.Duration // retransmission timeout, doubled by each expiry
	MaxRTO      time.Duration
	InFlight    int // bytes sent and not acknowledged cumulatively (RFC 5681, FlightSize); divide by Connection.MSS for segments
	MaxInFlight int
}

// Points is a series of points. In JSON it is an object of columns, arrays of the same length: t_ns, cwnd, ssthresh, rtt_ns,
// rttvar_ns, rto_ns, in_flight and, where points have become one, min_cwnd, max_cwnd, max_rtt_ns, max_rto_ns and max_in_flight. This
// is a third of the size of objects with names.
type Points []Point

// State is a change of state.
type State struct {
	T time.Duration `json:"t_ns"`
	// State is the connection's, such as ESTABLISHED (RFC 9293, section 3.3.2), Congestion that of its congestion control: open,
	// disorder, fast-recovery, sack-recovery or rto-recovery; "" during the handshake.
	State      string `json:"state"`
	Congestion string `json:"congestion"`
}

// Link is what both directions of a link carried over time.
type Link struct {
	ID string `json:"id"`
	// Width is how long a part of the series is; the first begins with the run. The last one may not be over.
	Width    time.Duration `json:"width_ns"`
	Forward  Series        `json:"forward"`
	Backward Series        `json:"backward"`
}

// MaxParts is how many parts the series of a link has at most, and FirstWidth how long each is at first.
const (
	MaxParts   = 256
	FirstWidth = 10 * time.Millisecond
)

// Traffic is what a direction of a link carried in a part of the run.
type Traffic struct {
	Sent      uint64 // frames that the node at the near end sent
	Delivered uint64 // frames
	Bytes     uint64 // delivered, Ethernet headers included
	Dropped   uint64 // frames, for whatever reason
	QueueMax  int    // the most frames that waited at the end of the part, or of those that became one with it
	QueueSize int    // the most bytes that waited then
}

// Series is what a direction carried, part by part. In JSON it is an object of columns, arrays of the same length: sent, delivered,
// bytes, dropped, queue_max and queue_bytes; a column with nothing but zeros is left out, and parts counts them.
type Series []Traffic
