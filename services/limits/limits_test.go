package limits

import (
	"fmt"
	nethttp "net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"netlab/units"
)

// A bucket of 3 that gets 2 a second lets a burst of 3 pass and then 2 a second, and says how long to wait.
func TestTokenBucket(t *testing.T) {
	b := newBuckets(2, 3, 10)
	now := time.Unix(0, 0)
	for range 3 {
		require.Zero(t, b.take("a", now))
	}
	require.Equal(t, 500*time.Millisecond, b.take("a", now))
	require.Zero(t, b.take("b", now), "another client has a bucket of its own")
	require.Equal(t, 250*time.Millisecond, b.take("a", now.Add(250*time.Millisecond)))
	require.Zero(t, b.take("a", now.Add(500*time.Millisecond)))
	passed := 0
	for i := range 1000 { // 100 a second for 10 s
		if b.take("a", now.Add(time.Second).Add(time.Duration(i)*10*time.Millisecond)) == 0 {
			passed++
		}
	}
	require.Equal(t, 20, passed, "1 that was there already, and 2 for each of 9.99 s less what began")
}

// The bucket of whoever has asked for nothing for longest makes room.
func TestBucketsAreBounded(t *testing.T) {
	b := newBuckets(rate.Limit(1), 1, 2)
	now := time.Unix(0, 0)
	require.Zero(t, b.take("a", now))
	require.Zero(t, b.take("b", now))
	require.NotZero(t, b.take("a", now))
	require.Zero(t, b.take("c", now))
	require.Equal(t, 2, len(b.by))
	require.NotZero(t, b.take("a", now))
	require.Zero(t, b.take("b", now), "it was forgotten")
}

func request(remote string, header ...string) *nethttp.Request {
	r := httptest.NewRequest("GET", "http://server/", nil)
	r.RemoteAddr = remote
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func TestClients(t *testing.T) {
	for _, c := range []struct {
		config Config
		r      *nethttp.Request
		want   string
	}{
		{Config{}, request("192.0.2.7:1234"), "192.0.2.7"},
		{Config{Prefix4: 24}, request("192.0.2.7:1234"), "192.0.2.0"},
		{Config{}, request("[2001:db8::1:2]:1234"), "2001:db8::"},
		{Config{Prefix6: 128}, request("[2001:db8::1:2]:1234"), "2001:db8::1:2"},
		{Config{Client: forwarded}, request("192.0.2.7:1", "X-Forwarded-For", "203.0.113.9, 198.51.100.2"), "198.51.100.2"},
		{Config{Client: forwarded}, request("192.0.2.7:1", "X-Forwarded-For", "198.51.100.2", "X-Forwarded-For", "198.51.100.3"), "198.51.100.3"},
		{Config{Client: forwarded}, request("192.0.2.7:1"), "192.0.2.7"},
		{Config{Client: forwarded}, request("192.0.2.7:1", "X-Forwarded-For", "[2001:db8::1]:80"), "2001:db8::"},
		{Config{Client: "header:X-Key"}, request("192.0.2.7:1", "X-Key", "k1"), "k1"},
	} {
		require.Equal(t, c.want, c.config.client(c.r))
	}
}

// The adaptive limit grows by one for each limit's worth of requests in time, and falls by a tenth when one is late, once per latency.
func TestAdaptive(t *testing.T) {
	a := adaptive{limit: 10, target: 100 * time.Millisecond}
	for range 10 {
		a.observe(time.Second, 50*time.Millisecond, 10)
	}
	require.InDelta(t, 11, a.limit, 0.05)
	before := a.limit
	a.observe(time.Second, 50*time.Millisecond, 2)
	require.Equal(t, before, a.limit, "nobody is near it")
	a.observe(2*time.Second, 200*time.Millisecond, 11)
	require.Equal(t, before*decrease, a.limit)
	a.observe(2100*time.Millisecond, 200*time.Millisecond, 11)
	require.Equal(t, before*decrease, a.limit, "what is late now began before")
	a.observe(2200*time.Millisecond, 200*time.Millisecond, 11)
	require.Equal(t, before*decrease*decrease, a.limit)
	for range 1000 {
		a.observe(a.shrunk+time.Hour, time.Minute, 1)
	}
	require.Equal(t, 1.0, a.limit)
}

func TestRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{Rate: 0.5, Burst: 1, Exempt: []string{"/health", "/static/"}})
		l.buckets = newBuckets(0.5, 1, 10)
		served := 0
		ask := func(path string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			r := request("192.0.2.1:1")
			r.URL.Path = path
			if path == "/" && served > 0 {
				_, ok := l.Admit(w, r)
				require.False(t, ok)
				return w
			}
			l.Handler(nethttp.HandlerFunc(func(nethttp.ResponseWriter, *nethttp.Request) { served++ })).ServeHTTP(w, r)
			return w
		}
		for range 3 {
			require.Equal(t, 200, ask("/health").Code)
			require.Equal(t, 200, ask("/static/x").Code)
		}
		require.Zero(t, l.buckets.take(l.config.client(request("192.0.2.1:1")), time.Now()))
		w := ask("/")
		require.Equal(t, nethttp.StatusTooManyRequests, w.Code)
		require.Equal(t, "2", w.Header().Get("Retry-After"))
		require.Equal(t, &Result{RateLimited: 1}, l.Result())
	})
}

func TestNothingLimited(t *testing.T) {
	l := New(Config{RetryAfter: units.Duration(time.Second)})
	require.Nil(t, l)
	require.Nil(t, l.Result())
	l.Start(nil)
	leave, ok := l.Admit(nil, nil)
	require.True(t, ok)
	leave()
	require.Nil(t, l.Listener(nil))
}

func TestValidate(t *testing.T) {
	valid := Config{Rate: 1, Burst: 3, Client: "header:X-Key", MaxInFlight: 3, Exempt: []string{"/"}}
	require.NoError(t, valid.Validate("limits"))
	for want, c := range map[string]Config{
		"limits.burst: found 3, but without rate":                 {Burst: 3},
		"limits.total_burst: found 3, but without total_rate":     {TotalBurst: 3},
		"limits.max_clients: found 3, but without rate":           {MaxClients: 3},
		"limits.client: \"nobody\" is none":                       {Rate: 1, Client: "nobody"},
		"limits.client: \"header:\" names no header field":        {Rate: 1, Client: "header:"},
		"limits.client: found \"address\", but without rate":      {Client: "address", MaxInFlight: 1},
		"limits.prefix4: found 33, wanted 1 to 32":                {Rate: 1, Prefix4: 33},
		"limits.max_in_flight: found -1, wanted 1":                {MaxInFlight: -1},
		"limits.target_latency: found 1s, but max_in_flight":      {MaxInFlight: 1, TargetLatency: units.Duration(time.Second)},
		"limits.exempt: \"health\" is not a path":                 {Rate: 1, Exempt: []string{"health"}},
		"limits.exempt: nothing is limited that a path":           {Exempt: []string{"/health"}},
		"limits.retry_after: found -1ns, wanted 0s or more":       {Rate: 1, RetryAfter: -1},
		"limits.client: prefix4 and prefix6 say which addresses":  {MaxInFlight: 1, Prefix4: 24},
		"limits.max_connections: found 2147483648, wanted 1 to 1": {MaxConnections: 1 << 31},
	} {
		require.ErrorContains(t, c.Validate("limits"), want)
	}
}

// BenchmarkBuckets takes tokens of 100,000 clients in turn.
func BenchmarkBuckets(b *testing.B) {
	const clients = 100_000
	names := make([]string, clients)
	for i := range names {
		names[i] = fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)
	}
	buckets := newBuckets(1, 1, clients)
	now := time.Unix(0, 0)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		buckets.take(names[i%clients], now)
	}
}
