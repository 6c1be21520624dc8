package topology

import (
	"fmt"
	"slices"
	"strings"
)

// nodePorts are the interfaces of a node in the order in which they are numbered.
type nodePorts struct {
	lab   *lab
	node  int
	links []int // index in lab.links
	peers []int // node at the other end
}

// portsOf returns the interfaces of a node.
func (l *lab) portsOf(n int) *nodePorts {
	if l.touching == nil {
		l.touching = make([][]int, len(l.nodes.names))
		for i := range l.links {
			for _, node := range l.links[i].ends {
				l.touching[node] = append(l.touching[node], i)
			}
		}
	}
	p := &nodePorts{lab: l, node: n, links: l.touching[n]}
	for _, i := range p.links {
		ends := l.links[i].ends
		p.peers = append(p.peers, ends[0]+ends[1]-n)
	}
	return p
}

// addressed says which IP versions a host or router has an address of: those that it and somebody at its links speak.
func (l *lab) addressed(n int) (ipv4, ipv6 bool) {
	own4, own6 := l.families(n)
	for _, peer := range l.portsOf(n).peers {
		peer4, peer6 := l.families(peer)
		ipv4, ipv6 = ipv4 || own4 && peer4, ipv6 || own6 && peer6
	}
	return ipv4, ipv6
}

// names returns the names of the neighbours and of the links by interface.
func (p *nodePorts) names() (peers, links []string) {
	for i, l := range p.links {
		peers = append(peers, p.lab.name(p.peers[i]))
		links = append(links, p.lab.links[l].id)
	}
	return peers, links
}

// match returns the interfaces that a text names: those to neighbours of that name or pattern, and if there are none, those on
// links of that name or pattern. message says why there are none.
func (p *nodePorts) match(text string) (found []int, message string) {
	found, _, message = p.find(text)
	return found, message
}

// find is match, and says whether the text names links.
func (p *nodePorts) find(text string) (found []int, byLink bool, message string) {
	if _, err := parsePattern(text); err != nil {
		return nil, false, err.Error()
	}
	peers, links := p.names()
	byPeer, byID := indices(peers, text), indices(links, text)
	name := p.lab.name(p.node)
	switch {
	case len(byPeer) > 0 && len(byID) > 0 && !slices.Equal(byPeer, byID) && !isPattern(text):
		return nil, false, fmt.Sprintf("%s is a neighbour of %s and also its link to %s: give the link another name", quote(text), name, peers[byID[0]])
	case len(byPeer) > 0:
		return byPeer, false, ""
	case len(byID) > 0:
		return byID, true, ""
	case len(peers) == 0:
		return nil, false, fmt.Sprintf("%s has no links", name)
	}
	slices.Sort(peers)
	peers = slices.Compact(peers)
	if nodes, err := p.lab.nodes.Match(text); err == nil {
		who := p.lab.name(nodes[0]) + " is no neighbour"
		if isPattern(text) {
			who = text + " stands for nodes that aren't all neighbours"
		}
		return nil, false, fmt.Sprintf("%s of %s: an interface is named by the other end of its link, here %s", who, name, few(peers))
	}
	hint := didYouMean(text, append(slices.Clone(peers), links...))
	if hint == "" {
		hint = "; its neighbours are " + few(peers)
	}
	return nil, false, fmt.Sprintf("%s has no neighbour and no link called %s%s", name, quote(text), hint)
}

// matchAll returns the interfaces that several texts name.
func (p *nodePorts) matchAll(texts []string) (found []int, message string) {
	for _, text := range texts {
		some, message := p.match(text)
		if message != "" {
			return nil, message
		}
		found = append(found, some...)
	}
	return found, ""
}

// resolve returns the names that patterns of interfaces stand for, which were checked.
func (p *nodePorts) resolve(texts []string) []string {
	peers, links := p.names()
	var out []string
	for _, text := range texts {
		found, byLink, message := p.find(text)
		if message != "" {
			panic("topology: a checked interface doesn't exist: " + message)
		}
		for _, i := range found {
			name := peers[i]
			if byLink {
				name = links[i]
			}
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// allBut names all interfaces but one, by their neighbours where these tell them apart.
func (p *nodePorts) allBut(one int) []string {
	peers, links := p.names()
	var out []string
	for i, peer := range peers {
		switch {
		case i == one || slices.Contains(out, peer):
		case peer == peers[one]:
			out = append(out, links[i])
		default:
			out = append(out, peer)
		}
	}
	return out
}

// indices returns the places of the names that a pattern stands for; some names may be equal. Of a range, all must be there.
func indices(names []string, text string) []int {
	unique := slices.Clone(names)
	slices.Sort(unique)
	unique = slices.Compact(unique)
	m := NewMatcher("", unique)
	m.hints = 0
	some, err := m.Match(text)
	if err != nil {
		return nil
	}
	chosen := m.selectNames(some)
	var found []int
	for i, name := range names {
		if slices.Contains(chosen, name) {
			found = append(found, i)
		}
	}
	return found
}

// checkInterfaces checks the interfaces that a rule names.
func (c *checker) checkInterfaces(at place, texts Patterns, routers []int) {
	c.notEmpty(at, texts != nil, len(texts))
	if !c.linksKnown {
		return
	}
	for _, r := range routers {
		ports := c.lab.portsOf(r)
		for i, text := range texts {
			if _, message := ports.match(text); message != "" {
				c.addf(at.item(i), "%s", message)
				return
			}
		}
	}
}

// few lists names, and says when there are more.
func few(names []string) string {
	const most = 8
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " and others"
	}
	return strings.Join(names, ", ")
}
