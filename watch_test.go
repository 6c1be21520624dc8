package netlab_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/report"
)

// watched plays a lab and returns what was seen of it, without what the machine's clock says.
func watched(t *testing.T, text string, o netlab.RunOptions) []netlab.Snapshot {
	t.Helper()
	var list []netlab.Snapshot
	o.Watch = func(s *netlab.Snapshot) {
		s.Real = 0
		list = append(list, *s)
	}
	play(t, parse(t, text), &o, nil)
	return list
}

// A run is seen at the start, every second of virtual time, and at the end.
func TestWatch(t *testing.T) {
	list := watched(t, cutLab, netlab.RunOptions{})
	require.Len(t, list, 22)
	for i, s := range list[:21] {
		require.Equal(t, time.Duration(i)*time.Second, s.At)
		require.False(t, s.Over)
	}
	last := list[21]
	require.True(t, last.Over)
	require.Equal(t, 20*time.Second, last.At)
	require.Equal(t, []netlab.NodeState{{Name: "client", Kind: "host"}, {Name: "server", Kind: "host"}}, last.Nodes)
	require.Equal(t, []netlab.WorkloadState{{Name: "upload", Type: "tcp-transfer", Hosts: 1, Done: 1}}, last.Workloads)
	require.Equal(t, 1, list[5].Workloads[0].Running)
	require.Equal(t, [2]string{"client", "server"}, last.Links[0].Ends)
	require.Equal(t, list[4].Links[0].Backward, list[11].Links[0].Backward, "nothing comes back while the network is parted")
	require.Positive(t, list[1].Links[0].Forward.Waiting)
	require.Equal(t, list[1].Links[0].Forward.WaitingBytes > 0, true)

	var kinds []string
	for _, s := range list {
		for _, ev := range s.Events {
			require.LessOrEqual(t, ev.At(), s.At)
			kinds = append(kinds, fmt.Sprintf("%s at %v", ev.Kind, ev.At().Round(time.Millisecond)))
		}
	}
	require.Equal(t, []string{"start at 0s", "partition at 2s", "heal at 12s"}, kinds[:3])

	results := play(t, parse(t, cutLab), nil, nil)
	counters, _ := results.Links.Get("wire")
	require.Equal(t, counters.Forward.Sent, last.Links[0].Forward.Sent)
	require.Equal(t, counters.Forward.Dropped, last.Links[0].Forward.Dropped.Map())
}

// Who watches sees the same each time, at whatever pace.
func TestWatchIsDeterministic(t *testing.T) {
	first := watched(t, chat, netlab.RunOptions{WatchEvery: 7 * time.Millisecond})
	require.Equal(t, first, watched(t, chat, netlab.RunOptions{WatchEvery: 7 * time.Millisecond}))
	require.Equal(t, first, watched(t, chat, netlab.RunOptions{WatchEvery: 7 * time.Millisecond, Speed: 10}))
}

// The files of a run are the same with and without somebody who watches it.
func TestWatchChangesNothing(t *testing.T) {
	files := func(o netlab.RunOptions) map[string]string {
		o.Dir = t.TempDir()
		play(t, parse(t, exampleText(t, "retransmission")), &o, nil)
		return sums(t, o.Dir)
	}
	require.Equal(t, files(netlab.RunOptions{}), files(netlab.RunOptions{Watch: func(*netlab.Snapshot) {}, WatchEvery: time.Millisecond}))
}

// Nodes that don't work are seen as such.
func TestWatchNodes(t *testing.T) {
	lab := `{"duration": "4s", "nodes": {"a": {}, "b": {}, "c": {}}, "links": ["a - b", "b - c"],
		"faults": [{"at": "1500ms", "for": "1s", "crash": "b"}, {"at": "1500ms", "for": "1s", "pause": "c"}]}`
	list := watched(t, lab, netlab.RunOptions{})
	require.Equal(t, []netlab.NodeState{{Name: "a", Kind: "host"}, {Name: "b", Kind: "host", Down: true}, {Name: "c", Kind: "host", Paused: true}}, list[2].Nodes)
	require.Equal(t, []netlab.NodeState{{Name: "a", Kind: "host"}, {Name: "b", Kind: "host"}, {Name: "c", Kind: "host"}}, list[3].Nodes)
}

// Of very many events the last ones are seen and the others counted. Drops are none of them.
func TestWatchManyEvents(t *testing.T) {
	lab := `{"duration": "1s", "nodes": {"a": {}, "b": {}}, "links": [{"name": "l", "between": "a - b", "loss": "50%"}], "workloads": {
		"p": {"type": "ping", "from": "a", "to": "b", "count": 100, "interval": "1ms"}},
		"faults": [{"name": "f", "at": "0s", "for": "900ms", "flap": "l", "down": "5ms", "up": "5ms"}]}`
	list := watched(t, lab, netlab.RunOptions{WatchEvery: time.Hour})
	require.Len(t, list, 2)
	last := list[1]
	require.Len(t, last.Events, 64)
	require.Greater(t, last.EventsLeft, 64)
	require.Positive(t, last.Links[0].Forward.Dropped.Total())
	for _, ev := range append(list[0].Events, last.Events...) {
		require.NotEqual(t, "drop", ev.Kind)
	}
}

// In real time a run is seen when something happens. Logs are among the events, though nobody else takes them.
func TestWatchInRealTime(t *testing.T) {
	list := watched(t, chat, netlab.RunOptions{RealTime: true, WatchEvery: time.Millisecond})
	require.Greater(t, len(list), 5)
	last := list[len(list)-1]
	require.True(t, last.Over)
	require.Equal(t, 2, last.Workloads[0].Done+last.Workloads[1].Done)
	var events []report.Event
	for _, s := range list {
		events = append(events, s.Events...)
	}
	require.NotEmpty(t, events)
}

// An interrupt ends a run that is held back for somebody who watches it.
func TestWatchInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	lab := parse(t, strings.Replace(cutLab, "20s", "1000000h", 1))
	seen := 0
	results, err := lab.Run(ctx, &netlab.RunOptions{Speed: 1000, Watch: func(*netlab.Snapshot) {
		if seen++; seen == 30 {
			cancel()
		}
	}}, nil)
	require.NoError(t, err)
	require.Equal(t, netlab.EndedInterrupted, results.Run.Ended)
	require.Less(t, results.Run.Duration, time.Hour)
	_, err = lab.Run(context.Background(), &netlab.RunOptions{WatchEvery: -1}, nil)
	require.EqualError(t, err, "watching every -1ns: want more than 0")
}
