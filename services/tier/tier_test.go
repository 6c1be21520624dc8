package tier_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/services/tier"
)

// play runs users, an application server, a cache and a store, with 1 ms between each of them and the router: a round trip takes 4 ms.
// The store reads in 20 ms, writes in 50 and has the keys 000 to 999. app is the server's configuration, rest what else the file has, and
// expect what must hold of what the three report. It returns all results.
func play(t *testing.T, app, rest string, expect ...string) string {
	t.Helper()
	const prefixes = "app.=nodes.app.services.app. store.=nodes.db.services.store. cache.=nodes.cache.services.cache."
	for i := range expect {
		for p := range strings.FieldsSeq(prefixes) {
			short, long, _ := strings.Cut(p, "=")
			expect[i] = strings.ReplaceAll(expect[i], short, long)
		}
	}
	list, err := json.Marshal(append([]string{}, expect...))
	require.NoError(t, err)
	if !strings.Contains(app, "none") {
		app += `, "cache": "cache"`
	}
	file := fmt.Sprintf(`{
		"defaults": {"link": {"latency": "1ms"}}, "captures": {"nodes": []},
		"nodes": {
			"users": {}, "r1": {"kind": "router"},
			"app": {"services": {"app": {"type": "app-server", "store": "db", %s}}},
			"cache": {"services": {"cache": {"type": "kv-cache"}}},
			"db": {"services": {"store": {"type": "slow-store", "read_time": "20ms", "write_time": "50ms", "keys": 1000}}}
		},
		"links": ["users - r1", "app - r1", "cache - r1", "db - r1"], %s, "expect": %s
	}`, app, rest, list)
	labs, err := netlab.Parse("tier.json", []byte(file), nil)
	require.NoError(t, err, file)
	found, err := labs[0].Run(context.Background(), nil, nil)
	require.NoError(t, err)
	for _, e := range found.Expect {
		require.True(t, e.Holds, "%s: %+v", app, e)
	}
	nodes, err := json.Marshal(found.Nodes)
	require.NoError(t, err)
	return fmt.Sprintf("%+v %s", found.Run, nodes)
}

// Ten keys are read, written, and read twice.
const readWriteRead = `"duration": "20s", "workloads": {
	"before": {"type": "http-load", "from": "users", "url": "http://app/{key}", "keys": {"count": 10, "first": 100, "popularity": "sequential"},
	           "users": 1, "requests": 10},
	"write":  {"type": "http-load", "from": "users", "url": "http://app/{key}", "keys": {"count": 10, "first": 100, "popularity": "sequential"},
	           "users": 1, "requests": 10, "writes": "100%", "start": "5s"},
	"after":  {"type": "http-load", "from": "users", "url": "http://app/{key}", "keys": {"count": 10, "first": 100, "popularity": "sequential"},
	           "users": 1, "requests": 20, "start": "10s"}}`

// What each strategy costs: a question to the cache takes 4 ms, a read of the store 24 and a write 54. First requests take a round
// trip more, for their connection.
func TestStrategies(t *testing.T) {
	all := []string{"app.reads == 30", "app.writes == 10", "app.failed == 0", "after.success_rate == 100%", "app.cache_errors == 0"}
	for app, expect := range map[string][]string{
		`"strategy": "none"`: {"app.read_time.min == 24ms", "app.write_time.min == 54ms", "app.store_reads == 30", "app.stale_reads == 0",
			"cache.requests == 0", "store.written == 10"},
		`"strategy": "cache-aside"`: {"app.read_time.min == 4ms", "app.read_time.max == 40ms", "app.write_time.min == 58ms",
			"app.hits == 10", "app.misses == 20", "app.store_reads == 20", "app.stale_reads == 0", "cache.commands.del == 10"},
		`"strategy": "cache-aside", "reads": "read-through"`: {"app.hits == 10", "app.misses == 20", "app.store_reads == 20"},
		`"strategy": "write-around"`: {"app.write_time.min == 54ms", "app.hits == 20", "app.misses == 10", "app.store_reads == 10",
			"app.stale_reads == 20"},
		`"strategy": "write-around", "ttl": "9s"`: {"app.hits == 10", "app.misses == 20", "app.stale_reads == 0"},
		`"strategy": "write-through"`: {"app.write_time.min == 58ms", "app.hits == 20", "app.misses == 10", "app.store_reads == 10",
			"app.stale_reads == 0", "cache.commands.set == 20", "store.written == 10"},
		`"strategy": "write-back"`: {"app.write_time.min == 4ms", "app.write_time.max == 4ms", "app.hits == 20", "app.misses == 10",
			"app.stale_reads == 0", "app.write_back.interval_flushes == 1", "app.write_back.dirty_max == 10", "app.write_back.dirty == 0",
			"store.written == 10", "store.writes == 10", "app.write_back.lost_writes == 0"},
	} {
		require.Equal(t, play(t, app, readWriteRead, append(expect, all...)...), play(t, app, readWriteRead), app)
	}
}

// A crash of the application server before the flush loses what it had acknowledged. The cache has it still, and so the loss is not
// seen until the cache forgets.
func TestCrashLosesTheBuffer(t *testing.T) {
	crash := readWriteRead + `, "faults": [{"at": "8s", "for": "1s", "crash": "app"}]`
	play(t, `"strategy": "write-back", "flush_interval": "9s"`, crash, "app.writes == 10", "app.write_back.lost_writes == 10",
		"app.write_back.lost_keys == 10", "app.write_back.uncertain_writes == 0", "store.writes == 0", "app.stale_reads == 0", "app.hits == 20")
	play(t, `"strategy": "write-back", "flush_interval": "9s", "ttl": "3s"`, crash, "app.write_back.lost_writes == 10", "app.stale_reads == 20")
	// In the middle of a flush one at a time: it begins at 6 s, and after 130 ms two keys are there and the third is on its way.
	play(t, `"strategy": "write-back", "flush_interval": "6s", "flush_parallel": 1`,
		readWriteRead+`, "faults": [{"at": "6.15s", "for": "1s", "crash": "app"}]`, "app.write_back.lost_writes == 8",
		"app.write_back.uncertain_writes == 1", "store.written == 3")
	// Who writes through loses nothing.
	play(t, `"strategy": "write-through"`, crash, "store.written == 10", "app.writes == 10", "app.stale_reads == 0")
}

// A cache that crashes is cold, and loses nothing that the buffer has.
func TestCrashOfTheCache(t *testing.T) {
	play(t, `"strategy": "write-back", "flush_interval": "9s"`, readWriteRead+`, "faults": [{"at": "8s", "for": "1s", "crash": "cache"}]`,
		"app.write_back.lost_writes == 0", "store.written == 10", "app.stale_reads == 0", "app.misses == 20", "app.hits == 10")
	play(t, `"strategy": "cache-aside"`, readWriteRead+`, "faults": [{"at": "0s", "crash": "cache"}]`,
		"app.reads == 30", "app.failed == 0", "app.hits == 0", "app.cache_errors >= 30", "after.success_rate == 100%")
	play(t, `"strategy": "cache-aside", "store_timeout": "100ms"`, readWriteRead+`, "faults": [{"at": "9s", "crash": "db"}]`,
		"app.failed == 20", "after.status.504 == 20")
}

func TestBuffer(t *testing.T) {
	writes := func(keys int, more string) string {
		return fmt.Sprintf(`"duration": "20s", "workloads": {"write": {"type": "http-load", "from": "users", "url": "http://app/{key}",
			"keys": {"count": %d, "first": 100, "popularity": "sequential"}, "users": 1, "requests": 10, "writes": "100%%"%s}}`, keys, more)
	}
	// A full buffer makes room: its oldest key goes to the store, and the write that needs the room waits for that.
	play(t, `"strategy": "write-back", "flush_interval": "1h", "max_dirty": 3`, writes(10, ""), "app.write_back.eviction_writes == 7",
		"app.write_back.dirty == 3", "app.write_back.dirty_max == 3", "store.writes == 7", "app.write_time.min == 4ms", "app.write_time.max == 62ms")
	play(t, `"strategy": "write-back", "flush_interval": "1h", "flush_batch": 5`, writes(10, ""), "app.write_back.batch_flushes == 2",
		"app.write_back.interval_flushes == 0", "app.write_back.dirty == 0", "store.writes == 10")
	// Ten writes of one key are one.
	play(t, `"strategy": "write-back"`, writes(1, ""), "app.write_back.combined == 9", "store.writes == 1", "app.writes == 10")
	// Many at once, more than there is room for.
	play(t, `"strategy": "write-back", "max_dirty": 2, "flush_interval": "1h"`,
		strings.Replace(writes(50, ""), `"users": 1, "requests": 10`, `"users": 20, "requests": 50`, 1),
		"app.writes == 50", "app.write_back.dirty == 2", "app.write_back.dirty_max == 2", "store.writes == 48", "store.superseded == 0")
	// A store that is gone for a while keeps the buffer dirty, and loses nothing.
	play(t, `"strategy": "write-back", "store_timeout": "500ms"`, writes(10, "")+`, "faults": [{"at": "0s", "for": "5s", "crash": "db"}]`,
		"app.write_back.dirty == 0", "store.written == 10", "app.store_errors > 0", "app.write_back.lost_writes == 0")
}

// A key that 1,000 users a second ask for expires every second, and takes 24 ms to load.
func TestStampede(t *testing.T) {
	const users = `"duration": "12s", "workloads": {"hot": {"type": "http-load", "from": "users", "url": "http://app/{key}",
		"keys": {"count": 1, "first": 100}, "rate": "1000/s", "arrivals": "constant", "duration": "10s", "warm_up": "500ms"}}`
	play(t, `"ttl": "1s"`, users, "app.stampede_peak >= 24 and app.stampede_peak <= 40", "app.store_reads > 200", "hot.success_rate == 100%")
	for _, protection := range []string{`"stampede": "single-flight"`, `"reads": "read-through"`, `"stampede": "lock"`} {
		play(t, `"ttl": "1s", `+protection, users, "app.stampede_peak == 1", "app.store_reads == 10", "app.coalesced > 200", "app.failed == 0")
	}
	// Early refreshes keep the key in the cache: after the first load almost nobody finds it missing.
	play(t, `"ttl": "1s", "stampede": "early-refresh"`, users, "app.early_refreshes >= 9", "app.early_refreshes < 100", "app.stampede_peak < 40", "app.failed == 0")
}

// What the store does not have is asked for again and again, unless the cache remembers that as well.
func TestNegative(t *testing.T) {
	const missing = `"duration": "5s", "workloads": {"load": {"type": "http-load", "from": "users", "url": "http://app/{key}",
		"keys": {"count": 5, "first": 2000, "popularity": "sequential"}, "users": 1, "requests": 15}}`
	play(t, `"ttl": "1m"`, missing, "app.misses == 15", "store.not_found == 15", "load.status.404 == 15")
	play(t, `"negative_ttl": "1m"`, missing, "app.misses == 5", "app.negative_hits == 10", "store.not_found == 5", "load.status.404 == 15")
}

func TestConfig(t *testing.T) {
	for want, change := range map[string]func(c *tier.Config){
		`strategy: "write-trough" is not one of none, cache-aside, write-around, write-through, write-back`: func(c *tier.Config) { c.Strategy = "write-trough" },
		`cache: missing: the strategy write-back needs one`:                                                 func(c *tier.Config) { c.Strategy, c.Cache = tier.WriteBack, "" },
		`cache: found c, but the strategy is none`:                                                          func(c *tier.Config) { c.Strategy = tier.None },
		`flush_batch: found it, but it is for strategy write-back`:                                          func(c *tier.Config) { c.FlushBatch = 5 },
		`ttl: missing: without it nothing expires that could be refreshed early`:                            func(c *tier.Config) { c.Stampede = tier.EarlyRefresh },
		`ttl: found 1.5us, wanted whole milliseconds, which is what the cache counts in`:                    func(c *tier.Config) { c.TTL = 1500 },
		`stampede: found lock, but read-through loads each key once at a time, which is single-flight`:      func(c *tier.Config) { c.Reads, c.Stampede = tier.ReadThrough, tier.Lock },
		`beta: found it, but it is for stampede early-refresh`:                                              func(c *tier.Config) { c.Beta = 2 },
	} {
		c := tier.NewConfig()
		c.Store, c.Cache = "db", "c"
		change(c)
		require.EqualError(t, c.Validate(), want)
	}
}
