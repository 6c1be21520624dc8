package page

import (
	"netlab/captures/analysis"
	"netlab/report"
)

// packets are what the ladder draws: the packets of a run in the order of their first sighting. Columns have an element for each
// packet, so that they take little room; integers are coded as the difference to what the comment says. Lists of what only some
// packets have name the packet by its place in the columns. Times are nanoseconds.
type packets struct {
	Nodes []string `json:"nodes"` // the ladder's columns: the topology's nodes that packets met, in the order of the file
	Ports []port   `json:"ports"` // where packets were captured
	// Links and Words are what numbers below stand for; Words are protocols, reasons, comments and texts.
	Links []string `json:"links"`
	Words []string `json:"words"`
	// Connections are the TCP connections that the packets belong to.
	Connections []connection `json:"connections"`
	// Count is how many packets the run has, those left out among them.
	Count int `json:"count"`

	ID       []int64 `json:"id"` // captures.Packet.ID, to the packet before
	At       []int64 `json:"at"` // to the packet before
	From     []int   `json:"from"`
	To       []int   `json:"to"` // in Nodes, -1 for an address that is none's
	Protocol []int   `json:"protocol"`
	Bytes    []int   `json:"bytes"`
	Stream   []int   `json:"stream"` // in Connections, -1 for none
	Marks    []int   `json:"marks"`  // packetMark
	// Templates are descriptions with a place holder for each number; Template says which one a packet has, and Numbers holds the numbers
	// of all packets, to those of the packet before with the same template.
	Templates []string `json:"templates"`
	Template  []int    `json:"template"`
	Numbers   []int64  `json:"numbers"`
	// Hops holds for each packet the number of its hops, and for each hop twice the place in Ports (plus one if it came in there), the frame's
	// number, to the one before in the same capture, and the time, to the hop before.
	Hops []int64 `json:"hops"`

	Lost     []loss   `json:"lost"`
	Repeats  []repeat `json:"repeats"`
	Comments [][2]int `json:"comments"` // packet and word
	Messages [][2]int `json:"messages"` // what applications said that the description doesn't tell: packet and word
	Gaps     [][2]int `json:"gaps"`     // how many packets before this one are left out
}

// Bits of packets.Marks.
const (
	packetAck   = 1 << iota // a segment without payload that only acknowledges
	packetOpens             // SYN
	packetCloses
	packetReset
)

// port is an interface that a capture was taken at.
type port struct {
	Node      int    `json:"node"`
	File      string `json:"file"`
	Interface string `json:"interface"`
	Link      int    `json:"link"` // -1 if it isn't known
	Peer      int    `json:"peer"` // the node at the link's other end, -1 if there is none or several
}

// connection is a TCP connection of the ladder.
type connection struct {
	Stream int    `json:"stream"` // its place in analysis.Run.Streams
	Label  string `json:"label"`
	// Views are its numbers in Wireshark (tcp.stream), by file.
	Views map[string]int `json:"views"`
}

// loss is where and why a packet ended.
type loss struct {
	Packet int   `json:"packet"`
	At     int64 `json:"at"` // after its first sighting
	Node   int   `json:"node"`
	Toward int   `json:"toward"` // the link's other end, -1 if it isn't known
	Link   int   `json:"link"`   // -1 if it isn't known
	Reason int   `json:"reason"`
	Frame  int   `json:"frame"`
}

// repeat is a segment that was sent again.
type repeat struct {
	Packet   int           `json:"packet"`
	Kind     analysis.Kind `json:"kind"`
	Original int           `json:"original"` // -1 if it was not captured or is left out
	Why      int           `json:"why"`
}

// newPackets returns the packets of a run in at most budget bytes of JSON, and what had to be left out for that.
func newPackets(f *report.Folder, run *analysis.Run, budget int) (*packets, []limit, error) {
	p, shown, err := fitPackets(f, run, budget)
	if err != nil {
		return nil, nil, err
	}
	if shown == p.Count {
		return p, nil, nil
	}
	limits := []limit{{
		What: "packets in the ladder", Shown: shown, Of: p.Count,
		Text: "lost and repeated packets, those that open and close connections and a thinned selection of the others; netlab ladder draws all",
	}}
	if run.Left > 0 {
		limits = append(limits, limit{
			What: "packets followed from node to node", Shown: len(run.Journeys), Of: p.Count,
			Text: "the first ones, to spare memory: the ladder has no later ones; netlab ladder --from shows some",
		})
	}
	return p, limits, nil
}
