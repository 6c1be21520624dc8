package page

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"netlab/captures"
	"netlab/captures/analysis"
	"netlab/report"
)

// packetTable builds packets.
type packetTable struct {
	packets
	folder    *report.Folder
	run       *analysis.Run
	node      index
	link      index
	word      index
	template  index
	stream    map[*analysis.Stream]int
	port      map[portKey]int
	topology  map[string]bool
	peers     map[string]peer // by interface
	frame     []int           // the last one's number, by capture
	numbers   [][]int64       // the last ones, by template
	lastID    int64
	lastAt    int64
	lastIndex int
}

type portKey struct {
	capture int
	name    string
}

// peer is what an interface is connected to.
type peer struct {
	link, node string
}

// index gives names their places in a list.
type index struct {
	list  []string
	place map[string]int
}

func (x *index) of(name string) int {
	i, ok := x.place[name]
	if !ok {
		if x.place == nil {
			x.place = map[string]int{}
		}
		i = len(x.list)
		x.place[name], x.list = i, append(x.list, name)
	}
	return i
}

// tabulate puts chosen journeys, which are in order, into columns.
func tabulate(f *report.Folder, run *analysis.Run, chosen []*analysis.Journey) *packets {
	t := &packetTable{
		folder: f, run: run, stream: map[*analysis.Stream]int{}, port: map[portKey]int{}, topology: map[string]bool{}, peers: peersOf(f),
		frame: make([]int, len(run.Captures)), lastIndex: -1,
	}
	t.Count = len(run.Journeys) + run.Left
	t.columns(chosen)
	place := make(map[*analysis.Journey]int, len(chosen))
	for i, j := range chosen {
		place[j] = i
		t.add(i, j)
	}
	for i, j := range chosen {
		if r := j.Repeat; r != nil {
			original, ok := place[r.Original]
			if !ok {
				original = -1
			}
			t.Repeats = append(t.Repeats, repeat{i, r.Kind, original, t.word.of(r.Text)})
		}
	}
	if missing := t.Count - (t.lastIndex + 1); missing > 0 {
		t.Gaps = append(t.Gaps, [2]int{len(chosen), missing})
	}
	t.Nodes, t.Links, t.Words, t.Templates = t.node.list, t.link.list, t.word.list, t.template.list
	return &t.packets
}

// columns gives the nodes that the packets met their places.
func (t *packetTable) columns(chosen []*analysis.Journey) {
	met := map[string]bool{}
	for _, j := range chosen {
		met[j.From], met[j.To] = true, true
		for _, h := range j.Hops {
			met[t.run.Captures[h.Capture].Node] = true
		}
	}
	for _, n := range t.folder.Topology.Nodes {
		if met[n.Name] {
			t.topology[n.Name] = true
			t.node.of(n.Name)
		}
	}
}

// nodeOf returns the place of a node, or -1.
func (t *packetTable) nodeOf(name string) int {
	if !t.topology[name] {
		return -1
	}
	return t.node.of(name)
}

func (t *packetTable) linkOf(name string) int {
	if name == "" {
		return -1
	}
	return t.link.of(name)
}

func (t *packetTable) add(i int, j *analysis.Journey) {
	if gap := j.Index - t.lastIndex - 1; gap > 0 {
		t.Gaps = append(t.Gaps, [2]int{i, gap})
	}
	t.lastIndex = j.Index
	t.ID = append(t.ID, int64(j.ID)-t.lastID)
	t.At = append(t.At, int64(j.At)-t.lastAt)
	t.lastID, t.lastAt = int64(j.ID), int64(j.At)
	t.From, t.To = append(t.From, t.nodeOf(j.From)), append(t.To, t.nodeOf(j.To))
	t.Protocol = append(t.Protocol, t.word.of(j.Protocol))
	t.Bytes = append(t.Bytes, j.Bytes)
	t.Stream = append(t.Stream, t.connectionOf(j.Stream))
	t.Marks = append(t.Marks, packetMarks(j))
	t.describe(j.Text)
	t.hops(j)
	if l := j.Lost; l != nil {
		t.Lost = append(t.Lost, loss{
			Packet: i, At: int64(l.At - j.At), Node: t.nodeOf(l.Node), Toward: t.nodeOf(otherEnd(t.folder, l.Link, l.Node)), Link: t.linkOf(l.Link),
			Reason: t.word.of(l.Reason), Frame: l.Frame,
		})
	}
	for _, c := range j.Comments {
		t.Comments = append(t.Comments, [2]int{i, t.word.of(c)})
	}
	if j.Message != "" && !strings.Contains(j.Text, j.Message) {
		t.Messages = append(t.Messages, [2]int{i, t.word.of(j.Message)})
	}
}

// describe splits a description into a template and numbers.
func (t *packetTable) describe(text string) {
	template, numbers := splitNumbers(text)
	i := t.template.of(template)
	if i == len(t.numbers) {
		t.numbers = append(t.numbers, make([]int64, len(numbers)))
	}
	t.Template = append(t.Template, i)
	for k, n := range numbers {
		t.Numbers = append(t.Numbers, n-t.numbers[i][k])
	}
	t.numbers[i] = numbers
}

func (t *packetTable) hops(j *analysis.Journey) {
	t.Hops = append(t.Hops, int64(len(j.Hops)))
	at := j.At
	for _, h := range j.Hops {
		code := int64(2 * t.portOf(h))
		if h.Inbound {
			code++
		}
		t.Hops = append(t.Hops, code, int64(h.Frame-t.frame[h.Capture]), int64(h.At-at))
		t.frame[h.Capture], at = h.Frame, h.At
	}
}

func (t *packetTable) portOf(h analysis.Hop) int {
	key := portKey{h.Capture, h.Interface}
	i, ok := t.port[key]
	if !ok {
		i = len(t.Ports)
		t.port[key] = i
		c := t.run.Captures[h.Capture]
		far := t.peers[h.Interface]
		t.Ports = append(t.Ports, port{
			Node: t.nodeOf(c.Node), File: fileOf(c), Interface: h.Interface, Link: t.linkOf(far.link), Peer: t.nodeOf(far.node),
		})
	}
	return i
}

func (t *packetTable) connectionOf(s *analysis.Stream) int {
	if s == nil {
		return -1
	}
	i, ok := t.stream[s]
	if !ok {
		i = len(t.Connections)
		t.stream[s] = i
		c := connection{Stream: s.Index, Label: s.Client + " – " + s.Server, Views: map[string]int{}}
		for _, v := range s.Views {
			c.Views[fileOf(t.run.Captures[v.Capture])] = v.TCPStream.Index
		}
		t.Connections = append(t.Connections, c)
	}
	return i
}

// fileOf is the name of a capture's file in the run's folder.
func fileOf(c *analysis.Capture) string { return report.CapturesDir + "/" + filepath.Base(c.Path) }

// packetMarks returns the bits of packets.Marks.
func packetMarks(j *analysis.Journey) int {
	marks := 0
	if j.Stream != nil && j.Length == 0 && j.Flags&(captures.SYN|captures.FIN|captures.RST) == 0 {
		marks |= packetAck
	}
	if j.Flags&captures.SYN != 0 {
		marks |= packetOpens
	}
	if j.Flags&captures.FIN != 0 {
		marks |= packetCloses
	}
	if j.Flags&captures.RST != 0 {
		marks |= packetReset
	}
	return marks
}

// oddMarks are what an analysis finds about few packets and is worth a look.
const oddMarks = analysis.Marks(analysis.MarkRetransmission | analysis.MarkOutOfOrder | analysis.MarkLostSegment |
	analysis.MarkAckedUnseen | analysis.MarkZeroWindow | analysis.MarkZeroWindowProbe | analysis.MarkZeroWindowProbeACK |
	analysis.MarkWindowFull | analysis.MarkKeepAlive | analysis.MarkKeepAliveACK | analysis.MarkReset | analysis.MarkOpens |
	analysis.MarkReused | analysis.MarkCloses | analysis.MarkDropped | analysis.MarkAltered | analysis.MarkBroken | analysis.MarkECN |
	analysis.MarkDSACK)

// peersOf returns what each interface is connected to. Interfaces are numbered in the order of the links, node by node.
func peersOf(f *report.Folder) map[string]peer {
	peers := map[string]peer{}
	count := map[string]int{}
	for i := range f.Topology.Links {
		l := &f.Topology.Links[i]
		a, b := endsOf(l)
		for _, end := range [][2]string{{a, b}, {b, a}} {
			peers[end[0]+"-eth"+strconv.Itoa(count[end[0]])] = peer{l.Name, end[1]}
			count[end[0]]++
		}
	}
	return peers
}

// otherEnd returns the node at the other end of a link, or "".
func otherEnd(f *report.Folder, link, node string) string {
	i := slices.IndexFunc(f.Topology.Links, func(l report.Link) bool { return l.Name == link })
	if i < 0 {
		return ""
	}
	a, b := endsOf(&f.Topology.Links[i])
	switch node {
	case a:
		return b
	case b:
		return a
	}
	return ""
}

// endsOf returns the nodes that a link is between.
func endsOf(l *report.Link) (a, b string) {
	a, b, _ = strings.Cut(l.Between, " - ")
	return a, b
}
