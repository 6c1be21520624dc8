package page

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/captures"
	"netlab/captures/analysis"
	"netlab/captures/telemetry"
	"netlab/report"
)

// tracePoints are n segments of 100 bytes from the client, 1 µs apart, each acknowledged by the server at the same time.
func tracePoints(n int) []point {
	var list []point
	for i := range n {
		at := int64(i) * 1000
		list = append(list,
			point{at: at, frame: 2*i + 1, from: uint64(100 * i), to: uint64(100*i + 100), ack: 1, window: 5000, inFlight: uint64(100 + i), count: 1},
			point{at: at, frame: 2*i + 2, marks: pointServer, ack: uint64(100*i + 100), window: uint64(9000 - i), peer: uint64(i), count: 1})
	}
	return list
}

func TestMergedPointsKeepExtremes(t *testing.T) {
	list := tracePoints(8)
	list[4].marks |= pointLost // the client's third segment
	list[5].sack = []analysis.Range{{From: 300, To: 400}}
	require.Equal(t, []point{
		{at: 0, frame: 1, from: 0, to: 200, ack: 1, window: 5000, inFlight: 101, count: 2},
		{at: 0, frame: 2, marks: pointServer, ack: 400, window: 8997, count: 4, sack: list[5].sack},
		{at: 2000, frame: 5, marks: pointLost, from: 200, to: 300, ack: 1, window: 5000, inFlight: 102, count: 1},
		{at: 3000, frame: 7, from: 300, to: 400, ack: 1, window: 5000, inFlight: 103, count: 1},
		{at: 4000, frame: 9, from: 400, to: 800, ack: 1, window: 5000, inFlight: 107, count: 4},
		{at: 4000, frame: 10, marks: pointServer, ack: 800, window: 8993, peer: 4, count: 4},
	}, mergePoints(list, 2, pointNotable))
}

func TestThinnedPointsKeepWhatIsNotable(t *testing.T) {
	list := tracePoints(5000)
	for i := 0; i < len(list); i += 1000 {
		list[i].marks |= (1 + i%7) << pointKind
	}
	require.Equal(t, list, thinPoints(list, len(list)), "there is room")
	for _, limit := range []int{5000, 512, 64} {
		thin := thinPoints(list, limit)
		require.LessOrEqual(t, len(thin), limit)
		require.Greater(t, len(thin), limit/5, "not thinned more than needed")
		count, notable := 0, 0
		for i, p := range thin {
			count += p.count
			if p.marks>>pointKind != 0 {
				notable++
				require.Equal(t, 1, p.count)
			}
			require.True(t, i == 0 || p.at >= thin[i-1].at, "in order of time")
		}
		require.Equal(t, len(list), count, "no segment is lost")
		require.Equal(t, 10, notable)
	}
	for i := range list {
		list[i].marks |= pointLost
	}
	require.LessOrEqual(t, len(thinPoints(list, 100)), 100, "where all are notable, they are merged too")
}

func TestThinnedSamplesKeepExtremes(t *testing.T) {
	var list []sample
	for i := range 10000 {
		list = append(list, sample{int64(i), int64(1000 + i%10), i % 2})
	}
	list[5555].rtt, list[7000].rtt = 9999, 1
	thin := thinSamples(list, 100)
	require.LessOrEqual(t, len(thin), 104) // at most four of each of the grid's parts
	require.Contains(t, thin, list[5555])
	require.Contains(t, thin, list[7000])
	require.Equal(t, list[:50], thinSamples(list[:50], 50))
}

func TestPlotInColumns(t *testing.T) {
	v := analysis.View{TCPStream: &analysis.TCPStream{First: 10 * time.Millisecond, Last: 40 * time.Millisecond}}
	trace := newTrace(v, map[int]bool{3: true})
	frame := func(number int, at time.Duration, side int, seq uint64, length int, ack uint64, flags uint8) *analysis.Frame {
		return &analysis.Frame{
			Number: number, At: at * time.Millisecond, Side: side, Seq: seq, Ack: ack, Window: 500, InFlight: uint64(length),
			Segment: captures.Segment{Flags: flags, Length: length},
		}
	}
	trace.add(frame(1, 10, analysis.Client, 0, 0, 0, captures.SYN))
	ack := frame(2, 20, analysis.Server, 0, 0, 1, captures.SYN|captures.ACK)
	ack.RTT = 10 * time.Millisecond
	trace.add(ack)
	trace.add(frame(3, 20, analysis.Client, 1, 100, 1, captures.ACK))
	sent := frame(4, 30, analysis.Client, 1, 100, 1, captures.ACK)
	sent.Retransmission = &analysis.Retransmission{Kind: analysis.Timeout}
	trace.add(sent)
	last := frame(5, 40, analysis.Server, 1, 0, 101, captures.ACK)
	last.SACK = []analysis.Range{{From: 201, To: 301}}
	trace.add(last)
	p := trace.plot(mostPoints)
	require.Equal(t, int64(leastBucket), p.Width)
	require.Len(t, p.Sent[0], 31)
	require.Equal(t, []uint64{100, 100, 100}, []uint64{p.Sent[0][10], p.Sent[0][20], p.Acked[0][30]})
	p.Sent, p.Acked = [2][]uint64{}, [2][]uint64{}
	require.Equal(t, &tcpPlot{
		Frames: 5, T: []int64{10e6, 10e6, 0, 10e6, 10e6}, Frame: []int{1, 1, 1, 1, 1},
		Marks: []int{pointSYN, pointServer | pointSYN, pointLost, 2 << pointKind, pointServer},
		From:  []int64{0, 0, 1, -100, 1}, Length: []int64{0, 0, 100, 100, 0},
		Ack: []int64{0, 1, 1, 0, 100}, Window: []int64{500, 500, 0, 0, 0}, Flight: []int64{0, 0, 100, 0, 0}, Peer: []int64{0, 0, 0, 0, 0},
		SACK: []int64{4, 100, 100}, RTT: []int64{20e6, 10e6, 0}, Start: 10e6, Width: int64(time.Millisecond),
	}, p)
}

// A capture that takes the server for the client has its sides turned round.
func TestPlotOfAFlippedView(t *testing.T) {
	trace := newTrace(analysis.View{Flipped: true, TCPStream: &analysis.TCPStream{Last: time.Second}}, nil)
	trace.add(&analysis.Frame{Number: 1, Side: analysis.Server, Segment: captures.Segment{Length: 7}})
	p := trace.plot(mostPoints)
	require.Equal(t, []int{0}, p.Marks)
	require.Equal(t, uint64(7), p.Sent[analysis.Client][0])
}

// streamsOf are n connections with a trace of points each; those with an even number have segments that were sent again.
func streamsOf(n, points int) (*streams, map[int]*trace) {
	s := &streams{Count: n}
	tracks := map[int]*trace{}
	for i := range n {
		s.List = append(s.List, &stream{Index: i, Client: "a:1", Server: "b:2"})
		tracks[i] = &trace{frames: points, points: tracePoints(points / 2)}
	}
	return s, tracks
}

func TestStreamsFitTheBudget(t *testing.T) {
	s, tracks := streamsOf(4, 1000)
	limits, err := s.fit(tracks, 1<<20)
	require.NoError(t, err)
	require.Empty(t, limits)
	whole := bytesOf(t, s)

	limits, err = s.fit(tracks, whole)
	require.NoError(t, err)
	require.Empty(t, limits, "exactly as much room as it takes")
	limits, err = s.fit(tracks, whole-1)
	require.NoError(t, err)
	require.Less(t, bytesOf(t, s), whole)
	require.Len(t, limits, 1)
	require.Equal(t, 4000, limits[0].Of)
	for _, one := range s.List {
		require.LessOrEqual(t, len(one.Plot.T), 512, "the next level")
		require.Greater(t, len(one.Plot.T), 256)
	}

	for _, budget := range []int{20_000, 12_000, 4000, 500, 100} {
		s, tracks := streamsOf(4, 1000)
		limits, err := s.fit(tracks, budget)
		require.NoError(t, err)
		require.LessOrEqual(t, bytesOf(t, s), budget)
		require.NotEmpty(t, limits)
		if budget < 10_000 {
			plots := 0
			for _, one := range s.List {
				if one.Plot != nil {
					plots++
				}
			}
			require.Less(t, plots, 4, "plots are left out from the last one on")
			require.True(t, plots == 0 || s.List[0].Plot != nil)
		}
	}
}

func TestStreamsByInterest(t *testing.T) {
	one := func(index, repeats int, bytes uint64) *analysis.Stream {
		v := analysis.View{TCPStream: &analysis.TCPStream{}}
		v.Sides[analysis.Server].Bytes = bytes
		return &analysis.Stream{Index: index, Views: []analysis.View{v}, Repeats: make([]*analysis.Repeat, repeats)}
	}
	var order []int
	for _, s := range byInterest([]*analysis.Stream{one(0, 0, 10), one(1, 0, 20), one(2, 1, 5), one(3, 0, 10)}) {
		order = append(order, s.Index)
	}
	require.Equal(t, []int{2, 1, 0, 3}, order)
}

func TestProbesOfAConnection(t *testing.T) {
	ends := [2]analysis.Address{{Addr: netip.MustParseAddr("10.0.0.1"), Port: 49152}, {Addr: netip.MustParseAddr("fd00::1"), Port: 80}}
	s := &analysis.Stream{Views: []analysis.View{{TCPStream: &analysis.TCPStream{Ends: ends, Last: time.Minute}}}}
	connection := func(local string, start time.Duration, cwnd int) *telemetry.Connection {
		return &telemetry.Connection{Local: local, Remote: "[fd00::1]:80", Start: start, MSS: 1460, Points: telemetry.Points{
			{T: 5, Cwnd: cwnd, MinCwnd: 1, MaxCwnd: 2, Ssthresh: -1, RTT: 3, RTO: 4}, {T: 7, Cwnd: 11, MinCwnd: 3, MaxCwnd: 12, Ssthresh: 6, RTT: 5, RTO: 6},
			{T: 9, Cwnd: 12, MinCwnd: 12, MaxCwnd: 12, Ssthresh: 6},
		}}
	}
	file := &telemetry.File{Connections: []*telemetry.Connection{
		connection("10.0.0.9:49152", 50*time.Second, 99), connection("10.0.0.1:49152", time.Second, 98), connection("10.0.0.1:49152", 30*time.Second, 10),
		connection("10.0.0.1:49152", time.Hour, 97),
	}}
	p := newProbes(file, s, analysis.Client)
	require.Equal(t, &probes{
		MSS: 1460, T: []int64{5, 2, 2}, Cwnd: []int{10, 11, 12}, MinCwnd: []int{1, 3, 12}, MaxCwnd: []int{2, 12, 12}, Ssthresh: []int{-1, 6, 6},
		RTT: []int64{3, 5, 0}, RTO: []int64{4, 6, 0}, States: []state{},
	}, p)
	require.Nil(t, newProbes(file, s, analysis.Server), "nothing was taken down there")
	require.Nil(t, newProbes(nil, s, analysis.Client))
	p.thin(2)
	require.Equal(t, &probes{
		MSS: 1460, T: []int64{7, 2}, Cwnd: []int{11, 12}, MinCwnd: []int{1, 12}, MaxCwnd: []int{12, 12}, Ssthresh: []int{6, 6}, RTT: []int64{5, 0}, RTO: []int64{6, 0},
		States: []state{},
	}, p)
}

// A run without connections is no error.
func TestStreamsOfNoRun(t *testing.T) {
	s, limits, err := newStreams(&report.Folder{}, &analysis.Run{}, 1000)
	require.NoError(t, err)
	require.Empty(t, limits)
	require.Zero(t, s.Count)
}
