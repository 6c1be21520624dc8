package netlab_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/captures/telemetry"
	"netlab/report"
)

// telemetryOf reads what was taken down of a run.
func telemetryOf(t testing.TB, dir string) *telemetry.File {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, report.TelemetryFile))
	require.NoError(t, err)
	f := &telemetry.File{}
	require.NoError(t, json.Unmarshal(data, f))
	return f
}

// cutLab uploads over a link that carries nothing for ten seconds.
const cutLab = `{
	"duration": "20s", "defaults": { "tcp": { "rack": false } },
	"nodes": { "client": {}, "server": { "services": { "sink": { "type": "tcp-sink" } } } },
	"links": [ { "name": "wire", "between": "client - server", "latency": "20ms", "rate": "10Mbit/s" } ],
	"workloads": { "upload": { "type": "tcp-transfer", "from": "client", "to": "server", "bytes": "4MB" } },
	"faults": [ { "at": "2s", "for": "10s", "partition": [["client"], ["server"]] } ]
}`

// Each expiry of the retransmission timer doubles it and leaves a congestion window of one segment (RFC 6298, section 5.5 and
// RFC 5681, section 3.1), at the moment at which it happens.
func TestTelemetryOfTimeouts(t *testing.T) {
	dir := requireSame(t, 2, cutLab, nil)
	f := telemetryOf(t, dir)
	require.Len(t, f.Connections, 2)
	c := f.Connections[0]
	require.Equal(t, "client", c.Node)
	var cut []telemetry.Point
	for _, p := range c.Points {
		if p.T > 2200*time.Millisecond && p.T < 12*time.Second {
			cut = append(cut, p)
		}
	}
	require.Len(t, cut, 5)
	for i, p := range cut {
		require.Equal(t, 200*time.Millisecond<<(i+1), p.RTO, i)
		require.Equal(t, []int{1, 1, 1}, []int{p.Cwnd, p.MinCwnd, p.MaxCwnd}, i)
		if i > 0 {
			require.Equal(t, cut[i-1].RTO, (p.T - cut[i-1].T).Round(time.Microsecond), "the timer ran out after the time that it was set to")
		}
	}
	// The segments that the client sent meanwhile are those of the timer.
	var sent []time.Duration
	for _, s := range segments(t, dir, "client") {
		if s.out && s.at > 2200*time.Millisecond && s.at < 12*time.Second {
			sent = append(sent, s.at)
		}
	}
	require.Len(t, sent, 5)
	for i := range sent {
		require.Equal(t, sent[i], cut[i].T, i)
	}
	require.Equal(t, "SYN-SENT", c.States[0].State)
	require.Contains(t, c.States, telemetry.State{T: cut[0].T, State: "FIN-WAIT1", Congestion: "rto-recovery"})
}

// Before the first loss the window starts at ten segments (RFC 6928) and there is no threshold. The receiver has sent nothing.
func TestTelemetryOfSlowStart(t *testing.T) {
	f := telemetryOf(t, record(t, cutLab, nil))
	c := f.Connections[0]
	require.Equal(t, []int{10, -1, 1420}, []int{c.Points[0].Cwnd, c.Points[0].Ssthresh, c.MSS})
	require.InDelta(t, 40*time.Millisecond, c.Points[0].RTT, float64(200*time.Microsecond))
	for _, p := range c.Points[:20] {
		require.LessOrEqual(t, p.MaxInFlight, p.MaxCwnd*1420)
	}
	server := f.Connections[1]
	require.Equal(t, []string{"server", c.Remote, c.Local}, []string{server.Node, server.Local, server.Remote})
	require.Zero(t, server.Points[len(server.Points)-1].MaxInFlight)
}

// The series of a link add up to its counters.
func TestTelemetryOfLinks(t *testing.T) {
	dir := t.TempDir()
	results := play(t, parse(t, cutLab), &netlab.RunOptions{Dir: dir}, nil)
	f := telemetryOf(t, dir)
	require.Len(t, f.Links, 1)
	l := f.Links[0]
	require.Equal(t, "wire", l.ID)
	require.Equal(t, 80*time.Millisecond, l.Width, "the first power of two of 10 ms that makes 20 s of 256 parts")
	counters, _ := results.Links.Get("wire")
	for _, d := range []struct {
		series   telemetry.Series
		counters netlab.DirectionResult
	}{{l.Forward, counters.Forward}, {l.Backward, counters.Backward}} {
		var sum telemetry.Traffic
		for _, part := range d.series {
			sum.Sent += part.Sent
			sum.Delivered += part.Delivered
			sum.Bytes += part.Bytes
			sum.Dropped += part.Dropped
		}
		require.Equal(t, d.counters.Sent.Frames, sum.Sent)
		require.Equal(t, d.counters.Delivered.Frames, sum.Delivered)
		require.Equal(t, uint64(d.counters.Delivered.Bytes), sum.Bytes)
		require.Equal(t, d.counters.Dropped["partition"], sum.Dropped)
	}
	require.Len(t, l.Forward, 251)
	for i, part := range l.Forward[30:149] { // from 2.4 s to 11.92 s nothing arrives
		require.Zero(t, part.Delivered, i)
	}
}

// Telemetry only looks on: all other files of a run are the same without it.
func TestTelemetryChangesNothing(t *testing.T) {
	for name, text := range map[string]string{"cut": cutLab, "chat": chat, "retransmission": exampleText(t, "retransmission"), "third-syn-ack": exampleText(t, "third-syn-ack")} {
		t.Run(name, func(t *testing.T) {
			files := func(telemetry string) map[string]string {
				dir := t.TempDir()
				play(t, parse(t, text[:1]+`"telemetry": `+telemetry+`,`+text[1:]), &netlab.RunOptions{Dir: dir}, nil)
				list := sums(t, dir)
				delete(list, report.TopologyFile)
				return list
			}
			on, off := files("true"), files("false")
			require.Contains(t, on, report.TelemetryFile)
			delete(on, report.TelemetryFile)
			require.Equal(t, off, on)
		})
	}
}

// Only the hosts that are named are watched, and a folder that is used again keeps no telemetry of the run before.
func TestTelemetryOfSomeHosts(t *testing.T) {
	dir := t.TempDir()
	lab := func(telemetry string) *netlab.Lab { return parse(t, `{"telemetry": `+telemetry+`,`+chat[1:]) }
	play(t, lab(`{"nodes": "s*"}`), &netlab.RunOptions{Dir: dir}, nil)
	f := telemetryOf(t, dir)
	require.Len(t, f.Connections, 1)
	require.Equal(t, "server", f.Connections[0].Node)
	require.Len(t, f.Links, 2)
	play(t, lab(`"off"`), &netlab.RunOptions{Dir: dir}, nil)
	require.NoFileExists(t, filepath.Join(dir, report.TelemetryFile))
}

// A host that crashed and came back is watched again, with new connections.
func TestTelemetryAfterACrash(t *testing.T) {
	f := telemetryOf(t, record(t, exampleText(t, "crash-restart"), nil))
	nodes := map[string]int{}
	for _, c := range f.Connections {
		nodes[c.Node]++
		require.NotEmpty(t, c.States, "%s %s", c.Node, c.Local)
	}
	late := 0
	for _, c := range f.Connections {
		if c.Node == "server" && c.Start > 8*time.Second {
			late++
		}
	}
	require.Positive(t, late, "%v", nodes)
}

// Real time takes the same down.
func TestTelemetryInRealTime(t *testing.T) {
	dir := t.TempDir()
	play(t, parse(t, chat), &netlab.RunOptions{Dir: dir, RealTime: true}, nil)
	f := telemetryOf(t, dir)
	require.Len(t, f.Connections, 2)
	require.NotEmpty(t, f.Connections[0].Points)
	require.NotEmpty(t, f.Links[0].Forward)
}

// BenchmarkTelemetry plays labs with and without telemetry in turn. ratio is the processor's time of one to that of the other.
func BenchmarkTelemetry(b *testing.B) {
	labs := map[string]string{
		"bulk": `{"captures": {"nodes": []}, TELEMETRY "nodes": {"client": {}, "server": {"services": {"sink": {"type": "tcp-sink"}}}},
			"links": [{"between": "client - server", "latency": "5ms", "rate": "1Gbit/s"}],
			"workloads": {"upload": {"type": "tcp-transfer", "from": "client", "to": "server", "bytes": "100MB"}}}`,
		"dumbbell": "{TELEMETRY" + exampleText(b, "dumbbell")[1:],
	}
	for _, name := range []string{"bulk", "dumbbell"} {
		b.Run(name, func(b *testing.B) {
			var spent [2]time.Duration
			for b.Loop() {
				for i, telemetry := range []string{"false", "true"} {
					lab := parse(b, strings.Replace(labs[name], "TELEMETRY", `"telemetry": `+telemetry+`,`, 1))
					dir := b.TempDir()
					began := processorTime(b)
					play(b, lab, &netlab.RunOptions{Dir: dir}, nil)
					spent[i] += processorTime(b) - began
				}
			}
			b.ReportMetric(float64(spent[1])/float64(spent[0]), "ratio")
			b.ReportMetric(float64(spent[0].Milliseconds())/float64(b.N), "ms-without/op")
			b.ReportMetric(float64(spent[1].Milliseconds())/float64(b.N), "ms-with/op")
		})
	}
}

// processorTime is what this process has used.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
