package topology

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// plain returns what a value says, without its place.
func (v *value) plain() any {
	switch v.kind {
	case objectKind:
		out := map[string]any{}
		for _, child := range v.children {
			out[child.name] = child.plain()
		}
		return out
	case arrayKind:
		out := []any{}
		for _, child := range v.children {
			out = append(out, child.plain())
		}
		return out
	}
	var out any
	if err := json.Unmarshal(v.literal, &out); err != nil {
		panic(err)
	}
	return out
}

func parseText(t testing.TB, text string) *value {
	p := &problems{src: newSource("x", []byte(text)), tainted: map[*value]bool{}}
	v := parse(p.src, p)
	require.NoError(t, p.err())
	return v
}

// The table of RFC 7386, appendix A.
func TestMergeFollowsTheRFC(t *testing.T) {
	for _, test := range [][3]string{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`["a","b"]`, `["c","d"]`, `["c","d"]`},
		{`{"a":"b"}`, `["c"]`, `["c"]`},
		{`{"a":"foo"}`, `null`, `null`},
		{`{"a":"foo"}`, `"bar"`, `"bar"`},
		{`{"e":null}`, `{"a":1}`, `{"e":null,"a":1}`},
		{`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
	} {
		target := parseText(t, test[0])
		before := target.plain()
		got := merge(target, parseText(t, test[1]))
		require.Equal(t, parseText(t, test[2]).plain(), got.plain(), "%s with %s", test[0], test[1])
		require.Equal(t, before, target.plain(), "the target is changed")
	}
}

func TestVariants(t *testing.T) {
	f, err := Load("some/where/My Lab.v2.jsonc", goodFiles(t)["variants.jsonc"], catalog, nil)
	require.NoError(t, err)
	require.Equal(t, "versus", f.Name)
	require.Len(t, f.Variants, 4)
	names := []string{}
	for _, v := range f.Variants {
		names = append(names, v.Name)
		require.Equal(t, "versus", v.Topology.Name)
		require.Zero(t, v.Topology.Variants.Len())
	}
	require.Equal(t, []string{"plain", "least-connections", "no-loss", "bare"}, names)

	b, _ := f.Variants[0].Topology.Nodes.Get("b")
	front, _ := b.Services.Get("front")
	require.Equal(t, "round-robin", front.Config.(*proxyConfig).Algorithm)
	b, _ = f.Variants[1].Topology.Nodes.Get("b")
	front, _ = b.Services.Get("front")
	require.Equal(t, "least-connections", front.Config.(*proxyConfig).Algorithm)
	require.Equal(t, "1ms", front.Config.(*proxyConfig).ServiceTime.String())
	require.Nil(t, f.Variants[2].Topology.Links[0].Loss)
	require.Equal(t, uint64(2), f.Variants[2].Topology.Seed)
	b, _ = f.Variants[3].Topology.Nodes.Get("b")
	require.Equal(t, 1, b.Services.Len())
	require.Equal(t, 3, f.Variants[3].Topology.Nodes.Len())
}
