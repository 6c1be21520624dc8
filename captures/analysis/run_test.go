package analysis

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/captures"
	"netlab/netem"
)

// What netlab writes into comments is taken apart, also where the names of rules hold the words between which it is cut.
func TestSplitComment(t *testing.T) {
	for _, c := range []struct {
		comment, reason, link string
		dropped               bool
		others                []string
	}{
		{"", "", "", false, nil},
		{"dropped: random loss on r1--server", "random loss", "r1--server", true, nil},
		{"dropped: Gilbert-Elliott bad state on a--b", "Gilbert-Elliott bad state", "a--b", true, nil},
		{"delayed by 5ms by rule \"x\"; dropped: queue full on a--b; now: loss 1%", "queue full", "a--b", true, []string{`delayed by 5ms by rule "x"`, "now: loss 1%"}},
		{`dropped: rule "on; off on \" x" on a--b`, `rule "on; off on \" x"`, "a--b", true, nil},
		{"duplicate 1 of 2 on a--b", "", "", false, []string{"duplicate 1 of 2 on a--b"}},
		{"one\ntwo", "", "", false, []string{"one", "two"}},
		{"dropped: somewhere", "somewhere", "", true, nil},
	} {
		reason, link, dropped, others := splitComment(c.comment)
		require.Equal(t, c.reason, reason, c.comment)
		require.Equal(t, c.link, link, c.comment)
		require.Equal(t, c.dropped, dropped, c.comment)
		require.Equal(t, c.others, others, c.comment)
	}
}

// began is when the hand-made captures begin.
var began = time.Unix(1_700_000_000, 0).UTC()

// udp makes a frame from 10.0.0.from to 10.0.0.to.
func udp(from, to byte) []byte {
	frame := make([]byte, 14+20+8)
	frame[12], frame[13] = 8, 0
	ip := frame[14:]
	copy(ip, []byte{0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, from, 10, 0, 0, to})
	copy(ip[20:], []byte{0, 9, 0, 9, 0, 8, 0, 0})
	return frame
}

// seen is a packet of a hand-made capture.
type seen struct {
	id      uint64
	ms      int
	inbound bool
	comment string
}

// writeCapture writes a capture of packets from a to b.
func writeCapture(t *testing.T, dir, node string, packets ...seen) CaptureFile {
	t.Helper()
	path := filepath.Join(dir, node+".pcapng")
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	w, err := captures.NewWriter(f, captures.Section{})
	require.NoError(t, err)
	_, err = w.AddInterface(captures.InterfaceDescription{Name: node + "-eth0"})
	require.NoError(t, err)
	for _, p := range packets {
		d := netem.Outbound
		if p.inbound {
			d = netem.Inbound
		}
		require.NoError(t, w.WritePacket(&captures.Packet{
			Time: began.Add(time.Duration(p.ms) * time.Millisecond), Directed: true, Direction: d, ID: p.id, Data: udp(1, 2), Comment: p.comment,
		}))
	}
	return CaptureFile{node, path}
}

// named gives the hand-made addresses names.
func named(addr netip.Addr) string {
	return map[string]string{"10.0.0.1": "a", "10.0.0.2": "b"}[addr.String()]
}

// Journeys are in the order of first sightings, whatever the order of the captures, and are counted beyond the limit.
func TestOpenRunJoins(t *testing.T) {
	dir := t.TempDir()
	a := writeCapture(t, dir, "a", seen{1, 0, false, ""}, seen{2, 10, false, "dropped: queue full on a--b"}, seen{3, 20, false, ""}, seen{4, 30, false, ""})
	b := writeCapture(t, dir, "b", seen{1, 5, true, ""}, seen{3, 25, true, "duplicate 1 of 2 on a--b"}, seen{3, 26, true, "duplicate 2 of 2 on a--b"},
		seen{4, 35, true, "dropped: node down on a--b"})
	run, err := OpenRun([]CaptureFile{b, a}, RunOptions{Name: named})
	require.NoError(t, err)
	require.Equal(t, began, run.Start)
	require.Len(t, run.Journeys, 4)
	for i, j := range run.Journeys {
		require.Equal(t, i, j.Index)
		require.Equal(t, uint64(i+1), j.ID)
		require.Equal(t, "a", j.From)
		require.Equal(t, "b", j.To)
		require.Equal(t, "udp", j.Protocol)
		require.Equal(t, time.Duration(10*i)*time.Millisecond, j.At)
		require.Equal(t, Hop{Capture: 1, Interface: "a-eth0", Frame: i + 1, At: j.At, Dropped: i == 1}, j.Hops[0])
	}
	require.Nil(t, run.Journeys[0].Lost)
	require.Equal(t, &Loss{At: 10 * time.Millisecond, Node: "a", Link: "a--b", Reason: "queue full", Frame: 2}, run.Journeys[1].Lost)
	require.Nil(t, run.Journeys[2].Lost)
	require.Equal(t, []string{"duplicate 1 of 2 on a--b", "duplicate 2 of 2 on a--b"}, run.Journeys[2].Comments)
	require.Len(t, run.Journeys[2].Hops, 3)
	require.Equal(t, &Loss{At: 35 * time.Millisecond, Node: "b", Link: "a--b", Reason: "node down", Frame: 4}, run.Journeys[3].Lost)
	require.Same(t, run.Journeys[2], run.JourneyAt(0, 3))
	require.Nil(t, run.JourneyAt(0, 0))
	require.Nil(t, run.JourneyAt(0, 5))
	require.Nil(t, run.JourneyAt(2, 1))

	run, err = OpenRun([]CaptureFile{b, a}, RunOptions{Limit: 2})
	require.NoError(t, err)
	require.Len(t, run.Journeys, 2)
	require.Equal(t, 2, run.Left)
	require.Nil(t, run.JourneyAt(1, 3))

	run, err = OpenRun([]CaptureFile{b, a}, RunOptions{Nodes: []string{"b"}})
	require.NoError(t, err)
	require.Len(t, run.Captures, 1)
	require.Len(t, run.Journeys, 3)
	_, err = OpenRun([]CaptureFile{b, a}, RunOptions{Nodes: []string{"c"}})
	require.EqualError(t, err, `analysis: there is no capture of a node "c"`)
	_, err = OpenRun([]CaptureFile{a}, RunOptions{Limit: -1})
	require.EqualError(t, err, "analysis: a limit of -1 journeys: want 0 or more")
	_, err = OpenRun(nil, RunOptions{})
	require.EqualError(t, err, "analysis: there are no captures")
}

// Of captures without IDs only one can be used, and the run says so; beside captures that have them it is none.
func TestOpenRunWithoutIDs(t *testing.T) {
	dir := t.TempDir()
	first := writeCapture(t, dir, "first", seen{0, 0, false, ""}, seen{0, 0, false, ""})
	second := writeCapture(t, dir, "second", seen{0, 1, true, ""}, seen{0, 1, true, ""}, seen{0, 1, true, ""})
	empty := writeCapture(t, dir, "empty")
	run, err := OpenRun([]CaptureFile{empty, first, second}, RunOptions{})
	require.NoError(t, err)
	require.Len(t, run.Journeys, 2, "each packet is one of its own")
	require.Len(t, run.Captures, 2)
	require.Equal(t, []string{"left out, because packets without identifiers can't be joined: second.pcapng"}, run.Notes)

	numbered := writeCapture(t, dir, "numbered", seen{7, 2, false, ""})
	run, err = OpenRun([]CaptureFile{first, numbered}, RunOptions{})
	require.NoError(t, err)
	require.Len(t, run.Journeys, 1)
	require.Equal(t, []string{"left out, because packets without identifiers can't be joined: first.pcapng"}, run.Notes)

	run, err = OpenFile(second.Path, RunOptions{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, "second", run.Captures[0].Node)
	require.Empty(t, run.Notes)
	require.Len(t, run.Journeys, 1)
	require.Equal(t, 2, run.Left)
}

// A capture that was cut short gives all that precedes the fault, and an error with file and offset.
func TestOpenRunDamaged(t *testing.T) {
	dir := t.TempDir()
	whole := writeCapture(t, dir, "a", seen{1, 0, false, ""}, seen{2, 1, false, ""})
	cut := writeCapture(t, dir, "b", seen{1, 1, true, ""}, seen{2, 2, true, ""})
	data, err := os.ReadFile(cut.Path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(cut.Path, data[:len(data)-5], 0o666))
	run, err := OpenRun([]CaptureFile{whole, cut}, RunOptions{})
	var format *captures.FormatError
	require.ErrorAs(t, err, &format)
	require.ErrorContains(t, err, cut.Path+": captures: offset ")
	require.Len(t, run.Journeys, 2)
	require.Len(t, run.Journeys[0].Hops, 2)
	require.Len(t, run.Journeys[1].Hops, 1)

	text := filepath.Join(dir, "text")
	require.NoError(t, os.WriteFile(text, []byte("no capture at all"), 0o666))
	_, err = OpenFile(text, RunOptions{})
	require.ErrorContains(t, err, text+": captures: offset 0: this is no capture")
	_, err = OpenFile(filepath.Join(dir, "missing"), RunOptions{})
	require.ErrorIs(t, err, os.ErrNotExist)
}

// Streams are joined also where one capture takes the server for the client.
func TestConnections(t *testing.T) {
	var c connections
	a, b, d := c.node(0, 0), c.node(1, 3), c.node(2, 1)
	require.Equal(t, a, c.node(0, 0))
	c.join(b, d, true)
	c.join(a, d, false)
	c.join(a, b, false) // known already
	root, turned := c.root(d)
	require.Equal(t, a, root)
	require.False(t, turned)
	root, turned = c.root(b)
	require.Equal(t, a, root)
	require.True(t, turned)
}

// A set of IDs knows which it has seen, be they dense or sparse.
func TestIDSet(t *testing.T) {
	s := idSet{}
	for _, id := range []uint64{1, 2, 63, 64, 4095, 4096, 1 << 40, 1<<64 - 1} {
		require.True(t, s.add(id))
		require.False(t, s.add(id))
	}
}

// namedWithRouter has a router besides.
func namedWithRouter(addr netip.Addr) string {
	if addr == netip.MustParseAddr("10.0.0.9") {
		return "r"
	}
	return named(addr)
}
