package analysis

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"netlab/captures"
)

// joiner makes the journeys of a run from the frames of its captures, which come in order of time.
type joiner struct {
	run   *Run
	limit int
	name  func(netip.Addr) string
	nodes map[netip.Addr]string
	texts map[string]string // each text once

	byID  map[uint64]int32 // journeys by packet ID: the index + 1
	left  idSet            // the IDs of journeys beyond the limit
	seen  []sighting
	lost  map[int32]Loss  // by journey: the last drop that was seen
	said  map[int32]bool  // journeys whose message is the far end's
	flows []flowOf        // of each journey
	ends  *connections    // which streams of different captures are one
	views []*captureState // by capture
	of    map[string]int  // the capture of a node
}

// captureState is what the joiner knows of a capture.
type captureState struct {
	node       string
	macs       []net.HardwareAddr // as surveyed
	describer  captures.Describer
	interfaces map[int]string
}

// sighting is a hop of a journey before all of them are put in order.
type sighting struct {
	at        time.Duration
	journey   int32
	frame     int32
	capture   int32
	iface     int32
	inbound   bool
	delivered bool // it was not dropped there
	origin    bool // at the node that its address says it comes from
	entrusted bool // see Hop
	ttl       uint8
}

// flowOf is the stream of a capture that a journey's first sighting belongs to, 0 if it belongs to none, and the side that sent it.
type flowOf struct {
	node int32 // of connections, + 1
	side int8
}

func newJoiner(run *Run, list []surveyed, limit int, name func(netip.Addr) string) *joiner {
	names := namesOf(list)
	j := &joiner{
		run: run, limit: limit, nodes: map[netip.Addr]string{}, texts: map[string]string{}, byID: map[uint64]int32{}, left: idSet{}, lost: map[int32]Loss{},
		said: map[int32]bool{}, ends: &connections{}, of: map[string]int{},
	}
	j.name = func(addr netip.Addr) string {
		if n := names[addr.Unmap()]; n != "" || name == nil {
			return n
		}
		return name(addr)
	}
	for i, s := range list {
		if _, ok := j.of[s.Node]; !ok {
			j.of[s.Node] = i
		}
		j.views = append(j.views, &captureState{node: s.Node, macs: s.macs, describer: captures.Describer{Name: j.name}, interfaces: map[int]string{}})
	}
	run.frames = make([][]int32, len(list))
	return j
}

// frame takes a sighting down.
func (j *joiner) frame(capture int, f *Frame) {
	v := j.views[capture]
	stream := int32(0)
	if f.Stream != nil {
		stream = j.ends.node(capture, f.Stream.Index) + 1
	}
	text := ""
	if len(j.run.Journeys) < j.limit { // beyond, all that is described was seen before
		text = v.describer.DescribeHeaders(f.Headers)
	}
	index, isNew := j.journeyOf(f)
	if index < 0 {
		return
	}
	reason, link, dropped, comments := splitComment(f.Packet.Comment)
	from, to := j.endsOf(f)
	origin := v.node == from && !inbound(f.Packet)
	j.sight(capture, f, index, !dropped, origin)
	if isNew {
		j.run.Journeys = append(j.run.Journeys, &Journey{Index: int(index), ID: f.Packet.ID, At: f.At, Bytes: f.Packet.Length})
		j.flows = append(j.flows, flowOf{stream, int8(f.Side)})
	} else if stream > 0 {
		j.meet(index, stream, int8(f.Side))
	}
	journey := j.run.Journeys[index]
	// Where a link takes no time, a packet arrives at the nanosecond at which it left, and its arrival may be read first.
	if isNew || origin && f.At == journey.At && text != "" {
		journey.From, journey.To = from, to
		begin(journey, f, text)
	}
	for _, c := range comments {
		if !slices.Contains(journey.Comments, c) {
			journey.Comments = append(journey.Comments, c)
		}
	}
	if dropped {
		j.lost[index] = Loss{At: f.At, Node: v.node, Link: j.once(link), Reason: j.once(reason), Frame: f.Number}
	}
	j.say(index, capture, f)
}

// journeyOf returns the index of the frame's journey, -1 if it is beyond the limit, and whether this is its first sighting.
func (j *joiner) journeyOf(f *Frame) (index int32, isNew bool) {
	id := f.Packet.ID
	if id != 0 {
		if known := j.byID[id]; known > 0 {
			return known - 1, false
		}
	}
	if len(j.run.Journeys) == j.limit {
		if id == 0 || j.left.add(id) {
			j.run.Left++
		}
		return -1, false
	}
	index = int32(len(j.run.Journeys))
	if id != 0 {
		j.byID[id] = index + 1
	}
	return index, true
}

// sight keeps where and when the packet was seen.
func (j *joiner) sight(capture int, f *Frame, index int32, delivered, origin bool) {
	v := j.views[capture]
	if _, ok := v.interfaces[f.Packet.Interface]; !ok {
		v.interfaces[f.Packet.Interface] = ""
	}
	j.seen = append(j.seen, sighting{
		at: f.At, journey: index, frame: int32(f.Number), capture: int32(capture), iface: int32(f.Packet.Interface),
		inbound: inbound(f.Packet), delivered: delivered, origin: origin, entrusted: v.entrusted(f), ttl: f.Headers.Hops(),
	})
	frames := j.run.frames[capture]
	if gap := f.Number - len(frames); gap > 0 {
		frames = slices.Grow(frames, gap)[:f.Number]
		clear(frames[f.Number-gap:])
	}
	frames[f.Number-1] = index + 1
	j.run.frames[capture] = frames
}

// begin fills in what the first sighting of a packet tells.
func begin(journey *Journey, f *Frame, text string) {
	journey.Text, journey.Marks = text, f.Marks
	if journey.Message == "" {
		journey.Protocol = protocolOf(f)
	}
	if f.Stream != nil {
		journey.Seq, journey.Ack, journey.Length, journey.Flags = f.Seq, f.Ack, f.Segment.Length, f.Segment.Flags
		journey.SACK = slices.Clone(f.SACK)
	}
}

// meet notes that a packet of a known journey belongs to this stream of another capture, or of another side of a router.
func (j *joiner) meet(index, stream int32, side int8) {
	flow := &j.flows[index]
	if flow.node == 0 {
		*flow = flowOf{stream, side}
		return
	}
	j.ends.join(flow.node-1, stream-1, flow.side != side)
}

// say takes down what applications said with this packet. What the far end read counts; other captures stand in for one that is missing.
func (j *joiner) say(index int32, capture int, f *Frame) {
	if len(f.Messages) == 0 {
		return
	}
	journey := j.run.Journeys[index]
	_, to := j.endsOf(f)
	far := inbound(f.Packet) && j.views[capture].node == to
	if far && !j.said[index] {
		j.said[index] = true
	} else if _, ok := j.of[to]; ok || journey.Message != "" {
		return
	}
	journey.Message = messagesText(f.Messages)
	journey.Protocol = f.Messages[len(f.Messages)-1].Protocol
}

// endsOf returns between which nodes a frame goes: by the addresses of IP or ARP, else those of Ethernet.
func (j *joiner) endsOf(f *Frame) (from, to string) {
	if src, dst, ok := addressesOf(f.Headers); ok {
		return j.nodeOf(src), j.nodeOf(dst)
	}
	if data := f.Packet.Data; f.LinkType == captures.LinkEthernet && len(data) >= 12 {
		return j.once(net.HardwareAddr(data[6:12]).String()), j.once(net.HardwareAddr(data[:6]).String())
	}
	return "?", "?"
}

// nodeOf returns the name of an address, or the address, as the same string each time.
func (j *joiner) nodeOf(addr netip.Addr) string {
	if known, ok := j.nodes[addr]; ok {
		return known
	}
	node := cmp.Or(j.name(addr), addr.String())
	j.nodes[addr] = node
	return node
}

// once returns a text that is the same string each time.
func (j *joiner) once(text string) string {
	if known, ok := j.texts[text]; ok {
		return known
	}
	j.texts[text] = text
	return text
}

// finish puts the journeys together.
func (j *joiner) finish() {
	for i, c := range j.run.Captures {
		for n := range j.views[i].interfaces {
			if n < len(c.Interfaces) {
				j.views[i].interfaces[n] = c.Interfaces[n].Name
			}
		}
	}
	j.hops()
	j.streams()
	for index, journey := range j.run.Journeys {
		if journey.Message != "" {
			head, _, _ := strings.Cut(journey.Text, ": ")
			journey.Text = head + ": " + journey.Message
		}
		if loss, ok := j.lost[int32(index)]; ok && !j.arrived(journey, loss) {
			journey.Lost = &loss
		}
	}
	j.seen, j.lost, j.said, j.byID, j.left, j.flows, j.ends = nil, nil, nil, nil, nil, nil, nil
	findRepeats(j.run)
}

// arrived says whether a packet of which a copy was dropped has reached its end all the same: where that was captured, it was seen there;
// else it was seen after the drop.
func (j *joiner) arrived(journey *Journey, loss Loss) bool {
	if i, ok := j.of[journey.To]; ok {
		return slices.ContainsFunc(journey.Hops, func(h Hop) bool { return h.Capture == i && h.Inbound && !h.Dropped })
	}
	last := journey.Hops[len(journey.Hops)-1]
	return !last.Dropped && last.At > loss.At
}

// messagesText puts the texts of messages together, each once.
func messagesText(list []Message) string {
	var b strings.Builder
	for i := 0; i < len(list); {
		n := 1
		for i+n < len(list) && list[i+n].Text == list[i].Text {
			n++
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(list[i].Text)
		if n > 1 {
			fmt.Fprintf(&b, " x%d", n)
		}
		i += n
	}
	return b.String()
}
