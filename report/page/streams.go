package page

import (
	"netlab/captures/analysis"
	"netlab/report"
)

// plotted is how many streams have plots at most, and listed how many are told of at all.
const (
	plotted = 50
	listed  = 2000
)

// streams are the TCP connections of a run, the most interesting first: those that sent segments again, then those that sent most.
type streams struct {
	List []*stream `json:"list"`
	// Count is how many the run has, those left out among them.
	Count int `json:"count"`
}

// stream is a TCP connection as the capture shows it that shows it best. Times are nanoseconds; what there is for each side is in the
// order of client and server.
type stream struct {
	Index    int    `json:"index"` // in analysis.Run.Streams
	Client   string `json:"client"`
	Server   string `json:"server"`
	Protocol string `json:"protocol,omitempty"`
	Node     string `json:"node"` // whose capture it is
	File     string `json:"file"`
	Number   int    `json:"number"` // tcp.stream in that file
	First    int64  `json:"first"`
	Last     int64  `json:"last"`
	Frames   int    `json:"frames"`
	// Handshake is how long the handshake took, -1 if it wasn't captured as a whole.
	Handshake int64       `json:"handshake"`
	Close     string      `json:"close"`
	Closer    int         `json:"closer"` // which side began to close
	Sides     [2]sideSums `json:"sides"`
	Plot      *tcpPlot    `json:"plot"`      // nil beyond the first streams
	Telemetry [2]*probes  `json:"telemetry"` // nil if none was taken down
}

// sideSums sums up what one end of a connection sent.
type sideSums struct {
	Segments      int     `json:"segments"`
	Bytes         uint64  `json:"bytes"`
	Unique        uint64  `json:"unique"`
	Retransmitted []kinds `json:"retransmitted"` // by kind, without kinds that did not occur
	OutOfOrder    int     `json:"out_of_order"`
	DuplicateACKs int     `json:"duplicate_acks"`
	SACKBlocks    int     `json:"sack_blocks"`
	DSACKs        int     `json:"dsacks"`
	ZeroWindows   int     `json:"zero_windows"`
	Resets        int     `json:"resets"`
	MSS           uint16  `json:"mss"`
	Scale         int8    `json:"scale"`
	RTT           rtt     `json:"rtt"`
	MaxInFlight   uint64  `json:"max_in_flight"`
	MaxWindow     uint64  `json:"max_window"`
	Throughput    float64 `json:"throughput"` // bytes per second
}

// kinds counts segments sent again for one reason.
type kinds struct {
	Kind  analysis.Kind `json:"kind"`
	Count int           `json:"count"`
}

// rtt sums round-trip times up.
type rtt struct {
	Count int   `json:"count"`
	Min   int64 `json:"min"`
	Avg   int64 `json:"avg"`
	Max   int64 `json:"max"`
}

// kindOrder is the order in which kinds of retransmissions are told; plots number them by it, from 1.
var kindOrder = []analysis.Kind{
	analysis.Fast, analysis.Timeout, analysis.TailLossProbe, analysis.Spurious, analysis.Handshakes, analysis.Probe, analysis.Copy,
}

// newStreams returns the TCP connections of a run in at most budget bytes of JSON, and what had to be left out for that.
func newStreams(f *report.Folder, run *analysis.Run, budget int) (*streams, []limit, error) {
	order := byInterest(run.Streams)
	tracks, err := track(run, order[:min(plotted, len(order))])
	if err != nil {
		return nil, nil, err
	}
	s := &streams{Count: len(order)}
	for i, one := range order[:min(listed, len(order))] {
		summary := newStream(run, one)
		if i < plotted {
			for k := range summary.Telemetry {
				summary.Telemetry[k] = newProbes(f.Telemetry, one, k)
			}
		}
		s.List = append(s.List, summary)
	}
	limits, err := s.fit(tracks, budget)
	return s, limits, err
}

// newStream sums a connection up.
func newStream(run *analysis.Run, s *analysis.Stream) *stream {
	v := s.Views[s.Best]
	c := run.Captures[v.Capture]
	one := &stream{
		Index: s.Index, Client: s.Client, Server: s.Server, Protocol: v.Protocol, Node: c.Node, File: fileOf(c), Number: v.TCPStream.Index,
		First: int64(v.First), Last: int64(v.Last), Frames: v.Frames, Handshake: -1, Close: v.Close.How, Closer: sideIn(v, v.Close.Side),
	}
	if v.Handshake.Complete {
		one.Handshake = int64(v.Handshake.Took)
	}
	for i := range one.Sides {
		one.Sides[i] = newSide(&v.Sides[sideIn(v, i)])
	}
	return one
}

func newSide(s *analysis.Side) sideSums {
	sum := sideSums{
		Segments: s.Frames, Bytes: s.Bytes, Unique: s.Unique, OutOfOrder: s.OutOfOrder, DuplicateACKs: s.DuplicateACKs,
		SACKBlocks: s.SACKBlocks, DSACKs: s.DSACKs, ZeroWindows: s.ZeroWindows, Resets: s.Resets, MSS: s.MSS, Scale: s.Scale,
		RTT:         rtt{s.RTT.Count, int64(s.RTT.Min), int64(s.RTT.Avg), int64(s.RTT.Max)},
		MaxInFlight: s.MaxInFlight, MaxWindow: s.MaxWindow, Throughput: s.Throughput, Retransmitted: []kinds{},
	}
	for _, k := range kindOrder {
		if n := s.Retransmitted[k]; n > 0 {
			sum.Retransmitted = append(sum.Retransmitted, kinds{k, n})
		}
	}
	return sum
}
