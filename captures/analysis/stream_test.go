package analysis

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/captures"
)

const ms = time.Millisecond

// A connection's figures, with sequence numbers that wrap around and a window that is scaled.
func TestStream(t *testing.T) {
	a, _ := (script(open) + `
	60   > PA 1+600 ack 1
	60   > PA 601+600 ack 1
	60   > PA 1201+600 ack 1 | dropped: random loss on a--b
	110  < A 1 ack 601 win 256
	112  < A 1 ack 1201
	160  > PA 1201+600 ack 1
	214  < A 1 ack 1801
	300  < PA 1+100 ack 1801
	300  > A 1801 ack 101
	400  < FA 101 ack 1801
	400  > FA 1801 ack 102
	450  < A 102 ack 1802
	`).analyze(t, Options{})
	require.Len(t, a.TCP, 1)
	s := a.TCP[0]
	require.Equal(t, "client:49152", s.Ends[Client].String())
	require.Equal(t, "server:80", s.Ends[Server].String())
	require.Equal(t, Handshake{
		SYN: 1, SYNACK: 2, ACK: 3, SYNs: 1, SYNACKs: 1, SYNACKAt: 50 * ms, ACKAt: 50 * ms, Complete: true, Took: 50 * ms,
	}, s.Handshake)
	require.Equal(t, Close{How: CloseFIN, Side: Server, Frame: 13, At: 400 * ms}, s.Close)
	client, server := &s.Sides[Client], &s.Sides[Server]
	require.Equal(t, uint64(2400), client.Bytes)
	require.Equal(t, uint64(1800), client.Unique)
	require.Equal(t, uint64(600), client.RetransmittedBytes)
	require.Equal(t, uint64(1800), client.MaxInFlight)
	require.Equal(t, 60*ms, client.FirstByte)
	require.Equal(t, 160*ms, client.LastByte)
	require.InDelta(t, 18000, client.Throughput, 1e-6)
	require.Equal(t, 140*ms, client.LongestIdle)
	require.Equal(t, uint16(1460), client.MSS)
	require.Equal(t, int8(7), client.Scale)
	require.True(t, client.SACK)
	require.Equal(t, []uint64{256 << 7, 512 << 7}, []uint64{server.MinWindow, server.MaxWindow})
	// Samples: SYN 50 ms, data 50 and 52 ms, FIN 50 ms; not the segment that was sent again.
	require.Equal(t, RTT{Count: 4, Min: 50 * ms, Avg: 50500 * time.Microsecond, Max: 52 * ms, StdDev: 866025, Last: 50 * ms}, client.RTT)
	require.Equal(t, RTT{Count: 3, Last: 0}, server.RTT)
	require.Equal(t, []*Retransmission{{
		Frame: 9, At: 160 * ms, Side: Client, Kind: Fast, Original: 6, OriginalAt: 60 * ms, Seq: 1201, Length: 600, Why: "random loss on a--b",
	}}, withoutHistory(s.Retransmissions))
	require.Equal(t, 1, a.Dropped)
	require.Equal(t, TCPTotal{
		Streams: 1, Segments: 15, SYNs: 1, SYNACKs: 1, Handshakes: 1, Retransmitted: map[Kind]int{Fast: 1},
	}, a.TCPTotal)
	require.Equal(t, Count{8, client.Wire}, a.Endpoints[0].Sent)
	require.Equal(t, a.Endpoints[0].Sent, a.Conversations[0].AToB)
	require.Equal(t, "client", a.Conversations[0].AName)
	require.Equal(t, 15, a.Protocols[0].Children[0].Children[0].Frames)
	require.Equal(t, "tcp", a.Protocols[0].Children[0].Children[0].Name)
}

func withoutHistory(list []*Retransmission) []*Retransmission {
	for _, r := range list {
		r.previous = nil
	}
	return list
}

// Numbers go on beyond 4 GiB.
func TestLongStream(t *testing.T) {
	var s strings.Builder
	s.WriteString(open)
	seq := uint64(1)
	for i := range 6 {
		fmt.Fprintf(&s, "%d > A %d+1 ack 1\n%d < A 1 ack %d\n", 100*(i+1), seq, 100*(i+1)+50, seq+1)
		seq += 1 << 30
	}
	var last uint64
	_, _ = script(s.String()).analyze(t, Options{})
	a := New(Options{Frame: func(f *Frame) { last = max(last, f.Seq) }})
	for _, l := range script(s.String()).lines(t) {
		a.Add(&l.packet)
	}
	a.Finish()
	require.Equal(t, uint64(5<<30+1), last)
}

// What the other end reports twice was not lost: what was a timeout is corrected, in all counters.
func TestSpuriousByDSACK(t *testing.T) {
	a, _ := (script(open) + `
	60   > A 1+1000 ack 1
	260  > A 1+1000 ack 1
	280  < A 1 ack 1001
	310  < A 1 ack 1001 sack 1-1001
	`).analyze(t, Options{})
	require.Equal(t, Spurious, a.TCP[0].Retransmissions[0].Kind)
	require.Equal(t, map[Kind]int{Spurious: 1}, a.TCP[0].Sides[Client].Retransmitted)
	require.Equal(t, map[Kind]int{Spurious: 1}, a.TCPTotal.Retransmitted)
	require.Equal(t, 1, a.TCP[0].Sides[Server].DSACKs)
}

func TestCloses(t *testing.T) {
	for _, c := range []struct {
		text script
		want Close
	}{
		{open, Close{How: CloseOpen}},
		{open + "60 > FA 1 ack 1", Close{CloseHalf, Client, 4, 60 * ms}},
		{open + "60 > FA 1 ack 1\n 90 < RA 1 ack 2", Close{CloseReset, Server, 5, 90 * ms}},
		{open + "60 < FA 1 ack 1\n 90 > FA 1 ack 2\n 99 < R 2", Close{CloseFIN, Server, 4, 60 * ms}},
	} {
		a, _ := c.text.analyze(t, Options{})
		require.Equal(t, c.want, a.TCP[0].Close, c.text)
		require.False(t, a.TCP[0].Handshake.Refused)
	}
	a, _ := script("0 > S 0\n 50 < RA 0 ack 1").analyze(t, Options{})
	require.True(t, a.TCP[0].Handshake.Refused)
}

// Used ports make another stream; lists end at the limit, counters don't.
func TestLimits(t *testing.T) {
	var s strings.Builder
	for i := range 10 {
		fmt.Fprintf(&s, "%d > S 0 port %d\n", i, 1000+i)
	}
	a, _ := script(s.String()).analyze(t, Options{Limit: 3})
	require.Len(t, a.TCP, 3)
	require.Len(t, a.Notes, 3)
	require.Equal(t, 10, a.TCPTotal.Streams)
	require.Equal(t, 10, a.NoteCounts["syn"])
	a, _ = script(s.String()).analyze(t, Options{Limit: -1})
	require.Empty(t, a.TCP)
	require.Empty(t, a.Endpoints)
	require.Equal(t, 10, a.TCPTotal.Streams)

	a, _ = (script(open) + "60 > S 0 isn 99").analyze(t, Options{})
	require.Len(t, a.TCP, 2)
	require.Equal(t, "open", a.TCP[0].Close.How)
}

// Streams that nothing was seen of for long are forgotten, those in use are not.
func TestGenerations(t *testing.T) {
	dropped := 0
	g := generations[int, int]{size: 3, drop: func(m map[int]int) { dropped += len(m) }}
	for i := range 100 {
		g.put(i, i)
		_, ok := g.get(0)
		require.True(t, ok)
		require.LessOrEqual(t, len(g.young)+len(g.old), 6)
	}
	_, ok := g.get(50)
	require.False(t, ok)
	g.clear()
	require.Equal(t, 100, dropped)
}

func TestPieces(t *testing.T) {
	var p pieces
	add := func(from, to int64, frame int) int64 { return p.add(piece{from: from, to: to, frame: frame}) }
	require.Equal(t, int64(100), add(0, 100, 1))
	require.Equal(t, int64(100), add(200, 300, 2))
	require.Equal(t, int64(100), add(50, 250, 3), "the gap")
	for n, frame := range map[int64]int{0: 1, 49: 1, 50: 3, 99: 3, 100: 3, 199: 3, 249: 3, 250: 2, 299: 2} {
		require.Equal(t, frame, p.find(n).frame, n)
	}
	require.Nil(t, p.find(300))
	acked := 0
	p.acknowledge(260, func(*piece) { acked++ })
	require.Equal(t, 4, acked, "the last is not whole")
	for i := range int64(100_000) {
		add(300+i, 301+i, 4)
		require.LessOrEqual(t, len(p.list), maxPieces)
	}
	require.Zero(t, add(0, 10, 5), "what is forgotten counts as sent")
}

// Marks are names for people and for Wireshark.
func TestMarkNames(t *testing.T) {
	m := Marks(MarkRetransmission | MarkCut)
	require.True(t, m.Has(MarkCut))
	require.True(t, m.Has(MarkCut|MarkReset))
	require.False(t, m.Has(MarkReset))
	require.Equal(t, []string{"retransmission", "cut"}, m.Words())
	require.Equal(t, "retransmission, cut", m.String())
	require.Equal(t, "unknown", Mark(0).String())
	require.Equal(t, "cut", MarkCut.String())
	require.Len(t, Marks(1<<len(markNames)-1).Words(), len(markNames))
	require.Equal(t, Mark(1<<(len(markNames)-1)), MarkCut)
}

// Dropped and altered frames are known by the comments that netlab writes, and by no others.
func TestComments(t *testing.T) {
	for comment, want := range map[string]Marks{
		"": 0, "dropped: queue full on r1--server": Marks(MarkDropped), "I think that this was dropped: no": 0,
		"duplicate 1 of 2 on a--b; dropped: queue full on a--b": Marks(MarkDropped | MarkAltered), "reordered by 3 on a--b": Marks(MarkAltered),
		"see the reordered one": 0,
	} {
		var got Marks
		a := New(Options{Frame: func(f *Frame) { got = f.Marks &^ Marks(MarkBroken) }})
		a.Add(&captures.Packet{Comment: comment})
		require.Equal(t, want, got, comment)
	}
}
