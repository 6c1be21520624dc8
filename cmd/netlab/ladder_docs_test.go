package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	sessions = regexp.MustCompile("(?s)```console\n(.*?)```")
	headOf   = regexp.MustCompile(`^(.*) \| head -n (\d+)$`)
	image    = regexp.MustCompile(`!\[[^\]]+\]\(([^)]+)\)`)
)

// The page about watching shows what the commands print; -update writes it anew. Its pictures exist.
func TestWatchingPage(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "watching.md")
	page, err := os.ReadFile(path)
	require.NoError(t, err)
	dir := t.TempDir()
	blocks := 0
	want := sessions.ReplaceAllStringFunc(string(page), func(block string) string {
		blocks++
		var b strings.Builder
		b.WriteString("```console\n")
		for line := range strings.Lines(sessions.FindStringSubmatch(block)[1]) {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				b.WriteString(line + shell(t, dir, strings.TrimSpace(command)))
			}
		}
		return b.String() + "```"
	})
	require.GreaterOrEqual(t, blocks, 5)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(want), 0o666))
		page = []byte(want)
	}
	require.Equal(t, want, string(page), "docs/watching.md is not current: run this test with -update")
	for _, m := range image.FindAllStringSubmatch(string(page), -1) {
		require.FileExists(t, filepath.Join(filepath.Dir(path), m[1]))
	}
}

// shell runs a command line of netlab, which may end in "| head -n N", and returns what it prints.
func shell(t *testing.T, dir, line string) string {
	t.Helper()
	most := 0
	if m := headOf.FindStringSubmatch(line); m != nil {
		line = m[1]
		most, _ = strconv.Atoi(m[2])
	}
	words := strings.Fields(strings.ReplaceAll(line, "'", "")) // no pattern that is quoted has a space
	require.Equal(t, "netlab", words[0], line)
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "NO_COLOR=1", "LC_ALL=C.UTF-8")
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	require.NoError(t, cmd.Run(), "%s: %s", line, problems.String())
	lines := strings.SplitAfter(out.String(), "\n")
	if most > 0 && len(lines) > most+1 {
		lines = lines[:most]
	}
	return strings.Join(lines, "")
}
