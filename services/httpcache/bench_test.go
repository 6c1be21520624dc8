package httpcache

import (
	"fmt"
	"io"
	nethttp "net/http"
	"strings"
	"testing"
	"time"
)

// cached makes requests of a cache, before which an origin answers at once, for one of so many URLs in turn.
func cached(b *testing.B, config Config, urls int, fields ...string) {
	const size = 1000
	body := strings.Repeat("x", size)
	c, err := New(config, Options{Now: time.Now, Shared: true, Next: origin(func(r *nethttp.Request) (*nethttp.Response, error) {
		return says(200, body, fields...), nil
	})})
	if err != nil {
		b.Fatal(err)
	}
	var requests []*nethttp.Request
	for i := range urls {
		r, err := nethttp.NewRequest("GET", fmt.Sprintf("http://site/%d", i), nil)
		if err != nil {
			b.Fatal(err)
		}
		requests = append(requests, r)
	}
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		response, err := c.RoundTrip(requests[n%urls])
		if err != nil {
			b.Fatal(err)
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
		n++
	}
	b.ReportMetric(float64(c.Result().Hits)/float64(n), "hits/op")
}

// BenchmarkHit answers from the store.
func BenchmarkHit(b *testing.B) { cached(b, Config{}, 100, "Cache-Control: max-age=86400") }

// BenchmarkMiss stores what nobody asks for again, and evicts for it.
func BenchmarkMiss(b *testing.B) {
	cached(b, Config{Size: 100_000}, 1000, "Cache-Control: max-age=86400")
}

// BenchmarkPass passes on what may not be stored.
func BenchmarkPass(b *testing.B) { cached(b, Config{}, 100, "Cache-Control: no-store") }
