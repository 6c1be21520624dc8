package history

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the page shows is what happens, and it has every model and every kind.
func TestPage(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "histories.md"))
	require.NoError(t, err)
	page := string(data)
	block := func(kind string) string {
		m := regexp.MustCompile("(?s)```" + kind + "\n(.*?)```").FindStringSubmatch(page)
		require.NotNil(t, m, kind)
		return m[1]
	}
	h, err := Parse(strings.NewReader(block("jsonl")), "page")
	require.NoError(t, err)
	require.Equal(t, block("console"), Check(h, h.Model, Options{}).Text())
	var written strings.Builder
	require.NoError(t, h.Write(&written))
	require.Equal(t, block("jsonl"), written.String())
	for _, m := range Models() {
		require.Contains(t, page, "| `"+m.Name+"` |")
	}
	for _, k := range []Kind{Read, Write, CAS, Increment, Count, Add, Members, Append, List, Transfer, Balances} {
		require.Contains(t, page, "| `"+string(k)+"` |")
	}
}
