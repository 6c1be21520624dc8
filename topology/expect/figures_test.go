package expect

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

func TestAdd(t *testing.T) {
	type inner struct {
		Lost units.Probability `json:"lost"`
	}
	type list struct {
		inner
		Next  *list          `json:"next"`
		Addr  netip.Addr     `json:"addr"`
		Count *int           `json:"count"`
		Any   any            `json:"any"`
		F     func()         `json:"f"`
		Raw   float64        // without a tag
		Ports map[int]string `json:"ports"`
	}
	f := &Figures{}
	f.Add("upload", &transfer{Goodput: 5, RTT: &rtt{}})
	f.Add("links", map[string]direction{"b--c": {}, "a--b": {Dropped: map[string]int{"z": 1, "y": 2}}})
	require.Equal(t, []string{"upload.intact", "upload.goodput", "upload.bytes", "upload.rtt.avg", "upload.rtt.min",
		"upload.rtt.max", "upload.error", "links.a--b.sent", "links.a--b.dropped.y", "links.a--b.dropped.z", "links.b--c.sent"},
		f.Names())
	for name, want := range map[string]Dimension{"upload.intact": Flag, "upload.goodput": BitRate, "upload.bytes": Size,
		"upload.rtt.min": Duration, "upload.error": Text, "links.a--b.sent": Count} {
		d, ok := f.Dimension(name)
		require.True(t, ok)
		require.Equal(t, want, d, name)
	}
	_, ok := f.Dimension("upload.secret")
	require.False(t, ok)

	// The same name again: a new value at the old place.
	f.Add("upload.goodput", units.BitRate(7))
	require.Equal(t, "upload.goodput", f.Names()[1])
	got, _ := f.get("upload.goodput")
	require.Equal(t, int64(7), got.value)

	// A type that holds itself ends somewhere; below nil there are names but no values.
	f = &Figures{}
	f.Add("", list{Addr: netip.MustParseAddr("192.0.2.1"), Any: 5, Ports: map[int]string{80: "http"}})
	for _, name := range []string{"lost", "addr", "count", "any", "Raw", "ports.80", "next.lost", "next.next.count"} {
		require.True(t, f.has(name), name)
	}
	for name, want := range map[string]any{"addr": "192.0.2.1", "count": nil, "any": int64(5), "lost": 0.0, "next.lost": nil} {
		got, _ := f.get(name)
		require.Equal(t, want, got.value, name)
	}
	require.False(t, f.has("f"))

	f.Add("nothing", nil)
	require.False(t, f.has("nothing"))
	require.Equal(t, []string{"max", "min", "sum", "mean", "abs", "and", "or", "not", "true", "false"}, Reserved())
}
