package page

import (
	"errors"

	"netlab/captures"
	"netlab/captures/analysis"
)

// tcpPlot holds what the plots of a connection draw, in columns with an element for each point. Integers are coded as the difference to
// what the comment says; "the one before" is the point before of the same side, or 0.
type tcpPlot struct {
	// Frames is how many segments the capture has; there are fewer points if neighbours became one.
	Frames int     `json:"frames"`
	T      []int64 `json:"t"`     // to the point before of either side
	Frame  []int   `json:"frame"` // to the point before of either side
	Marks  []int   `json:"marks"` // the bits pointServer and following, and the kind of a retransmission
	From   []int64 `json:"from"`  // sequence number, to the end of the one before
	Length []int64 `json:"length"`
	Ack    []int64 `json:"ack"`            // to the one before
	Window []int64 `json:"window"`         // to the one before
	Flight []int64 `json:"in_flight"`      // payload of this side that was sent and not acknowledged, to the one before
	Peer   []int64 `json:"peer_in_flight"` // that of the other side, to the one before
	Merged []int   `json:"merged"`         // how many segments each point stands for; empty if all stand for themselves
	// SACK has three numbers for each block: the point, to that of the block before; the beginning, from the point's ACK; the length.
	SACK []int64 `json:"sack"`
	// RTT has three numbers for each sample: its time, to the sample before; the round-trip time; the side whose segment was acknowledged.
	RTT []int64 `json:"rtt"`
	// Start and Width are the time at which the buckets of Sent and Acked begin and how long each is. Sent is the payload of each side, with
	// what was sent again, Acked is what its peer acknowledged.
	Start int64       `json:"start"`
	Width int64       `json:"width"`
	Sent  [2][]uint64 `json:"sent"`
	Acked [2][]uint64 `json:"acked"`
}

// plot returns the columns at a level of the pyramid: of at most limit points and as many samples.
func (t *trace) plot(limit int) *tcpPlot {
	points, samples := thinPoints(t.points, limit), thinSamples(t.samples, limit)
	p := &tcpPlot{Frames: t.frames, Start: t.start, Width: t.width, Sent: t.sent, Acked: t.acked}
	var last point
	var sides [2]point
	var lastBlock int64
	merged := false
	for i := range points {
		q := &points[i]
		before := &sides[q.marks&pointServer]
		p.T = append(p.T, q.at-last.at)
		p.Frame = append(p.Frame, q.frame-last.frame)
		p.Marks = append(p.Marks, q.marks)
		p.From = append(p.From, int64(q.from)-int64(before.to))
		p.Length = append(p.Length, int64(q.to-q.from))
		p.Ack = append(p.Ack, int64(q.ack)-int64(before.ack))
		p.Window = append(p.Window, int64(q.window)-int64(before.window))
		p.Flight = append(p.Flight, int64(q.inFlight)-int64(before.inFlight))
		p.Peer = append(p.Peer, int64(q.peer)-int64(before.peer))
		p.Merged = append(p.Merged, q.count)
		for _, b := range q.sack {
			p.SACK = append(p.SACK, int64(i)-lastBlock, int64(b.From)-int64(q.ack), int64(b.To-b.From))
			lastBlock = int64(i)
		}
		merged = merged || q.count > 1
		last, *before = *q, *q
	}
	if !merged {
		p.Merged = nil
	}
	var at int64
	for _, s := range samples {
		p.RTT = append(p.RTT, s.at-at, s.rtt, int64(s.side))
		at = s.at
	}
	return p
}

// track reads the captures that show the streams best once more and returns their traces by the streams' Index.
func track(run *analysis.Run, list []*analysis.Stream) (map[int]*trace, error) {
	tracks := make(map[int]*trace, len(list))
	lost := lostFrames(run)
	for i, c := range run.Captures {
		wanted := map[int]*trace{} // by tcp.stream in this capture
		for _, s := range list {
			if v := s.Views[s.Best]; v.Capture == i {
				tracks[s.Index] = newTrace(v, lost[i])
				wanted[v.TCPStream.Index] = tracks[s.Index]
			}
		}
		if len(wanted) == 0 {
			continue
		}
		_, err := analysis.ReadFile(c.Path, analysis.Options{Start: run.Start, Limit: -1, Frame: func(f *analysis.Frame) {
			if f.Stream == nil {
				return
			}
			if t := wanted[f.Stream.Index]; t != nil {
				t.add(f)
			}
		}})
		// A capture that was cut short was told of when the run was opened.
		if fault := new(captures.FormatError); err != nil && !errors.As(err, &fault) {
			return nil, err
		}
	}
	return tracks, nil
}

// lostFrames returns, by capture, the frames whose packets did not arrive.
func lostFrames(run *analysis.Run) []map[int]bool {
	lost := make([]map[int]bool, len(run.Captures))
	for i := range lost {
		lost[i] = map[int]bool{}
	}
	for _, j := range run.Journeys {
		if j.Lost == nil {
			continue
		}
		for _, h := range j.Hops {
			lost[h.Capture][h.Frame] = true
		}
	}
	return lost
}
