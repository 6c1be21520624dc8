package topology

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMatcher(t *testing.T) {
	m := NewMatcher("node", []string{"web3", "lb", "web1", "web", "webcam", "web02", "web12x", "web2"})
	for pattern, want := range map[string][]string{
		"web":        {"web"},
		"lb":         {"lb"},
		"web[1..3]":  {"web3", "web1", "web2"},
		"web[02..2]": nil,
		"web[*]":     {"web3", "web1", "web02", "web2"},
		"web*":       {"web3", "web1", "web", "webcam", "web02", "web12x", "web2"},
		"webc*":      {"webcam"},
		"*":          {"web3", "lb", "web1", "web", "webcam", "web02", "web12x", "web2"},
	} {
		found, err := m.Match(pattern)
		if want == nil {
			require.Error(t, err, pattern)
			continue
		}
		require.NoError(t, err, pattern)
		require.Equal(t, want, m.selectNames(found), pattern)
	}
	for pattern, want := range map[string]string{
		"wbe":       `no node is called "wbe"; did you mean "web"?`,
		"web[1..4]": `no node is called "web4"; did you mean "web"?`,
		"wbe[*]":    `no node's name is made of "wbe" and a number; did you mean "web[*]"?`,
		"lb[*]":     `no node's name is made of "lb" and a number; did you mean "lb"?`,
		"xyz*":      `no node's name begins with "xyz"`,
		"w*b":       `"w*b": * stands at the end (web*) or alone in brackets (web[*])`,
		"w**":       `"w**" has more than one *`,
		"web[*":     `"web[*": * stands at the end (web*) or alone in brackets (web[*])`,
		"web]1[":    `"web]1[" has a bracket without its partner`,
		"web[a-c]":  `"web[a-c]" is not a range: brackets hold two numbers such as [1..3], or *, never characters`,
		"[]":        `"[]" is not a range: brackets hold two numbers such as [1..3], or *, never characters`,
	} {
		_, err := m.Match(pattern)
		require.EqualError(t, err, want, pattern)
	}
}

func TestMatchAllIsAscendingAndUnique(t *testing.T) {
	m := NewMatcher("node", []string{"a1", "a2", "b"})
	found, _, err := m.MatchAll([]string{"b", "a*", "a[1..2]"})
	require.NoError(t, err)
	require.Equal(t, []int{0, 1, 2}, found)
	_, i, err := m.MatchAll([]string{"b", "c"})
	require.Error(t, err)
	require.Equal(t, 1, i)
}

func TestRanges(t *testing.T) {
	names := func(text string) []string {
		return loadOne(t, `{ "nodes": { "`+text+`": {} } }`).Resolved.Captures.Nodes
	}
	require.Equal(t, []string{"web1", "web2", "web3"}, names("web[1..3]"))
	require.Equal(t, []string{"web08", "web09", "web10"}, names("web[08..10]"))
	require.Equal(t, []string{"web-0"}, names("web-[0..0]"))
	require.Equal(t, []string{"7", "8"}, names("[7..8]"))
}

func TestLinkPairs(t *testing.T) {
	for _, test := range []struct {
		between string
		want    []string
	}{
		{"a[*] - b[*]", []string{"a1--b1", "a1--b2", "a2--b1", "a2--b2"}},
		{"a[*] - a[*]", []string{"a1--a2"}},
		{"b2  -\ta[1..2]", []string{"b2--a1", "b2--a2"}},
		{"a* - *", []string{"a1--a2", "a1--b1", "a1--b2", "a2--b1", "a2--b2"}},
		{"* - a1", []string{"a2--a1", "b1--a1", "b2--a1"}},
	} {
		l := &lab{t: &Topology{
			Nodes: MapOf(Entry[Node]{"a[1..2]", Node{}}, Entry[Node]{"b[1..2]", Node{}}),
			Links: []Link{{Between: test.between}},
		}}
		report := func(at place, format string, args ...any) { t.Errorf(format, args...) }
		l.expandNodes(place{}, report)
		l.expandLinks(place{}, report)
		require.Equal(t, test.want, l.ids.names, test.between)
	}
}
