package chat

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

func FuzzQuery(f *testing.F) {
	for _, s := range []string{"", "after=1", "after=1&wait=30s", "wait=1m30s", "after=-1", "after=%31", "after=1;wait=2", "after=9223372036854775808"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := parseQuery(text, true, time.Minute)
		if err != nil {
			return
		}
		require.GreaterOrEqual(t, q.after, int64(0))
		require.GreaterOrEqual(t, q.wait, time.Duration(0))
		require.LessOrEqual(t, q.wait, time.Minute)
	})
}

func FuzzDraft(f *testing.F) {
	for _, s := range []string{"", "{}", `{"sender":"ann","id":7,"sent_ns":5,"text":"hi"}`, `{"id":1e3}`, `{"text":"\ud800"}`, `{}{}`, "null", "[]", "\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := decodeDraft(text)
		if err != nil {
			return
		}
		again, err := decodeDraft(encode(d))
		require.NoError(t, err)
		require.Equal(t, d, again)
		m, err := decodeMessage(encode(Message{1, d}))
		require.NoError(t, err)
		require.Equal(t, Message{1, d}, m)
	})
}

func FuzzPage(f *testing.F) {
	for _, s := range []string{"", "{}", `{"last":1,"messages":[{"number":1,"text":"x"}]}`, `{"messages":[{"number":0}]}`, `{"last":5,"messages":null}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := decodePage(text)
		if err != nil {
			return
		}
		for _, m := range p.Messages {
			require.Positive(t, m.Number)
			require.GreaterOrEqual(t, m.Sent, int64(0))
		}
	})
}

func TestTracker(t *testing.T) {
	s := &tracker{next: 1}
	for _, step := range []struct {
		id          int64
		fresh, late bool
	}{{1, true, false}, {1, false, false}, {4, true, false}, {2, true, true}, {4, false, false}, {3, true, true}, {3, false, false}, {5, true, false}} {
		fresh, late := s.add(step.id)
		require.Equal(t, step.fresh, fresh, "%d", step.id)
		require.Equal(t, step.late, late, "%d", step.id)
	}
	require.EqualValues(t, 6, s.next)
	require.Empty(t, s.early)
}

func TestBackOff(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	jitter := units.Probability(0)
	r := Reconnect{Max: units.Duration(5 * time.Second), Jitter: &jitter}.withDefaults()
	for i, want := range []time.Duration{1, 2, 4, 5, 5} {
		require.Equal(t, want*time.Second, r.delay(i+1, random))
	}
	require.Equal(t, 5*time.Second, r.delay(1<<40, random))
	jitter = 1
	for range 100 {
		d := r.delay(2, random)
		require.Positive(t, d)
		require.LessOrEqual(t, d, 2*time.Second)
	}
}

func TestWords(t *testing.T) {
	for size := range 300 {
		text := words(rand.New(rand.NewPCG(1, 2)), size)
		require.Len(t, text, size)
		encoded, err := json.Marshal(text)
		require.NoError(t, err)
		require.Len(t, encoded, size+2) // nothing that JSON escapes
	}
}
