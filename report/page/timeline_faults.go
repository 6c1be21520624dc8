package page

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"netlab/report"
	"netlab/units"
)

// verbs are the names of faults in the file, but for those that are instantaneous: what they do shows in what follows.
var verbs = []string{"cut", "restore", "flap", "set", "partition", "heal", "crash", "restart", "pause", "resume", "slow", "skew", "drift", "fail_dns",
	"fill_disk", "slow_disk", "fail_sync", "skip_sync", "tear_writes", "corrupt_disk", "pass", "drop", "delay", "duplicate", "corrupt", "truncate", "reset", "reject"}

// faults adds a row for each fault of the file, with the times that the file says.
func (t *timeline) faults(f *report.Folder) {
	for i, raw := range f.Topology.Faults {
		var s struct {
			Name  string `json:"name"`
			At    string `json:"at"`
			For   string `json:"for"`
			Every string `json:"every"`
			Times int    `json:"times"`
		}
		var members report.Members[json.RawMessage]
		if json.Unmarshal(raw, &s) != nil || json.Unmarshal(raw, &members) != nil {
			continue
		}
		verb, what := "fault", ""
		for _, m := range members {
			if slices.Contains(verbs, m.Name) {
				verb, what = m.Name, faultText(m.Value)
			}
		}
		if on, ok := members.Get("link"); ok {
			what += " on " + plain(on)
		}
		name := s.Name
		if name == "" {
			name = fmt.Sprintf("%s-%d", verb, i+1)
		}
		r := &row{Label: name, Class: "fault"}
		at, _ := units.ParseDuration(s.At) // "" is 0
		about := short(strings.TrimSpace(strings.ReplaceAll(verb, "_", " ")+" "+what), 160)
		bars := t.repeated(at.Std(), s.For, s.Every, s.Times, instant(verb))
		if atRandom(s.For) || atRandom(s.Every) {
			if h := t.happened(f, verb, name, at.Std(), members); h != nil {
				bars = h
			}
		}
		if times, ok := happenings(f, name); ok && times < len(bars) {
			bars = bars[:times]
		}
		for _, b := range bars {
			b.Text = fmt.Sprintf("%s: %s, from %s", name, about, printDuration(b.from))
			switch {
			case b.Open:
				b.Text = fmt.Sprintf("%s: %s, from %s, for %s", name, about, printDuration(b.from), s.For)
			case b.Point:
				b.Text = fmt.Sprintf("%s: %s at %s", name, about, printDuration(b.from))
			case s.For != "" || b.to < t.length:
				b.Text += " to " + printDuration(b.to)
			}
			r.Bars = append(r.Bars, b)
		}
		if len(r.Bars) == 0 {
			r.Bars = []bar{t.point(at.Std(), fmt.Sprintf("%s: %s at %s, which did not happen", name, about, printDuration(at.Std())))}
		}
		t.add(r)
	}
}

// instant says whether a fault is over at once.
func instant(verb string) bool {
	return slices.Contains([]string{"restore", "heal", "restart", "resume", "corrupt_disk"}, verb)
}

// repeated are the times of a fault that the file says. Of a rule whose times are drawn at random, which no event tells, the bar is open,
// or only the first one is there.
func (t *timeline) repeated(at time.Duration, lasting, every string, times int, instant bool) []bar {
	length, lengthErr := units.ParseDuration(lasting)
	period, periodErr := units.ParseDuration(every)
	var list []bar
	for n := 0; at < t.length && n < maxBars+1; n++ {
		var b bar
		switch {
		case instant:
			b = t.point(at, "")
		case lasting == "":
			b = t.bar(at, t.length, "")
		case lengthErr != nil:
			b = t.bar(at, t.length, "")
			b.Open = true
		default:
			b = t.bar(at, min(at+length.Std(), t.length), "")
		}
		list = append(list, b)
		if every == "" || periodErr != nil || period <= 0 || times > 0 && n+1 >= times {
			break
		}
		at += max(period.Std(), length.Std())
	}
	return list
}

// faultText is what a verb is about: names joined, groups parted by bars.
func faultText(raw json.RawMessage) string {
	var groups [][]string
	if json.Unmarshal(raw, &groups) == nil {
		var parts []string
		for _, g := range groups {
			parts = append(parts, strings.Join(g, ", "))
		}
		return strings.Join(parts, " | ")
	}
	var names []string
	if json.Unmarshal(raw, &names) == nil {
		return strings.Join(names, ", ")
	}
	return plain(raw)
}

// atRandom says whether a time of the file is drawn for each run.
func atRandom(text string) bool {
	_, err := units.ParseDuration(text)
	return text != "" && err != nil
}

// happenings is how often a fault happened, if the results say so.
func happenings(f *report.Folder, name string) (n int, ok bool) {
	raw, _ := f.Results.Faults.Get(name)
	var r struct {
		Times *int `json:"times"`
	}
	if json.Unmarshal(raw, &r) != nil || r.Times == nil {
		return 0, false
	}
	return *r.Times, true
}

// told are the kinds of events that tell when a fault begins and ends. Where both are the same they take turns.
var told = map[string][2]string{
	"cut": {"link-down", "link-up"}, "flap": {"link-down", "link-up"}, "partition": {"partition", "heal"}, "crash": {"crash", "restart"},
	"pause": {"pause", "resume"}, "set": {"set", "set"}, "slow": {"slow", "slow"}, "skew": {"clock", "clock"}, "drift": {"clock", "clock"},
	"fail_dns": {"dns", "dns"}, "fill_disk": {"disk", "disk"}, "slow_disk": {"disk", "disk"}, "fail_sync": {"disk", "disk"}, "skip_sync": {"disk", "disk"},
	"tear_writes": {"disk", "disk"},
}

// happened are the times at which the events say that a fault was in force: from its first time on, on what it is about, but for what began
// together with another fault whose times the file says. It is nil if no event tells of such faults.
func (t *timeline) happened(f *report.Folder, verb, name string, first time.Duration, members report.Members[json.RawMessage]) []bar {
	kinds, ok := told[verb]
	if !ok {
		return nil
	}
	targets := targetsOf(verb, members)
	others := t.others(f, verb, targets)
	bars := []bar{}
	since := map[string]time.Duration{}
	end := func(from, to time.Duration) {
		if from >= first && !slices.Contains(others, from) {
			bars = append(bars, t.bar(from, to, ""))
		}
	}
	for i := range f.Events {
		ev := &f.Events[i]
		about := subject(ev)
		switch {
		case ev.Kind != kinds[0] && ev.Kind != kinds[1]:
			continue
		case verb == "partition":
			if about != name {
				continue
			}
		case !anyMatches(targets, ev.Link+ev.Node):
			continue
		}
		from, open := since[about]
		switch {
		case open && ev.Kind == kinds[1]:
			delete(since, about)
			end(from, ev.At())
		case !open && ev.Kind == kinds[0]:
			since[about] = ev.At()
		}
	}
	for _, from := range since {
		end(from, t.length)
	}
	// Both directions of a link, and several nodes at once, are one time.
	slices.SortFunc(bars, func(a, b bar) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	var list []bar
	for _, b := range bars {
		if n := len(list); n > 0 && b.from < list[n-1].to || n > 0 && b.from == list[n-1].from {
			list[n-1] = t.bar(list[n-1].from, max(list[n-1].to, b.to), "")
			continue
		}
		list = append(list, b)
	}
	return list
}

// others are the times of faults of the same events on the same targets, as far as the file says them.
func (t *timeline) others(f *report.Folder, verb string, targets []string) []time.Duration {
	var list []time.Duration
	for _, raw := range f.Topology.Faults {
		var s struct {
			At    string `json:"at"`
			For   string `json:"for"`
			Every string `json:"every"`
			Times int    `json:"times"`
		}
		var members report.Members[json.RawMessage]
		if json.Unmarshal(raw, &s) != nil || json.Unmarshal(raw, &members) != nil || atRandom(s.For) || atRandom(s.Every) {
			continue
		}
		for other, kinds := range told {
			if _, ok := members.Get(other); !ok || kinds != told[verb] {
				continue
			}
			if !slices.ContainsFunc(targetsOf(other, members), func(name string) bool { return slices.Contains(targets, name) }) {
				continue
			}
			at, _ := units.ParseDuration(s.At)
			for _, b := range t.repeated(at.Std(), s.For, s.Every, s.Times, false) {
				list = append(list, b.from)
			}
		}
	}
	return list
}

// targetsOf are the names, or patterns of names, of what a fault is about.
func targetsOf(verb string, members report.Members[json.RawMessage]) []string {
	raw, _ := members.Get(verb)
	if verb == "set" {
		raw, _ = members.Get("link")
	}
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}
	}
	var list []string
	_ = json.Unmarshal(raw, &list) // what isn't a list of names is about none of them
	return list
}

// anyMatches says whether a name is one of some, or fits a pattern among them.
func anyMatches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		fits, err := path.Match(strings.ReplaceAll(p, "[*]", "*"), name)
		return p == name || err == nil && fits
	})
}
