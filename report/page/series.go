package page

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"netlab/captures/telemetry"
	"netlab/report"
)

// queueView is a direction of a link whose frames had to wait or were lost, with its charts.
type queueView struct {
	Link, From, To string
	Queue          *report.Queue
	Config         string
	Sent, Lost     uint64
	Reasons        []string
	Charts         []int // places in data.Charts
}

// linkView is a link with its throughput.
type linkView struct {
	Link  string
	Bytes uint64
	Chart int
}

// newQueues makes the charts of queues, those that lost most first, and says how many directions had no queue to speak of: frames
// waited there for a single one before them at most.
func (v *view) newQueues(g *graph) (idle int) {
	for _, e := range g.links {
		r, ok := v.folder.Results.Links.Get(e.ID)
		if !ok {
			continue
		}
		for _, d := range []struct {
			from, to *vertex
			flow     flow
			result   report.Direction
		}{{e.a, e.b, e.Forward, r.Forward}, {e.b, e.a, e.Backward, r.Backward}} {
			if d.result.Queue == nil {
				continue
			}
			if d.result.Queue.MaxPackets < 2 && d.flow.Lost == 0 {
				idle++
				continue
			}
			v.Queues = append(v.Queues, &queueView{Link: e.ID, From: d.from.Name, To: d.to.Name, Queue: d.result.Queue, Config: e.Queue,
				Sent: d.flow.Sent, Lost: d.flow.Lost, Reasons: d.flow.Reasons})
		}
	}
	slices.SortStableFunc(v.Queues, func(a, b *queueView) int {
		return cmp.Or(cmp.Compare(dropped(b.Queue), dropped(a.Queue)), cmp.Compare(b.Queue.Sojourn.Max, a.Queue.Sojourn.Max))
	})
	for i, q := range v.Queues {
		if i == v.most.charts {
			v.limit(limit{What: "queues drawn", Shown: v.most.charts, Of: len(v.Queues),
				Text: "those that dropped most and in which frames waited longest; results.json has all"})
			break
		}
		for _, c := range queueCharts(q.Queue) {
			q.Charts = append(q.Charts, v.chart(c))
		}
	}
	return idle
}

func dropped(q *report.Queue) (n uint64) {
	for i := range q.Buckets {
		n += q.Buckets[i].Dropped
	}
	return n
}

// queueCharts are the length of a queue with what it dropped, and how long frames waited.
func queueCharts(q *report.Queue) []*chart {
	var t []float64
	var packets, bytes, drops, marks, average, longest []*float64
	anyDrops, anyMarks := false, false
	for i := range q.Buckets {
		b := &q.Buckets[i]
		t = append(t, seconds(q.Start+time.Duration(i)*q.Width))
		packets = append(packets, value(float64(b.MaxPackets)))
		bytes = append(bytes, value(float64(b.MaxBytes)))
		drops, marks = append(drops, value(float64(b.Dropped))), append(marks, value(float64(b.Marked)))
		anyDrops, anyMarks = anyDrops || b.Dropped > 0, anyMarks || b.Marked > 0
		if b.Sent == 0 {
			average, longest = append(average, nil), append(longest, nil)
			continue
		}
		average, longest = append(average, value(b.AvgSojourn.Seconds())), append(longest, value(b.MaxSojourn.Seconds()))
	}
	length := &chart{Title: "Waiting at most", X: "time", Unit: "packets", Series: []series{{Label: "waiting", Kind: "area", T: t, V: packets}}}
	if anyDrops {
		length.Series = append(length.Series, series{Label: "dropped", Kind: "step", T: t, V: drops})
	}
	if anyMarks {
		length.Series = append(length.Series, series{Label: "marked", Kind: "step", T: t, V: marks})
	}
	size := &chart{Title: "Bytes waiting at most", X: "time", Unit: "B", Series: []series{{Label: "waiting", Kind: "area", T: t, V: bytes}}}
	sojourn := &chart{Title: "Time in the queue", X: "time", Unit: "s", Series: []series{{Label: "longest", Kind: "line", T: t, V: longest}, {Label: "average", Kind: "line", T: t, V: average}}}
	return []*chart{length, sojourn, size}
}

func value(f float64) *float64 { return &f }

// newLinks makes the charts of what links carried, the busiest first.
func (v *view) newLinks(g *graph) {
	if v.folder.Telemetry == nil {
		return
	}
	edges := map[string]*edge{}
	for _, e := range g.links {
		edges[e.ID] = e
	}
	var list []*telemetry.Link
	carried := map[*telemetry.Link]uint64{}
	for _, l := range v.folder.Telemetry.Links {
		for _, s := range []telemetry.Series{l.Forward, l.Backward} {
			for i := range s {
				carried[l] += s[i].Bytes
			}
		}
		if carried[l] > 0 && edges[l.ID] != nil {
			list = append(list, l)
		}
	}
	slices.SortStableFunc(list, func(a, b *telemetry.Link) int { return cmp.Compare(carried[b], carried[a]) })
	for i, l := range list {
		if i == v.most.charts {
			v.limit(limit{What: "links drawn over time", Shown: v.most.charts, Of: len(list), Text: "the busiest; telemetry.json has all"})
			break
		}
		e := edges[l.ID]
		c := &chart{Title: "Throughput of " + l.ID, X: "time", Unit: "bit/s", Series: []series{
			throughput(fmt.Sprintf("%s → %s", e.a.Name, e.b.Name), l.Width, l.Forward),
			throughput(fmt.Sprintf("%s → %s", e.b.Name, e.a.Name), l.Width, l.Backward)}}
		v.Throughput = append(v.Throughput, linkView{l.ID, carried[l], v.chart(c)})
	}
}

func throughput(label string, width time.Duration, list telemetry.Series) series {
	s := series{Label: label, Kind: "step"}
	for i := range list {
		s.T = append(s.T, seconds(time.Duration(i)*width))
		s.V = append(s.V, value(float64(list[i].Bytes)*8/width.Seconds()))
	}
	return s
}

// chart keeps a chart for the page's scripts and returns its place.
func (v *view) chart(c *chart) int {
	if c.X == "time" {
		c.Bands, c.Group = v.bands, "run"
	}
	v.data.Charts = append(v.data.Charts, c)
	return len(v.data.Charts) - 1
}
