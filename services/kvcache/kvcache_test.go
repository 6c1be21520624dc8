package kvcache_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/services"
	"netlab/services/kvcache"
	"netlab/services/resp"
	"netlab/tcp"
	"netlab/units"
)

const ms = time.Millisecond

// lab runs a cache on b and gives a go-redis client on a to body.
func lab(t *testing.T, config *kvcache.Config, protocol int, body func(l *testlab.Lab, ctx context.Context, r *redis.Client)) *kvcache.Result {
	var i *testlab.Instance
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		i = l.Service(l.B, kvcache.Server, config)
		l.Sleep(ms)
		r := connect(l, protocol, config.Password)
		body(l, l.Context(), r)
		require.NoError(t, r.Close())
		l.Sleep(time.Second)
		i.Stop()
	})
	return i.Result().(*kvcache.Result)
}

func connect(l *testlab.Lab, protocol int, password string) *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr: "b:6379", Protocol: protocol, Password: password, MaxRetries: -1,
		Dialer: func(ctx context.Context, _, address string) (net.Conn, error) { return tcp.Dial(ctx, l.A, address) },
	})
}

// The commands of the client library most used with Go get from this server what Redis's documentation says, in RESP2 and in RESP3.
func TestGoRedis(t *testing.T) {
	for _, protocol := range []int{2, 3} {
		t.Run(fmt.Sprint("RESP", protocol), func(t *testing.T) {
			r := lab(t, kvcache.NewConfig(), protocol, func(l *testlab.Lab, ctx context.Context, r *redis.Client) {
				strings_(t, ctx, r)
				numbers(t, ctx, r)
				lives(t, l, ctx, r)
				walks(t, ctx, r)
				server(t, ctx, r)
			})
			require.NotZero(t, r.Hits)
			require.NotZero(t, r.Connections)
			require.Zero(t, r.ProtocolErrors)
		})
	}
}

func strings_(t *testing.T, ctx context.Context, r *redis.Client) {
	require.Equal(t, "PONG", r.Ping(ctx).Val())
	require.Equal(t, "hello", r.Echo(ctx, "hello").Val())
	require.Equal(t, redis.Nil, r.Get(ctx, "a").Err())
	require.Equal(t, "OK", r.Set(ctx, "a", "1", 0).Val())
	require.Equal(t, "1", r.Get(ctx, "a").Val())
	require.False(t, r.SetNX(ctx, "a", "2", 0).Val())
	require.True(t, r.SetXX(ctx, "a", "2", 0).Val())
	require.False(t, r.SetXX(ctx, "none", "2", 0).Val())
	require.Equal(t, "2", r.SetArgs(ctx, "a", "3", redis.SetArgs{Get: true}).Val())
	require.Equal(t, redis.Nil, r.SetArgs(ctx, "a", "4", redis.SetArgs{Mode: "NX"}).Err())
	require.Equal(t, "3", r.SetArgs(ctx, "a", "4", redis.SetArgs{Mode: "NX", Get: true}).Val())
	require.Equal(t, "3", r.GetSet(ctx, "a", "5").Val())
	require.Equal(t, redis.Nil, r.GetSet(ctx, "fresh", "5").Err())
	require.Equal(t, "5", r.GetDel(ctx, "fresh").Val())
	require.Equal(t, redis.Nil, r.GetDel(ctx, "fresh").Err())
	require.Equal(t, "OK", r.MSet(ctx, "x", "1", "y", "two\r\n\x00").Val())
	require.Equal(t, []any{"1", nil, "two\r\n\x00"}, r.MGet(ctx, "x", "none", "y").Val())
	require.EqualValues(t, 3, r.Append(ctx, "x", "23").Val())
	require.EqualValues(t, 3, r.StrLen(ctx, "x").Val())
	require.EqualValues(t, 0, r.StrLen(ctx, "none").Val())
	require.EqualValues(t, 3, r.Exists(ctx, "x", "x", "y", "none").Val())
	require.Equal(t, "string", r.Type(ctx, "x").Val())
	require.Equal(t, "none", r.Type(ctx, "none").Val())
	require.EqualValues(t, 2, r.Del(ctx, "x", "y", "none").Val())
	require.EqualValues(t, 1, r.Unlink(ctx, "a").Val())
	require.EqualValues(t, 0, r.DBSize(ctx).Val())
	require.EqualError(t, r.Do(ctx, "get").Err(), "ERR wrong number of arguments for 'get' command")
	require.EqualError(t, r.Do(ctx, "lpush", "a", "b").Err(), "ERR unknown command 'lpush', with args beginning with: 'a' 'b' ")
	require.EqualError(t, r.Do(ctx, "set", "a", "1", "ex").Err(), "ERR syntax error")
	require.EqualError(t, r.Do(ctx, "set", "a", "1", "ex", "0").Err(), "ERR invalid expire time in 'set' command")
	require.EqualError(t, r.Do(ctx, "set", "a", "1", "ex", "9", "keepttl").Err(), "ERR syntax error")
	require.EqualError(t, r.Do(ctx, "set", "a", "1", "nx", "xx").Err(), "ERR syntax error")

	found, err := r.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range 100 {
			p.Set(ctx, fmt.Sprint("p", i), i, 0)
		}
		p.Get(ctx, "p99")
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, "99", found[100].(*redis.StringCmd).Val())
	require.Equal(t, "OK", r.FlushAll(ctx).Val())
}

func numbers(t *testing.T, ctx context.Context, r *redis.Client) {
	require.EqualValues(t, 1, r.Incr(ctx, "n").Val())
	require.EqualValues(t, 11, r.IncrBy(ctx, "n", 10).Val())
	require.EqualValues(t, 10, r.Decr(ctx, "n").Val())
	require.EqualValues(t, -5, r.DecrBy(ctx, "n", 15).Val())
	r.Set(ctx, "n", "9223372036854775807", 0)
	require.EqualError(t, r.Incr(ctx, "n").Err(), "ERR increment or decrement would overflow")
	r.Set(ctx, "n", "x", 0)
	require.EqualError(t, r.Incr(ctx, "n").Err(), "ERR value is not an integer or out of range")
	require.EqualError(t, r.Do(ctx, "decrby", "m", "-9223372036854775808").Err(), "ERR decrement would overflow")
	require.Equal(t, "OK", r.FlushDB(ctx).Val())
}

// Times to live are exact: the question comes 1 ms after it was sent.
func lives(t *testing.T, l *testlab.Lab, ctx context.Context, r *redis.Client) {
	require.Equal(t, "OK", r.Set(ctx, "a", "1", 10*time.Second).Val())
	require.Equal(t, 10*time.Second, r.TTL(ctx, "a").Val())
	require.Equal(t, 9996*ms, r.PTTL(ctx, "a").Val())
	require.Equal(t, "1", r.SetArgs(ctx, "a", "2", redis.SetArgs{KeepTTL: true, Get: true}).Val())
	require.Equal(t, 9992*ms, r.PTTL(ctx, "a").Val())
	require.True(t, r.Persist(ctx, "a").Val())
	require.False(t, r.Persist(ctx, "a").Val())
	require.Equal(t, time.Duration(-1), r.TTL(ctx, "a").Val())
	require.Equal(t, time.Duration(-2), r.TTL(ctx, "none").Val())
	require.True(t, r.Expire(ctx, "a", time.Minute).Val())
	require.False(t, r.ExpireNX(ctx, "a", time.Hour).Val())
	require.True(t, r.ExpireXX(ctx, "a", time.Minute).Val())
	require.False(t, r.ExpireLT(ctx, "a", time.Hour).Val())
	require.True(t, r.ExpireGT(ctx, "a", time.Hour).Val())
	require.EqualError(t, r.Do(ctx, "expire", "a", "1", "nx", "gt").Err(), "ERR NX and XX, GT or LT options at the same time are not compatible")
	require.False(t, r.Expire(ctx, "none", time.Minute).Val())
	require.Equal(t, "2", r.GetEx(ctx, "a", 5*time.Second).Val())
	require.Equal(t, 4998*ms, r.PTTL(ctx, "a").Val())
	require.True(t, r.PExpire(ctx, "a", 100*ms).Val())
	l.Sleep(97 * ms) // asked for after 99 ms
	require.Equal(t, "2", r.Get(ctx, "a").Val())
	require.Equal(t, redis.Nil, r.Get(ctx, "a").Err())
	require.Equal(t, "OK", r.SetEx(ctx, "b", "1", time.Second).Val())
	require.EqualValues(t, 1, r.DBSize(ctx).Val())
	l.Sleep(time.Second)
	require.EqualValues(t, 0, r.DBSize(ctx).Val())
	r.Set(ctx, "c", "1", 0)
	require.EqualValues(t, 1, r.Do(ctx, "expire", "c", "-1").Val())
	require.EqualValues(t, 0, r.Exists(ctx, "c").Val())
	require.Equal(t, "OK", r.Do(ctx, "psetex", "d", "1600", "x").Val())
	require.Equal(t, 2*time.Second, r.TTL(ctx, "d").Val(), "1.598 s, rounded")
	require.EqualError(t, r.Do(ctx, "expire", "d", "9223372036854775807").Err(), "ERR invalid expire time in 'expire' command")
	r.Del(ctx, "d")
}

func walks(t *testing.T, ctx context.Context, r *redis.Client) {
	for i := range 95 {
		r.Set(ctx, fmt.Sprintf("key:%02d", i), "x", 0)
	}
	r.Set(ctx, "other", "x", 0)
	require.Equal(t, []string{"key:07", "key:17"}, r.Keys(ctx, "key:[0-1]7").Val())
	require.Len(t, r.Keys(ctx, "*").Val(), 96)
	require.Empty(t, r.Keys(ctx, "key:??x").Val())
	seen := map[string]int{}
	it := r.Scan(ctx, 0, "key:*", 7).Iterator()
	for it.Next(ctx) {
		seen[it.Val()]++
		if len(seen) == 10 {
			r.Del(ctx, "key:00", "key:90") // those that are there all the while are seen once
		}
	}
	require.NoError(t, it.Err())
	require.Len(t, seen, 94)
	require.EqualError(t, r.Do(ctx, "scan", "x").Err(), "ERR invalid cursor")
	found, cursor := r.ScanType(ctx, 0, "*", 1000, "list").Val()
	require.Empty(t, found)
	require.Zero(t, cursor)
	r.FlushDB(ctx)
}

func server(t *testing.T, ctx context.Context, r *redis.Client) {
	stats := r.Info(ctx).Val()
	for _, line := range []string{"# Server", "connected_clients:", "maxmemory_policy:noeviction", "keyspace_hits:", "expired_keys:2"} {
		require.Contains(t, stats, line)
	}
	require.NotContains(t, r.Info(ctx, "stats").Val(), "# Server")
	require.Positive(t, r.ClientID(ctx).Val())
	require.Equal(t, "OK", r.Do(ctx, "select", "0").Val())
	require.EqualError(t, r.Do(ctx, "select", "1").Err(), "ERR DB index is out of range")
	require.NoError(t, r.Do(ctx, "client", "setname", "me").Err())
	require.Equal(t, "me", r.ClientGetName(ctx).Val())
	require.NoError(t, r.Do(ctx, "command").Err())
}

func TestPassword(t *testing.T) {
	c := kvcache.NewConfig()
	c.Password = "secret"
	lab(t, c, 3, func(l *testlab.Lab, ctx context.Context, r *redis.Client) {
		require.NoError(t, r.Ping(ctx).Err())
		wrong := connect(l, 2, "guess")
		require.ErrorContains(t, wrong.Ping(ctx).Err(), "WRONGPASS")
		require.NoError(t, wrong.Close())
		require.Equal(t, "-NOAUTH Authentication required.", say(t, l, "GET a\r\n"))
		require.Equal(t, "+OK", say(t, l, "AUTH secret\r\n"))
	})
}

// say sends something on a connection of its own and returns the first line that comes back, empty if none does.
func say(t *testing.T, l *testlab.Lab, text string) string {
	conn, err := tcp.Dial(l.Context(), l.A, "b:6379")
	require.NoError(t, err)
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	conn.Write([]byte(text))
	line, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSuffix(line, "\r\n")
}

// What is no RESP is refused in the words of Redis and the connection is closed; others see nothing of it.
func TestInvalid(t *testing.T) {
	samples := []struct{ sent, answer string }{
		{"*x\r\n", "-ERR Protocol error: invalid multibulk length"},
		{"*1048577\r\n", "-ERR Protocol error: invalid multibulk length"},
		{"*99999999999999999999\r\n", "-ERR Protocol error: invalid multibulk length"},
		{"*1\r\n:1\r\n", "-ERR Protocol error: expected '$', got ':'"},
		{"*1\r\n$-1\r\n", "-ERR Protocol error: invalid bulk length"},
		{"*1\r\n$9223372036854775807\r\n", "-ERR Protocol error: invalid bulk length"},
		{"*1\r\n$1048577\r\n", "-ERR Protocol error: invalid bulk length"},
		{"*1\r\n$4\r\nPINGxx", "-ERR Protocol error: invalid bulk length"},
		{"get \"a\r\n", "-ERR Protocol error: unbalanced quotes in request"},
		{strings.Repeat("x", 80<<10), "-ERR Protocol error: too big inline request"},
	}
	r := lab(t, kvcache.NewConfig(), 2, func(l *testlab.Lab, ctx context.Context, r *redis.Client) {
		require.NoError(t, r.Set(ctx, "a", "1", 0).Err())
		for _, c := range samples {
			require.Equal(t, c.answer, say(t, l, c.sent))
			require.Equal(t, "1", r.Get(ctx, "a").Val())
		}
		require.Equal(t, "$1", say(t, l, "\r\n*0\r\n*-1\r\nget \"\\x61\"\r\n"), "empty requests ask for nothing")
	})
	require.EqualValues(t, len(samples), r.ProtocolErrors)
}

func TestMaxClients(t *testing.T) {
	c := kvcache.NewConfig()
	c.MaxClients = 1
	r := lab(t, c, 2, func(l *testlab.Lab, ctx context.Context, r *redis.Client) {
		require.NoError(t, r.Ping(ctx).Err())
		require.Equal(t, "-ERR max number of clients reached", say(t, l, "PING\r\n"))
	})
	require.EqualValues(t, 1, r.Rejected)
}

// Memory is never more than the bound, and what it evicts is what the policy says.
func TestMemory(t *testing.T) {
	c := kvcache.NewConfig()
	c.MaxMemory, c.Eviction = 1000, "lru" // 10 keys of 2 with values of 34
	r := lab(t, c, 2, func(l *testlab.Lab, ctx context.Context, r *redis.Client) {
		value := strings.Repeat("x", 34)
		for i := range 12 {
			require.NoError(t, r.Set(ctx, fmt.Sprintf("%02d", i), value, 0).Err())
			r.Get(ctx, "00")
		}
		require.Equal(t, []string{"00", "03", "04", "05", "06", "07", "08", "09", "10", "11"}, r.Keys(ctx, "*").Val())
		require.EqualError(t, r.Set(ctx, "x", strings.Repeat("x", 936), 0).Err(), "OOM command not allowed when used memory > 'maxmemory'.")
		require.NoError(t, r.Set(ctx, "x", strings.Repeat("x", 935), 0).Err())
		require.EqualValues(t, 1, r.DBSize(ctx).Val())
	})
	require.EqualValues(t, 12, r.Evictions)
	require.EqualValues(t, 1, r.Refused)
	require.Equal(t, units.Bytes(1000), r.Memory)
	require.Equal(t, units.Bytes(1000), r.MemoryPeak)

	c.Eviction = kvcache.NoEviction
	r = lab(t, c, 2, func(l *testlab.Lab, ctx context.Context, r *redis.Client) {
		require.NoError(t, r.Set(ctx, "a", strings.Repeat("x", 900), 0).Err())
		require.ErrorContains(t, r.Set(ctx, "b", "", 0).Err(), "OOM")
		require.NoError(t, r.Set(ctx, "a", strings.Repeat("x", 835), 0).Err())
		require.NoError(t, r.Set(ctx, "b", "", 0).Err())
	})
	require.Zero(t, r.Evictions)
}

// A client that does not read what it asked for holds up nobody else.
func TestClientThatDoesNotRead(t *testing.T) {
	lab(t, kvcache.NewConfig(), 2, func(l *testlab.Lab, ctx context.Context, r *redis.Client) {
		require.NoError(t, r.Set(ctx, "a", strings.Repeat("x", 1<<20), 0).Err())
		deaf, err := tcp.Dial(ctx, l.A, "b:6379")
		require.NoError(t, err)
		l.A.Go(func() { io.WriteString(deaf, strings.Repeat("get a\r\n", 100)) })
		l.Sleep(10 * time.Second)
		before := l.Elapsed()
		require.EqualValues(t, 1<<20, r.StrLen(ctx, "a").Val())
		require.Equal(t, 2*ms, (l.Elapsed() - before).Round(time.Microsecond))
		deaf.Abort()
	})
}

// After a crash the cache is cold, and what it counted goes on.
func TestCrash(t *testing.T) {
	r := lab(t, kvcache.NewConfig(), 2, func(l *testlab.Lab, ctx context.Context, r *redis.Client) {
		require.NoError(t, r.Set(ctx, "a", "1", 0).Err())
		require.Equal(t, "1", r.Get(ctx, "a").Val())
		l.Crash(l.B)
		l.Restart(l.B)
		l.Sleep(ms)
		again := connect(l, 2, "")
		require.Equal(t, redis.Nil, again.Get(ctx, "a").Err())
		require.NoError(t, again.Close())
	})
	require.EqualValues(t, 1, r.Hits)
	require.EqualValues(t, 1, r.Misses)
	require.EqualValues(t, 2, r.Connections)
}

// A core that takes 1 ms for each command lets the second of two wait.
func TestCapacity(t *testing.T) {
	c := kvcache.NewConfig()
	c.Cores = 1
	require.NoError(t, c.ServiceTime.UnmarshalText([]byte("1ms")))
	r := lab(t, c, 2, func(l *testlab.Lab, ctx context.Context, r *redis.Client) {
		k := resp.NewClient(services.NewEnv(l.A, slog.New(slog.DiscardHandler), services.Workload, "w", 0, 1), "b:6379", time.Second)
		defer k.Close()
		_, err := k.Do(ctx, "PING")
		require.NoError(t, err)
		before := l.Elapsed()
		_, err = k.Do(ctx, "PING")
		require.NoError(t, err)
		require.Equal(t, 3*ms, (l.Elapsed() - before).Round(time.Microsecond))
	})
	require.EqualValues(t, r.Requests, r.Capacity.Served)
}

func TestConfig(t *testing.T) {
	for want, change := range map[string]func(c *kvcache.Config){
		`eviction: "lur" is not a policy: did you mean lru?`:            func(c *kvcache.Config) { c.MaxMemory, c.Eviction = 1000, "lur" },
		`eviction: found lru, but without max_memory nothing has to go`: func(c *kvcache.Config) { c.Eviction = "lru" },
		`listen: missing: want a colon and a port, such as ":6379"`:     func(c *kvcache.Config) { c.Listen = "" },
		`max_value: found 0B, wanted 1B to 512MiB`:                      func(c *kvcache.Config) { c.MaxValue = 0 },
		`max_clients: found -1, wanted 1 to 1048576`:                    func(c *kvcache.Config) { c.MaxClients = -1 },
		`max_memory: found -1B, wanted 1B to 1TiB`:                      func(c *kvcache.Config) { c.MaxMemory = -1 },
	} {
		c := kvcache.NewConfig()
		change(c)
		require.EqualError(t, c.Validate(), want)
	}
	require.NoError(t, kvcache.NewConfig().Validate())
}
