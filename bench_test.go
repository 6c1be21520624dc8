package netlab_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"testing"

	"netlab"
	"netlab/services/load"
)

// bulk sends bytes from client to server and waits until all have arrived.
func bulk(run *netlab.Run, size int64) error {
	l, err := run.Host("server").Listen("tcp", ":9")
	if err != nil {
		return err
	}
	defer l.Close()
	run.Go(func() error {
		c, err := run.Host("client").Dial("tcp", "server:9")
		if err != nil {
			return err
		}
		defer c.Close()
		b := make([]byte, 64<<10)
		for sent := int64(0); sent < size; {
			n, err := c.Write(b[:min(int64(len(b)), size-sent)])
			if err != nil {
				return err
			}
			sent += int64(n)
		}
		return nil
	})
	s, err := l.Accept()
	if err != nil {
		return err
	}
	defer s.Close()
	n, err := io.Copy(io.Discard, s)
	if err == nil && n != size {
		err = fmt.Errorf("%d of %d bytes arrived", n, size)
	}
	return err
}

// BenchmarkBulk moves data over one link; packets are frames on the wire.
func BenchmarkBulk(b *testing.B) {
	for name, c := range map[string]struct {
		link string
		size int64
	}{
		"20MB-100Mbit-100ms":         {`"latency": "50ms", "rate": "100Mbit/s"`, 20e6},
		"5MB-1%loss-100ms":           {`"latency": "50ms", "rate": "100Mbit/s", "loss": "1%"`, 5e6},
		"20MB-100Mbit-100ms-no-rack": {`"latency": "50ms", "rate": "100Mbit/s"`, 20e6},
		"200MB-10Gbit":               {`"rate": "10Gbit/s"`, 200e6},
	} {
		b.Run(name, func(b *testing.B) {
			rack := ""
			if name == "20MB-100Mbit-100ms-no-rack" {
				rack = `"defaults": {"tcp": {"rack": false}},`
			}
			lab := parse(b, `{`+rack+`"nodes": {"client": {}, "server": {}}, "links": [{"between": "client - server", `+c.link+`}], "captures": {"nodes": []}}`)
			var frames uint64
			for b.Loop() {
				r, err := lab.Run(context.Background(), nil, func(run *netlab.Run) error { return bulk(run, c.size) })
				if err != nil {
					b.Fatal(err)
				}
				frames = r.Run.Frames
			}
			b.ReportMetric(float64(frames)*float64(b.N)/b.Elapsed().Seconds(), "packets/s")
		})
	}
}

// BenchmarkHosts fetches 10 KB from one server by hosts behind one router, building the lab included.
func BenchmarkHosts(b *testing.B) {
	for _, n := range []int{100, 1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			data, err := os.ReadFile(fmt.Sprintf("bench/star%d.json", n))
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				labs, err := netlab.Parse("star.json", data, nil)
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

// BenchmarkUsers is bench/users1000.json for six seconds instead of a minute: what an HTTP/1.1 request costs.
func BenchmarkUsers(b *testing.B) {
	data, err := os.ReadFile("bench/users1000.json")
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
