package http_test

import (
	"io"
	nethttp "net/http"
	"testing"

	"netlab/http"
	"netlab/internal/testlab"
	"netlab/tcp"
	"netlab/tls"
)

// benchmark makes b.N requests for 10 kB, one after the other, over a link of 1 ms.
func benchmark(b *testing.B, secure bool, version http.Version) {
	b.ReportAllocs()
	// Time inside is virtual, so the clock outside runs for all of it.
	testlab.Run(new(testing.T), testlab.Config{Forward: testlab.Wire(ms, 0)}, func(_ *testing.T, l *testlab.Lab) {
		content := make([]byte, 10_000)
		handler := nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) { w.Write(content) })
		server, client := &http.ServerOptions{H2C: true}, &http.TransportOptions{Version: version}
		url := "http://b:80/"
		if secure {
			url = "https://b:80/"
			var err error
			if server.TLS, err = l.Authority.Server(tls.Server{Party: tls.Party{Name: "b"}, Subject: tls.Subject{Names: []string{"b"}}}); err != nil {
				b.Fatal(err)
			}
			if client.TLS, err = l.Authority.Client(tls.Client{Party: tls.Party{Name: "a"}}); err != nil {
				b.Fatal(err)
			}
		}
		listener, err := tcp.Listen(l.B, ":80")
		if err != nil {
			b.Fatal(err)
		}
		l.B.Go(func() { http.Serve(l.Context(), listener, handler, server) })
		transport := http.NewTransport(l.A, client)
		defer transport.CloseIdleConnections()
		for range b.N {
			request, err := nethttp.NewRequestWithContext(l.Context(), "GET", url, nil)
			if err != nil {
				b.Fatal(err)
			}
			response, err := transport.RoundTrip(request)
			if err != nil {
				b.Fatal(err)
			}
			io.Copy(io.Discard, response.Body)
			response.Body.Close()
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

func BenchmarkHTTP1(b *testing.B)  { benchmark(b, false, http.HTTP1) }
func BenchmarkHTTP2(b *testing.B)  { benchmark(b, false, http.H2C) }
func BenchmarkHTTPS(b *testing.B)  { benchmark(b, true, http.HTTP2) }
func BenchmarkHTTPS1(b *testing.B) { benchmark(b, true, http.HTTP1) }
