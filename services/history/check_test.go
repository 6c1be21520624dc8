package history

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// told makes a history of lines such as "0 1-3 write x 1", "1 4-5 read x = 1", "1 4-5 read x =" and "0 6-7 write x 2 fail": client, times in ms
// ("6-" never ends), kind, key, input, "=" and output, "fail" or "unknown", "final@server".
func told(t testing.TB, text string) *History {
	t.Helper()
	h := &History{}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		o := Operation{Outcome: OK}
		var err error
		o.Client, err = strconv.Atoi(words[0])
		require.NoError(t, err)
		from, to, _ := strings.Cut(words[1], "-")
		o.Invoked = ms(t, from)
		if to == "" {
			o.Completed, o.Outcome = never, Unknown
		} else {
			o.Completed = ms(t, to)
		}
		o.Kind = Kind(words[2])
		rest := words[3:]
		if o.Kind.family() != "bank" {
			o.Key, rest = rest[0], rest[1:]
		}
		into := &o.Input
		for _, word := range rest {
			server, final := strings.CutPrefix(word, "final@")
			switch {
			case word == "fail" || word == "unknown":
				o.Outcome = Outcome(word)
			case final:
				o.Final, o.Server = true, server
			case word == "=":
				into = &o.Output
			default:
				*into = append(*into, word)
			}
		}
		o.Found = o.Kind == Read && len(o.Output) > 0
		h.Operations = append(h.Operations, o)
	}
	sortOperations(h.Operations)
	for i := range h.Operations {
		h.Operations[i].Index = i
	}
	require.NoError(t, h.Validate())
	return h
}

func ms(t testing.TB, text string) time.Duration {
	n, err := strconv.ParseFloat(text, 64)
	require.NoError(t, err)
	return time.Duration(n * 1e6)
}

// Histories that hold and that don't, for each model: the textbook's where it has one.
func TestCheck(t *testing.T) {
	const (
		// Nobody orders the read and the write in real time but a clock on the wall.
		lateRead = "0 1-2 write x 1\n0 3-4 write x 2\n1 5-6 read x = 1\n1 7-8 read x = 2"
		// Herlihy and Wing, and Attiya and Welch: both writes, then each reads the other as missing.
		storeBuffer = "0 1-2 write x 1\n0 3-4 read y =\n1 1-2 write y 1\n1 3-4 read x ="
		// Two readers see two concurrent writes in different orders: causal, but not sequential.
		twoOrders = "0 1-2 write x 1\n1 1-2 write x 2\n2 3-4 read x = 1\n2 5-6 read x = 2\n3 3-4 read x = 2\n3 5-6 read x = 1"
		// The reply is seen, but not what it replies to.
		lostQuestion = "0 1-2 write question q\n1 3-4 read question = q\n1 5-6 write answer a\n2 7-8 read answer = a\n2 9-10 read question ="
		// The old value again after the new one, through another client's read.
		overwritten = "0 1-2 write x 1\n0 3-4 write x 2\n0 5-6 write y 1\n1 7-8 read y = 1\n1 9-10 read x = 1"
		unknownSeen = "0 1- write x 1\n1 2-3 read x =\n1 4-5 read x = 1"
		set         = "0 1-2 add s a\n0 3-4 add s b\n1 1-2 add s c unknown\n1 5-6 members s = b a"
		queue       = "0 1-2 append l a\n0 3-4 append l b\n1 5-6 list l = a b"
		counter     = "0 1-2 increment n 2 = 2\n1 1-2 increment n 1 unknown\n0 3-4 increment n 2\n1 5-6 count n = 5"
		bank        = "0 1-2 balances = a 10 b 5\n0 3-4 transfer a b 3\n1 3-4 transfer b a 1 unknown\n0 5-6 balances = b 7 a 8"
	)
	cases := []struct {
		name, model, history, want string
		violations                 int
	}{
		{"nothing", "linearizable", "", Holds, 0},
		{"one after the other", "linearizable", "0 1-2 write x 1\n1 3-4 read x = 1", Holds, 0},
		{"nothing at first", "linearizable", "1 0-1 read x =\n0 1-2 write x 1", Holds, 0},
		{"concurrent, either way", "linearizable", "0 1-9 write x 1\n1 2-3 read x =\n1 4-5 read x = 1", Holds, 0},
		{"concurrent, new then old", "linearizable", "0 1-9 write x 1\n1 2-3 read x = 1\n1 4-5 read x =", Violated, 1},
		{"stale", "linearizable", lateRead, Violated, 1},
		{"store buffer", "linearizable", storeBuffer, Violated, 2},
		{"two keys, one wrong", "linearizable", "0 1-2 write x 1\n0 3-4 write y 1\n1 5-6 read x = 1\n1 7-8 read y =", Violated, 1},
		{"same instant is concurrent", "linearizable", "0 1-2 write x 1\n1 2-3 read x =", Holds, 0},
		{"same instant of one client isn't", "linearizable", "0 1-2 write x 1\n0 2-3 read x =", Violated, 1},
		{"no time at all", "linearizable", "0 1-1 write x 1\n0 1-1 read x = 1\n0 1-1 write x 2\n0 1-1 read x = 2", Holds, 0},
		{"unknown, seen later", "linearizable", unknownSeen, Holds, 0},
		{"unknown, seen and gone", "linearizable", unknownSeen + "\n1 6-7 read x =", Violated, 1},
		{"unknown, same client goes on", "linearizable", "0 1-2 write x 1 unknown\n0 3-4 write x 2\n0 5-6 read x = 2\n0 7-8 read x = 1", Holds, 0},
		{"unknown, before it was invoked", "linearizable", "1 1-2 read x = 1\n0 3- write x 1", Violated, 1},
		{"failed, not seen", "linearizable", "0 1-2 write x 1 fail\n1 3-4 read x =", Holds, 0},
		{"failed, seen", "linearizable", "0 1-2 write x 1 fail\n1 3-4 read x = 1", Violated, 1},
		{"cas", "linearizable", "0 1-2 write x 1\n0 3-4 cas x 1 2\n1 3-4 cas x 1 3 fail\n1 5-6 read x = 2", Holds, 0},
		{"cas twice", "linearizable", "0 1-2 write x 1\n0 3-4 cas x 1 2\n1 3-4 cas x 1 3", Violated, 1},
		{"cas unknown, seen by a cas", "linearizable", "0 1-2 write x 1\n0 3-4 cas x 1 2 unknown\n1 5-6 cas x 2 3\n1 7-8 read x = 3", Holds, 0},
		{"set", "linearizable", set, Holds, 0},
		{"set, missing", "linearizable", set + "\n0 7-8 members s = a", Violated, 1},
		{"set, added twice", "linearizable", "0 1-2 add s a\n1 1-2 add s a\n0 3-4 members s = a", Holds, 0},
		{"list", "linearizable", queue, Holds, 0},
		{"list, other order", "linearizable", queue + "\n0 7-8 list l = b a", Violated, 1},
		{"counter", "linearizable", counter, Holds, 0},
		{"counter, less", "linearizable", counter + "\n0 7-8 count n = 4", Violated, 1},
		{"counter, answer", "linearizable", "0 1-2 increment n 2 = 3", Violated, 1},
		{"bank", "linearizable", bank, Holds, 0},
		{"bank, old", "linearizable", bank + "\n0 7-8 balances = a 10 b 5", Violated, 1},
		{"bank, unknown later", "linearizable", "0 1-2 balances = a 10 b 5\n1 3-4 transfer a b 1 unknown\n0 5-6 balances = a 10 b 5\n0 7-8 balances = a 9 b 6", Holds, 0},
		{"bank, account without money", "linearizable", "0 1-2 balances = a 3\n0 3-4 transfer a b 3\n0 5-6 balances = a 0 b 3", Holds, 0},

		{"stale", "sequential", lateRead, Holds, 0},
		{"store buffer", "sequential", storeBuffer, Violated, 1},
		{"two orders", "sequential", twoOrders, Violated, 1},
		{"old after new", "sequential", "0 1-2 write x 1\n0 3-4 write x 2\n1 5-6 read x = 2\n1 7-8 read x = 1", Violated, 1},
		{"unknown, later than its client", "sequential", "0 1-2 write x 1 unknown\n0 3-4 write x 2\n1 5-6 read x = 2\n1 7-8 read x = 1", Holds, 0},
		{"unknown, not before its client", "sequential", "0 1-2 write x 1\n0 3-4 write y 2 unknown\n1 5-6 read y = 2\n1 7-8 read x =", Violated, 1},
		{"from the future", "sequential", "1 1-2 read x = 1\n0 3-4 write x 1", Holds, 0},
		{"counter", "sequential", counter, Holds, 0},
		{"list", "sequential", queue + "\n0 7-8 list l = b a", Violated, 1},
		{"cas", "sequential", "0 1-2 write x 1\n0 3-4 cas x 1 2\n1 1-2 read x = 1\n1 3-4 read x = 2", Holds, 0},
		{"bank", "sequential", bank, Holds, 0},

		{"two orders", "causal", twoOrders, Holds, 0},
		{"store buffer", "causal", storeBuffer, Holds, 0},
		{"nothing though answered", "causal", lostQuestion, Violated, 1},
		{"overwritten", "causal", overwritten, Violated, 1},
		{"overwritten, but not in the past", "causal", lateRead, Holds, 0},
		{"nobody wrote it", "causal", "0 1-2 read x = 7", Violated, 1},
		{"cycle", "causal", "0 1-2 read x = 1\n0 3-4 write y 1\n1 1-2 read y = 1\n1 3-4 write x 1", Violated, 1},
		{"unknown isn't in front", "causal", "0 1-2 write x 1 unknown\n0 3-4 write y 2\n1 5-6 read y = 2\n1 7-8 read x =\n1 9-10 read x = 1", Holds, 0},
		{"not distinct", "causal", "0 1-2 write x 1\n0 3-4 write x 1\n1 5-6 read x = 1", Undecided, 0},
		{"cas in the past", "causal", "0 1-2 write x 1\n0 3-4 cas x 1 2\n1 5-6 read x = 2\n1 7-8 read x = 1", Violated, 1},
		{"set", "causal", set, Undecided, 0},

		{"own", "read-your-writes", "0 1-2 write x 1\n0 3-4 read x = 1", Holds, 0},
		{"own missing", "read-your-writes", "0 1-2 write x 1\n0 3-4 read x =", Violated, 1},
		{"own older", "read-your-writes", "0 1-2 write x 1\n0 3-4 write x 2\n0 5-6 read x = 1", Violated, 1},
		{"other's older", "read-your-writes", "1 1-2 write x 1\n0 3-4 write x 2\n0 5-6 read x = 1", Violated, 1},
		{"other's at the same time", "read-your-writes", "1 1-4 write x 1\n0 3-4 write x 2\n0 5-6 read x = 1", Holds, 0},
		{"others may", "read-your-writes", "0 1-2 write x 1\n1 3-4 read x =", Holds, 0},
		{"set", "read-your-writes", "0 1-2 add s a\n0 3-4 members s", Violated, 1},
		{"counter", "read-your-writes", "0 1-2 increment n 2\n0 3-4 count n = 1", Violated, 1},
		{"counter down", "read-your-writes", "0 1-2 increment n -2\n0 3-4 count n = 1", Undecided, 0},

		{"forward", "monotonic-reads", lateRead, Holds, 0},
		{"back", "monotonic-reads", "0 1-2 write x 1\n0 3-4 write x 2\n1 5-6 read x = 2\n1 7-8 read x = 1", Violated, 1},
		{"back to nothing", "monotonic-reads", "0 1-2 write x 1\n1 3-4 read x = 1\n1 7-8 read x =", Violated, 1},
		{"there and back", "monotonic-reads", "0 1-4 write x 1\n2 1-4 write x 2\n1 5-6 read x = 1\n1 7-8 read x = 2\n1 9-10 read x = 1", Violated, 1},
		{"different clients", "monotonic-reads", twoOrders, Holds, 0},
		{"set", "monotonic-reads", set + "\n1 7-8 members s = a", Violated, 1},
		{"list", "monotonic-reads", queue + "\n1 7-8 list l = a", Violated, 1},
		{"counter", "monotonic-reads", counter + "\n1 7-8 count n = 4", Violated, 1},

		{"fresh", "no-stale-reads", "0 1-2 write x 1\n0 3-6 write x 2\n1 5-6 read x = 1", Holds, 0},
		{"stale", "no-stale-reads", lateRead, Violated, 1},
		{"concurrent writes", "no-stale-reads", "0 1-4 write x 1\n1 1-4 write x 2\n2 5-6 read x = 1", Holds, 0},
		{"set", "no-stale-reads", set + "\n1 7-8 members s = a", Violated, 1},
		{"counter", "no-stale-reads", counter + "\n0 7-8 count n = 3", Violated, 1},
		{"not distinct", "no-stale-reads", "0 1-2 write x 1\n0 3-4 write x 1\n1 5-6 read x = 1", Undecided, 0},

		{"agree", "convergent", "0 1-2 read x = 1 final@a\n0 3-4 read x = 1 final@b", Holds, 0},
		{"differ", "convergent", "0 1-2 read x = 1 final@a\n0 3-4 read x = 2 final@b", Violated, 1},
		{"no order in a set", "convergent", "0 1-2 members s = 1 2 final@a\n0 3-4 members s = 2 1 final@b", Holds, 0},
		{"order in a list", "convergent", "0 1-2 list l = 1 2 final@a\n0 3-4 list l = 2 1 final@b", Violated, 1},
		{"no final reads", "convergent", lateRead, Undecided, 0},

		{"all there", "no-lost-updates", "0 1-2 add s a\n0 3-4 add s b fail\n0 5-6 members s = a final@a", Holds, 0},
		{"one lost", "no-lost-updates", "0 1-2 add s a\n0 3-4 add s b\n0 5-6 members s = a final@a", Violated, 1},
		{"counter", "no-lost-updates", "0 1-2 increment n 3\n0 3-4 increment n 3 unknown\n0 5-6 count n = 6 final@a", Holds, 0},
		{"counter, some lost", "no-lost-updates", "0 1-2 increment n 1\n0 2-3 increment n 1\n0 3-4 increment n 1\n0 5-6 count n = 1 final@a", Violated, 2},
		{"counter, too many", "no-lost-updates", "0 1-2 increment n 1\n0 5-6 count n = 2 final@a", Violated, 1},
		{"cas of the same", "no-lost-updates",
			"0 1-2 write x 1\n0 3-4 cas x 1 2\n1 3-4 cas x 1 3\n0 5-6 read x = 3 final@a", Violated, 1},
		{"no final reads", "no-lost-updates", "0 1-2 add s a", Undecided, 0},

		{"kept", "no-lost-writes", "0 1-2 write x 1\n0 3-4 write x 2\n0 5-6 read x = 2 final@a", Holds, 0},
		{"two lost", "no-lost-writes", "0 1-2 write x 1\n0 3-4 write x 2\n0 5-6 write x 3\n0 7-8 read x = 1 final@a", Violated, 2},
		{"all lost", "no-lost-writes", "0 1-2 write x 1\n0 7-8 read x = final@a", Violated, 1},
		{"concurrent", "no-lost-writes", "0 1-4 write x 1\n1 3-6 write x 2\n0 7-8 read x = 1 final@a", Holds, 0},
		{"unknown came later", "no-lost-writes", "0 1-2 write x 1 unknown\n0 3-6 write x 2\n0 7-8 read x = 1 final@a", Holds, 0},
		{"set", "no-lost-writes", "0 1-2 add s a", Undecided, 0},

		{"clean", "no-dirty-reads", "0 1-2 write x 1\n1 3-4 read x = 1\n1 5-6 read x = 1 final@a", Holds, 0},
		{"of a failure", "no-dirty-reads", "0 1-4 write x 1 fail\n1 2-3 read x = 1", Violated, 1},
		{"vanished", "no-dirty-reads", "0 1-2 write x 1\n0 3-4 write x 2 unknown\n1 5-6 read x = 2\n1 7-8 read x = 1 final@a", Violated, 1},
		{"vanished from a set", "no-dirty-reads", "0 1-2 add s 1 unknown\n1 5-6 members s = 1\n1 7-8 members s final@a", Violated, 1},

		{"total", "bank", bank, Holds, 0},
		{"other total", "bank", bank + "\n0 7-8 balances = a 9 b 7", Violated, 1},
		{"below nothing", "bank", "0 1-2 balances = a 1 b 1\n0 3-4 balances = a -1 b 3", Violated, 1},
		{"no reads", "bank", "0 1-2 transfer a b 1", Undecided, 0},

		{"two objects", "linearizable", "0 1-2 write x 1\n0 3-4 add x 1", Undecided, 0},
		{"no such model", "serial", "", Undecided, 0},
	}
	for _, c := range cases {
		t.Run(c.model+"/"+c.name, func(t *testing.T) {
			h := told(t, c.history)
			v := Check(h, c.model, Options{})
			require.Equal(t, c.want, v.Result, v.Text())
			require.Equal(t, c.violations, v.Violations, v.Text())
			require.Equal(t, c.model, v.Model)
			require.NotEmpty(t, v.Reason)
			if c.want != Violated {
				require.Empty(t, v.Prefix)
				require.Equal(t, -1, v.Culprit)
				return
			}
			require.NotEmpty(t, v.Prefix)
			again := Check(&History{Operations: v.Prefix}, c.model, Options{})
			require.Equal(t, Violated, again.Result, "the prefix alone: %s", v.Text())
			require.Equal(t, v.SVG(), Check(h, c.model, Options{}).SVG())
		})
	}
}

// The age of a stale read is from the first acknowledgement of what overwrote it to its invocation.
func TestStaleAge(t *testing.T) {
	v := Check(told(t, "0 1-2 write x 1\n0 3-4 write x 2\n0 5-6 write x 3\n1 7-8 read x = 1\n1 9-10 read x = 2\n2 3.5-5 read x = 1"), "no-stale-reads", Options{})
	require.Equal(t, 2, v.Violations)
	require.Equal(t, 3, v.Checked)
	require.Equal(t, 3*time.Millisecond, v.StaleMax)
	require.Equal(t, 3*time.Millisecond, v.StaleMean)
	require.Equal(t, "2 of 3 reads are stale, by 3ms at most and 3ms on average; the first: read x → 1 by client 1 (7ms to 8ms), "+
		"3ms after write x=2 was acknowledged", v.Reason)
}

// What isn't needed for a violation is left out, and a set's elements with it.
func TestMinimalPrefix(t *testing.T) {
	var text strings.Builder
	for i := range 50 {
		fmt.Fprintf(&text, "0 %d-%d.5 add s %d\n1 %d-%d.5 members s =", 10*i, 10*i, i, 10*i+5, 10*i+5)
		for j := range i + 1 {
			if i < 40 || j != 13 {
				fmt.Fprintf(&text, " %d", j)
			}
		}
		text.WriteString("\n")
	}
	v := Check(told(t, text.String()), "linearizable", Options{})
	require.Equal(t, Violated, v.Result)
	var labels []string
	for i := range v.Prefix {
		labels = append(labels, v.Prefix[i].label())
	}
	require.Equal(t, []string{"add s 13", "members s → {}"}, labels, v.Text())
	require.Equal(t, 81, v.Culprit)

	// A read of what failed is shown with the write.
	v = Check(told(t, "0 1-2 write x 1\n0 3-4 write x 2 fail\n1 5-6 read x = 2\n1 7-8 read x = 1"), "linearizable", Options{})
	require.Equal(t, `key x: read x → 2 by client 1 (5ms to 6ms) saw "2", which is of a write that failed`, v.Reason)
	require.Len(t, v.Prefix, 2)
	require.Equal(t, Fail, v.Prefix[0].Outcome)
}

// A search that takes too long is given up after the same number of steps on any machine.
func TestBudget(t *testing.T) {
	h := atomicHistory(1, 300, 20, 1)
	whole := Check(h, "linearizable", Options{})
	require.Equal(t, Holds, whole.Result)
	require.Equal(t, Holds, Check(h, "linearizable", Options{MaxSteps: whole.Steps}).Result)
	for _, model := range []string{"linearizable", "sequential", "causal"} {
		v := Check(h, model, Options{MaxSteps: 100})
		require.Equal(t, Undecided, v.Result, model)
		require.Contains(t, v.Reason, "no answer within 100 steps")
		require.Equal(t, v, Check(h, model, Options{MaxSteps: 100}))
	}
}

// Increments that nobody knows the end of don't make the search grow without bounds.
func TestUnknownIncrements(t *testing.T) {
	var text strings.Builder
	for i := range 40 {
		fmt.Fprintf(&text, "%d %d- increment n 1\n", i+1, 10*i)
		fmt.Fprintf(&text, "0 %d-%d count n = %d\n", 10*i+1, 10*i+2, i/2)
	}
	v := Check(told(t, text.String()), "linearizable", Options{})
	require.Equal(t, Holds, v.Result, v.Reason)
	require.Less(t, v.Steps, int64(10_000))
}

func TestModels(t *testing.T) {
	require.Len(t, Models(), 11)
	for _, m := range Models() {
		require.NotEmpty(t, m.Doc)
		require.LessOrEqual(t, len(m.Name), 16)
		require.LessOrEqual(t, len(m.Doc), 70) // so that a line of the help has 90 columns
	}
}
