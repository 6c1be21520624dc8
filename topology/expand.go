package topology

import "fmt"

// lab is a topology with its ranges taken apart: nodes and links by number, each of which knows the entry of the file
// that it comes from. Checking and resolving work on it.
type lab struct {
	t     *Topology
	nodes *Matcher
	// entry holds for each node the index of its entry in Topology.Nodes.
	entry []int
	links []pair
	ids   *Matcher
	// touching holds the links of each node, once somebody asked for them.
	touching [][]int
}

// pair is one link between two nodes.
type pair struct {
	entry int // index in Topology.Links
	ends  [2]int
	id    string
}

// node returns the entry of a node.
func (l *lab) node(n int) *Node { return &l.t.Nodes.entries[l.entry[n]].Value }

// kind returns what a node is.
func (l *lab) kind(n int) NodeKind {
	if k := l.node(n).Kind; k != "" {
		return k
	}
	return Host
}

// name returns a node's name.
func (l *lab) name(n int) string { return l.nodes.names[n] }

// families returns what a node speaks. A switch passes everything.
func (l *lab) families(n int) (ipv4, ipv6 bool) {
	ip := l.node(n).IP
	if ip == "" {
		ip = l.t.Defaults.IP
	}
	if l.kind(n) == Switch {
		ip = Dual
	}
	return ip != IPv6Only, ip != IPv4Only
}

// newLab takes a topology apart that is known to be right.
func newLab(t *Topology) *lab {
	l := &lab{t: t}
	ignore := func(place, string, ...any) {}
	l.expandNodes(place{}, ignore)
	l.expandLinks(place{}, ignore)
	return l
}

// expandNodes takes the ranges of nodes apart. Mistakes are added with report.
func (l *lab) expandNodes(section place, report func(place, string, ...any)) {
	var names []string
	owner := map[string]int{}
	for entry, e := range l.t.Nodes.Entries() {
		at := section.field(e.Name).name()
		p, err := parsePattern(e.Name)
		switch {
		case err != nil:
			report(at, "%s", err)
			continue
		case p.form == members || p.form == prefix:
			report(at, "%s defines no nodes: want a name or a range such as %q", quote(e.Name), p.stem+"[1..3]")
			continue
		case len(names)+p.count() > MaxNodes:
			report(at, "the lab has more than %d nodes", MaxNodes)
			continue
		}
		if message := checkLabel(p.nth(p.count()-1), maxLabel); message != "" {
			report(at, "%s", message)
			continue
		}
		for n := range p.count() {
			name := p.nth(n)
			if other, taken := owner[name]; taken {
				report(at, "%s is already a node of %s", name, quote(l.t.Nodes.Entries()[other].Name))
				break
			}
			owner[name] = entry
			names = append(names, name)
			l.entry = append(l.entry, entry)
		}
	}
	l.nodes = NewMatcher("node", names)
}

// expandLinks takes the links apart. Mistakes are added with report.
func (l *lab) expandLinks(section place, report func(place, string, ...any)) {
	var ids []string
	owner := map[string]int{}
	full := false
	for entry := range l.t.Links {
		link := &l.t.Links[entry]
		at := section.item(entry)
		pairs, single, message := l.pairs(link.Between)
		if message != "" {
			report(at.field("between"), "%s", message)
			continue
		}
		if link.Name != "" && !single {
			report(at.field("name"), "a name belongs to one link, but %s stands for all pairs; give the links one by one", quote(link.Between))
			continue
		}
		if !full && len(l.links)+len(pairs) > MaxLinks {
			report(at.field("between"), "the lab has more than %d links", MaxLinks)
			full = true
		}
		if full {
			continue
		}
		for _, ends := range pairs {
			id := link.Name
			if id == "" {
				id = l.name(ends[0]) + "--" + l.name(ends[1])
			}
			if first, taken := owner[id]; taken {
				where := fmt.Sprintf("links[%d]", first)
				if link.Name == "" {
					report(at.field("between"), "%s is already the id of %s: parallel links need names", quote(id), where)
				} else {
					report(at.field("name"), "%s is already the id of %s", quote(id), where)
				}
				break
			}
			owner[id] = entry
			l.links = append(l.links, pair{entry, ends, id})
			ids = append(ids, id)
		}
	}
	l.ids = NewMatcher("link", ids)
}

// pairs returns the pairs of nodes that "a - b" stands for: each of a with each of b. Where both sides have a node in
// common it isn't linked to itself, and no two nodes are linked twice. single says whether both sides are names.
func (l *lab) pairs(between string) (pairs [][2]int, single bool, message string) {
	left, right, ok := splitPair(between)
	if !ok {
		return nil, false, explainPair(between)
	}
	as, err := l.nodes.Match(left)
	if err != nil {
		return nil, false, err.Error()
	}
	bs, err := l.nodes.Match(right)
	if err != nil {
		return nil, false, err.Error()
	}
	if len(as)*len(bs) > MaxLinks {
		return nil, false, fmt.Sprintf("%s stands for %d links: want at most %d", quote(between), len(as)*len(bs), MaxLinks)
	}
	seen := map[[2]int]bool{}
	for _, a := range as {
		for _, b := range bs {
			key := [2]int{min(a, b), max(a, b)}
			if a != b && !seen[key] {
				seen[key] = true
				pairs = append(pairs, [2]int{a, b})
			}
		}
	}
	if len(pairs) == 0 {
		return nil, false, fmt.Sprintf("%s links %s to itself", quote(between), l.name(as[0]))
	}
	return pairs, !isPattern(left) && !isPattern(right), ""
}

func isPattern(name string) bool {
	p, err := parsePattern(name)
	return err == nil && !p.single()
}
