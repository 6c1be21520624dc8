package httpcache

import (
	"context"
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// origin is a next server that a test describes by a function.
type origin func(r *nethttp.Request) (*nethttp.Response, error)

func (o origin) RoundTrip(r *nethttp.Request) (*nethttp.Response, error) { return o(r) }

// says makes a response with fields "Name: value" and content.
func says(status int, body string, fields ...string) *nethttp.Response {
	h := nethttp.Header{"Date": {time.Now().UTC().Format(nethttp.TimeFormat)}}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		h.Add(name, value)
	}
	return &nethttp.Response{StatusCode: status, Header: h, Proto: "HTTP/1.1", ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body))}
}

// rig is a cache in a bubble, in which time.Now is the virtual time.
type rig struct {
	t     *testing.T
	cache *Cache
	asked []*nethttp.Request // by the cache, of the origin
	mu    sync.Mutex
}

// in runs a test in a bubble with a cache before an origin.
func in(t *testing.T, config Config, shared bool, o origin, body func(g *rig)) {
	synctest.Test(t, func(t *testing.T) {
		g := &rig{t: t}
		g.renew(config, shared, o, nil)
		body(g)
	})
}

func (g *rig) renew(config Config, shared bool, o origin, counters *Counters) {
	require.NoError(g.t, config.Validate("cache"))
	c, err := New(config, Options{Shared: shared, Now: time.Now, Name: "edge", Counters: counters, Go: func(fn func()) { go fn() },
		Next: origin(func(r *nethttp.Request) (*nethttp.Response, error) {
			g.mu.Lock()
			g.asked = append(g.asked, r)
			g.mu.Unlock()
			return o(r)
		})})
	require.NoError(g.t, err)
	g.cache = c
}

// answer is what a client got.
type answer struct {
	status int
	header nethttp.Header
	body   string
	err    error
	what   Status
	took   time.Duration
}

// get makes a request with fields.
func (g *rig) get(url string, fields ...string) answer { return g.do("GET", url, fields...) }

func (g *rig) do(method, url string, fields ...string) answer {
	return g.doContext(context.Background(), method, url, fields...)
}

func (g *rig) doContext(ctx context.Context, method, url string, fields ...string) answer {
	start := time.Now()
	r, err := nethttp.NewRequestWithContext(ctx, method, url, nil)
	require.NoError(g.t, err)
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		r.Header.Add(name, value)
	}
	response, what, err := g.cache.Fetch(r)
	if err != nil {
		return answer{err: err, what: what, took: time.Since(start)}
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	return answer{response.StatusCode, response.Header, string(body), err, what, time.Since(start)}
}

// slow is a body that comes piece by piece, one each second, and may break off.
type slow struct {
	ctx    context.Context
	pieces []string
	breaks bool
	closed bool
}

var errBroken = errors.New("broken off")

func (s *slow) Read(p []byte) (int, error) {
	if len(s.pieces) == 0 {
		if s.breaks {
			return 0, errBroken
		}
		return 0, io.EOF
	}
	select {
	case <-time.After(time.Second):
	case <-s.ctx.Done():
		return 0, fmt.Errorf("slow: %w", s.ctx.Err())
	}
	n := copy(p, s.pieces[0])
	s.pieces = s.pieces[1:]
	return n, nil
}

func (s *slow) Close() error {
	s.closed = true
	return nil
}
