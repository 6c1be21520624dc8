package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/topology/expect"
)

// golden compares text with a file of testdata, or rewrites the file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o666))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// busy is a summary with everything in it.
func busy() summary {
	return summary{
		Name: "checkout", Variant: "round-robin", Seed: 7, Virtual: 30 * time.Second, Wall: 96 * time.Millisecond,
		Ended: netlab.EndedInterrupted, Frames: 43120, Faults: 7, Drawn: 5,
		Workloads: []workload{
			{Name: "upload", Type: "tcp-transfer", Completed: true, Ended: 4123456789, Figures: []figure{
				{"intact", "yes"}, {"bytes", "5MB"}, {"duration", "4.123s"}, {"goodput", "9.702Mbit/s"}, {"connect", "100ms"},
				{"first_byte", "150ms"}, {"retransmits", "38"},
			}},
			{Name: "probe-the-far-end", Type: "ping", Endless: true, Ended: 1, Figures: []figure{{"sent", "300"}}},
			{Name: "late", Type: "ping"},
			{Name: "stuck", Type: "ping", Started: time.Second, Errors: []figure{{"client", "dial tcp 10.0.0.1:5001: connection refused"}}},
		},
		Drops: []drops{
			{Link: "r1--server.forward", Total: 41, Sent: 12345, Reasons: []figure{{"loss", "38"}, {"queue_full", "3"}}},
			{Link: "a--b.backward", Total: 1, Sent: 2, Reasons: []figure{{"link_down", "1"}}},
		},
		Expect: []expect.Outcome{
			{Text: "upload.intact", Holds: true, Values: []expect.Value{{Name: "upload.intact", Printed: "yes"}}},
			{Text: "upload.goodput > 10Mbit/s", Values: []expect.Value{{Name: "upload.goodput", Printed: "9.702Mbit/s"}}},
			{Text: "late.rtt.max < 1s", Inconclusive: true, Reason: "late.rtt.max has no value"},
			{Text: "max(nodes.web3.tcp.retransmits, nodes.web1.tcp.retransmits, nodes.web2.tcp.retransmits) < 20", Holds: true,
				Values: []expect.Value{{Name: "nodes.web3.tcp.retransmits", Printed: "3"}, {Name: "nodes.web1.tcp.retransmits", Printed: "12"},
					{Name: "nodes.web2.tcp.retransmits", Printed: "19"}}},
		},
		Output: output{
			Dir: "netlab-out/check out", Captures: []string{"captures/client.pcapng", "captures/server.pcapng"},
			Others: []string{"events.jsonl", "results.json", "topology.resolved.json"}, Report: "report.html",
			Replay: "netlab run 'netlab-out/check out/topology.resolved.json' --seed 7",
		},
	}
}

func TestSummary(t *testing.T) {
	s := busy()
	var b bytes.Buffer
	require.NoError(t, printSummary(&b, &s))
	golden(t, "summary.golden", b.String())
	require.NotContains(t, b.String(), "\x1b")
	for line := range strings.Lines(b.String()) {
		if !strings.Contains(line, "max(") { // an expectation is never broken
			require.LessOrEqual(t, width(strings.TrimSuffix(line, "\n")), columns, line)
		}
	}
}

func TestSummaryOfNothing(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, printSummary(&b, &summary{Name: "lab", Seed: 1, Wall: 1}))
	require.Equal(t, "lab  seed 1  0s virtual in 1ns (0×)  0 frames\n", b.String())
}

func TestColour(t *testing.T) {
	p := &page{colour: true}
	p.heading("title")
	p.linef("%s", p.mark(&expect.Outcome{Holds: true}))
	require.Equal(t, "\n\x1b[1mtitle\x1b[0m\n\x1b[32m✓\x1b[0m\n", p.text.String())
	require.False(t, newPage(&bytes.Buffer{}).colour)
}

func TestComparison(t *testing.T) {
	var list []*outcome
	for i := range 9 {
		o := &outcome{Summary: summary{Name: "lab", Variant: fmt.Sprintf("variant-%d", i+1), Expect: []expect.Outcome{
			{Text: "a.rtt < 1s", Holds: i > 3, Values: []expect.Value{{Name: "probe.rtt.max", Printed: fmt.Sprintf("%dms", 10*i)}}},
			{Text: "b", Holds: true, Values: []expect.Value{{Name: "upload.goodput", Printed: "9.702Mbit/s"}}},
		}}}
		list = append(list, o)
	}
	list[2].Summary.Expect = list[2].Summary.Expect[:1] // its file expects less
	var b bytes.Buffer
	require.NoError(t, printComparison(&b, list, nil))
	golden(t, "comparison.golden", b.String())
	for line := range strings.Lines(b.String()) {
		require.LessOrEqual(t, width(strings.TrimSuffix(line, "\n")), columns)
	}
	b.Reset()
	require.NoError(t, printComparison(&b, []*outcome{{}, {}}, nil))
	require.Empty(t, b.String(), "nothing is expected, so there is nothing to compare")
}
