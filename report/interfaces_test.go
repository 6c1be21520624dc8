package report_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/report"
)

// Interfaces are numbered at each node in the order of the links, as captures name them.
func TestInterfaces(t *testing.T) {
	topo := report.Topology{
		Nodes: report.Members[report.Node]{{Name: "a"}, {Name: "r", Value: report.Node{Kind: "router"}}, {Name: "s", Value: report.Node{Kind: "switch"}}},
		Links: []report.Link{{Between: "a - r"}, {Between: "r - s"}, {Between: "nothing"}, {Between: "s - a"}},
	}
	require.Equal(t, []report.Interface{
		{Name: "a-eth0", Node: "a", Peer: "r"}, {Name: "r-eth0", Node: "r", Peer: "a"}, {Name: "r-eth1", Node: "r", Peer: "s"},
		{Name: "s-eth0", Node: "s", Peer: "r"}, {Name: "s-eth1", Node: "s", Peer: "a"}, {Name: "a-eth1", Node: "a", Peer: "s"},
	}, topo.Interfaces())
	require.Equal(t, map[string][]string{"r": {"r-eth0", "r-eth1"}}, topo.Routers())
}
