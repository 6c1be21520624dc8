package netlab_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"testing"

	"netlab"
	"netlab/services/load"
)

// BenchmarkScenario plays the scenarios of bench with one link or a dumbbell in this process, for profiles of them.
func BenchmarkScenario(b *testing.B) {
	for _, name := range []string{"a", "b", "c", "e"} {
		b.Run(name, func(b *testing.B) {
			data, err := os.ReadFile("bench/" + name + ".json")
			if err != nil {
				b.Fatal(err)
			}
			labs, err := netlab.Parse(name+".json", data, nil)
			if err != nil {
				b.Fatal(err)
			}
			frames := uint64(0)
			for b.Loop() {
				r, err := labs[0].Run(context.Background(), nil, nil)
				if err != nil || r.Verdict() != netlab.Holds {
					b.Fatal(err, r.Expect)
				}
				frames += r.Run.Frames
			}
			b.ReportMetric(float64(frames)/b.Elapsed().Seconds(), "packets/s")
		})
	}
}

// BenchmarkHosts fetches 10 KB from one server by hosts behind one router, building the lab included.
func BenchmarkHosts(b *testing.B) {
	for _, n := range []int{100, 1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			data, err := os.ReadFile(fmt.Sprintf("bench/d%d.json", n))
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				labs, err := netlab.Parse("d.json", data, nil)
				if err != nil {
					b.Fatal(err)
				}
				r, err := labs[0].Run(context.Background(), nil, nil)
				if err != nil || r.Verdict() != netlab.Holds {
					b.Fatal(err, r.Expect)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/host")
		})
	}
}

// BenchmarkUsers is bench/users.json for six seconds instead of a minute: what an HTTP/1.1 request costs.
func BenchmarkUsers(b *testing.B) {
	data, err := os.ReadFile("bench/users.json")
	if err != nil {
		b.Fatal(err)
	}
	data = bytes.Replace(data, []byte(`"duration": "60s"`), []byte(`"duration": "6s"`), 1)
	requests := 0.0
	for b.Loop() {
		labs, err := netlab.Parse("users.json", data, nil)
		if err != nil {
			b.Fatal(err)
		}
		r, err := labs[0].Run(context.Background(), nil, nil)
		if err != nil {
			b.Fatal(err)
		}
		browse, _ := r.Workloads.Get("browse")
		requests += float64(browse.Report.(*load.Result).Requests)
	}
	b.ReportMetric(requests/b.Elapsed().Seconds(), "requests/s")
}
