package netem

import (
	"bytes"
	"math/bits"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

// here is where a rule looks at what a sends.
func (c *chain) here() []Place { return []Place{{c.a, Outbound}} }

func TestRulePass(t *testing.T) {
	c := onChain(t, Params{}, func(c *chain) {
		c.rule(RuleConfig{Name: "probe", Action: ActPass, Nth: 2})
		for i := range 3 {
			c.send(sec, c.a, c.udp(true, byte(i)))
		}
	})
	require.Equal(t, []int{0, 1, 2}, c.numbers("b"))
	require.Equal(t, []string{"", "", ""}, c.comments("a", Outbound))
	require.Equal(t, []string{`a--ra pass: rule "probe"`}, c.details("rule"))
}

func TestRuleDrop(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		c := onChain(t, Params{}, func(c *chain) {
			c.rule(RuleConfig{Name: "third", Action: ActDrop, Nth: 3})
			for i := range 4 {
				c.send(sec, c.a, c.udp(v6, byte(i)))
			}
		})
		require.Equal(t, []int{0, 1, 3}, c.numbers("b"))
		require.Equal(t, []string{"", "", `dropped: rule "third" on a--ra`, ""}, c.comments("a", Outbound))
		require.Equal(t, []string{`a--ra rule: rule "third"`}, c.details("drop"))
		require.Empty(t, c.details("rule"))
		require.EqualValues(t, 1, c.links[0].Stats(Forward).Dropped[DropRule])
	}
}

// A frame that is delayed is overtaken, counts as in flight, and then goes through the rules that come next and the queue.
func TestRuleDelay(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		var before, behind *Rule
		c := onChain(t, latency(10*ms), func(c *chain) {
			before = c.rule(RuleConfig{Name: "before", Action: ActPass})
			c.rule(RuleConfig{Name: "late", Action: ActDelay, Delay: units.Constant(5 * ms), First: 2})
			behind = c.rule(RuleConfig{Name: "behind", Action: ActDrop, Nth: 3})
			for i := range 4 {
				c.send(sec, c.a, c.udp(v6, byte(i)))
			}
			c.At(0, KindControl, sec+4*ms, func() {
				require.Equal(t, 4, c.InFlight())
				s := c.links[0].Stats(Forward)
				require.EqualValues(t, 4, s.InFlight())
				require.Equal(t, []uint64{4, 2}, []uint64{before.Matches(), behind.Matches()})
			})
		})
		require.Equal(t, []int{2, 3, 1}, c.numbers("b")) // 0 is the third that the last rule sees
		require.Equal(t, []time.Duration{sec + 20*ms, sec + 20*ms, sec + 25*ms}, []time.Duration{c.got[0].at, c.got[1].at, c.got[2].at})
		late := `delayed by 5ms by rule "late"`
		require.Equal(t, []string{"", "", late + `; dropped: rule "behind" on a--ra`, late}, c.comments("a", Outbound))
		require.Equal(t, []string{"", "", late}, c.comments("ra", Inbound))
		require.Equal(t, []string{"", "", ""}, c.comments("rb", Outbound))
	}
}

// What a rule delays goes on when the rule has been removed, but not past a link that is down by then, or a partition.
func TestRuleDelayedThenChanged(t *testing.T) {
	for name, test := range map[string]struct {
		change func(c *chain, r *Rule)
		reason DropReason
	}{
		"removed": {func(_ *chain, r *Rule) { r.Remove(); r.Remove() }, notDropped},
		"down":    {func(c *chain, _ *Rule) { require.NoError(c.t, c.links[0].Set(Forward, Params{MTU: 1500, Down: true})) }, DropLinkDown},
		"up again": {func(c *chain, _ *Rule) {
			require.NoError(c.t, c.links[0].Set(Forward, Params{MTU: 1500, Down: true}))
			require.NoError(c.t, c.links[0].Set(Forward, Params{MTU: 1500}))
		}, notDropped},
		"partition": {func(c *chain, _ *Rule) {
			_, err := c.Part("p", [][]NodeID{{0}, {2}}, false)
			require.NoError(c.t, err)
		}, DropPartition},
		"MTU": {func(c *chain, _ *Rule) { require.NoError(c.t, c.links[0].Set(Forward, Params{MTU: 68})) }, DropTooBig},
	} {
		t.Run(name, func(t *testing.T) {
			c := onChain(t, Params{}, func(c *chain) {
				r := c.rule(RuleConfig{Action: ActDelay, Delay: units.Constant(5 * ms)})
				c.send(sec, c.a, c.udp(true, make([]byte, 100)...))
				c.At(0, KindControl, sec+ms, func() { test.change(c, r) })
			})
			if test.reason == notDropped {
				require.Len(t, c.got, 1)
				require.Equal(t, sec+5*ms, c.got[0].at)
				return
			}
			require.Empty(t, c.got)
			require.EqualValues(t, 1, c.links[0].Stats(Forward).Dropped[test.reason])
		})
	}
}

// Delays come from their distribution; none is no event.
func TestRuleDelayDistribution(t *testing.T) {
	d, err := units.Uniform(0, 2)
	require.NoError(t, err)
	c := onChain(t, Params{}, func(c *chain) {
		c.rule(RuleConfig{Action: ActDelay, Delay: d})
		for i := range 60 {
			c.send(time.Duration(i)*sec, c.a, c.udp(false, byte(i)))
		}
	})
	seen := map[time.Duration]int{}
	for i, g := range c.got {
		seen[g.at-time.Duration(i)*sec]++
	}
	require.Len(t, seen, 3)
	require.Equal(t, 60, seen[0]+seen[1]+seen[2])
}

// Copies go right behind the frame, through the rules that come next.
func TestRuleDuplicate(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		var behind *Rule
		c := onChain(t, Params{}, func(c *chain) {
			c.rule(RuleConfig{Name: "twin", Action: ActDuplicate, Copies: 2, Nth: 1})
			behind = c.rule(RuleConfig{Name: "behind", Action: ActDrop, Nth: 2})
			for i := range 2 {
				c.send(sec, c.a, c.udp(v6, byte(i)))
			}
		})
		require.Equal(t, []int{0, 0, 1}, c.numbers("b"))
		require.EqualValues(t, 4, behind.Matches())
		require.Equal(t, []string{`sent 3 times by rule "twin"`, `duplicate 2 of 3 by rule "twin"; dropped: rule "behind" on a--ra`,
			`duplicate 3 of 3 by rule "twin"`, ""}, c.comments("a", Outbound))
		s := c.links[0].Stats(Forward)
		require.Equal(t, []uint64{2, 2, 3, 1}, []uint64{s.Sent.Frames, s.Duplicated.Frames, s.Delivered.Frames, s.Dropped.Total()})
		require.Equal(t, c.got[0].id, c.got[1].id)
	}
}

// Different bits behind the Ethernet header are flipped, which both captures show.
func TestRuleCorrupt(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		for _, count := range []int{0, 1, 7, 160} {
			var sent []byte
			c := onChain(t, Params{}, func(c *chain) {
				c.rule(RuleConfig{Action: ActCorrupt, Bits: count, Places: []Place{{c.b, Inbound}}})
				sent = c.udp(v6, 1, 2, 3)
				c.send(sec, c.a, sent)
			})
			flipped := 0
			copy(sent, c.got[0].data[:12]) // the router's MAC addresses
			for i := range sent {
				flipped += bits.OnesCount8(sent[i] ^ c.got[0].data[i])
			}
			require.Equal(t, max(count, 1), flipped)
			require.True(t, bytes.Equal(sent[:etherHeader], c.got[0].data[:etherHeader]))
			require.True(t, c.got[0].damaged)
			require.EqualValues(t, 1, c.links[1].Stats(Forward).Corrupted)
			out, in := c.shown[len(c.shown)-2], c.shown[len(c.shown)-1]
			require.Equal(t, out.data, in.data)
			require.Equal(t, out.comment, in.comment)
			require.Regexp(t, `^corrupted: flipped 0x.* in byte .* by rule "x"$`, in.comment)
		}
	}
}

func TestRuleTruncate(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		c := onChain(t, Params{}, func(c *chain) {
			c.rule(RuleConfig{Action: ActTruncate, To: 30, Places: c.here()})
			c.send(sec, c.a, c.udp(v6, make([]byte, 100)...))
			c.send(sec, c.a, make([]byte, 40)) // 26 bytes
			c.send(sec, c.a, make([]byte, 5))
		})
		require.Equal(t, []int{44, 40, 5}, []int{len(c.got[0].data), len(c.got[1].data), len(c.got[2].data)})
		require.Equal(t, []bool{true, false, false}, []bool{c.got[0].damaged, c.got[1].damaged, c.got[2].damaged})
		size := "128"
		if v6 {
			size = "148"
		}
		words := []string{"truncated from " + size + ` B to 30 B by rule "x"`, `not altered by rule "x"`, `not altered by rule "x"`}
		require.Equal(t, words, c.comments("a", Outbound))
		require.Equal(t, words, c.comments("ra", Inbound))
		require.EqualValues(t, 1, c.links[0].Stats(Forward).Truncated)
	}
}

// Rules act in the order in which they were added, wherever and whenever that was.
func TestRuleOrder(t *testing.T) {
	var rules []*Rule
	c := onChain(t, Params{}, func(c *chain) {
		for _, r := range []RuleConfig{
			{Name: "1", Action: ActPass, Places: c.here()},
			{Name: "2", Action: ActDrop, EveryNth: 3, Places: c.here()},
			{Name: "3", Action: ActTruncate, To: 25, EveryNth: 2},
			{Name: "4", Action: ActPass, Match: func(frame []byte) bool { return len(frame) == etherHeader+25 }},
		} {
			rules = append(rules, c.rule(r))
		}
		for i := range 6 {
			c.send(sec, c.a, c.udp(false, byte(i)))
		}
	})
	require.Len(t, c.got, 4)
	var counts [][2]uint64
	for _, r := range rules {
		counts = append(counts, [2]uint64{r.Matches(), r.Hits()})
	}
	require.Equal(t, [][2]uint64{{6, 6}, {6, 2}, {4, 2}, {2, 2}}, counts)
}

// A rule that is removed by what it does itself, or by what one before it does, acts no more; the others do.
func TestRuleRemovedMeanwhile(t *testing.T) {
	var rules []*Rule
	c := onChain(t, Params{}, func(c *chain) {
		for _, name := range []string{"1", "2", "3"} {
			rules = append(rules, c.rule(RuleConfig{Name: name, Action: ActPass}))
		}
		c.Observe(func(ev Event) {
			rules[0].Remove()
			rules[1].Remove()
		})
		c.send(sec, c.a, c.udp(false, 1))
		c.send(sec, c.a, c.udp(false, 2))
	})
	require.Len(t, c.got, 2)
	require.Equal(t, []uint64{1, 0, 2}, []uint64{rules[0].Hits(), rules[1].Hits(), rules[2].Hits()})
	require.Len(t, c.a.out.rules, 1)
	require.Len(t, c.rules.active, 1)
}
