package clients_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/services/keys"
	"netlab/services/kvcache"
	"netlab/services/load"
	"netlab/services/load/clients"
	"netlab/services/slowstore"
	"netlab/units"
)

func popularity(t *testing.T, text string) (p keys.Popularity) {
	require.NoError(t, p.UnmarshalText([]byte(text)))
	return p
}

// Each request is for one key, and a share of them are writes.
func TestHTTPKeys(t *testing.T) {
	c := clients.NewHTTPConfig()
	c.URL, c.Users, c.Requests = "http://b/item/{key}", 1, 1000
	c.Keys = keys.Config{Count: 20, Popularity: popularity(t, "zipf(1)")}
	c.Writes, c.WriteSize = 0.1, 50
	var stored *slowstore.Result
	play := func() *load.Result {
		var found any
		testlab.Run(t, wire, func(t *testing.T, l *testlab.Lab) {
			s := l.Service(l.B, slowstore.Server, slowstore.NewConfig())
			l.Sleep(ms)
			var err error
			found, err = l.Workload(clients.HTTPLoad, c, l.A)
			require.NoError(t, err)
			stored = s.Result().(*slowstore.Result)
		})
		return found.(*load.Result)
	}
	r := play()
	require.Equal(t, r, play(), "the keys come from a stream of the user's own")
	require.EqualValues(t, 1000, r.Succeeded)
	require.InDelta(t, 100, float64(r.Status["204"]), 4*9.5) // four standard deviations
	require.Equal(t, r.Status["204"], stored.Writes)
	require.Equal(t, r.Status["200"], stored.Reads)
	require.Greater(t, stored.Written, 5)
	require.LessOrEqual(t, stored.Written, 20)
}

func TestHTTPKeysChecked(t *testing.T) {
	for want, change := range map[string]func(c *clients.HTTPConfig){
		`keys: missing: the URL has {key}, so want an object such as {"count": 1000, "popularity": "zipf(0.8)"}`: func(c *clients.HTTPConfig) { c.URL = "http://b/{key}" },
		`keys: no URL has {key}, which they would replace`:                                                       func(c *clients.HTTPConfig) { c.Keys.Count = 5 },
		`keys.count: found 0, wanted 1 to 10000000`:                                                              func(c *clients.HTTPConfig) { c.URL, c.Keys.First = "http://b/{key}", 1 },
		`writes: found 150%, wanted 0% to 100%`:                                                                  func(c *clients.HTTPConfig) { c.Writes = 1.5 },
		`write_size: found 5B, but there are no writes`:                                                          func(c *clients.HTTPConfig) { c.WriteSize = 5 },
	} {
		c := clients.NewHTTPConfig()
		c.URL, c.Users = "http://b/", 1
		change(c)
		require.EqualError(t, c.Validate(), want)
	}
}

// A scan of three keys twice: at first they are missing, then they are there, until their time to live is over.
func TestKV(t *testing.T) {
	c := clients.NewKVConfig()
	c.To, c.Users, c.Requests, c.Fill, c.TTL = "b", 1, 9, true, units.Duration(200*ms)
	c.Keys = keys.Config{Count: 3, Popularity: popularity(t, "sequential")}
	serve := func(l *testlab.Lab) { l.Service(l.B, kvcache.Server, kvcache.NewConfig()) }
	r := run(t, wire, serve, clients.KV, c)
	// Each miss takes two round trips of 20 ms, the first one's connection another: 140 ms, then hits of 20 ms each.
	require.Equal(t, map[string]uint64{clients.Miss: 3, clients.Hit: 6}, r.Status)
	require.Equal(t, u(60*ms), r.Latency.Max)
	require.Equal(t, u(20*ms), r.Latency.Min)

	require.NoError(t, c.ThinkTime.UnmarshalText([]byte("300ms")))
	r = run(t, wire, serve, clients.KV, c)
	require.Equal(t, map[string]uint64{clients.Miss: 9}, r.Status)

	c.Writes = 1
	r = run(t, wire, serve, clients.KV, c)
	require.Equal(t, map[string]uint64{clients.Stored: 9}, r.Status)

	c.Timeout = units.Duration(time.Second)
	r = run(t, wire, nothing, clients.KV, c)
	require.EqualValues(t, 9, r.Errors.Refused)
}
