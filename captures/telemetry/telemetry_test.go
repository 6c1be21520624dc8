package telemetry

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const ms = time.Millisecond

func recorder(t *testing.T, o Options, links ...string) *Recorder {
	r, err := NewRecorder(o, links)
	require.NoError(t, err)
	return r
}

func cwnds(points Points) (list []int) {
	for _, p := range points {
		list = append(list, p.Cwnd)
	}
	return list
}

func TestUnchangedPointsAreNotTakenDown(t *testing.T) {
	r := recorder(t, Options{})
	c := r.Begin(5*ms, "client", "10.0.0.1:1000", "10.0.0.2:80")
	p := Point{T: 10 * ms, Cwnd: 10, Ssthresh: -1, RTT: 40 * ms, RTTVar: 20 * ms, RTO: 200 * ms, InFlight: 1420}
	c.Point(p)
	p.T = 11 * ms
	c.Point(p)
	p.T, p.InFlight = 12*ms, 2840
	c.Point(p)
	c.MSS(100)
	c.MSS(1420)
	c.MSS(20)
	f := r.File()
	require.Len(t, f.Connections, 1)
	got := f.Connections[0]
	require.Equal(t, []int{10, 10}, cwnds(got.Points))
	require.Equal(t, 12*ms, got.Points[1].T)
	require.Equal(t, Point{T: 10 * ms, Cwnd: 10, MinCwnd: 10, MaxCwnd: 10, Ssthresh: -1, RTT: 40 * ms, MaxRTT: 40 * ms, RTTVar: 20 * ms,
		RTO: 200 * ms, MaxRTO: 200 * ms, InFlight: 1420, MaxInFlight: 1420}, got.Points[0])
	require.Equal(t, []any{5 * ms, 1420, time.Duration(0)}, []any{got.Start, got.MSS, got.Width})
}

// Sixteen points in 16 ms are too many for one more: they become eight of 2 ms each.
func TestNeighboursBecomeOne(t *testing.T) {
	r := recorder(t, Options{Points: 16})
	c := r.Begin(0, "a", "", "")
	for i := range 16 {
		c.Point(Point{T: time.Duration(i) * ms, Cwnd: i % 2 * 100, RTT: time.Duration(16-i) * ms, RTO: time.Duration(i) * ms, InFlight: 100 - i})
	}
	require.Len(t, c.c.Points, 16)
	require.Zero(t, c.c.Width)
	c.Point(Point{T: 16 * ms, Cwnd: 7})
	require.Equal(t, 2*ms, c.c.Width)
	require.Equal(t, []int{100, 100, 100, 100, 100, 100, 100, 100, 7}, cwnds(c.c.Points))
	require.Equal(t, Point{T: 3 * ms, Cwnd: 100, MinCwnd: 0, MaxCwnd: 100, RTT: 13 * ms, MaxRTT: 14 * ms, RTO: 3 * ms, MaxRTO: 3 * ms,
		InFlight: 97, MaxInFlight: 98}, c.c.Points[1])
	c.Point(Point{T: 17 * ms, Cwnd: 3})
	require.Len(t, c.c.Points, 9, "it belongs to the part that begins at 16 ms")
	require.Equal(t, []int{3, 3, 7}, []int{c.c.Points[8].Cwnd, c.c.Points[8].MinCwnd, c.c.Points[8].MaxCwnd})
}

// Expiries of a timer are seldom. They stay apart however many acknowledgements there are before and after them.
func TestSeldomPointsStayApart(t *testing.T) {
	r := recorder(t, Options{Points: 64})
	c := r.Begin(0, "a", "", "")
	ack := func(at time.Duration) {
		c.Point(Point{T: at, Cwnd: 20, RTO: 200 * ms, InFlight: int(at)})
	}
	for at := time.Duration(0); at < time.Second; at += ms {
		ack(at)
	}
	for i := range 5 {
		c.Point(Point{T: time.Second + 200*ms<<i, Cwnd: 1, RTO: 400 * ms << i})
	}
	for at := 8 * time.Second; at < 9*time.Second; at += ms {
		ack(at)
	}
	require.LessOrEqual(t, len(c.c.Points), 64)
	var timeouts []time.Duration
	for _, p := range c.c.Points {
		if p.Cwnd == 1 {
			timeouts = append(timeouts, p.T, p.RTO)
		}
	}
	require.Equal(t, []time.Duration{1200 * ms, 400 * ms, 1400 * ms, 800 * ms, 1800 * ms, 1600 * ms, 2600 * ms, 3200 * ms, 4200 * ms, 6400 * ms}, timeouts)
	require.Equal(t, 64*ms, c.c.Width)
}

func TestStates(t *testing.T) {
	r := recorder(t, Options{})
	c := r.Begin(0, "a", "", "")
	c.State(1*ms, "SYN-SENT", "")
	c.State(2*ms, "SYN-SENT", "")
	c.State(3*ms, "ESTABLISHED", "open")
	require.Equal(t, []State{{1 * ms, "SYN-SENT", ""}, {3 * ms, "ESTABLISHED", "open"}}, c.c.States)
	for i := range MaxStates {
		c.State(time.Duration(i)*ms, "ESTABLISHED", []string{"sack-recovery", "open"}[i%2])
		c.State(time.Duration(i)*ms, "ESTABLISHED", []string{"sack-recovery", "open"}[i%2])
	}
	require.Len(t, c.c.States, MaxStates)
	require.Equal(t, 2, c.c.StatesLeft)
}

func TestTooManyConnections(t *testing.T) {
	r := recorder(t, Options{Connections: 2})
	for _, name := range []string{"a", "b", "c", "d"} {
		c := r.Begin(0, name, "", "")
		c.Point(Point{Cwnd: 1})
		c.State(0, "ESTABLISHED", "open")
		c.MSS(1)
	}
	f := r.File()
	require.Equal(t, 2, f.Left)
	require.Equal(t, []string{"a", "b"}, []string{f.Connections[0].Node, f.Connections[1].Node})
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	_, err := NewRecorder(Options{Points: 15}, nil)
	require.EqualError(t, err, "15 points: want 16 or more")
	_, err = NewRecorder(Options{Connections: -1}, nil)
	require.EqualError(t, err, "-1 connections: want 0 or more")
}

// What the counters gain belongs to the part in which it happened, also when nothing happens for several parts.
func TestLinks(t *testing.T) {
	r := recorder(t, Options{}, "a--b")
	var now Traffic
	read := func(_ int, t *[2]Traffic) { *t = [2]Traffic{now, {Sent: 2 * now.Sent}} }
	happens := func(at time.Duration, sent uint64) {
		if at >= r.Due() {
			r.Links(at, read)
		}
		now.Sent += sent
		now.QueueMax = int(sent)
	}
	happens(0, 1)
	happens(9*ms, 2)
	happens(10*ms, 4) // the second part
	happens(45*ms, 8) // the fifth
	r.Finish(47*ms, read)
	l := r.File().Links[0]
	require.Equal(t, 10*ms, l.Width)
	require.Equal(t, Series{{Sent: 3, QueueMax: 2}, {Sent: 4, QueueMax: 4}, {QueueMax: 4}, {QueueMax: 4}, {Sent: 8, QueueMax: 8}}, l.Forward)
	require.Equal(t, Traffic{Sent: 6}, l.Backward[0])
}

func TestLinksOfALongRun(t *testing.T) {
	r := recorder(t, Options{}, "a--b")
	var now Traffic
	read := func(_ int, t *[2]Traffic) { t[0] = now }
	for at := time.Duration(0); at < 10*time.Second; at += 5 * ms {
		if at >= r.Due() {
			r.Links(at, read)
		}
		now.Sent++
		now.Bytes += 1500
		now.QueueMax = int(at / time.Second)
	}
	r.Finish(10*time.Second, read)
	l := r.File().Links[0]
	require.Equal(t, 40*ms, l.Width)
	require.Len(t, l.Forward, 251, "250 and what happens at the very end")
	sum := Traffic{}
	for i, part := range l.Forward[:250] {
		require.Equal(t, uint64(8), part.Sent, i)
		sum.Bytes += part.Bytes
	}
	require.Equal(t, uint64(2000*1500), sum.Bytes)
	require.Equal(t, 9, l.Forward[249].QueueMax)
	r.Links(24*time.Hour, read)
	require.LessOrEqual(t, len(r.File().Links[0].Forward), MaxParts)
}

func TestManyLinksHaveFewerParts(t *testing.T) {
	require.Equal(t, MaxParts, newLinks(make([]string, 1024)).limit)
	require.Equal(t, MaxParts/2, newLinks(make([]string, 1025)).limit)
	require.Equal(t, minParts, newLinks(make([]string, 1<<20)).limit)
}

func TestJSON(t *testing.T) {
	f := &File{
		Connections: []*Connection{{Node: "a", Local: "10.0.0.1:1", Remote: "[fd00::1]:2", Start: 3, MSS: 4, Width: 5, States: []State{{6, "ESTABLISHED", "open"}},
			Points: Points{{T: 1, Cwnd: 10, MinCwnd: 9, MaxCwnd: 10, Ssthresh: -1, RTT: 2, MaxRTT: 2, RTTVar: 3, RTO: 4, MaxRTO: 5, InFlight: 6, MaxInFlight: 6}}}},
		Left:  7,
		Links: []*Link{{ID: "a--b", Width: 8, Forward: Series{{}, {Sent: 1, Bytes: 2}}, Backward: Series{{}, {}}}},
	}
	text, err := json.Marshal(f)
	require.NoError(t, err)
	require.JSONEq(t, `{
		"connections": [{"node": "a", "local": "10.0.0.1:1", "remote": "[fd00::1]:2", "start_ns": 3, "mss": 4, "width_ns": 5, "points": {
			"t_ns": [1], "cwnd": [10], "min_cwnd": [9], "ssthresh": [-1], "rtt_ns": [2], "rttvar_ns": [3], "rto_ns": [4], "max_rto_ns": [5], "in_flight": [6]},
			"states": [{"t_ns": 6, "state": "ESTABLISHED", "congestion": "open"}], "states_left": 0}],
		"left": 7,
		"links": [{"id": "a--b", "width_ns": 8, "forward": {"parts": 2, "sent": [0, 1], "bytes": [0, 2]}, "backward": {"parts": 2}}]
	}`, string(text))
	var back File
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, f, &back)
}

func TestColumnsOfDifferentLength(t *testing.T) {
	var p Points
	require.EqualError(t, json.Unmarshal([]byte(`{"t_ns": [1, 2], "cwnd": [1], "ssthresh": [], "rtt_ns": [], "rttvar_ns": [], "rto_ns": [], "in_flight": []}`), &p),
		"points: a column has 1 values and t_ns 2")
	var s Series
	require.EqualError(t, json.Unmarshal([]byte(`{"parts": 2, "sent": [1]}`), &s), "series: a column has 1 values for 2 parts")
	require.EqualError(t, json.Unmarshal([]byte(`{"parts": 1000000000}`), &s), "series: found 1000000000 parts, wanted 0 to 256")
}

// What is written of a full series is about a third of objects with names.
func TestColumnsAreSmall(t *testing.T) {
	c := recorder(t, Options{}).Begin(0, "a", "", "")
	for i := range 100_000 {
		c.Point(Point{T: time.Duration(i) * 123456, Cwnd: 100 + i%50, Ssthresh: 75, RTT: 44018010 + time.Duration(i), RTTVar: 1234567, RTO: 200 * ms, InFlight: i % 100 * 1420})
	}
	columns, err := json.Marshal(c.c.Points)
	require.NoError(t, err)
	objects, err := json.Marshal([]Point(c.c.Points))
	require.NoError(t, err)
	require.Less(t, 2*len(columns), len(objects), "%d and %d bytes", len(columns), len(objects))
}
