package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"netlab/report"
)

// workloadView is a workload with its figures and charts.
type workloadView struct {
	Name, Type, Class string
	Started, Ended    time.Duration
	Completed         bool
	Main              []figure // the few that say most
	Latency           []figure // its percentiles
	Level             []figure // its service level, if it has an objective
	Outages           *listView
	Phases            []phaseView
	Errors            []figure
	All               []figure
	Lists             []listView
	Charts            []int
}

// phaseView is a part of requests.
type phaseView struct {
	Name               string
	Count              uint64
	Avg, P50, P99, Max time.Duration
	Share              float64 // of the sum of all phases' averages over all requests, in percent
	From               float64 // the shares before it
}

// listView is a list of objects in the results, such as the flows of a transfer.
type listView struct {
	Name    string
	Columns []string
	Rows    [][]string
	Left    int
}

// part is a part of a workload's run: a second of load.Result.
type part struct {
	T         time.Duration  `json:"t_ns"`
	Started   uint64         `json:"started"`
	Succeeded uint64         `json:"succeeded"`
	Failed    uint64         `json:"failed"`
	InFlight  uint64         `json:"in_flight"`
	P50       *time.Duration `json:"p50_ns"`
	P99       *time.Duration `json:"p99_ns"`
	Max       *time.Duration `json:"max_ns"`
}

type phaseResult struct {
	Count uint64        `json:"count"`
	Avg   time.Duration `json:"avg_ns"`
	P50   time.Duration `json:"p50_ns"`
	P99   time.Duration `json:"p99_ns"`
	Max   time.Duration `json:"max_ns"`
}

// workloadResult is what charts are made of.
type workloadResult struct {
	Type      string                       `json:"type"`
	Started   time.Duration                `json:"started_ns"`
	Ended     time.Duration                `json:"ended_ns"`
	Completed bool                         `json:"completed"`
	Phases    report.Members[*phaseResult] `json:"phases"`
	Latency   struct {
		Min time.Duration `json:"min_ns"`
	} `json:"latency"`
	Histogram []struct {
		LE    time.Duration `json:"le_ns"`
		Count uint64        `json:"count"`
	} `json:"histogram"`
	Bucket  time.Duration `json:"bucket_ns"`
	Seconds []part        `json:"seconds"`
	SLO     struct {
		Outages []json.RawMessage `json:"outages"`
	} `json:"slo"`
}

// headline are the figures that are shown first, in their order, where a workload has them.
var headline = []string{"requests", "succeeded", "failed", "pending", "success_rate", "offered", "rate", "goodput", "sent", "received", "lost", "loss",
	"bytes", "intact", "took", "duration", "rtt.avg", "rtt.max", "latency.avg", "latency.p99", "ttfb.avg", "retransmits", "connections", "resumed"}

// maxRowsOfList is how many elements of a list are shown.
const maxRowsOfList = 50

// newWorkload reads what a workload found.
func (v *view) newWorkload(name string, raw json.RawMessage) *workloadView {
	var r workloadResult
	_ = json.Unmarshal(raw, &r) // results of other types leave out what they don't have
	w := &workloadView{Name: name, Type: r.Type, Started: r.Started, Ended: r.Ended, Completed: r.Completed}
	flatten("", raw, func(name, value string) {
		switch name {
		case "type", "started", "ended", "completed", "bucket":
			return
		}
		f := figure{name, value}
		w.All = append(w.All, f)
		switch group, rest, _ := strings.Cut(name, "."); {
		case group == "errors" && value != "0":
			if rest == "" {
				rest = "errors"
			}
			w.Errors = append(w.Errors, figure{strings.ReplaceAll(rest, "_", " "), value})
		case group == "slo":
			w.Level = append(w.Level, figure{strings.ReplaceAll(rest, "_", " "), value})
		case group == "latency" && rest != "count":
			w.Latency = append(w.Latency, figure{rest, value})
		}
	})
	for _, wanted := range headline {
		if i := slices.IndexFunc(w.All, func(f figure) bool { return f.Name == wanted }); i >= 0 && (w.All[i].Value != "0" || wanted == "failed") {
			w.Main = append(w.Main, w.All[i])
		}
	}
	w.Lists = lists(raw)
	if len(r.SLO.Outages) > 0 {
		l := newList("Outages", r.SLO.Outages)
		w.Outages = &l
	}
	w.phases(&r)
	w.charts(v, &r)
	return w
}

// phases sets the parts of requests, with the shares that they have in all time.
func (w *workloadView) phases(r *workloadResult) {
	sum := 0.0
	for _, m := range r.Phases {
		if p := m.Value; p != nil && p.Count > 0 {
			w.Phases = append(w.Phases, phaseView{Name: m.Name, Count: p.Count, Avg: p.Avg, P50: p.P50, P99: p.P99, Max: p.Max})
			sum += float64(p.Avg) * float64(p.Count)
		}
	}
	before := 0.0
	for i := range w.Phases {
		p := &w.Phases[i]
		if sum > 0 {
			p.Share = float64(p.Avg) * float64(p.Count) / sum * 100
		}
		p.From = before
		before += p.Share
	}
}

// charts makes the charts of a workload: what it did over time, latencies over time, and their distribution.
func (w *workloadView) charts(v *view, r *workloadResult) {
	if len(r.Seconds) > 0 && r.Bucket > 0 {
		var t []float64
		columns := map[string][]*float64{}
		add := func(name string, f float64) { columns[name] = append(columns[name], value(f)) }
		latency := func(name string, d *time.Duration) {
			if d == nil {
				columns[name] = append(columns[name], nil)
				return
			}
			add(name, d.Seconds())
		}
		failed := uint64(0)
		for _, s := range r.Seconds {
			t = append(t, seconds(r.Started+s.T))
			add("begun", float64(s.Started)/r.Bucket.Seconds())
			add("succeeded", float64(s.Succeeded)/r.Bucket.Seconds())
			add("failed", float64(s.Failed)/r.Bucket.Seconds())
			add("in flight", float64(s.InFlight))
			failed += s.Failed
			latency("p50", s.P50)
			latency("p99", s.P99)
			latency("max", s.Max)
		}
		draw := func(title, unit, kind string, names ...string) {
			c := &chart{Title: title, X: "time", Unit: unit}
			for _, n := range names {
				c.Series = append(c.Series, series{Label: n, Kind: kind, T: t, V: columns[n]})
			}
			w.Charts = append(w.Charts, v.chart(c))
		}
		names := []string{"begun", "succeeded"}
		if failed > 0 {
			names = append(names, "failed")
		}
		draw("Requests", "1/s", "step", names...)
		draw("Latency", "s", "line", "p50", "p99", "max")
		draw("In flight at most", "requests", "step", "in flight")
	}
	if len(r.Histogram) > 1 {
		s := series{Label: "requests", Kind: "bars"}
		for _, b := range r.Histogram {
			s.T, s.V = append(s.T, seconds(b.LE)), append(s.V, value(float64(b.Count)))
		}
		w.Charts = append(w.Charts, v.chart(&chart{Title: "Distribution of the latency", X: "duration", Unit: "requests", Series: []series{s}}))
	}
}

// lists are the lists of objects in the results, but for those that charts show.
func lists(raw json.RawMessage) []listView {
	var members report.Members[json.RawMessage]
	if json.Unmarshal(raw, &members) != nil {
		return nil
	}
	var out []listView
	for _, m := range members {
		var elements []json.RawMessage
		if m.Name == "seconds" || m.Name == "histogram" || json.Unmarshal(m.Value, &elements) != nil || len(elements) == 0 {
			continue
		}
		if l := newList(m.Name, elements); len(l.Columns) > 0 {
			out = append(out, l)
		}
	}
	return out
}

func newList(name string, elements []json.RawMessage) listView {
	l := listView{Name: name, Left: max(0, len(elements)-maxRowsOfList)}
	var rows []map[string]string
	for _, e := range elements[:len(elements)-l.Left] {
		row := map[string]string{}
		flatten("", e, func(name, value string) {
			if name == "" {
				return
			}
			if !slices.Contains(l.Columns, name) {
				l.Columns = append(l.Columns, name)
			}
			row[name] = value
		})
		rows = append(rows, row)
	}
	for _, row := range rows {
		cells := make([]string, len(l.Columns))
		for i, c := range l.Columns {
			cells[i] = row[c]
		}
		l.Rows = append(l.Rows, cells)
	}
	return l
}

// counterView is a node with its counters that are not 0.
type counterView struct {
	Name, Kind string
	Figures    []figure
}

// newCounters reads the counters of nodes.
func newCounters(f *report.Folder) []counterView {
	var out []counterView
	for _, n := range f.Results.Nodes {
		c := counterView{Name: n.Name}
		flatten("", n.Value, func(name, value string) {
			switch {
			case name == "kind":
				c.Kind = value
			case value != "0":
				c.Figures = append(c.Figures, figure{name, value})
			}
		})
		out = append(out, c)
	}
	return out
}

// faultResults says what became of faults: how often they came up, and what rules found.
func faultResults(f *report.Folder) listView {
	var elements []json.RawMessage
	for _, m := range f.Results.Faults {
		name, err := json.Marshal(m.Name)
		if object := bytes.TrimPrefix(bytes.TrimSpace(m.Value), []byte("{")); err == nil && len(object) > 1 {
			elements = append(elements, fmt.Appendf(nil, `{"fault":%s,%s`, name, object))
		}
	}
	if len(elements) == 0 {
		return listView{}
	}
	return newList("faults", elements)
}
