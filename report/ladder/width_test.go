package ladder

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/captures/analysis"
)

// Wide characters take two columns, and half of one is never drawn.
func TestWideCharacters(t *testing.T) {
	require.Equal(t, 4, width("東京"))
	require.Equal(t, 3, width("äµ→"))
	require.Equal(t, "東…", shorten("東京大", 4))
	require.Equal(t, "東京", shorten("東京", 4))
	require.Equal(t, "a…", shorten("a東京", 3))

	row := func(ascii bool, puts ...any) string {
		r := newRow(8, ascii)
		for i := 0; i < len(puts); i += 2 {
			r.put(puts[i].(int), puts[i+1].(string), styleNone)
		}
		return r.text(false)
	}
	require.Equal(t, "|東京|", row(false, 0, "|東京|"))
	require.Equal(t, "|????|", row(true, 0, "|東京|"))
	require.Equal(t, "東 x|", row(false, 0, "東京|", 3, "x"), "the second half is overwritten")
	require.Equal(t, "x 京|", row(false, 0, "東京|", 0, "x"), "the first half is overwritten")
	require.Equal(t, "      東", row(false, 6, "東"))
	require.Equal(t, "       ?", row(false, 7, "東"), "no room for both halves")
	r := newRow(8, false)
	r.put(0, "東|", styleLost)
	require.Equal(t, "\x1b[31m東|\x1b[0m", r.text(true))
}

// Life lines stay straight under wide names and texts, and no line is wider than asked for.
func TestWideLadder(t *testing.T) {
	l := newLab(t, []string{"東京 - r1", "r1 - 大阪市役所"})
	l.send(0, "東京 r1 大阪市役所", "UDP 東京:1 > 大阪市役所:2 len 10: こんにちは世界").Protocol = "udp"
	lost := l.send(hop, "東京 x r1 大阪市役所", "UDP 東京:1 > 大阪市役所:2 len 10: \x1b7さようなら")
	lost.Protocol = "udp"
	lost.Lost = &analysis.Loss{At: hop, Node: "東京", Reason: `rule "しずかに"`}
	for _, w := range []int{45, 80, 120} {
		text := string(l.text(Options{}, TextOptions{Width: w}))
		require.NotContains(t, text, "\x1b")
		require.Contains(t, text, "しずかに")
		for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n")[1:] {
			require.LessOrEqual(t, width(line), w)
			require.Contains(t, "│→←┼", string([]rune(line)[16:17]), line)
			require.Equal(t, w, width(line), "the last life line stands at the margin: %s", line)
		}
	}
}

// A rule is told from what a network does by itself.
func TestLossByRule(t *testing.T) {
	require.Equal(t, note{`dropped by rule "x" on a--b`, `dropped by rule "x"`}, lossNote(&analysis.Journey{Lost: &analysis.Loss{Link: "a--b", Reason: `rule "x"`}}))
}
