package netem

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"

	"netlab/units"
)

// account is what somebody who looks on has counted in one direction of a link: what a tap and the log show.
type account struct {
	sent         uint64 // by the stations, and what arrived at the router before
	left         uint64 // went on the wire
	copies       uint64 // made by the wire
	answers      uint64 // put at the far end by a rule on the other direction
	arrived      uint64
	lost, missed uint64 // drops that the near and the far end show
	drops        Drops  // in the log
	made         uint64 // by rules: copies and forged frames
}

// ledger keeps the accounts of a chain's directions, by the port at the near end.
type ledger struct {
	*chain
	last     time.Duration
	accounts map[*Port]*account
}

func (l *ledger) account(d *direction) *account {
	a := l.accounts[d.from]
	if a == nil {
		a = &account{}
		l.accounts[d.from] = a
	}
	return a
}

func (l *ledger) Frame(at time.Duration, port PortID, way Direction, _ uint64, _ []byte, comment string) {
	require.GreaterOrEqual(l.t, at, l.last, "time goes back")
	l.last = at
	p := l.Ports()[port]
	dropped := strings.Contains(comment, "dropped: ")
	a := l.account(p.out)
	if way == Inbound {
		a = l.account(p.out.reverse())
	}
	switch {
	case way == Inbound && dropped:
		a.missed++
	case way == Inbound:
		a.arrived++
		switch p {
		case l.ra:
			l.account(l.rb.out).sent++
		case l.rb:
			l.account(l.ra.out).sent++
		}
	case dropped:
		a.lost++
	default:
		a.left++
		if strings.Contains(comment, "duplicated on") {
			a.copies++
		}
	}
}

func (l *ledger) observe(ev Event) {
	for _, link := range l.Links() {
		for way := range 2 {
			d := &link.dirs[way]
			if link.id != ev.Link || d.name != ev.Dir {
				continue
			}
			a := l.account(d)
			switch {
			case ev.Kind == "drop":
				for r := range dropReasons {
					if r.String() == ev.Reason {
						a.drops[r]++
					}
				}
				if ev.Detail == `rule "reset"` {
					a.made++
					l.account(d.reverse()).made++
					l.account(d.reverse()).answers++
				}
			case ev.Kind == "rule" && ev.Reason == string(ActDuplicate):
				a.made += 2
			}
		}
	}
}

// where counts the frames of a direction that wait in front of the wire, and those that are on it.
func (l *ledger) where(d *direction) (before, on uint64) {
	before = uint64(d.queue.len())
	if d.next != nil {
		before++
	}
	on = uint64(len(d.late))
	for _, list := range [][]event{l.Engine.queue, l.suspended.events} {
		for _, ev := range list {
			switch h := ev.h.(type) {
			case *receiver:
				if (*direction)(h) == d {
					on++
				}
			case *release:
				if h.d == d {
					before++
				}
			}
		}
	}
	return before, on
}

// check compares the counters with the accounts, and with where the frames are.
func (l *ledger) check() {
	l.t.Helper()
	total := uint64(0)
	for _, link := range l.Links() {
		for way := range 2 {
			d := &link.dirs[way]
			s, a := d.stats, l.account(d)
			before, on := l.where(d)
			name := fmt.Sprintf("%s of %s at %v: %+v, %+v", d.name, link.id, l.Elapsed(), s, *a)
			require.Equal(l.t, a.sent, s.Sent.Frames, name)
			require.Equal(l.t, a.arrived, s.Delivered.Frames, name)
			require.Equal(l.t, a.drops, s.Dropped, name)
			require.Equal(l.t, a.lost+a.missed, s.Dropped.Total(), name)
			require.Equal(l.t, a.missed, s.Dropped[DropNodeDown], name)
			require.Equal(l.t, a.made+a.copies, s.Duplicated.Frames, name)
			require.Equal(l.t, a.sent+a.made, a.left+a.lost+a.answers+before, "before the wire: "+name)
			require.Equal(l.t, a.left+a.copies+a.answers, a.arrived+a.missed+on, "on the wire: "+name)
			require.Equal(l.t, s.InFlight(), before+on, name)
			total += before + on
		}
	}
	require.EqualValues(l.t, total, l.InFlight())
}

// anyRules has a rule of each action but reject, which doesn't answer every packet.
func anyRules(t *testing.T) []RuleConfig {
	t.Helper()
	delay, err := units.Uniform(0, 5*ms)
	require.NoError(t, err)
	return []RuleConfig{
		{Name: "pass", Action: ActPass},
		{Name: "drop", Action: ActDrop, Share: 0.05},
		{Name: "delay", Action: ActDelay, Share: 0.3, Delay: delay},
		{Name: "duplicate", Action: ActDuplicate, Share: 0.1, Copies: 2},
		{Name: "corrupt", Action: ActCorrupt, Share: 0.1, Bits: 3},
		{Name: "truncate", Action: ActTruncate, Share: 0.1},
		{Name: "reset", Action: ActReset, Share: 0.2},
	}
}

// Whatever links, rules, partitions and nodes do to frames, together and while they change, at any time each frame is at one place:
// the counters, the log and what taps show agree with it, and none is leaked or released twice.
func TestEachFrameIsSomewhere(t *testing.T) {
	var all LinkStats
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := rand.New(rand.NewPCG(seed, 1))
				l := &ledger{chain: newChain(t, anyParams(t, r, false)), accounts: map[*Port]*account{}}
				l.SetTap(l)
				l.Observe(l.observe)
				check := stockOf(t, l.Engine, 8000)
				l.traffic(r)
				l.trouble(r)
				require.ErrorIs(t, l.Run(context.Background()), ErrStandstill)
				l.check()
				require.Zero(t, l.InFlight())
				check()
				for _, d := range []*direction{l.a.out, l.ra.out, l.rb.out, l.b.out} {
					all.Duplicated.Frames += d.stats.Duplicated.Frames
					all.Corrupted += d.stats.Corrupted
					all.Truncated += d.stats.Truncated
					all.Reordered += d.stats.Reordered
					for r := range dropReasons {
						all.Dropped[r] += d.stats.Dropped[r]
						all.Marked[r] += d.stats.Marked[r]
					}
				}
			})
		})
	}
	for _, n := range []uint64{all.Duplicated.Frames, all.Corrupted, all.Truncated, all.Reordered, all.Marked.Total()} {
		require.Positive(t, n)
	}
	for r := notDropped + 1; r < dropReasons; r++ {
		if r != DropPIE { // it begins later than the next change comes
			require.Positive(t, all.Dropped[r], r.String())
		}
	}
}

// traffic sends TCP and UDP of both IP versions from both ends.
func (l *ledger) traffic(r *rand.Rand) {
	for range 800 {
		back := r.IntN(2) == 0
		from := l.a
		if back {
			from = l.b
		}
		payload := make([]byte, r.IntN(1500))
		var transport gopacket.SerializableLayer = &layers.UDP{SrcPort: 1000, DstPort: 53}
		if r.IntN(2) == 0 {
			transport = &layers.TCP{SrcPort: 1000, DstPort: 80, Seq: 1, Ack: 1, ACK: true}
		}
		v6 := r.IntN(2) == 0
		data := l.frame(v6, back, transport, payload...)
		if v6 {
			data[etherHeader+1] |= 2 << 4 // ECT(0)
		}
		l.At(0, KindControl, time.Duration(r.IntN(400))*ms/2, func() {
			f := l.NewFrame(len(data))
			copy(f.Data, data)
			l.account(from.out).sent++
			from.Forward(l.Elapsed(), f)
		})
	}
}

// trouble changes something now and then, and looks whether all is well.
func (l *ledger) trouble(r *rand.Rand) {
	var rules []*Rule
	var cut *Partition
	configs := anyRules(l.t.(*testing.T))
	for i := range 150 {
		l.At(0, KindControl, time.Duration(1+r.IntN(500))*ms/2, func() {
			l.check()
			switch r.IntN(6) {
			case 0:
				p := anyParams(l.t.(*testing.T), r, false)
				p.Queue.Discipline = disciplineNames[r.IntN(len(disciplineNames))]
				p.Queue.Limit.Packets = 5 + r.IntN(40)
				switch p.Queue.Discipline {
				case RED: // so few frames wouldn't move the usual average
					p.Queue.Weight, p.Queue.ECN = 0.2, r.IntN(2) == 0
				case CoDel, FQCoDel:
					p.Queue.Limit.Packets, p.Queue.ECN = 100, r.IntN(2) == 0
					p.Queue.Target, p.Queue.Interval = ms, 10*ms
				}
				p.Down = r.IntN(4) == 0
				if p.Burst == 0 {
					p.MTU = []int{1200, DefaultMTU}[r.IntN(2)]
				}
				require.NoError(l.t, l.links[r.IntN(2)].Set(r.IntN(2), p))
			case 1:
				if len(rules) > 3 {
					n := r.IntN(len(rules))
					rules[n].Remove()
					rules = append(rules[:n], rules[n+1:]...)
					break
				}
				c := configs[r.IntN(len(configs))]
				if c.Name != "reset" {
					c.Name = fmt.Sprint(c.Name, i)
				}
				for range 1 + r.IntN(4) {
					c.Places = append(c.Places, Place{l.Ports()[r.IntN(4)], Direction(r.IntN(2))})
				}
				if rule, err := l.AddRule(c); err == nil { // otherwise it is there already
					rules = append(rules, rule)
				}
			case 2:
				if cut != nil {
					l.Heal(cut)
					cut = nil
					break
				}
				var err error
				cut, err = l.Part("cut", [][]NodeID{{0}, {2}}, r.IntN(2) == 0)
				require.NoError(l.t, err)
			case 3:
				p, dead := l.Ports()[r.IntN(4)], r.IntN(3) == 0
				if p.SetDead(dead); dead {
					p.Discard()
				}
			case 4:
				l.Suspend(l.Ports()[r.IntN(4)].Owner())
			case 5:
				l.Unsuspend(l.Ports()[r.IntN(4)].Owner())
			}
			l.check()
		})
	}
	l.At(0, KindControl, 300*ms, func() {
		for _, p := range l.Ports() {
			l.Unsuspend(p.Owner())
		}
	})
}
