package topology

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

// chaosLab is a lab with a bit of everything.
func chaosLab(chaos string) string {
	return fmt.Sprintf(`{
		"seed": 7, "duration": "10m",
		"nodes": {
			"user[1..3]": {}, "r": { "kind": "router" }, "sw": { "kind": "switch" },
			"web[1..3]": { "services": { "sink": { "type": "tcp-sink", "listen": ":80" } } }
		},
		"links": ["web[*] - sw", "sw - r", { "between": "r - user[*]", "latency": "normal(40ms, 8ms)", "rate": "10Mbit/s", "loss": "2%%", "backward": { "rate": "1Mbit/s" } }],
		"chaos": %s
	}`, chaos)
}

// draws returns the faults that chaos draws in that lab.
func draws(t testing.TB, chaos string) []Fault {
	t.Helper()
	resolved := loadOne(t, chaosLab(chaos)).Resolved
	require.Nil(t, resolved.Chaos)
	return resolved.Faults
}

var allKinds = `["crash", "pause", "cut", "flap", "partition", "one-way-partition", "slow", "skew", "loss", "latency", "rate"]`

// A run's resolved topology holds what was drawn in place of chaos, and is a file that resolves to itself.
func TestChaosResolvesToFaults(t *testing.T) {
	for _, chaos := range []string{`{}`, `{ "kinds": ` + allKinds + `, "every": "2s", "nodes": "*" }`} {
		v := loadOne(t, chaosLab(chaos))
		require.NotNil(t, v.Topology.Chaos)
		require.NotEmpty(t, v.Resolved.Faults)
		requireFixpoint(t, v.Resolved)
		require.Equal(t, v.Resolved.Faults, draws(t, chaos), "it was drawn differently")
	}
}

// kindOf says which kind of chaos a fault is.
func kindOf(f *Fault) ChaosKind {
	switch verb := f.Verb(); {
	case verb == "partition" && f.OneWay:
		return ChaosOneWayPartition
	case verb != "set":
		return ChaosKind(verb)
	case f.Set.Loss != nil:
		return ChaosLoss
	case f.Set.Latency != nil:
		return ChaosLatency
	default:
		return ChaosRate
	}
}

// targetOf is what a fault hits.
func targetOf(f *Fault) string {
	return fmt.Sprint(f.Nodes(), f.Cut, f.Flap, f.Link)
}

func TestChaosKeepsItsTimes(t *testing.T) {
	faults := draws(t, `{ "kinds": `+allKinds+`, "every": "exponential(1s)", "for": "uniform(0s, 20s)", "start": "30s", "quiet": "2m", "concurrent": 3 }`)
	require.Greater(t, len(faults), 50)
	hit := map[string]int{}
	for i := range faults {
		f := &faults[i]
		require.Equal(t, fmt.Sprintf("chaos-%d", i+1), f.Name)
		require.True(t, f.Drawn())
		end := f.At.Std() + f.For.Mean()
		require.GreaterOrEqual(t, f.At.Std(), 30*time.Second)
		require.LessOrEqual(t, end, 8*time.Minute)
		require.Positive(t, f.For.Mean())
		require.Zero(t, end%time.Millisecond, "times are whole milliseconds")
		hit[f.Verb()]++
		force := 1
		for j := range faults[:i] {
			g := &faults[j]
			require.LessOrEqual(t, g.At, f.At)
			if g.At.Std()+g.For.Mean() < f.At.Std() {
				continue
			}
			force++
			if kindOf(f) == kindOf(g) {
				require.NotEqual(t, targetOf(g), targetOf(f), "%s and %s", g.Name, f.Name)
			}
			for _, verb := range []string{"crash", "pause"} {
				if g.Verb() == verb && f.Nodes() != nil {
					require.NotEqual(t, g.Nodes(), f.Nodes(), "a %s hits what is down", f.Verb())
				}
			}
			require.False(t, g.Partition != nil && f.Partition != nil, "two partitions at once")
		}
		require.LessOrEqual(t, force, 3)
	}
	require.Len(t, hit, 8, "partitions share a verb, and so do loss, latency and rate: %v", hit)
}

// Each kind hits what it can hit, and what changes a link comes on top of what the link is like.
func TestChaosKinds(t *testing.T) {
	services := []string{"web1", "web2", "web3"}
	for kind, check := range map[ChaosKind]func(f *Fault) bool{
		ChaosCrash: func(f *Fault) bool { return slices.Contains(append(services, "r"), f.Crash[0]) },
		ChaosPause: func(f *Fault) bool { return slices.Contains(services, f.Pause[0]) },
		ChaosSlow: func(f *Fault) bool {
			return slices.Contains(services, f.Slow[0]) && slices.Contains(slowFactors, f.Factor)
		},
		ChaosSkew: func(f *Fault) bool {
			return slices.Contains(services, f.Skew[0]) && slices.Contains(skewOffsets, max(f.Offset.Std(), -f.Offset.Std()))
		},
		ChaosCut: func(f *Fault) bool {
			return slices.Contains([]string{"web1--sw", "sw--r", "r--user2"}, f.Cut) || f.Cut != ""
		},
		ChaosFlap: func(f *Fault) bool { return f.Flap != "" && f.DownTime != nil && f.UpTime != nil },
		ChaosLoss: func(f *Fault) bool {
			if f.Link[0] != 'r' {
				return slices.Contains([]string{"1%", "3%", "10%", "30%"}, f.Set.Loss.String())
			}
			return slices.Contains([]string{"3%", "5%", "12%", "32%"}, f.Set.Loss.String())
		},
		ChaosLatency: func(f *Fault) bool {
			return f.Link[0] == 'r' == slices.Contains([]string{"90ms", "140ms", "240ms", "540ms", "1.04s"}, f.Set.Latency.String())
		},
		ChaosRate: func(f *Fault) bool {
			if f.Link[0] != 'r' {
				return slices.Contains(lowRates, f.Set.Rate.Fixed()) && f.Set.Backward.Rate == nil
			}
			return f.Set.Rate.Fixed() == 10*f.Set.Backward.Rate.Fixed()
		},
		ChaosPartition: func(f *Fault) bool {
			return len(f.Partition) == 1 && !f.OneWay && len(f.Partition[0]) > 0 && !slices.Contains(f.Partition[0], "r")
		},
		ChaosOneWayPartition: func(f *Fault) bool { return f.OneWay },
	} {
		faults := draws(t, fmt.Sprintf(`{ "kinds": [%q], "every": "5s" }`, kind))
		require.NotEmpty(t, faults)
		for i := range faults {
			require.Equal(t, kind, kindOf(&faults[i]))
			require.True(t, check(&faults[i]), "%s: %s", kind, (&Topology{Faults: faults[i : i+1]}).JSON())
		}
	}
}

func TestChaosLimits(t *testing.T) {
	require.Len(t, draws(t, `{ "every": "1s", "count": 4 }`), 4)
	for _, f := range draws(t, `{ "every": "1s", "nodes": "web2", "links": "sw - r" , "kinds": ["crash", "cut"] }`) {
		require.True(t, f.Cut == "sw--r" || slices.Equal(f.Crash, Patterns{"web2"}), "%+v", f)
	}
	// One target, hit again and again: each fault waits for the one before.
	last := units.Duration(0)
	for _, f := range draws(t, `{ "every": "1ms", "for": "10s", "links": ["sw - r"], "kinds": ["cut"] }`) {
		require.Greater(t, f.At, last)
		last = f.At + units.Duration(f.For.Mean())
	}
	require.Equal(t, units.Duration(8*time.Minute), last)
	// Nothing need be drawn.
	require.Empty(t, draws(t, `{ "every": "exponential(1000h)" }`))
}

// What a fault is depends on its number only; kinds and lengths don't move the times, nor does the rest of the lab.
func TestChaosStreams(t *testing.T) {
	times := func(faults []Fault) (list []units.Duration) {
		for i := range faults {
			list = append(list, faults[i].At)
		}
		return list
	}
	base := draws(t, `{ "for": "1s" }`)
	require.Equal(t, times(base), times(draws(t, `{ "for": "normal(500ms, 100ms)", "kinds": ["loss", "cut", "skew"] }`)))
	require.NotEqual(t, base, draws(t, `{ "for": "1s", "kinds": ["cut"] }`))
	later := draws(t, `{ "for": "1s", "every": "20s" }`)
	require.Equal(t, base[0].Verb(), later[0].Verb())
	require.Equal(t, kindOf(&base[2]), kindOf(&later[2]))
	seed := uint64(8)
	f, err := Load("lab.jsonc", []byte(chaosLab(`{ "for": "1s" }`)), catalog, &Options{Seed: &seed})
	require.NoError(t, err)
	require.NotEqual(t, base, f.Variants[0].Resolved.Faults)
}

// The file's own faults come first, and their names are left alone.
func TestChaosBesideFaults(t *testing.T) {
	resolved := loadOne(t, `{
		"duration": "1m", "nodes": { "a": {}, "b": {} }, "links": ["a - b"],
		"faults": [{ "at": "50s", "cut": "a - b", "name": "chaos-2" }],
		"chaos": { "every": "10s", "for": "1s", "kinds": ["cut"] }
	}`).Resolved
	var names []string
	for i := range resolved.Faults {
		names = append(names, resolved.Faults[i].Name)
	}
	require.Equal(t, []string{"chaos-2", "chaos-1", "chaos-3", "chaos-4", "chaos-5"}, names[:5])
	requireFixpoint(t, resolved)
}

func TestDrawn(t *testing.T) {
	for name, want := range map[string]bool{"chaos-1": true, "chaos-": false, "chaos": false, "chaos-x": false, "cut-1": false, "": false} {
		require.Equal(t, want, (&Fault{Name: name}).Drawn(), name)
	}
}

func TestChaosOfATopologyMadeInGo(t *testing.T) {
	topology := &Topology{
		Nodes: MapOf(Entry[Node]{"a", Node{}}, Entry[Node]{"b", Node{}}), Links: []Link{{Between: "a - b"}},
		Duration: units.Duration(time.Minute), Chaos: &Chaos{Kinds: []ChaosKind{ChaosCut}},
	}
	resolved, err := topology.Resolve()
	require.NoError(t, err)
	require.NotEmpty(t, resolved.Faults)
	topology.Chaos.Kinds = []ChaosKind{"cuts"}
	topology.Chaos.Count = -1
	_, err = topology.Resolve()
	require.EqualError(t, err, `chaos.kinds[0]: "cuts" is not one of crash, pause, cut, flap, partition, one-way-partition, slow, skew, loss, latency, rate; did you mean "cut"?
chaos.count: found -1, wanted 1 or more`)
}

func BenchmarkChaos(b *testing.B) {
	f, err := Load("lab.jsonc", []byte(chaosLab(`{ "every": "100ms" }`)), catalog, nil)
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		_, err := f.Variants[0].Topology.Resolve()
		require.NoError(b, err)
	}
}
