package plan

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSplit(t *testing.T) {
	const m = 1000
	for _, test := range []struct {
		name, stem string
		index      uint64
	}{
		{"client--server", "client--server", 0},
		{"web3--r1", "web#--r#", 3 + 1*m},
		{"web3--r", "web#--r", 3},
		{"web--r3", "web--r#", 3},
		{"web07", "web0#", 7},
		{"web00", "web0#", 0},
		{"web10", "web#", 10},
		{"h3x7--r3", "h#x#--r#", 3 + 7*m + 3*m*m},
		{"n12345678901234567890", "n12345678901#", 234567890},
		{"", "", 0},
	} {
		stem, index := split(test.name, m)
		require.Equal(t, test.stem, stem, test.name)
		require.Equal(t, test.index, index, test.name)
	}
}

// What the comment on spread promises.
func TestLinksOfRangesDoNotMeet(t *testing.T) {
	const slots = 1 << 22
	for _, test := range []struct {
		format string
		args   func(a, b int) []any
		a, b   int
	}{
		{"h%d--r%d", func(a, b int) []any { return []any{a, b} }, 10_000, 100},
		{"r%d--h%d", func(a, b int) []any { return []any{a, b} }, 100, 10_000},
		{"r%d--s%d", func(a, b int) []any { return []any{a, b} }, 900, 900},
		{"h%dx%d--r%d", func(a, b int) []any { return []any{a, b, a} }, 100, 5_000},
		{"r%d--h%dx%d", func(a, b int) []any { return []any{a, a, b} }, 100, 5_000},
	} {
		t.Run(test.format, func(t *testing.T) {
			stem, _ := split(fmt.Sprintf(test.format, test.args(1, 1)...), spread)
			require.NotContains(t, stem, "1")
			seen := make([]bool, slots)
			for a := range test.a {
				for b := range test.b {
					var index, factor uint64 = 0, 1
					for _, n := range test.args(a, b) {
						index += uint64(n.(int)) * factor
						factor *= spread
					}
					require.False(t, seen[index%slots], "%d %d", a, b)
					seen[index%slots] = true
				}
			}
		})
	}
}

func TestSlotsStayInTheirRanges(t *testing.T) {
	four, six := netip.MustParsePrefix("10.128.0.0/9"), netip.MustParsePrefix("fd00:1::/64")
	lans := netip.MustParsePrefix("10.0.0.0/9")
	for i := range 1000 {
		link := linkNetworks(fmt.Sprintf("link%c%d", 'a'+rune(i%26), i))
		require.True(t, four.Contains(link[IPv4].Addr()))
		require.True(t, six.Contains(link[IPv6].Addr()))
		require.Equal(t, link[IPv4], link[IPv4].Masked())
		require.Equal(t, link[IPv6], link[IPv6].Masked())
		segment := segmentNetworks(fmt.Sprintf("sw%c%d", 'a'+rune(i%26), i))
		require.True(t, lans.Contains(segment[IPv4].Addr()))
		require.Equal(t, segment[IPv4], segment[IPv4].Masked())
		require.Equal(t, segment[IPv6], segment[IPv6].Masked())
		require.Equal(t, segment[IPv4].Addr().As4()[1], segment[IPv6].Addr().As16()[7])
	}
}
