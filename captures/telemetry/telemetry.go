// Package telemetry is what netlab takes down of a run over virtual time, beside its packets: how the congestion control of each
// connection fared, from the stack's own probe, and how busy each link was. A run writes it to the file telemetry.json.
//
// Series are kept compact whatever the run's length: a series has at most a fixed number of points, and when it is full each two
// neighbours become one that keeps the extremes of both.
package telemetry

import "time"

// File is telemetry.json.
type File struct {
	// Connections are in order of the time at which they began.
	Connections []*Connection `json:"connections"`
	// Links are in file order.
	Links []*Link `json:"links"`
	// Left is how many connections were not taken down because there were too many.
	Left int `json:"left"`
}

// Connection is one end of a TCP connection.
type Connection struct {
	Node   string `json:"node"`
	Local  string `json:"local"`  // address:port
	Remote string `json:"remote"` // address:port
	// Start is when it was first probed.
	Start time.Duration `json:"start_ns"`
	// Points are in order of time; Merged is how many probes one of them stands for at most.
	Points []Point `json:"points"`
	Merged int     `json:"merged"`
	// States are the changes of the connection's and of the congestion control's state, the first MaxStates of them.
	States []State `json:"states"`
}

// Point is the state of a connection's sender after a segment came or a timer ran out. Where several have become one, it has the last
// values and the extremes of the windows.
type Point struct {
	T        time.Duration `json:"t_ns"`
	Cwnd     int           `json:"cwnd"` // in segments
	MinCwnd  int           `json:"min_cwnd"`
	MaxCwnd  int           `json:"max_cwnd"`
	Ssthresh int           `json:"ssthresh"` // in segments, -1 until the first loss
	RTT      time.Duration `json:"rtt_ns"`   // smoothed; 0 until it is measured
	RTTVar   time.Duration `json:"rttvar_ns"`
	RTO      time.Duration `json:"rto_ns"`
	InFlight int           `json:"in_flight"` // segments
}

// State is a change of state.
type State struct {
	T time.Duration `json:"t_ns"`
	// State is the connection's, such as ESTABLISHED, Congestion that of its congestion control, such as open, sack-recovery or
	// rto-recovery.
	State      string `json:"state"`
	Congestion string `json:"congestion"`
}

// Link is what both directions of a link carried over time.
type Link struct {
	ID string `json:"id"`
	// Width is how long a part of the series is; the first begins with the run.
	Width    time.Duration `json:"width_ns"`
	Forward  []Traffic     `json:"forward"`
	Backward []Traffic     `json:"backward"`
}

// Traffic is what a direction of a link carried in a part of the run.
type Traffic struct {
	Sent      uint64 `json:"sent"`      // frames
	Bytes     uint64 `json:"bytes"`     // delivered
	Dropped   uint64 `json:"dropped"`   // frames, for whatever reason
	QueueMax  int    `json:"queue_max"` // frames that waited at the end of the part or of those that became one with it
	QueueSize int    `json:"queue_bytes"`
}
