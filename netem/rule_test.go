package netem

import (
	"context"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"

	"netlab/units"
)

// chain is a -- r -- b: nodes 0, 1 and 2, of which r forwards as a router does, with its own MAC addresses.
type chain struct {
	*Network
	t      testing.TB
	a, b   *Port
	ra, rb *Port // of r, towards a and towards b
	links  [2]*Link
	got    []caught // what reached a and b
	shown  []caught // what the tap saw
	events []Event
}

// caught is a frame that somebody has seen.
type caught struct {
	at      time.Duration
	port    string
	way     Direction
	data    []byte
	id      uint64
	damaged bool
	comment string
}

func (c *chain) Frame(at time.Duration, port PortID, way Direction, _ uint64, data []byte, comment string) {
	c.shown = append(c.shown, caught{at: at, port: c.Ports()[port].Name(), way: way, data: append([]byte{}, data...), comment: comment})
}

// newChain builds a chain whose links are all as p says.
func newChain(t testing.TB, p Params) *chain {
	if p.MTU == 0 {
		p.MTU = DefaultMTU
	}
	c := &chain{Network: NewNetwork(NewEngine(Config{}), 1), t: t}
	port := func(node NodeID, host, name string, number byte, receive func(at time.Duration, f *Frame)) *Port {
		m := mac(number)
		return c.NewPort(PortConfig{Node: node, Host: host, Name: name, MAC: m[:], Passive: true, Receive: receive})
	}
	end := func(name string) func(at time.Duration, f *Frame) {
		return func(at time.Duration, f *Frame) {
			c.got = append(c.got, caught{at: at, port: name, data: append([]byte{}, f.Data...), id: f.ID, damaged: f.Damaged})
			f.Release()
		}
	}
	c.a = port(0, "a", "a", 1, end("a"))
	c.ra = port(1, "r", "ra", 2, func(at time.Duration, f *Frame) { c.route(at, f, c.rb, 4) })
	c.rb = port(1, "r", "rb", 3, func(at time.Duration, f *Frame) { c.route(at, f, c.ra, 1) })
	c.b = port(2, "b", "b", 4, end("b"))
	for node, address := range []byte{1, 0, 2} {
		if node != 1 {
			c.SetAddress(address4(address), NodeID(node))
			c.SetAddress(address6(address), NodeID(node))
		}
	}
	for i, ends := range [][2]*Port{{c.a, c.ra}, {c.rb, c.b}} {
		l, err := c.Connect(ends[0].Name()+"--"+ends[1].Name(), ends[0], ends[1], p, p)
		require.NoError(t, err)
		c.links[i] = l
	}
	c.Observe(func(ev Event) { c.events = append(c.events, ev) })
	return c
}

// route forwards a frame to the station with that number.
func (c *chain) route(at time.Duration, f *Frame, out *Port, next byte) {
	if len(f.Data) >= etherHeader {
		dst := mac(next)
		copy(f.Data, dst[:])
		copy(f.Data[6:], out.mac[:])
	}
	out.Forward(at, f)
}

// onChain lets a scenario add rules and send frames, and runs the engine until nothing is left to do. No frame may be lost.
func onChain(t *testing.T, p Params, scenario func(c *chain)) *chain {
	t.Helper()
	var c *chain
	synctest.Test(t, func(t *testing.T) {
		c = newChain(t, p)
		c.SetTap(c)
		check := stock(t, c.Engine)
		scenario(c)
		require.ErrorIs(t, c.Run(context.Background()), ErrStandstill)
		check()
		c.conserved(true)
	})
	return c
}

// conserved checks the counters of all links. With done, nothing may be in flight.
func (c *chain) conserved(done bool) {
	c.t.Helper()
	inFlight := 0
	for _, l := range c.Links() {
		for way := range 2 {
			s := l.Stats(way)
			inFlight += int(s.InFlight())
		}
	}
	require.Equal(c.t, inFlight, c.InFlight())
	if done {
		require.Zero(c.t, inFlight)
	}
}

func (c *chain) rule(r RuleConfig) *Rule {
	c.t.Helper()
	if r.Name == "" {
		r.Name = "x"
	}
	rule, err := c.AddRule(r)
	require.NoError(c.t, err)
	return rule
}

// send makes a or another port send a frame.
func (c *chain) send(at time.Duration, from *Port, data []byte) {
	c.At(0, KindControl, at, func() {
		f := c.NewFrame(len(data))
		copy(f.Data, data)
		from.Forward(c.Elapsed(), f)
	})
}

// numbers are the last bytes of the frames that reached a port.
func (c *chain) numbers(port string) (list []int) {
	for _, g := range c.got {
		if g.port == port {
			list = append(list, int(g.data[len(g.data)-1]))
		}
	}
	return list
}

// comments are what the tap was told about the frames at a port.
func (c *chain) comments(port string, way Direction) (list []string) {
	for _, s := range c.shown {
		if s.port == port && s.way == way {
			list = append(list, s.comment)
		}
	}
	return list
}

// details are what the log says, as reason: detail.
func (c *chain) details(kind string) (list []string) {
	for _, ev := range c.events {
		if ev.Kind == kind {
			list = append(list, fmt.Sprintf("%s %s: %s", ev.Link, ev.Reason, ev.Detail))
		}
	}
	return list
}

// frame is a frame from a to b, or back, with valid checksums and without padding.
func (c *chain) frame(v6, back bool, transport gopacket.SerializableLayer, payload ...byte) []byte {
	c.t.Helper()
	src, dst, from, to := byte(1), byte(2), mac(1), mac(2)
	if back {
		src, dst, from, to = 2, 1, mac(4), mac(3)
	}
	protocol := layers.IPProtocolUDP
	switch transport.(type) {
	case *layers.TCP:
		protocol = layers.IPProtocolTCP
	case *layers.ICMPv4:
		protocol = layers.IPProtocolICMPv4
	case *layers.ICMPv6:
		protocol = layers.IPProtocolICMPv6
	}
	ether := append(append(to[:], from[:]...), 8, 0)
	var network interface {
		gopacket.NetworkLayer
		gopacket.SerializableLayer
	} = &layers.IPv4{Version: 4, TTL: 64, Protocol: protocol, SrcIP: address4(src).AsSlice(), DstIP: address4(dst).AsSlice()}
	if v6 {
		ether[12], ether[13] = 0x86, 0xdd
		network = &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: protocol, SrcIP: address6(src).AsSlice(), DstIP: address6(dst).AsSlice()}
	}
	if t, ok := transport.(interface {
		SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
	}); ok {
		require.NoError(c.t, t.SetNetworkLayerForChecksum(network))
	}
	buffer := gopacket.NewSerializeBuffer()
	require.NoError(c.t, gopacket.SerializeLayers(buffer, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
		network, transport, gopacket.Payload(payload)))
	return append(ether, buffer.Bytes()...)
}

func (c *chain) udp(v6 bool, payload ...byte) []byte {
	return c.frame(v6, false, &layers.UDP{SrcPort: 1000, DstPort: 53}, payload...)
}

// isUDP matches UDP packets of either version.
func isUDP(frame []byte) bool {
	p, ok := parseIP(frame)
	return ok && p.protocol == protocolUDP
}

// Each trigger chooses exactly the matches that it says.
func TestRuleTriggers(t *testing.T) {
	for _, test := range []struct {
		rule RuleConfig
		hits []int // of 12 frames, from 1
	}{
		{RuleConfig{}, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
		{RuleConfig{First: 3}, []int{1, 2, 3}},
		{RuleConfig{First: 100, Limit: 2}, []int{1, 2}},
		{RuleConfig{Nth: 1}, []int{1}},
		{RuleConfig{Nth: 3}, []int{3}},
		{RuleConfig{Nth: 13}, nil},
		{RuleConfig{EveryNth: 1, Limit: 4}, []int{1, 2, 3, 4}},
		{RuleConfig{EveryNth: 5}, []int{5, 10}},
		{RuleConfig{EveryNth: 5, Limit: 1}, []int{5}},
		{RuleConfig{Share: 1}, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
		{RuleConfig{Limit: 1}, []int{1}},
	} {
		for _, v6 := range []bool{false, true} {
			var r *Rule
			var want []int
			size := 0
			c := onChain(t, Params{}, func(c *chain) {
				test.rule.Action, test.rule.Match = ActDrop, isUDP
				r = c.rule(test.rule)
				for i := 1; i <= 12; i++ {
					data := c.udp(v6, byte(i))
					size = len(data)
					c.send(sec, c.a, request(v6, 1, 2)) // no match: arrives, and isn't counted
					c.send(sec, c.a, data)
				}
			})
			for i, hits := 1, test.hits; i <= 12; i++ {
				if len(hits) > 0 && hits[0] == i {
					hits = hits[1:]
				} else {
					want = append(want, i)
				}
			}
			var got []int
			for _, g := range c.got {
				if isUDP(g.data) {
					got = append(got, int(g.data[len(g.data)-1]))
				}
			}
			require.Equal(t, want, got, "%+v", test.rule)
			n := uint64(len(test.hits))
			require.Equal(t, RuleStats{12, n, units.Bytes(n) * units.Bytes(size)}, r.Stats())
			require.Equal(t, []uint64{12, n}, []uint64{r.Matches(), r.Hits()})
		}
	}
}

// decisions sends n frames, one a millisecond, and says which of them arrive.
func decisions(t *testing.T, n int, p Params, add func(c *chain)) (arrived []bool) {
	arrived = make([]bool, n)
	synctest.Test(t, func(t *testing.T) {
		c := newChain(t, p)
		c.Observe(nil)
		add(c)
		data := c.udp(false, 1, 2, 3, 4)
		sent := 0
		c.b.SetReceive(func(at time.Duration, f *Frame) {
			arrived[at/ms] = true
			f.Release()
		})
		var timer *Timer
		timer = c.NewTimer(0, KindControl, func() {
			f := c.NewFrame(len(data))
			copy(f.Data, data)
			c.a.Forward(c.Elapsed(), f)
			if sent++; sent < n {
				timer.Reset(ms)
			}
		})
		timer.inert = true
		timer.ResetAt(0)
		require.ErrorIs(t, c.Run(context.Background()), ErrStandstill)
		c.conserved(true)
	})
	return arrived
}

// A share hits each match with its probability, independently of the ones before, and a limit doesn't change which.
func TestRuleShare(t *testing.T) {
	large(t)
	const n, p = 100_000, 0.3
	with := func(limit int) []bool {
		return decisions(t, n, Params{}, func(c *chain) { c.rule(RuleConfig{Action: ActDrop, Share: p, Limit: limit}) })
	}
	all, some := with(0), with(1000)
	hits, pairs := 0, 0
	for i := range all {
		if !all[i] {
			hits++
			if i > 0 && !all[i-1] {
				pairs++
			}
		}
		if hits <= 1000 {
			require.Equal(t, all[i], some[i])
		} else {
			require.True(t, some[i])
		}
	}
	// The seed is fixed, so the test can't fail by chance; for another seed it would, once in 15,000 times: 4 standard deviations
	// of the binomial distribution. For pairs the variance has the covariances of neighbours too: np²(1 + 2p - 3p²).
	require.InDelta(t, n*p, hits, 4*math.Sqrt(n*p*(1-p)))
	require.InDelta(t, n*p*p, pairs, 4*math.Sqrt(n*p*p*(1+2*p-3*p*p)))
}

// What a rule draws is its own: other rules and the links decide as they would without it.
func TestRuleStreamsAreTheirOwn(t *testing.T) {
	const n = 5000
	loss, err := units.Bernoulli(0.2)
	require.NoError(t, err)
	lossy := Params{Loss: loss}
	links := decisions(t, n, lossy, func(*chain) {})
	random, err := units.Uniform(0, 300*time.Microsecond)
	require.NoError(t, err)
	require.Equal(t, links, decisions(t, n, lossy, func(c *chain) {
		c.rule(RuleConfig{Name: "count", Action: ActPass, Share: 0.5})
		c.rule(RuleConfig{Name: "late", Action: ActDelay, Delay: random, Share: 0.5})
		c.rule(RuleConfig{Name: "bits", Action: ActCorrupt})
		c.rule(RuleConfig{Name: "short", Action: ActTruncate, Share: 0.5})
	}))

	drop := RuleConfig{Name: "drop", Action: ActDrop, Share: 0.3}
	alone := decisions(t, n, Params{}, func(c *chain) { c.rule(drop) })
	require.Equal(t, alone, decisions(t, n, Params{}, func(c *chain) {
		c.rule(RuleConfig{Name: "before", Action: ActPass, Share: 0.5})
		c.rule(drop)
		c.rule(RuleConfig{Name: "behind", Action: ActDelay, Delay: random, Share: 0.5})
	}))
	require.NotEqual(t, alone, decisions(t, n, Params{}, func(c *chain) {
		drop.Name = "another"
		c.rule(drop)
	}))
}

// A rule that is added again goes on in its stream.
func TestRuleAddedAgain(t *testing.T) {
	const n = 2000
	drop := RuleConfig{Name: "drop", Action: ActDrop, Share: 0.3}
	want := decisions(t, n, Params{}, func(c *chain) { c.rule(drop) })
	require.Equal(t, want, decisions(t, n, Params{}, func(c *chain) {
		r := c.rule(drop)
		c.At(0, KindControl, 700*ms+1, func() {
			r.Remove()
			r = c.rule(drop)
		})
	}))
}

// What makes no sense is refused, in words that help.
func TestRuleErrors(t *testing.T) {
	for _, test := range []struct {
		rule RuleConfig
		want string
	}{
		{RuleConfig{Action: ActDrop}, "needs a name"},
		{RuleConfig{Name: "x"}, `action "": want one of pass, drop, delay, duplicate, corrupt, truncate, reset, reject`},
		{RuleConfig{Name: "taken", Action: ActDrop}, "one of this name already"},
		{RuleConfig{Name: "x", Action: ActDrop, First: 1, Nth: 2}, "at most one"},
		{RuleConfig{Name: "x", Action: ActDrop, EveryNth: 1, Share: 0.5}, "at most one"},
		{RuleConfig{Name: "x", Action: ActDrop, Nth: -1}, "nth of -1: want 1 or more"},
		{RuleConfig{Name: "x", Action: ActDrop, Limit: -1}, "limit of -1"},
		{RuleConfig{Name: "x", Action: ActDrop, Share: 1.5}, "share of 1.5: want 0 to 1"},
		{RuleConfig{Name: "x", Action: ActDrop, Share: units.Probability(math.NaN())}, "want 0 to 1"},
		{RuleConfig{Name: "x", Action: ActDrop, Copies: 2}, "a number of copies is set, which belongs to the action duplicate: found the action drop"},
		{RuleConfig{Name: "x", Action: ActDrop, Delay: units.Constant(1)}, "belongs to the action delay"},
		{RuleConfig{Name: "x", Action: ActDelay}, "needs a delay"},
		{RuleConfig{Name: "x", Action: ActDelay, Delay: units.Empirical("d.txt", nil)}, "has no data"},
		{RuleConfig{Name: "x", Action: ActDuplicate, Copies: -1}, "-1 copies: want 1 to 1000"},
		{RuleConfig{Name: "x", Action: ActDuplicate, Copies: 1001}, "1001 copies: want 1 to 1000"},
		{RuleConfig{Name: "x", Action: ActCorrupt, Bits: -1}, "want 1 to 160"},
		{RuleConfig{Name: "x", Action: ActTruncate, To: -1}, "-1"},
		{RuleConfig{Name: "x", Action: ActReject}, `rejection "": want one of port-unreachable, host-unreachable`},
		{RuleConfig{Name: "x", Action: ActReject, Rejection: RejectSize}, "MTU of 0 bytes: want 68 to 65535"},
		{RuleConfig{Name: "x", Action: ActReject, Rejection: RejectPort, MTU: 1400}, "belongs to too-big"},
		{RuleConfig{Name: "x", Action: ActDrop, Places: []Place{{}}}, "joined to no link"},
	} {
		onChain(t, Params{}, func(c *chain) {
			c.rule(RuleConfig{Name: "taken", Action: ActPass})
			_, err := c.AddRule(test.rule)
			require.ErrorContains(t, err, test.want)
			require.ErrorContains(t, err, fmt.Sprintf("rule %q: ", test.rule.Name))
			require.Len(t, c.rules.active, 1)
		})
	}
	onChain(t, Params{}, func(c *chain) {
		loose := c.NewPort(PortConfig{Name: "loose"})
		_, err := c.AddRule(RuleConfig{Name: "x", Action: ActDrop, Places: []Place{{Port: loose}}})
		require.ErrorContains(t, err, "port loose is joined to no link")
		_, err = c.AddRule(RuleConfig{Name: "x", Action: ActDrop, Places: []Place{{c.a, 2}}})
		require.ErrorContains(t, err, "way 2 at port a: want Outbound or Inbound")
	})
}
