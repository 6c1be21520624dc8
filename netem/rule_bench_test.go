package netem

import (
	"testing"
	"time"

	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"

	"netlab/units"
)

// ruleBench is two ports joined by a link, and a frame that one sends to the other.
type ruleBench struct {
	*Network
	a    *Port
	data []byte
}

func newRuleBench(t testing.TB) *ruleBench {
	b := &ruleBench{Network: NewNetwork(NewEngine(Config{RealTime: true}), 1)}
	for node, name := range []string{"a", "b"} {
		b.NewPort(PortConfig{Node: NodeID(node), Name: name, Passive: true, Receive: func(_ time.Duration, f *Frame) { f.Release() }})
	}
	b.a = b.ports[0]
	_, err := b.Connect("a--b", b.a, b.ports[1], Params{MTU: DefaultMTU}, Params{MTU: DefaultMTU})
	require.NoError(t, err)
	b.SetAddress(address4(1), 0)
	c := &chain{t: t}
	b.data = c.frame(false, false, &layers.TCP{ACK: true, Seq: 1, Ack: 1}, make([]byte, 1400)...)
	return b
}

// send sends a frame and waits until nothing is in flight.
func (b *ruleBench) send() {
	f := b.NewFrame(len(b.data))
	copy(f.Data, b.data)
	b.a.Forward(b.Elapsed(), f)
	for b.InFlight() > 0 {
		b.runDue()
	}
}

// benchRules are the cases of benchmarks: a frame with each action in its way.
func benchRules() map[string][]RuleConfig {
	cases := map[string][]RuleConfig{"none": nil}
	for _, a := range actions {
		r := RuleConfig{Name: string(a.name), Action: a.name}
		switch a.name {
		case ActDelay:
			r.Delay = units.Constant(1)
		case ActReject:
			r.Rejection = RejectPort
		}
		cases[string(a.name)] = []RuleConfig{r}
	}
	cases["no match"] = []RuleConfig{{Name: "x", Action: ActDrop, Match: func(frame []byte) bool { return frame[23] == protocolUDP }}}
	cases["a share of 0.001"] = []RuleConfig{{Name: "x", Action: ActDrop, Share: 0.001}}
	return cases
}

// BenchmarkRule measures the way of a frame across a link, nobody looking.
func BenchmarkRule(b *testing.B) {
	for name, rules := range benchRules() {
		b.Run(name, func(b *testing.B) {
			bench := newRuleBench(b)
			for _, r := range rules {
				_, err := bench.AddRule(r)
				require.NoError(b, err)
			}
			bench.send()
			b.ReportAllocs()
			for b.Loop() {
				bench.send()
			}
		})
	}
}

// Rules allocate nothing as long as nobody looks, but for the event of a frame that is delayed.
func TestRulesDoNotAllocate(t *testing.T) {
	for name, rules := range benchRules() {
		bench := newRuleBench(t)
		for _, r := range rules {
			_, err := bench.AddRule(r)
			require.NoError(t, err)
		}
		bench.send()
		want := 0.0
		if name == string(ActDelay) {
			want = 1
		}
		require.Equal(t, want, testing.AllocsPerRun(1000, bench.send), name)
	}
}
