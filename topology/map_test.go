package topology

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMapKeepsOrder(t *testing.T) {
	var m Map[int]
	require.True(t, m.IsZero())
	m.Set("z", 1)
	m.Set("a", 2)
	m.Set("<&>", 3)
	m.Set("z", 4)
	require.Equal(t, 3, m.Len())
	v, ok := m.Get("z")
	require.True(t, ok)
	require.Equal(t, 4, v)
	_, ok = m.Get("b")
	require.False(t, ok)
	var names []string
	for name := range m.All() {
		names = append(names, name)
		if name == "a" {
			break
		}
	}
	require.Equal(t, []string{"z", "a"}, names)
	require.Equal(t, []Entry[int]{{"z", 4}, {"a", 2}, {"<&>", 3}}, m.Entries())
	text, err := marshal(m)
	require.NoError(t, err)
	require.Equal(t, `{"z":4,"a":2,"<&>":3}`, string(text))
	var back map[string]int
	require.NoError(t, json.Unmarshal(text, &back))
}

func TestMapCloneIsIndependent(t *testing.T) {
	m := MapOf(Entry[string]{"a", "1"}, Entry[string]{"b", "2"}, Entry[string]{"a", "3"})
	c := m.Clone()
	c.Set("a", "4")
	c.Set("c", "5")
	require.Equal(t, []Entry[string]{{"a", "3"}, {"b", "2"}}, m.Entries())
	require.Equal(t, 3, c.Len())
	text, err := marshal(Map[string]{})
	require.NoError(t, err)
	require.Equal(t, "{}", string(text))
}
