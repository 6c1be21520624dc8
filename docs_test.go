package netlab_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/examples"
)

// The page about the file has every field of the schema; -update makes its tables anew.
func TestFileFormatPage(t *testing.T) {
	path := filepath.Join("docs", "file-format.md")
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	p := newPage(t)
	want := p.fill(string(data))
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(want), 0o666))
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, want, string(got), "docs/file-format.md is not current: run this test with -update")
	for name, fields := range p.order {
		for _, field := range fields {
			if field != "type" || strings.Contains(name, ".") {
				require.Contains(t, want, "`"+field+"`", "%s.%s", name, field)
			}
		}
	}
	for name := range p.schema.Defs {
		kind, title, ok := strings.Cut(name, ".")
		if part := parts[name]; part != "" {
			title = part
		}
		if ok && len(p.order[name]) > 0 {
			require.Contains(t, want, "### "+title+"\n", kind)
		}
	}
}

var fences = regexp.MustCompile("(?s)```jsonc\n(.*?)```")

// Every file that the pages show loads, and what it expects holds.
func TestFilesInPages(t *testing.T) {
	for _, path := range []string{"README.md", filepath.Join("docs", "file-format.md")} {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		blocks := fences.FindAllStringSubmatch(string(data), -1)
		require.NotEmpty(t, blocks, path)
		for _, m := range blocks {
			labs, err := netlab.Parse(path, []byte(m[1]), nil)
			require.NoError(t, err, m[1])
			requireVerdict(t, labs, m[1])
		}
	}
}

// requireVerdict plays the labs of a file that a page shows and requires that what it expects holds.
func requireVerdict(t *testing.T, labs []*netlab.Lab, text string) {
	t.Helper()
	for _, lab := range labs {
		results := play(t, lab, nil, nil)
		require.Equal(t, netlab.Holds, results.Verdict(), "%s\n%+v", text, results.Expect)
	}
}

// The picture in the README is the ladder of the handshake example.
func TestPictureInReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	text, err := os.ReadFile(filepath.Join("examples", "testdata", "handshake.txt"))
	require.NoError(t, err)
	at := bytes.Index(text, []byte("  #   time (s)"))
	require.Positive(t, at)
	require.Contains(t, string(readme), string(text[at:]))
}

// The README names every example.
func TestExamplesInReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for _, e := range examples.List() {
		require.Contains(t, string(readme), "["+e.Name+"](examples/"+e.Name+".json)")
	}
}

var goFence = regexp.MustCompile("(?s)```go\n(.*?)```")

// The Go code in the README is that of an example that is tested.
func TestGoCodeInReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	code, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	m := goFence.FindStringSubmatch(string(readme))
	require.NotNil(t, m)
	for line := range strings.Lines(m[1]) {
		require.Contains(t, string(code), strings.TrimSpace(line))
	}
}
