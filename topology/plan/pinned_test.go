package plan

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A lab in which all that was planned is given plans the same: that is what a resolved file is.
func TestAPlanWithEverythingPinnedIsTheSame(t *testing.T) {
	for name, lab := range map[string]*Lab{"tree": tree(20, 5), "switch": behindSwitch(50)} {
		t.Run(name, func(t *testing.T) {
			want, err := Make(lab)
			require.NoError(t, err)
			pinned := &Lab{Nodes: append([]Node{}, lab.Nodes...), Links: append([]Link{}, lab.Links...)}
			for n := range pinned.Nodes {
				pinned.Nodes[n].Routes = want.Routes[n]
			}
			for _, s := range want.Segments {
				pinned.Nodes[s.Switches[0]].Subnets = s.Networks[:]
			}
			for l := range pinned.Links {
				for e := range pinned.Links[l].Ends {
					pinned.Links[l].Ends[e].Addresses = want.Interfaces[l][e].Addresses
					pinned.Links[l].Ends[e].MAC = want.Interfaces[l][e].MAC.String()
				}
			}
			got, err := Make(pinned)
			require.NoError(t, err)
			require.Equal(t, want.Interfaces, got.Interfaces)
			require.Equal(t, want.Routes, got.Routes)
			require.Equal(t, want.Segments, got.Segments)
		})
	}
}
