package kvcache

import (
	"bufio"
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/services/resp"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, key string
		want         bool
	}{
		{"*", "", true}, {"", "", true}, {"", "a", false}, {"a*c", "abbc", true}, {"a*c", "abbd", false}, {"a?c", "abc", true},
		{"a?c", "ac", false}, {"h[ae]llo", "hallo", true}, {"h[^e]llo", "hello", false}, {"h[a-c]llo", "hbllo", true},
		{"h[c-a]llo", "hbllo", true}, {`a\*`, "a*", true}, {`a\*`, "ab", false}, {`[\]]`, "]", true}, {"[a", "a", true},
		{"**a**", "bab", true}, {"a[", "a", false}, {`\`, `\`, true}, {"*a*b*c*", "xxaxxbxxcxx", true}, {"[]", "a", false}, {"[^]", "a", true},
	} {
		require.Equal(t, c.want, match([]byte(c.pattern), []byte(c.key)), "%q %q", c.pattern, c.key)
	}
	require.False(t, match(bytes.Repeat([]byte("*a"), 1000), bytes.Repeat([]byte("a"), 999)), "and in no time")
}

func newTestServer() (*server, *session) {
	s := &server{config: *NewConfig(), count: counters{commands: map[string]uint64{}}}
	s.config.MaxMemory = 1 << 20
	s.store, _ = newStore(&s.config, rand.New(rand.NewPCG(1, 1)), &s.count)
	return s, &session{server: s, known: true}
}

// Whatever a client sends gets an answer that is RESP, and nothing is left out of account.
func FuzzCommands(f *testing.F) {
	f.Add([]byte("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\nGET a\r\nHELLO 3\r\nGET b\r\n"))
	f.Add([]byte("set a 1 px 1\r\nscan 0 match [^a-b]* count 1\r\nincrby a -2\r\nappend a x\r\nexpire a 3 gt\r\nmset a 1 b 2\r\n"))
	f.Add([]byte("info\r\nclient info\r\nkeys *\r\nhello 3 auth a b setname c\r\nset a b nx get keepttl\r\ngetex a persist\r\n"))
	f.Fuzz(func(t *testing.T, sent []byte) {
		s, c := newTestServer()
		r := bufio.NewReader(bytes.NewReader(sent))
		now := time.Duration(1)
		for {
			args, err := resp.ReadRequest(r, resp.RequestLimits{String: 1 << 16, Total: 1 << 17})
			if err != nil {
				break
			}
			if len(args) == 0 {
				continue
			}
			now += time.Millisecond
			s.store.advance(now)
			reply := s.command(c, args)
			b := resp.AppendReply(nil, reply, c.three)
			back := bufio.NewReader(bytes.NewReader(b))
			_, err = resp.ReadReply(back, 1<<30)
			require.NoError(t, err, "%q", b)
			require.Zero(t, back.Buffered(), "%q", b)
			require.LessOrEqual(t, s.store.used, s.config.MaxMemory)
			require.Equal(t, int64(s.store.used), s.store.policy.Used())
			require.Equal(t, s.store.len(), s.store.policy.Len())
		}
	})
}

// BenchmarkCommands answers GET and SET without a network.
func BenchmarkCommands(b *testing.B) {
	s, c := newTestServer()
	get, set := [][]byte{[]byte("get"), []byte("key")}, [][]byte{[]byte("set"), []byte("key"), []byte("value")}
	for i := 0; b.Loop(); i++ {
		args := get
		if i%10 == 0 {
			args = set
		}
		c.out = resp.AppendReply(c.out[:0], s.command(c, args), false)
	}
}
