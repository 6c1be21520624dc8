package main

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
)

// TestInterruptShrink interrupts a search while it plays. The smallest file so far is left, and no process.
func TestInterruptShrink(t *testing.T) {
	t.Parallel()
	cmd := command(t, "shrink", "--jobs", "2", "-o", "out.json", "-")
	const sections = `,
		"faults": [{ "at": "1s", "for": "1s", "cut": "a - b" }, { "at": "2s", "for": "1s", "skew": "a", "offset": "1s" }],
		"expect": ["probe.lost == 0"]`
	// Some seconds on the machine's clock for each trial.
	text := strings.Replace(endless, `"interval": "100ms"`, `"interval": "20ms"`, 1)
	cmd.Stdin = strings.NewReader(strings.ReplaceAll(text, "SECTIONS", sections))
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(stderr)
	require.True(t, lines.Scan(), "no progress was printed")
	require.Equal(t, "trial 1 with 2 faults: fails; the smallest that fails has 2", lines.Text())
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	require.True(t, lines.Scan())
	require.Contains(t, lines.Text(), "interrupted")
	rest, err := io.ReadAll(stderr)
	require.NoError(t, err)
	require.Empty(t, string(rest))
	err = cmd.Wait()
	require.Equal(t, exitInconclusive, cmd.ProcessState.ExitCode(), err)
	labs, err := netlab.LoadAll(filepath.Join(cmd.Dir, "out.json"), nil)
	require.NoError(t, err)
	require.Len(t, labs[0].Topology().Faults, 2)
}
