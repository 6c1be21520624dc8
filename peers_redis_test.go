package netlab_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
)

// Redis's own client talks to a kv-cache through a port of this machine, in RESP2 and in RESP3.
func TestRedisCli(t *testing.T) {
	cli := program(t, "redis-cli")
	through(t, `{
		"nodes": {"client": {}, "cache": {"services": {"kv": {"type": "kv-cache", "password": "secret", "max_memory": "1MB"}}}},
		"links": ["client - cache"]
	}`, &netlab.RunOptions{}, func(run *netlab.Run) error {
		at := port(run.Forwards()[0])
		for _, version := range []string{"-2", "-3"} {
			say := func(args ...string) string {
				out, complaints, err := peer(t, cli, append([]string{version, "-p", at, "-a", "secret", "--no-auth-warning"}, args...)...)
				require.NoError(t, err, complaints)
				return strings.TrimRight(out, "\n")
			}
			require.Equal(t, "PONG", say("ping"))
			require.Equal(t, "OK", say("set", "greeting", "hello world", "ex", "1000"))
			require.Equal(t, "hello world", say("get", "greeting"))
			require.Contains(t, []string{"1000", "999"}, say("ttl", "greeting"))
			require.Equal(t, "3", say("incrby", "count", "3"))
			require.Equal(t, "hello world\n3", say("mget", "greeting", "count", "none"), "what is nil is an empty line")
			require.Equal(t, "greeting\ncount", say("--scan"))
			require.Contains(t, say("info"), "maxmemory_policy:allkeys-lru")
			require.Contains(t, say("lpush", "a", "b"), "ERR unknown command 'lpush'")
			require.Equal(t, "OK", say("flushall"))
		}
		out, _, _ := peer(t, cli, "-p", at, "get", "a")
		require.Contains(t, out, "NOAUTH")
		return nil
	}, "0=cache:6379")
}
