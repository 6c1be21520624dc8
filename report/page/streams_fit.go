package page

import (
	"cmp"
	"encoding/json"
	"slices"

	"netlab/captures/analysis"
)

// byInterest sorts connections: those with most segments sent again first, then those with most payload, then in order of time.
func byInterest(list []*analysis.Stream) []*analysis.Stream {
	payload := func(s *analysis.Stream) uint64 {
		v := s.Views[s.Best]
		return v.Sides[analysis.Client].Bytes + v.Sides[analysis.Server].Bytes
	}
	return slices.SortedStableFunc(slices.Values(list), func(a, b *analysis.Stream) int {
		return cmp.Or(cmp.Compare(len(b.Repeats), len(a.Repeats)), cmp.Compare(payload(b), payload(a)))
	})
}

// fewestPoints is how few points a plot may have before it is left out.
const fewestPoints = 64

// fit gives the streams their plots, at the finest level of the pyramid at which all of them take at most budget bytes of JSON: a
// level halves the points that a plot may have. At the end of that, plots are left out from the last stream on, and then streams.
func (s *streams) fit(tracks map[int]*trace, budget int) ([]limit, error) {
	all, shown, plots := 0, 0, 0
	for _, one := range s.List {
		if t := tracks[one.Index]; t != nil {
			all += t.frames
			plots++
		}
	}
	available := plots
	fits := func(points int) (bool, error) {
		shown = 0
		for i, one := range s.List {
			if one.Plot = nil; i >= plots {
				one.Telemetry = [2]*probes{}
				continue
			}
			one.Plot = tracks[one.Index].plot(points)
			shown += len(one.Plot.T)
			for _, p := range one.Telemetry {
				p.thin(points)
			}
		}
		data, err := json.Marshal(s)
		return len(data) <= budget, err
	}
	ok, err := fits(mostPoints)
	for points := mostPoints / 2; !ok && err == nil && points >= fewestPoints; points /= 2 {
		ok, err = fits(points)
	}
	for !ok && err == nil && plots > 0 {
		plots /= 2
		ok, err = fits(fewestPoints)
	}
	for !ok && err == nil && len(s.List) > 0 {
		s.List = s.List[:len(s.List)/2]
		ok, err = fits(fewestPoints)
	}
	if err != nil {
		return nil, err
	}
	var limits []limit
	if len(s.List) < s.Count {
		limits = append(limits, limit{
			What: "TCP connections", Shown: len(s.List), Of: s.Count,
			Text: "those with most segments sent again, then those with most payload; netlab inspect lists all",
		})
	}
	if plots < len(s.List) {
		limits = append(limits, limit{
			What: "plots of TCP connections", Shown: plots, Of: len(s.List),
			Text: "those with most segments sent again, then those with most payload",
		})
	}
	if plots == available && shown < all {
		limits = append(limits, limit{
			What: "segments in the plots of TCP connections", Shown: shown, Of: all,
			Text: "neighbours became one that spans them, but for those that open, close, reset, were lost or were sent again",
		})
	}
	return limits, nil
}
