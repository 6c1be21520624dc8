package page

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"netlab/captures/telemetry"
	"netlab/report"
)

// colours are told apart by number; maxDiffering is how many differences of a kind are shown, maxCharts how many queues, and how many links, are drawn.
const (
	colours      = 8 // that the style sheet has for series
	maxDiffering = 300
	maxCharts    = 24
)

// overlay keeps a chart of several runs' series if at least one has values.
func (v *comparison) overlay(group *chartGroup, title, unit, x string, list []series) {
	if len(list) == 0 {
		return
	}
	for i := range list { // a run has the same colour everywhere
		run := slices.IndexFunc(v.Runs, func(r comparedRun) bool { return r.Name == list[i].Label })
		list[i].Color = fmt.Sprintf("--s%d", run%colours+1)
	}
	c := &chart{Title: title, X: x, Unit: unit, Series: list}
	if x == "time" {
		c.Group = "run"
	}
	group.Charts = append(group.Charts, len(v.data.Charts))
	v.data.Charts = append(v.data.Charts, c)
}

func (v *comparison) keep(g chartGroup) {
	if len(g.Charts) > 0 {
		v.Groups = append(v.Groups, g)
	}
}

// overlayWorkloads lays the runs' workloads of one name over one another.
func (v *comparison) overlayWorkloads() {
	for _, name := range v.names(func(f *report.Folder) (list []string) {
		for _, m := range f.Results.Workloads {
			list = append(list, m.Name)
		}
		return list
	}) {
		var rate, p50, p99 []series
		for _, run := range v.Runs {
			raw, _ := run.folder.Results.Workloads.Get(name)
			var r workloadResult
			if json.Unmarshal(raw, &r) != nil || len(r.Seconds) == 0 || r.Bucket <= 0 {
				continue
			}
			var t []float64
			var done, half, most []*float64
			for _, s := range r.Seconds {
				t = append(t, seconds(r.Started+s.T))
				done = append(done, value(float64(s.Succeeded)/r.Bucket.Seconds()))
				half, most = append(half, known(s.P50)), append(most, known(s.P99))
			}
			rate, p50, p99 = append(rate, series{Label: run.Name, Kind: "step", T: t, V: done}), append(p50, series{Label: run.Name, Kind: "line", T: t, V: half}), append(p99, series{Label: run.Name, Kind: "line", T: t, V: most})
		}
		g := chartGroup{Title: "Workload " + name}
		v.overlay(&g, name+": requests that succeeded a second", "1/s", "time", rate)
		v.overlay(&g, name+": latency, p50", "s", "time", p50)
		v.overlay(&g, name+": latency, p99", "s", "time", p99)
		v.keep(g)
	}
}

// names are those that list gives for the runs, each once, in the order of their first appearance.
func (v *comparison) names(list func(*report.Folder) []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, r := range v.Runs {
		for _, n := range list(r.folder) {
			if !seen[n] {
				seen[n] = true
				out = append(out, n)
			}
		}
	}
	return out
}

// known is a duration in seconds, nil if it is not known.
func known(d *time.Duration) *float64 {
	if d == nil {
		return nil
	}
	return value(d.Seconds())
}

// overlayQueues lays the queues of one direction of a link over one another, where frames waited or were dropped in a run.
func (v *comparison) overlayQueues() {
	links := v.names(func(f *report.Folder) (list []string) {
		for _, l := range f.Results.Links {
			list = append(list, l.Name)
		}
		return list
	})
	var groups []chartGroup
	for _, id := range links {
		for _, direction := range []string{"forward", "backward"} {
			var length, wait, lost []series
			worth := false
			for _, run := range v.Runs {
				r, _ := run.folder.Results.Links.Get(id)
				q := r.Forward.Queue
				if direction == "backward" {
					q = r.Backward.Queue
				}
				if q == nil {
					continue
				}
				worth = worth || q.MaxPackets > 1 || dropped(q) > 0
				for _, c := range queueCharts(q) {
					for _, s := range c.Series {
						kind := s.Label
						s.Label = run.Name
						switch {
						case kind == "waiting" && c.Unit == "packets":
							s.Kind = "step"
							length = append(length, s)
						case kind == "longest":
							wait = append(wait, s)
						case kind == "dropped":
							lost = append(lost, s)
						}
					}
				}
			}
			if !worth {
				continue
			}
			g := chartGroup{Title: "Queue of " + id + ", " + direction}
			v.overlay(&g, "Waiting at most", "packets", "time", length)
			v.overlay(&g, "Longest time in the queue", "s", "time", wait)
			v.overlay(&g, "Dropped by the queue", "packets", "time", lost)
			groups = append(groups, g)
		}
	}
	for i, g := range groups {
		if i == maxCharts {
			v.limit(limit{What: "queues drawn", Shown: i, Of: len(groups), Text: "the first ones"})
			break
		}
		v.keep(g)
	}
}

// overlayLinks lays what links carried over one another.
func (v *comparison) overlayLinks() {
	ids := v.names(func(f *report.Folder) (list []string) {
		if f.Telemetry != nil {
			for _, l := range f.Telemetry.Links {
				list = append(list, l.ID)
			}
		}
		return list
	})
	if len(ids) > maxCharts {
		v.limit(limit{What: "links drawn over time", Shown: maxCharts, Of: len(ids), Text: "the first ones"})
		ids = ids[:maxCharts]
	}
	for _, id := range ids {
		g := chartGroup{Title: "Link " + id}
		for _, direction := range []string{"forward", "backward"} {
			var list []series
			for _, run := range v.Runs {
				if run.folder.Telemetry == nil {
					continue
				}
				i := slices.IndexFunc(run.folder.Telemetry.Links, func(l *telemetry.Link) bool { return l.ID == id })
				if i < 0 {
					continue
				}
				l := run.folder.Telemetry.Links[i]
				carried := l.Forward
				if direction == "backward" {
					carried = l.Backward
				}
				list = append(list, throughput(run.Name, l.Width, carried))
			}
			v.overlay(&g, "Throughput of "+id+", "+direction, "bit/s", "time", list)
		}
		v.keep(g)
	}
}
