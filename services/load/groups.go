package load

import (
	"time"

	"netlab/services/figures"
	"netlab/units"
)

// groups counts requests by a name, such as a status.
type groups map[string]*group

type group struct {
	succeeded, failed, bytes uint64
	latency                  *figures.Histogram
}

// count counts a request. Those without a name are in no group.
func (g *groups) count(name string, latency time.Duration, o *Outcome) {
	if name == "" {
		return
	}
	if *g == nil {
		*g = groups{}
	}
	found := (*g)[name]
	if found == nil {
		found = &group{latency: figures.NewCoarse()}
		(*g)[name] = found
	}
	if o.OK() {
		found.succeeded++
	} else {
		found.failed++
	}
	found.bytes += uint64(o.Bytes)
	found.latency.Add(latency)
}

// Group is a part of the requests that are over: those with one status or one target.
type Group struct {
	Succeeded uint64      `json:"succeeded"`
	Failed    uint64      `json:"failed"`
	Bytes     units.Bytes `json:"bytes"`
	// Share is the group's share of all requests that are over.
	Share *units.Probability `json:"share"`
	// Latency is that of all requests of the group, also of failed ones; its percentiles are within 0.8 %.
	Latency *figures.Summary `json:"latency"`
}

func (g groups) result(all uint64) map[string]Group {
	out := map[string]Group{}
	for name, x := range g {
		out[name] = Group{Succeeded: x.succeeded, Failed: x.failed, Bytes: units.Bytes(x.bytes),
			Share: figures.Share(x.succeeded+x.failed, all), Latency: x.latency.Summary()}
	}
	return out
}
