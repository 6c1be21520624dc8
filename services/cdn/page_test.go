package cdn_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The file that the page about CDNs shows loads, and what it expects holds.
func TestPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "components", "cdn.md"))
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(page), "```jsonc\n")
	require.True(t, found)
	file, _, _ := strings.Cut(rest, "```")
	require.Len(t, play(t, file, nil).Expect, 3)
}
