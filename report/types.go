package report

import (
	"encoding/json"
	"time"

	"netlab/units"
)

// Event is a line of events.jsonl.
type Event struct {
	TimeNS   int64  `json:"t_ns"`
	Step     uint64 `json:"step"`
	Kind     string `json:"kind"`
	Node     string `json:"node,omitempty"`
	Link     string `json:"link,omitempty"`
	Workload string `json:"workload,omitempty"`
	Dir      string `json:"dir,omitempty"`
	Frame    uint64 `json:"frame,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Detail   string `json:"detail,omitempty"`
}

// At is when it happened, from the start of the run.
func (e *Event) At() time.Duration { return time.Duration(e.TimeNS) }

// Topology is what is drawn of topology.resolved.json.
type Topology struct {
	Name        string                   `json:"name"`
	Description string                   `json:"description"`
	Seed        uint64                   `json:"seed"`
	Nodes       Members[Node]            `json:"nodes"`
	Links       []Link                   `json:"links"`
	Workloads   Members[json.RawMessage] `json:"workloads"`
	Faults      []json.RawMessage        `json:"faults"`
	Expect      []string                 `json:"expect"`
}

// Node is a node of the topology.
type Node struct {
	Kind     string                   `json:"kind"` // host, router or switch
	Location string                   `json:"location"`
	Services Members[json.RawMessage] `json:"services"`
}

// Link is a link of the topology. Values are as the file has them, such as "20ms".
type Link struct {
	Name      string              `json:"name"`
	Between   string              `json:"between"` // "a - b"
	Latency   json.RawMessage     `json:"latency"`
	Rate      json.RawMessage     `json:"rate"`
	Queue     json.RawMessage     `json:"queue"`
	Loss      json.RawMessage     `json:"loss"`
	Forward   json.RawMessage     `json:"forward"`
	Backward  json.RawMessage     `json:"backward"`
	Addresses map[string][]string `json:"addresses"` // by node, with the prefix's length
}

// Results are what is drawn of results.json.
type Results struct {
	Run       Run                      `json:"run"`
	Nodes     Members[json.RawMessage] `json:"nodes"`
	Links     Members[LinkResult]      `json:"links"`
	Workloads Members[json.RawMessage] `json:"workloads"`
	Faults    Members[json.RawMessage] `json:"faults"`
	Expect    []Outcome                `json:"expect"`
}

// Run is about the run as a whole.
type Run struct {
	Name     string        `json:"name"`
	Variant  string        `json:"variant"`
	Seed     uint64        `json:"seed"`
	Duration time.Duration `json:"duration_ns"`
	Ended    string        `json:"ended"`
	Frames   uint64        `json:"frames"`
	Events   uint64        `json:"events"`
	Version  string        `json:"version"`
}

// LinkResult holds both directions of a link.
type LinkResult struct {
	Forward  Direction `json:"forward"`
	Backward Direction `json:"backward"`
}

// Direction is what one direction of a link did.
type Direction struct {
	Sent      Count             `json:"sent"`
	Delivered Count             `json:"delivered"`
	Dropped   map[string]uint64 `json:"dropped"` // frames by reason
	Marked    map[string]uint64 `json:"marked"`
	Queue     *Queue            `json:"queue"` // nil if nothing waited
	InFlight  uint64            `json:"in_flight"`
}

// Count is a number of frames and of their bytes.
type Count struct {
	Frames uint64      `json:"frames"`
	Bytes  units.Bytes `json:"bytes"`
}

// Queue is how the queue of one direction fared.
type Queue struct {
	MaxBytes    units.Bytes   `json:"max_bytes"`
	MaxPackets  int           `json:"max_packets"`
	MeanBytes   float64       `json:"mean_bytes"`
	MeanPackets float64       `json:"mean_packets"`
	Sojourn     Sojourn       `json:"sojourn"`
	Start       time.Duration `json:"start_ns"`
	Width       time.Duration `json:"width_ns"`
	Buckets     []QueueBucket `json:"buckets"`
}

// Sojourn is how long frames waited.
type Sojourn struct {
	Count uint64        `json:"count"`
	Avg   time.Duration `json:"avg_ns"`
	P50   time.Duration `json:"p50_ns"`
	P95   time.Duration `json:"p95_ns"`
	P99   time.Duration `json:"p99_ns"`
	Max   time.Duration `json:"max_ns"`
}

// QueueBucket is a part of the run.
type QueueBucket struct {
	MaxBytes   units.Bytes   `json:"max_bytes"`
	MaxPackets int           `json:"max_packets"`
	Sent       uint64        `json:"sent"`
	AvgSojourn time.Duration `json:"avg_sojourn_ns"`
	MaxSojourn time.Duration `json:"max_sojourn_ns"`
	Dropped    uint64        `json:"dropped"`
	Marked     uint64        `json:"marked"`
}

// Outcome is what became of an expectation.
type Outcome struct {
	Text         string  `json:"text"`
	Holds        bool    `json:"holds"`
	Inconclusive bool    `json:"inconclusive"`
	Reason       string  `json:"reason"`
	Values       []Value `json:"values"`
}

// Value is a figure that an expectation looked at.
type Value struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}
