package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/netem"
	"netlab/report"
	"netlab/topology"
	"netlab/units"
)

// bigLab is a snapshot of a lab with many nodes, links, workloads and events. Link number i sends i MB in each second and has dropped
// i frames.
func bigLab(second int) *netlab.Snapshot {
	s := &netlab.Snapshot{At: time.Duration(second) * time.Second, Real: time.Duration(second) * time.Second / 2, Frames: uint64(1000 * second)}
	for i := range 200 {
		n := netlab.NodeState{Name: fmt.Sprintf("node%d", i), Kind: topology.Host}
		n.Down = i == 150
		s.Nodes = append(s.Nodes, n)
		l := netlab.LinkState{Name: n.Name + "--r", Ends: [2]string{n.Name, "r"}}
		l.Forward.Sent = netem.Count{Frames: uint64(second), Bytes: units.Bytes(i * second * 1e6)}
		l.Forward.Dropped[netem.DropLoss] = uint64(i)
		s.Links = append(s.Links, l)
	}
	for i := range 20 {
		s.Workloads = append(s.Workloads, netlab.WorkloadState{Name: fmt.Sprintf("w%d", i), Type: "ping", Hosts: 1, Running: i / 19})
		s.Events = append(s.Events, report.Event{TimeNS: int64(i), Kind: "start", Workload: fmt.Sprintf("w%d", i), Detail: strings.Repeat("long ", 100)})
	}
	return s
}

func newTestWatch(columns, lines int) (*watch, *bytes.Buffer) {
	b := &bytes.Buffer{}
	return &watch{out: b, title: "big", terminal: true, size: func() (int, int) { return columns, lines }}, b
}

// A view fits any terminal. It has the links that do most, and says how many there are besides.
func TestWatchFits(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {40, 24}, {200, 60}, {20, 10}, {80, 5}} {
		w, _ := newTestWatch(size[0], size[1])
		w.show(bigLab(1))
		w.show(bigLab(2))
		view := w.layout(size[0], size[1]-1)
		require.LessOrEqual(t, len(view), size[1]-1, "%v", size)
		for _, l := range view {
			require.LessOrEqual(t, l.width(), size[0], "%v: %v", size, l)
		}
	}
	w, _ := newTestWatch(100, 40)
	w.show(bigLab(1))
	w.show(bigLab(2))
	text := w.encode(w.layout(100, 39))
	require.Contains(t, text, "node150 down", "what is down comes first")
	require.Contains(t, text, "node199 → r   1.59Gbit/s")
	require.NotContains(t, text, "node0 → r")
	require.Contains(t, text, "directions of links that do less are not shown")
	require.Contains(t, text, "w19  ping  running")
	require.Contains(t, text, "and 15 more")
	require.Contains(t, text, "2×")
}

// A terminal is redrawn in its place: the cursor goes up as many lines as stand there.
func TestWatchRedraws(t *testing.T) {
	w, b := newTestWatch(80, 24)
	w.show(bigLab(1))
	require.NotContains(t, b.String(), "A\r")
	require.Equal(t, 23, strings.Count(b.String(), "\x1b[K\n"))
	b.Reset()
	w.show(bigLab(2))
	require.True(t, strings.HasPrefix(b.String(), "\x1b[23A\r"), "%q", b.String()[:20])
	require.True(t, strings.HasSuffix(b.String(), "\x1b[J"))
}

func TestWatchColours(t *testing.T) {
	w, b := newTestWatch(80, 24)
	w.show(bigLab(1))
	require.NotContains(t, b.String(), "\x1b[31m", "NO_COLOR")
	w.colour = true
	w.show(bigLab(2))
	require.Contains(t, b.String(), "\x1b[31mnode150 down\x1b[0m")
}

func TestWatchInASCII(t *testing.T) {
	w, b := newTestWatch(80, 24)
	w.plain = true
	w.show(bigLab(1))
	w.show(bigLab(2))
	for _, r := range b.String() {
		require.Less(t, r, rune(128), "%q", r)
	}
}

// A run goes on when nobody reads what is shown of it any more.
func TestWatchThatNobodyReads(t *testing.T) {
	w := &watch{out: brokenPipe{}, title: "big", size: func() (int, int) { return 80, 24 }}
	w.show(bigLab(1))
	w.show(bigLab(2))
	require.EqualError(t, w.err, "broken pipe")
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }
