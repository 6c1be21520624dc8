package page

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"netlab/report"
)

// graph is the topology as it is drawn.
type graph struct {
	nodes []*vertex
	links []*edge
}

// vertex is a node, or several that are alike, drawn as one.
type vertex struct {
	Name      string
	Kind      string
	Location  string
	Addresses []string
	Services  []string // with what they listen on
	Members   []string // the names of the nodes that it stands for, if it is several
	edges     []*edge

	// Of the layout.
	x, y    float64
	width   float64
	height  float64
	compact bool
	through []float64 // how much lower than itself its link passes the columns of leaves between it and its neighbour
	side    flank     // on which side of its neighbour it is, if it is a leaf
}

// edge is a link, or several that are alike.
type edge struct {
	ID       string
	a, b     *vertex
	Params   string // latency, rate and loss, in both directions if they differ
	Queue    string
	Forward  flow // from a to b
	Backward flow
	Count    int // how many links it stands for
}

// flow is what a direction of a link carried.
type flow struct {
	Sent, Delivered, Bytes uint64
	Lost                   uint64
	Reasons                []string // such as "queue full 12"
	known                  bool
}

// From is the name of the end from which forward goes.
func (e *edge) From() string { return e.a.Name }

// To is the name of the other end.
func (e *edge) To() string { return e.b.Name }

// other is the end of a link that v is not.
func (e *edge) other(v *vertex) *vertex {
	if e.a == v {
		return e.b
	}
	return e.a
}

// newGraph reads the topology and what its links did.
func newGraph(f *report.Folder) *graph {
	g := &graph{}
	byName := map[string]*vertex{}
	for _, n := range f.Topology.Nodes {
		v := &vertex{Name: n.Name, Kind: n.Value.Kind, Location: n.Value.Location}
		for _, s := range n.Value.Services {
			v.Services = append(v.Services, serviceText(s.Name, s.Value))
		}
		byName[n.Name] = v
		g.nodes = append(g.nodes, v)
	}
	for i := range f.Topology.Links {
		l := &f.Topology.Links[i]
		from, to, _ := strings.Cut(l.Between, " - ")
		a, b := byName[strings.TrimSpace(from)], byName[strings.TrimSpace(to)]
		if a == nil || b == nil {
			continue
		}
		e := &edge{ID: l.Name, a: a, b: b, Params: linkText(l), Queue: plain(l.Queue), Count: 1}
		if r, ok := f.Results.Links.Get(l.Name); ok {
			e.Forward, e.Backward = newFlow(r.Forward), newFlow(r.Backward)
		}
		a.edges, b.edges = append(a.edges, e), append(b.edges, e)
		g.links = append(g.links, e)
		for _, v := range []*vertex{a, b} {
			for _, address := range l.Addresses[v.Name] {
				address, _, _ = strings.Cut(address, "/")
				if !slices.Contains(v.Addresses, address) {
					v.Addresses = append(v.Addresses, address)
				}
			}
		}
	}
	return g
}

// serviceText is a service's type and where it listens.
func serviceText(name string, raw json.RawMessage) string {
	var s struct {
		Type   string `json:"type"`
		Listen string `json:"listen"`
	}
	if json.Unmarshal(raw, &s) != nil || s.Type == "" {
		return name
	}
	return strings.TrimSpace(s.Type + " " + s.Listen)
}

func newFlow(d report.Direction) flow {
	f := flow{Sent: d.Sent.Frames, Delivered: d.Delivered.Frames, Bytes: uint64(d.Delivered.Bytes), known: true}
	for _, reason := range slices.Sorted(maps.Keys(d.Dropped)) {
		if n := d.Dropped[reason]; n > 0 {
			f.Lost += n
			f.Reasons = append(f.Reasons, strings.ReplaceAll(reason, "_", " ")+" "+printCount(n))
		}
	}
	return f
}

func (f *flow) add(o flow) {
	f.Sent, f.Delivered, f.Bytes, f.Lost = f.Sent+o.Sent, f.Delivered+o.Delivered, f.Bytes+o.Bytes, f.Lost+o.Lost
	f.known = f.known || o.known
	f.Reasons = nil // told for each link in the table
}

// linkText is what a link does to frames, each direction apart where they differ.
func linkText(l *report.Link) string {
	direction := func(over json.RawMessage) string {
		var d report.Link
		if len(over) > 0 {
			_ = json.Unmarshal(over, &d) // what isn't an object changes nothing
		}
		var parts []string
		for _, p := range []struct {
			over, raw json.RawMessage
			name      string
			omit      string
		}{{d.Latency, l.Latency, "", "0s"}, {d.Rate, l.Rate, "", "unlimited"}, {d.Loss, l.Loss, "loss ", "0%"}} {
			text := plain(p.raw)
			if len(p.over) > 0 {
				text = plain(p.over)
			}
			if text != "" && text != p.omit {
				parts = append(parts, p.name+text)
			}
		}
		return strings.Join(parts, " · ")
	}
	forward, backward := direction(l.Forward), direction(l.Backward)
	if forward == backward {
		return forward
	}
	if forward == "" {
		forward = "no delay"
	}
	if backward == "" {
		backward = "no delay"
	}
	return fmt.Sprintf("→ %s  ← %s", forward, backward)
}

// lost says how many frames were lost towards whom, in a line of so many runes if that is enough for both directions.
func (e *edge) lost(runes int) []string {
	var lines []string
	for _, d := range []struct {
		lost uint64
		to   *vertex
	}{{e.Forward.Lost, e.b}, {e.Backward.Lost, e.a}} {
		if d.lost > 0 {
			lines = append(lines, fmt.Sprintf("✗ %s → %s", printCount(d.lost), d.to.Name))
		}
	}
	if whole := strings.Join(lines, "  "); len(lines) > 1 && len([]rune(whole)) <= runes {
		return []string{whole}
	}
	return lines
}

// maxDrawn is how many nodes are drawn one by one.
const maxDrawn = 150

// gather joins leaves that are alike: of one kind, at the same neighbour by links that do the same, with names that differ in numbers only.
// It does so only if there are too many nodes to draw.
func (g *graph) gather() *graph {
	if len(g.nodes) <= maxDrawn {
		return g
	}
	out := &graph{}
	groups := map[string]*vertex{}
	into := map[*vertex]*vertex{}
	for _, v := range g.nodes {
		if len(v.edges) != 1 || len(v.edges[0].other(v).edges) == 1 {
			into[v] = &vertex{Name: v.Name, Kind: v.Kind, Location: v.Location, Addresses: v.Addresses, Services: v.Services}
			out.nodes = append(out.nodes, into[v])
			continue
		}
		e := v.edges[0]
		key := strings.Join([]string{e.other(v).Name, v.Kind, strings.TrimRight(v.Name, "0123456789"), e.Params,
			strings.Join(v.Services, ",")}, "\x00")
		if groups[key] == nil {
			groups[key] = &vertex{Name: v.Name, Kind: v.Kind, Services: v.Services, Addresses: v.Addresses}
			out.nodes = append(out.nodes, groups[key])
		}
		into[v] = groups[key]
		into[v].Members = append(into[v].Members, v.Name)
	}
	merged := map[*vertex]*edge{}
	for _, e := range g.links {
		a, b := into[e.a], into[e.b]
		group := a
		if b.Members != nil {
			group = b
		}
		if m := merged[group]; group.Members != nil && m != nil {
			m.Count++
			m.Forward.add(e.Forward)
			m.Backward.add(e.Backward)
			continue
		}
		joined := *e
		joined.a, joined.b = a, b
		if group.Members != nil {
			merged[group] = &joined
		}
		a.edges, b.edges = append(a.edges, &joined), append(b.edges, &joined)
		out.links = append(out.links, &joined)
	}
	for _, v := range out.nodes {
		if n := len(v.Members); n > 1 {
			v.Name = v.Members[0] + " … " + v.Members[n-1]
			v.Addresses = []string{printCount(n) + " " + ofKind(v.Kind)}
		}
	}
	return out
}

// ofKind is the plural of a kind of node.
func ofKind(kind string) string {
	if strings.HasSuffix(kind, "ch") {
		return kind + "es"
	}
	return kind + "s"
}
