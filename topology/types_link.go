package topology

import (
	"net/netip"

	"netlab/netem"
	"netlab/units"
)

// Link joins two nodes. In the file it may also be just its Between as a string.
type Link struct {
	Name    string `json:"name,omitempty" jsonschema_description:"Id of the link in results and expectations. Default a--b; parallel links need names."`
	Between string `json:"between" jsonschema_description:"The two ends, \"a - b\"; ranges and globs link all pairs. Forward is from the first to the second." jsonschema:"required"`
	Profile string `json:"profile,omitempty" jsonschema_description:"Name of a profile whose properties the link has where it doesn't give its own. Forward is the way to the user: write the network's end first."`
	LinkParams
	Forward  LinkParams `json:"forward,omitzero" jsonschema_description:"Properties of the direction from the first end to the second, where they differ."`
	Backward LinkParams `json:"backward,omitzero" jsonschema_description:"Properties of the direction from the second end to the first, where they differ."`
	// Addresses and MACs pin the addresses of the link's ends, by node.
	Addresses map[string][]netip.Prefix `json:"addresses,omitempty" jsonschema_description:"Addresses with prefix length of the ends, by node: {\"client\": [\"192.0.2.1/24\"]}. Default: assigned by netlab."`
	MACs      map[string]string         `json:"macs,omitempty" jsonschema_description:"MAC addresses of the ends, by node. Default: 02:… after a hash of the interface's name."`
}

// Profile is a set of properties of links under a name.
type Profile struct {
	Description string `json:"description,omitempty" jsonschema_description:"What kind of link it is, and where the figures are from."`
	LinkParams
	Forward  LinkParams `json:"forward,omitzero" jsonschema_description:"Properties of the direction from the first end to the second, where they differ."`
	Backward LinkParams `json:"backward,omitzero" jsonschema_description:"Properties of the direction from the second end to the first, where they differ."`
}

// LinkParams are the properties of a link or of one direction of it. A nil or zero field is not given.
type LinkParams struct {
	Latency            *units.Distribution `json:"latency,omitempty" jsonschema_description:"Propagation delay of each frame. Default 0s."`
	LatencyCorrelation *units.Probability  `json:"latency_correlation,omitempty" jsonschema_description:"How much a frame's delay is like that of the frame before: 0% draws each anew, with 90% it changes slowly. The distribution stays the one that latency names; a constant delay has nothing to correlate. Default 0%."`
	KeepOrder          *bool               `json:"keep_order,omitempty" jsonschema_description:"Whether a frame that would overtake another one arrives together with it. Default true."`
	Rate               *units.LinkRate     `json:"rate,omitempty" jsonschema_description:"Rate at which frames are put on the wire: a bit rate, steps or a ramp over the time of the run, a Mahimahi trace, or unlimited. Default unlimited."`
	Burst              units.Bytes         `json:"burst,omitempty" jsonschema_description:"Depth of a token bucket that rate fills: so much may be sent at once, at peak_rate, before rate counts. Default: no bucket, frames are sent at rate."`
	PeakRate           units.BitRate       `json:"peak_rate,omitempty" jsonschema_description:"Rate at which a token bucket sends what it has tokens for. Default unlimited."`
	Queue              *Queue              `json:"queue,omitempty" jsonschema_description:"Queue in front of the wire, without the frame being sent: its limit in bytes or packets, the name of a discipline, or an object. Default 1000 packets, drop-tail."`
	Loss               *units.Loss         `json:"loss,omitempty" jsonschema_description:"Which frames the wire loses: a share of them, bursts, a pattern, every nth, or a trace. Default 0%."`
	Reorder            *Reorder            `json:"reorder,omitempty" jsonschema_description:"Share of frames that arrive behind later ones, or an object. Default 0%."`
	Duplicate          *units.Probability  `json:"duplicate,omitempty" jsonschema_description:"Share of frames that arrive twice. Default 0%."`
	Corrupt            *Corrupt            `json:"corrupt,omitempty" jsonschema_description:"Share of frames in which a bit is flipped, behind the Ethernet header, or an object. Default 0%."`
	Truncate           *Truncate           `json:"truncate,omitempty" jsonschema_description:"Share of frames that arrive cut short, or an object. Default 0%."`
	MTU                units.Bytes         `json:"mtu,omitempty" jsonschema_description:"Largest IP packet, 1280B to 65535B (68B and up where no node speaks IPv6). Default 1500B."`
	Up                 *bool               `json:"up,omitempty" jsonschema_description:"Whether the link carries frames. Default true."`
}

// Queue is the queue in front of a wire. In the file it may also be just its limit or the name of a discipline.
type Queue struct {
	Type  netem.Discipline  `json:"type,omitempty" jsonschema_description:"Discipline: drop-tail, random early detection, CoDel (RFC 8289), CoDel for each flow (RFC 8290), PIE (RFC 8033), or strict priority by DSCP." jsonschema:"enum=drop-tail,enum=red,enum=codel,enum=fq-codel,enum=pie,enum=priority,default=drop-tail"`
	Limit *units.QueueLimit `json:"limit,omitempty" jsonschema_description:"How much it holds, in bytes or packets; of priority, each band. Default 1000 packets."`
	ECN   bool              `json:"ecn,omitempty" jsonschema_description:"Mark packets that allow it (RFC 3168) in place of dropping them; not with drop-tail and priority. The hosts' TCP has no ECN: mark UDP." jsonschema:"default=false"`

	Target   units.Duration `json:"target,omitempty" jsonschema_description:"CoDel and FQ-CoDel: acceptable time in the queue, default 5ms. PIE: reference delay, default 15ms."`
	Interval units.Duration `json:"interval,omitempty" jsonschema_description:"CoDel and FQ-CoDel: how long the time in the queue may be above the target, default 100ms. PIE: time between updates of the drop probability, default 15ms."`
	Burst    units.Duration `json:"burst,omitempty" jsonschema_description:"PIE: for how long a burst passes. Default 150ms."`
	Flows    int            `json:"flows,omitempty" jsonschema_description:"FQ-CoDel: number of queues, 1 to 65536. Default 1024." jsonschema:"minimum=1,maximum=65536"`
	Quantum  units.Bytes    `json:"quantum,omitempty" jsonschema_description:"FQ-CoDel: what a flow may send in a round. Default 1514B."`

	MinThreshold   units.Bytes        `json:"min_threshold,omitempty" jsonschema_description:"RED: average length from which packets are dropped. Default: a third of max_threshold."`
	MaxThreshold   units.Bytes        `json:"max_threshold,omitempty" jsonschema_description:"RED: average length from which every packet is dropped. Default: a quarter of the limit."`
	MaxProbability *units.Probability `json:"max_probability,omitempty" jsonschema_description:"RED: drop probability just below max_threshold. Default 10%."`
	Weight         float64            `json:"weight,omitempty" jsonschema_description:"RED: weight of the present length in the average, above 0 and up to 1. Default 0.002."`
	Gentle         bool               `json:"gentle,omitempty" jsonschema_description:"RED: between max_threshold and twice that, let the probability rise to 100%." jsonschema:"default=false"`

	Bands [][]units.DSCP `json:"bands,omitempty" jsonschema_description:"Priority: code points of each band, the first goes first; what no band names is in the last. Default: three bands, see the documentation."`
}

// Reorder says which frames arrive late. In the file it may also be just the share.
type Reorder struct {
	Share units.Probability `json:"share" jsonschema_description:"Share of frames that are held back." jsonschema:"required"`
	Gap   int               `json:"gap,omitempty" jsonschema_description:"Only every so many-th frame can be chosen. Default 1." jsonschema:"minimum=1,default=1"`
	Depth int               `json:"depth,omitempty" jsonschema_description:"How many later frames arrive before it (the extent of RFC 4737). Default 1." jsonschema:"minimum=1,default=1"`
	Hold  units.Duration    `json:"hold,omitempty" jsonschema_description:"How long it waits for them at most. Default 100ms."`
}

// Corrupt says which frames arrive with flipped bits. In the file it may also be just the share.
type Corrupt struct {
	Share units.Probability `json:"share" jsonschema_description:"Share of frames that are damaged." jsonschema:"required"`
	Bits  int               `json:"bits,omitempty" jsonschema_description:"How many bits of a frame are flipped. Default 1." jsonschema:"minimum=1,default=1"`
}

// Truncate says which frames arrive cut short. In the file it may also be just the share.
type Truncate struct {
	Share units.Probability `json:"share" jsonschema_description:"Share of frames that are cut." jsonschema:"required"`
	To    units.Bytes       `json:"to,omitempty" jsonschema_description:"Size of what is left, from the IP header on. Default: drawn evenly from 0 to the packet's size."`
}

// Routing says how routes change while a lab runs. In the file it may also be just the mode.
type Routing struct {
	Mode        RoutingMode    `json:"mode,omitempty" jsonschema_description:"static: routes stay as they are, and packets for what has failed are lost. dynamic: when links or routers fail or come back, all routes change to the shortest paths that are left." jsonschema:"enum=static,enum=dynamic,default=static"`
	Convergence units.Duration `json:"convergence,omitempty" jsonschema_description:"dynamic: time from a change to the new routes, which all nodes get at once; further changes in that time count as well. Default 1s."`
	ECMP        bool           `json:"ecmp,omitempty" jsonschema_description:"Equal-cost multipath: where several paths to a destination are equal, in latency and in hops, routers share the flows among them by a hash of addresses, protocol and ports (RFC 2992)." jsonschema:"default=false"`
}

// RoutingMode says whether routes follow failures.
type RoutingMode string

// The modes of routing.
const (
	StaticRouting  RoutingMode = "static"
	DynamicRouting RoutingMode = "dynamic"
)
