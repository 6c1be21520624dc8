package clients_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/miekg/dns"

	"netlab"
)

// requests plays a lab with a workload "load" again and again; body may serve in it. It reports requests per second of real time.
func requests(b *testing.B, file string, body func(run *netlab.Run) error) {
	labs, err := netlab.Parse("bench.json", []byte(file), nil)
	if err != nil {
		b.Fatal(err)
	}
	var total float64
	for b.Loop() {
		r, err := labs[0].Run(context.Background(), nil, body)
		if err != nil {
			b.Fatal(err)
		}
		for _, e := range r.Expect {
			if !e.Holds {
				b.Fatal(e)
			}
		}
		total += 20_000
	}
	b.ReportMetric(total/b.Elapsed().Seconds(), "requests/s")
}

// lab is a file with a client and a server on a link of 1 ms and a workload that makes 20,000 requests.
func lab(service, workload string) string {
	return fmt.Sprintf(`{
		"nodes": {"client": {}, "server": {"services": {%s}}},
		"links": [{"between": "client - server", "latency": "1ms"}], "captures": {"nodes": []}, "duration": "10s",
		"workloads": {"load": {"from": "client", "requests": 20000, %s}},
		"expect": ["load.succeeded == 20000"]
	}`, service, workload)
}

// BenchmarkTCPRequests makes requests of 100 bytes, on a connection for each of ten users.
func BenchmarkTCPRequests(b *testing.B) {
	requests(b, lab(`"echo": {"type": "tcp-echo"}`, `"type": "tcp-load", "to": "server", "users": 10`), nil)
}

// BenchmarkUDPRequests makes requests of 100 bytes.
func BenchmarkUDPRequests(b *testing.B) {
	requests(b, lab(`"echo": {"type": "udp-echo"}`, `"type": "udp-load", "to": "server", "users": 10`), nil)
}

// BenchmarkHTTPRequests gets objects of 1 kB over HTTP/1.1.
func BenchmarkHTTPRequests(b *testing.B) {
	requests(b, lab(`"web": {"type": "http-server", "objects": "1kB"}`, `"type": "http-load", "url": "http://server/", "users": 10`), nil)
}

// BenchmarkDNSQueries asks for an address. The server answers as fast as it can.
func BenchmarkDNSQueries(b *testing.B) {
	serve := func(run *netlab.Run) error {
		conn, err := run.Host("server").ListenPacket("udp", ":53")
		if err != nil {
			return err
		}
		defer conn.Close()
		in := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFrom(in)
			if err != nil {
				return nil
			}
			var q, a dns.Msg
			if err := q.Unpack(in[:n]); err != nil {
				return err
			}
			a.SetReply(&q)
			a.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60}, A: []byte{192, 0, 2, 1}}}
			out, err := a.Pack()
			if err != nil {
				return err
			}
			conn.WriteTo(out, from)
		}
	}
	requests(b, lab("", `"type": "dns-load", "to": "server", "names": ["www.lab"], "users": 10`), serve)
}

// BenchmarkKVRequests gets values of 100 bytes from a cache that speaks RESP, or puts them there.
func BenchmarkKVRequests(b *testing.B) {
	requests(b, lab(`"kv": {"type": "kv-cache"}`, `"type": "kv-load", "to": "server", "keys": {"count": 100}, "writes": "10%", "users": 10`), nil)
}
