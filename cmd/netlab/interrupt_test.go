package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/captures"
)

// endless is a lab that runs for an hour, with a place for more sections.
const endless = `{
  "name": "endless",
  "duration": "1h",
  "nodes": { "a": {}, "b": {} },
  "links": [{ "between": "a - b", "latency": "10ms" }],
  "workloads": { "probe": { "type": "ping", "from": "a", "to": "b", "count": 0, "interval": "100ms" } }SECTIONS
}`

// TestInterrupt interrupts runs at the pace of the clock on the wall. The files that are left must be whole.
func TestInterrupt(t *testing.T) {
	const expect = `, "expect": ["probe.received > 0", "probe.received == 0"]`
	const variants = `, "variants": { "first": {}, "second": {} }`
	for _, test := range []struct {
		name     string
		sections string
		signal   os.Signal
		dir      string // of the run that is interrupted
		never    string // a folder that must not be there
	}{
		{"without expectations", "", os.Interrupt, "out", ""},
		{"expectations are undecided", expect, os.Interrupt, "out", ""},
		{"SIGTERM", "", syscall.SIGTERM, "out", ""},
		{"variants", variants, os.Interrupt, "out/first", "out/second"},
		{"variants, SIGTERM", variants + expect, syscall.SIGTERM, "out/first", "out/second"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cmd := command(t, "run", "--speed", "1x", "-o", "out", "-")
			cmd.Stdin = strings.NewReader(strings.ReplaceAll(endless, "SECTIONS", test.sections))
			var stdout strings.Builder
			cmd.Stdout = &stdout
			stderr, err := cmd.StderrPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			lines := bufio.NewScanner(stderr)
			require.True(t, lines.Scan(), "no progress was printed")
			require.Regexp(t, `^\w+: .* of 1h, .*×, .* events/s, \d+ frames$`, lines.Text())
			require.NoError(t, cmd.Process.Signal(test.signal))
			require.True(t, lines.Scan())
			require.Contains(t, lines.Text(), "interrupted")
			rest, err := io.ReadAll(stderr)
			require.NoError(t, err)
			require.Empty(t, string(rest))
			err = cmd.Wait()
			require.Equal(t, exitInconclusive, cmd.ProcessState.ExitCode(), err)
			require.Contains(t, stdout.String(), "interrupted: what follows is how far it came")

			dir := filepath.Join(cmd.Dir, test.dir)
			require.Equal(t, "interrupted", endedOf(t, dir))
			require.Greater(t, packets(t, filepath.Join(dir, "captures", "a.pcapng")), 10)
			if test.never != "" {
				require.NoDirExists(t, filepath.Join(cmd.Dir, test.never))
			}
		})
	}
}

// TestSecondSignalKills sends a signal to a run that doesn't react to the first one, because its process is stopped.
func TestSecondSignalKills(t *testing.T) {
	t.Parallel()
	cmd := command(t, "run", "--speed", "1x", "--no-files", "-")
	// The parent of a variant waits for its child, which is stopped as soon as it runs.
	cmd.Stdin = strings.NewReader(strings.ReplaceAll(endless, "SECTIONS", `, "variants": { "first": {}, "second": {} }`))
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(stderr)
	require.True(t, lines.Scan(), "no progress was printed")
	child := childOf(t, cmd.Process.Pid)
	require.NoError(t, child.Signal(syscall.SIGSTOP))
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	require.True(t, lines.Scan())
	require.Contains(t, lines.Text(), "once more to kill it")
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	_, err = io.ReadAll(stderr) // ends when the child, which has the pipe too, is gone
	require.NoError(t, err)
	_ = cmd.Wait()
	require.Equal(t, 128+int(syscall.SIGINT), cmd.ProcessState.ExitCode())
}

// childOf returns the one child of a process.
func childOf(t *testing.T, pid int) *os.Process {
	t.Helper()
	tasks, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task", "*", "children"))
	if err != nil || len(tasks) == 0 {
		t.Skip("this system doesn't tell the children of a process")
	}
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		require.NoError(t, err)
		for _, word := range strings.Fields(string(text)) {
			id, err := strconv.Atoi(word)
			require.NoError(t, err)
			p, err := os.FindProcess(id)
			require.NoError(t, err)
			return p
		}
	}
	t.Fatal("the process has no child")
	return nil
}

// endedOf returns how the run in a folder ended.
func endedOf(t *testing.T, dir string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "results.json"))
	require.NoError(t, err)
	var results struct{ Run struct{ Ended string } }
	require.NoError(t, json.Unmarshal(data, &results))
	return results.Run.Ended
}

// packets reads a capture to its end and counts its packets.
func packets(t *testing.T, path string) int {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	r, err := captures.NewReader(f)
	require.NoError(t, err)
	n := 0
	for {
		block, err := r.Next()
		if errors.Is(err, io.EOF) {
			return n
		}
		require.NoError(t, err)
		if _, ok := block.(*captures.Packet); ok {
			n++
		}
	}
}

// TestInterruptSweep interrupts a sweep when some of its runs are finished. The same command plays the others, and leaves what a sweep
// leaves that nobody interrupted.
func TestInterruptSweep(t *testing.T) {
	t.Parallel()
	const lab = `{"name": "lab", "nodes": {"a": {}, "b": {}}, "links": [{"between": "a - b", "latency": "1ms", "loss": "10%"}],
		"workloads": {"probe": {"type": "ping", "from": "a", "to": "b", "count": 50}}, "sweep": {"seeds": "1..120"}}`
	sweep := func(dir string) *exec.Cmd {
		cmd := command(t, "run", "--processes", "2", "-o", "out", "-")
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(lab)
		return cmd
	}
	dir, whole := t.TempDir(), t.TempDir()
	cmd := sweep(dir)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	require.NoError(t, cmd.Start())
	lines := func() int {
		text, _ := os.ReadFile(filepath.Join(dir, "out", "runs.jsonl"))
		return strings.Count(string(text), "\n")
	}
	for lines() < 5 {
		runtime.Gosched()
	}
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	err := cmd.Wait()
	require.Equal(t, exitInconclusive, cmd.ProcessState.ExitCode(), err)
	require.Contains(t, stderr.String(), "of 120 runs are finished and kept: the same command goes on")
	require.Less(t, lines(), 121)

	out, err := sweep(dir).CombinedOutput()
	require.NoError(t, err)
	require.Contains(t, string(out), "of 120 runs were finished before")
	require.NoError(t, sweep(whole).Run())
	for _, name := range []string{"runs.jsonl", "runs.csv", "runs.json", "report.html"} {
		got, err := os.ReadFile(filepath.Join(dir, "out", name))
		require.NoError(t, err)
		want, err := os.ReadFile(filepath.Join(whole, "out", name))
		require.NoError(t, err)
		require.Equal(t, string(want), string(got), name)
	}
}
