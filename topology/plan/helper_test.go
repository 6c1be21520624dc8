package plan

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// parse reads a lab that is written for a test: a line for each node ("r1 router", "sw switch 192.0.2.0/24",
// "h1 host ipv4") and for each link ("a - b", "name: a - b 5ms", "a 192.0.2.1/30 mac=… - b").
func parse(tb testing.TB, text string) *Lab {
	tb.Helper()
	lab := &Lab{}
	index := map[string]int{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0:
		case strings.Contains(line, " - "):
			parseLink(tb, lab, index, line)
		default:
			index[fields[0]] = len(lab.Nodes)
			lab.Nodes = append(lab.Nodes, parseNode(tb, fields))
		}
	}
	return lab
}

func parseNode(tb testing.TB, fields []string) Node {
	node := Node{Name: fields[0], IPv4: true, IPv6: true}
	for _, f := range fields[1:] {
		switch {
		case f == "host":
		case f == "router":
			node.Kind = Router
		case f == "switch":
			node.Kind = Switch
		case f == "ipv4":
			node.IPv6 = false
		case f == "ipv6":
			node.IPv4 = false
		case strings.Contains(f, ">"): // 10.0.0.0/8>192.0.2.1
			to, via, _ := strings.Cut(f, ">")
			node.Routes = append(node.Routes, Route{netip.MustParsePrefix(to), netip.MustParseAddr(via)})
		default:
			subnet, err := netip.ParsePrefix(f)
			require.NoError(tb, err)
			node.Subnets = append(node.Subnets, subnet)
		}
	}
	return node
}

func parseLink(tb testing.TB, lab *Lab, index map[string]int, line string) {
	id, rest, named := strings.Cut(line, ": ")
	if !named {
		rest = line
	}
	var link Link
	var names [2]string
	for e, end := range strings.SplitN(rest, " - ", 2) {
		fields := strings.Fields(end)
		names[e] = fields[0]
		require.Contains(tb, index, fields[0])
		link.Ends[e].Node = index[fields[0]]
		for _, f := range fields[1:] {
			if mac, ok := strings.CutPrefix(f, "mac="); ok {
				link.Ends[e].MAC = mac
			} else if a, err := netip.ParsePrefix(f); err == nil {
				link.Ends[e].Addresses = append(link.Ends[e].Addresses, a)
			} else {
				forward, backward, different := strings.Cut(f, "|")
				if !different {
					backward = forward
				}
				var err error
				link.Latency[0], err = time.ParseDuration(forward)
				require.NoError(tb, err)
				link.Latency[1], err = time.ParseDuration(backward)
				require.NoError(tb, err)
			}
		}
	}
	link.ID = names[0] + "--" + names[1]
	if named {
		link.ID = strings.TrimSpace(id)
	}
	lab.Links = append(lab.Links, link)
}

func mustMake(tb testing.TB, text string) (*Lab, *Plan) {
	tb.Helper()
	lab := parse(tb, text)
	p, err := Make(lab)
	require.NoError(tb, err)
	return lab, p
}

// find returns the index of a node.
func (l *Lab) find(name string) int {
	for n := range l.Nodes {
		if l.Nodes[n].Name == name {
			return n
		}
	}
	panic("no node " + name)
}

// table prints a node's routes with the owners of the next hops.
func (p *Plan) print(name string) []string {
	owners := map[netip.Addr]string{}
	for n, ports := range p.Ports {
		for _, port := range ports {
			for _, a := range p.Interfaces[port.Link][port.End].Addresses {
				owners[a.Addr()] = p.lab.Nodes[n].Name
			}
		}
	}
	titles := map[netip.Prefix]string{}
	for l := range p.Interfaces {
		for _, a := range p.Interfaces[l][0].Addresses {
			titles[a.Masked()] = p.lab.Links[l].ID
		}
	}
	for _, s := range p.Segments {
		for _, n := range s.Networks {
			titles[n] = p.lab.Nodes[s.Switches[0]].Name
		}
	}
	var lines []string
	for _, r := range p.Routes[p.lab.find(name)] {
		to := titles[r.To]
		if to == "" {
			to = r.To.String()
		}
		lines = append(lines, fmt.Sprintf("%s via %s", to, owners[r.Via]))
	}
	return lines
}

// messages returns the errors of a plan one by one.
func messages(tb testing.TB, err error) []string {
	tb.Helper()
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	require.True(tb, ok)
	var list []string
	for _, e := range joined.Unwrap() {
		var one *Error
		require.True(tb, errors.As(e, &one))
		list = append(list, one.Error())
	}
	return list
}
