package httpcache

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	nethttp "net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

const page = "http://site/page"

// One origin answers with max-age=10: ages count from the reception, a hit says them in whole seconds, and at an age of exactly
// 10 s the response is stale (fresh means that the lifetime is greater than the age).
func TestAgesAreExact(t *testing.T) {
	in(t, Config{}, true, func(r *nethttp.Request) (*nethttp.Response, error) {
		time.Sleep(40 * time.Millisecond)
		return says(200, "hello", "Cache-Control: max-age=10"), nil
	}, func(g *rig) {
		a := g.get(page)
		require.Equal(t, `edge; fwd=uri-miss; fwd-status=200; stored; ttl=9; key="http://site/page"`, a.header.Get("Cache-Status"))
		require.Equal(t, 40*time.Millisecond, a.took)
		time.Sleep(9959 * time.Millisecond) // the age is 40 ms more
		a = g.get(page)
		require.Equal(t, "hello", a.body)
		require.Equal(t, time.Duration(0), a.took)
		require.Equal(t, time.Millisecond, a.what.TTL)
		require.Equal(t, "9", a.header.Get("Age"))
		require.Equal(t, "edge; hit; ttl=0", a.header.Get("Cache-Status"))
		time.Sleep(time.Millisecond)
		a = g.get(page)
		require.Equal(t, Stale, a.what.Forward)
		require.Len(t, g.asked, 2)
		r := g.cache.Result()
		require.Equal(t, [4]uint64{3, 1, 2, 1}, [4]uint64{r.Requests, r.Hits, r.Misses, r.Entries})
		require.Equal(t, [3]units.Bytes{15, 10, 5}, [3]units.Bytes{r.BytesServed, r.BytesForwarded, r.BytesSaved})
	})
}

// The age that caches before this one say, and the time of the way, add up; a Date in the past counts if it says more.
func TestInitialAge(t *testing.T) {
	at := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		age, date string
		delay     time.Duration
		want      time.Duration
	}{
		{"", "", 0, 0},
		{"", "", 70 * time.Millisecond, 70 * time.Millisecond},
		{"30", "", 2 * time.Second, 32 * time.Second},
		{"30", "Mon, 31 Dec 2029 23:59:00 GMT", 2 * time.Second, 60 * time.Second},
		{"90", "Mon, 31 Dec 2029 23:59:00 GMT", 2 * time.Second, 92 * time.Second},
		{"", "Tue, 01 Jan 2030 00:01:00 GMT", 0, 0},
		{"-1", "", 0, 0},
	} {
		h := nethttp.Header{}
		if c.age != "" {
			h.Set("Age", c.age)
		}
		if c.date != "" {
			h.Set("Date", c.date)
		}
		require.Equal(t, c.want, initialAge(h, at.Add(-c.delay), at), c)
	}
}

// Ten requests at once are one at the origin, however long its answer takes; all get it as it comes.
func TestRequestsAreCollapsed(t *testing.T) {
	in(t, Config{}, true, func(r *nethttp.Request) (*nethttp.Response, error) {
		time.Sleep(time.Second)
		a := says(200, "", "Cache-Control: max-age=60")
		a.ContentLength, a.Body = 6, &slow{ctx: r.Context(), pieces: []string{"abc", "def"}}
		return a, nil
	}, func(g *rig) {
		var group sync.WaitGroup
		for i := range 10 {
			group.Go(func() {
				time.Sleep(time.Duration(i) * 250 * time.Millisecond) // the last ones join in the middle of the content
				a := g.get(page)
				require.Equal(t, "abcdef", a.body)
				require.Equal(t, i > 0, a.what.Collapsed)
				require.Equal(t, 3*time.Second-time.Duration(i)*250*time.Millisecond, a.took)
			})
		}
		group.Wait()
		require.Len(t, g.asked, 1)
		r := g.cache.Result()
		require.Equal(t, [4]uint64{10, 9, 1, 1}, [4]uint64{r.Misses, r.Collapsed, r.Forwarded, r.Stored})
		require.Equal(t, units.Bytes(6), r.BytesForwarded)
		require.Equal(t, units.Bytes(54), r.BytesSaved)
	})
}

// A response that only one client may have makes those who waited ask for themselves, and those who come later don't wait any more.
func TestWhatIsForOneIsNotShared(t *testing.T) {
	in(t, Config{}, true, func(r *nethttp.Request) (*nethttp.Response, error) {
		time.Sleep(time.Second)
		return says(200, "for one", "Cache-Control: private"), nil
	}, func(g *rig) {
		for round, longest := range []time.Duration{2 * time.Second, time.Second} {
			var group sync.WaitGroup
			start := time.Now()
			for range 5 {
				group.Go(func() { require.False(t, g.get(page).what.Collapsed) })
			}
			group.Wait()
			require.Equal(t, longest, time.Since(start), round)
		}
		require.Len(t, g.asked, 10)
		require.Empty(t, g.cache.Entries())
	})
}

// When the client whose request it was goes away, one of those who wait asks in its place; when it goes in the middle of the content, the
// others still get all of it.
func TestFirstClientLeaves(t *testing.T) {
	for _, after := range []time.Duration{500 * time.Millisecond, 2500 * time.Millisecond} {
		in(t, Config{}, true, func(r *nethttp.Request) (*nethttp.Response, error) {
			select {
			case <-time.After(time.Second):
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
			a := says(200, "", "Cache-Control: max-age=60")
			a.ContentLength, a.Body = -1, &slow{ctx: r.Context(), pieces: []string{"abc", "def"}}
			return a, nil
		}, func(g *rig) {
			var group sync.WaitGroup
			group.Go(func() {
				ctx, cancel := context.WithTimeout(context.Background(), after)
				defer cancel()
				require.ErrorIs(t, g.doContext(ctx, "GET", page).err, context.DeadlineExceeded)
			})
			group.Go(func() {
				time.Sleep(100 * time.Millisecond)
				a := g.get(page)
				require.NoError(t, a.err)
				require.Equal(t, "abcdef", a.body)
			})
			group.Wait()
			require.Len(t, g.asked, map[bool]int{true: 2, false: 1}[after < time.Second])
			require.Len(t, g.cache.Entries(), 1)
		})
	}
}

func TestBrokenOffIsNotStored(t *testing.T) {
	var body *slow
	breaks := true
	in(t, Config{}, false, func(r *nethttp.Request) (*nethttp.Response, error) {
		a := says(200, "", "Cache-Control: max-age=60")
		body = &slow{ctx: r.Context(), pieces: []string{"abc", "def"}, breaks: breaks}
		a.ContentLength, a.Body = -1, body
		return a, nil
	}, func(g *rig) {
		require.ErrorIs(t, g.get(page).err, errBroken)
		require.Empty(t, g.cache.Entries())
		breaks = false
		r, err := nethttp.NewRequest("GET", page, nil)
		require.NoError(t, err)
		response, err := g.cache.RoundTrip(r)
		require.NoError(t, err)
		_, err = io.ReadFull(response.Body, make([]byte, 3))
		require.NoError(t, err)
		require.NoError(t, response.Body.Close()) // the client doesn't want the rest
		require.True(t, body.closed)
		require.Empty(t, g.cache.Entries())
		require.Equal(t, "abcdef", g.get(page).body)
		require.Len(t, g.cache.Entries(), 1)
		require.Equal(t, uint64(2), g.cache.Result().Discarded)
	})
}

// A response whose length isn't known turns out to be too large: it is passed on and not stored, and takes no memory.
func TestTooLarge(t *testing.T) {
	in(t, Config{MaxObject: 4}, false, func(r *nethttp.Request) (*nethttp.Response, error) {
		a := says(200, "", "Cache-Control: max-age=60")
		a.ContentLength, a.Body = -1, &slow{ctx: r.Context(), pieces: []string{"abc", "def", "ghi"}}
		return a, nil
	}, func(g *rig) {
		require.Equal(t, "abcdefghi", g.get(page).body)
		require.Empty(t, g.cache.Entries())
		require.Empty(t, g.cache.flights)
	})
}

func TestStaleWhileRevalidate(t *testing.T) {
	version := "1"
	in(t, Config{}, true, func(r *nethttp.Request) (*nethttp.Response, error) {
		time.Sleep(time.Second)
		return says(200, version, "Cache-Control: max-age=10, stale-while-revalidate=5"), nil
	}, func(g *rig) {
		g.get(page)
		version = "2"
		time.Sleep(12 * time.Second)
		for range 3 { // one validation for all of them
			a := g.get(page)
			require.Equal(t, "1", a.body)
			require.Equal(t, time.Duration(0), a.took)
			require.Equal(t, "stale-while-revalidate", a.what.Detail)
		}
		time.Sleep(2 * time.Second)
		require.Equal(t, "2", g.get(page).body)
		time.Sleep(15 * time.Second) // past the five seconds
		require.Equal(t, time.Second, g.get(page).took)
		r := g.cache.Result()
		require.Equal(t, [4]uint64{3, 1, 3, 4}, [4]uint64{r.WhileRevalidate, r.Background, r.Forwarded, r.Hits})
		require.Equal(t, units.Bytes(6), r.BytesServed)
	})
}

func TestStaleIfError(t *testing.T) {
	status := 200
	answers := func(r *nethttp.Request) (*nethttp.Response, error) {
		if status == 0 {
			return nil, errBroken
		}
		return says(status, fmt.Sprint(status), "Cache-Control: max-age=10"), nil
	}
	in(t, Config{StaleIfError: units.Duration(30 * time.Second)}, true, answers, func(g *rig) {
		g.get(page)
		time.Sleep(5 * time.Second)
		for _, status = range []int{500, 502, 503, 504, 0} {
			time.Sleep(6 * time.Second)
			a := g.get(page)
			require.Equal(t, "200", a.body)
			require.Equal(t, status, a.what.ForwardStatus)
		}
		status = 404
		require.Equal(t, "404", g.get(page).body)
		status = 503
		time.Sleep(40*time.Second + 1)
		require.Equal(t, "503", g.get(page).body)
	})
}

func TestValidation(t *testing.T) {
	tag := `"1"`
	in(t, Config{}, false, func(r *nethttp.Request) (*nethttp.Response, error) {
		if r.Header.Get("If-None-Match") == tag {
			return says(304, "", "ETag: "+tag, "Cache-Control: max-age=20", "X-Seen: again"), nil
		}
		return says(200, "content", "ETag: "+tag, "Cache-Control: max-age=10"), nil
	}, func(g *rig) {
		g.get(page)
		time.Sleep(10 * time.Second)
		a := g.get(page)
		require.True(t, a.what.Validated)
		require.Equal(t, []any{200, "content", "again"}, []any{a.status, a.body, a.header.Get("X-Seen")})
		time.Sleep(19 * time.Second)
		require.True(t, g.get(page).what.Hit)
		require.Equal(t, 304, g.get(page, "If-None-Match: "+tag).status)
		require.Equal(t, 200, g.get(page, `If-None-Match: "2"`).status)
		part := g.get(page, "Range: bytes=2-4")
		require.Equal(t, []any{206, "nte", "bytes 2-4/7", "3"}, []any{part.status, part.body, part.header.Get("Content-Range"), part.header.Get("Content-Length")})
		require.Equal(t, 416, g.get(page, "Range: bytes=7-").status)
		require.Equal(t, "content", g.get(page, "Range: bytes=2-4", `If-Range: "2"`).body)
		head := g.do("HEAD", page)
		require.Equal(t, []any{200, ""}, []any{head.status, head.body})
		tag = `"2"`
		time.Sleep(time.Second)
		a = g.get(page)
		require.Equal(t, []any{false, "content", `"2"`}, []any{a.what.Validated, a.body, a.header.Get("ETag")})
		r := g.cache.Result()
		require.Equal(t, [4]uint64{7, 1, 2, 2}, [4]uint64{r.Hits, r.Revalidated, r.Misses, r.Stored})
	})
}

func TestVariantsAndPurge(t *testing.T) {
	in(t, Config{}, true, func(r *nethttp.Request) (*nethttp.Response, error) {
		language := r.Header.Get("Accept-Language")
		return says(200, language, "Cache-Control: max-age=60", "Vary: Accept-Language", "Surrogate-Key: all "+language, "Cache-Tag: "+r.URL.Path), nil
	}, func(g *rig) {
		fill := func() {
			for _, path := range []string{"/a", "/b/1", "/b/2"} {
				for _, language := range []string{"de", "en"} {
					require.Equal(t, language, g.get("http://site"+path, "Accept-Language: "+language).body)
				}
			}
			require.Len(t, g.cache.Entries(), 6)
		}
		fill()
		require.Equal(t, VaryMiss, g.get("http://site/a").what.Forward)
		require.True(t, g.get("http://SITE:80/a", "Accept-Language: de").what.Hit)
		e := g.cache.Entries()[0]
		require.Equal(t, []any{"http://site/a", []string{"Accept-Language: de"}, int64(2), []string{"all", "de", "/a"}, uint64(1)}, []any{e.URL, e.Vary, e.Length, e.Tags, e.Hits})
		require.Equal(t, 3, g.cache.PurgeURL("http://site:80/a"))
		require.Equal(t, 2, g.cache.PurgeTag("de"))
		require.Equal(t, 1, g.cache.PurgePrefix("http://site/b/2"))
		require.Equal(t, 1, g.cache.PurgeTag("/b/1"))
		fill()
		require.Equal(t, 6, g.cache.PurgeAll())
		require.Equal(t, uint64(13), g.cache.Result().Purged)
		require.Zero(t, g.cache.Result().Used)
	})
}

// What is purged while it is on its way is not stored, and who comes after the purge doesn't get it.
func TestPurgeOfWhatIsOnItsWay(t *testing.T) {
	n := 0
	in(t, Config{}, true, func(r *nethttp.Request) (*nethttp.Response, error) {
		n++
		a := says(200, "", "Cache-Control: max-age=60")
		a.ContentLength, a.Body = -1, &slow{ctx: r.Context(), pieces: []string{fmt.Sprint(n), "!"}}
		return a, nil
	}, func(g *rig) {
		var group sync.WaitGroup
		group.Go(func() { require.Equal(t, "1!", g.get(page).body) })
		time.Sleep(1500 * time.Millisecond)
		g.cache.PurgeURL(page)
		require.Equal(t, "2!", g.get(page).body)
		group.Wait()
		require.Equal(t, "2!", g.get(page).body)
	})
}

// A crash empties the cache; its figures go on.
func TestCountersOutliveTheCache(t *testing.T) {
	answers := func(r *nethttp.Request) (*nethttp.Response, error) {
		return says(200, "x", "Cache-Control: max-age=60"), nil
	}
	in(t, Config{}, true, answers, func(g *rig) {
		g.get(page)
		require.True(t, g.get(page).what.Hit)
		g.renew(Config{}, true, answers, g.cache.Counters())
		require.False(t, g.get(page).what.Hit)
		r := g.cache.Result()
		require.Equal(t, [3]uint64{3, 1, 2}, [3]uint64{r.Requests, r.Hits, r.Misses})
	})
}

// However random requests are, the store never holds more than it may, by any policy.
func TestBounds(t *testing.T) {
	for _, policy := range []string{"fifo", "lru", "lfu", "random", "2q", "arc", "tinylfu"} {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2))
			c, err := New(Config{Size: 50_000, MaxEntries: 40, Policy: policy}, Options{Now: time.Now, Random: rand.New(rand.NewPCG(3, 4)),
				Next: origin(func(r *nethttp.Request) (*nethttp.Response, error) {
					return says(200, strings.Repeat("x", random.IntN(5000)), "Cache-Control: max-age=60"), nil
				})})
			require.NoError(t, err)
			for range 5000 {
				r, err := nethttp.NewRequest("GET", fmt.Sprintf("http://site/%d", int(random.ExpFloat64()*30)), nil)
				require.NoError(t, err)
				response, err := c.RoundTrip(r)
				require.NoError(t, err)
				io.Copy(io.Discard, response.Body)
				response.Body.Close()
				held := int64(0)
				for _, e := range c.store.byID {
					held += e.size()
				}
				require.Equal(t, held, c.store.bytes.Used())
				require.LessOrEqual(t, held, int64(50_000))
				require.LessOrEqual(t, len(c.store.byID), 40)
				require.Equal(t, len(c.store.byID), c.store.number.Len())
				time.Sleep(time.Second)
			}
			r := c.Result()
			require.NotZero(t, r.Hits)
			require.Equal(t, r.Requests, r.Hits+r.Misses)
			require.LessOrEqual(t, r.MaxUsed, units.Bytes(50_000))
		})
	}
}
