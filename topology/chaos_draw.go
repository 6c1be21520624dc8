package topology

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"netlab/internal/random"
	"netlab/units"
)

// draw draws faults. The times between them come from a stream of their own, and so does what each fault is: other kinds, targets or
// lengths don't move when faults begin, and what one of them draws doesn't change the next.
type draw struct {
	c     *checker
	every units.Distribution
	long  units.Distribution
	// Faults begin after from, and are over at until.
	from, until units.Duration
	count       int // 0 is no limit
	concurrent  int // 0 is no limit
	nodes       []int
	links       []int
	kinds       []ChaosKind
	targets     map[ChaosKind][]int

	force []inForce
	names map[string]bool // of the file's own faults
}

// inForce is a fault that was drawn and is not over yet.
type inForce struct {
	kind   ChaosKind
	target int
	end    units.Duration
}

func newDraw(c *checker, chaos *Chaos) *draw {
	d := &draw{c: c, every: chaos.Every, long: chaos.For, from: chaos.Start, count: chaos.Count, concurrent: chaos.Concurrent,
		targets: map[ChaosKind][]int{}, names: map[string]bool{}}
	if d.every.IsZero() {
		d.every, _ = units.Exponential(defaultChaosEvery) // its mean is in range
	}
	if d.long.IsZero() {
		d.long, _ = units.Uniform(defaultChaosLeast, defaultChaosMost)
	}
	quiet := chaos.Quiet
	if quiet == 0 {
		quiet = c.t.Duration / defaultQuietPart
	}
	d.until = units.Duration((c.t.Duration - quiet).Std().Truncate(time.Millisecond))
	for i := range c.t.Faults {
		d.names[c.t.Faults[i].Name] = true
	}
	return d
}

// milliseconds rounds to what reads well in a file.
func milliseconds(d time.Duration) units.Duration { return units.Duration(d.Round(time.Millisecond)) }

// all draws all faults in the order in which they begin, one more than maxDrawn if there are too many. A fault that finds nothing
// to hit, or too many others in force, begins when another one is over. One that would last into the quiet time ends before it.
func (d *draw) all() []Fault {
	gaps := d.stream("chaos")
	faults := []Fault{}
	at := d.from
	for number := 1; len(faults) <= maxDrawn && (d.count == 0 || len(faults) < d.count); {
		gap := units.Duration(d.every.Sample(gaps))
		if gap >= d.until-at {
			break
		}
		at += gap
		begin := units.Duration((at.Std() + time.Millisecond - 1).Truncate(time.Millisecond)) // rounded up: not before start
		kinds := d.free(begin)
		for len(kinds) == 0 {
			begin = d.nextEnd() + units.Duration(time.Millisecond)
			at = begin
			kinds = d.free(begin)
		}
		if begin >= d.until {
			break
		}
		faults = append(faults, d.one(d.label(&number), begin, kinds))
	}
	return faults
}

// stream returns the random numbers of a name.
func (d *draw) stream(name string) *rand.Rand { return random.Stream(max(d.c.t.Seed, 1), name, 0) }

// drawnPrefix begins the names of faults that chaos drew; a number follows.
const drawnPrefix = "chaos-"

// Drawn says whether a fault is called as chaos calls those that it draws: chaos-1, chaos-2 …
func (f *Fault) Drawn() bool {
	number, ok := strings.CutPrefix(f.Name, drawnPrefix)
	return ok && isNumber(number)
}

// label returns the next name that no fault of the file has: chaos-1, chaos-2 …
func (d *draw) label(number *int) string {
	for {
		name := drawnPrefix + strconv.Itoa(*number)
		*number++
		if !d.names[name] {
			return name
		}
	}
}

// free returns the kinds of faults that can begin, after those that are over before were forgotten.
func (d *draw) free(at units.Duration) []ChaosKind {
	d.force = slices.DeleteFunc(d.force, func(f inForce) bool { return f.end < at })
	if d.concurrent > 0 && len(d.force) >= d.concurrent {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(d.kinds), func(k ChaosKind) bool {
		return !slices.ContainsFunc(d.targets[k], func(target int) bool { return !d.busy(k, target) })
	})
}

// nextEnd is when the first of the faults in force is over.
func (d *draw) nextEnd() units.Duration {
	return slices.MinFunc(d.force, func(a, b inForce) int { return cmp.Compare(a.end, b.end) }).end
}

// one draws a fault of one of the kinds, of which each has a target.
func (d *draw) one(name string, at units.Duration, kinds []ChaosKind) Fault {
	r := d.stream(name)
	kind := pick(r, kinds...)
	free := slices.DeleteFunc(slices.Clone(d.targets[kind]), func(target int) bool { return d.busy(kind, target) })
	target := pick(r, free...)
	f := Fault{Name: name, At: at}
	chaosKinds[kind].draw(d, r, &f, target)
	long := max(milliseconds(d.long.Sample(r)), units.Duration(time.Millisecond))
	long = min(long, d.until-at)
	f.For = units.Constant(long.Std())
	d.force = append(d.force, inForce{kind, target, at + long})
	return f
}

// busy says whether a kind of fault leaves a target alone for now: it is down or parted, or a fault of that kind is in force on it.
func (d *draw) busy(kind ChaosKind, target int) bool {
	return slices.ContainsFunc(d.force, func(f inForce) bool {
		other := chaosKinds[f.kind]
		return f.target == target && other.hits == chaosKinds[kind].hits && (f.kind == kind || other.down)
	})
}

// add notes a kind of fault and what it can hit: nodes or links by number, or everything for faults that part the network. It says
// whether there is anything.
func (d *draw) add(kind ChaosKind) bool {
	var all []int
	switch chaosKinds[kind].hits {
	case hitsGroups:
		if len(d.hosts()) > 0 && d.c.lab.count(Host) > 1 {
			all = []int{everything}
		}
	case hitsLinks:
		all = d.links
	default:
		for _, n := range d.nodes {
			if d.c.cannotHave(string(kind), n) == "" {
				all = append(all, n)
			}
		}
	}
	if len(all) == 0 {
		return false
	}
	d.kinds = append(d.kinds, kind)
	d.targets[kind] = all
	return true
}

// everything is the target of faults that part the network.
const everything = -1

// hosts returns the hosts among the nodes that are hit.
func (d *draw) hosts() []int {
	return slices.DeleteFunc(slices.Clone(d.nodes), func(n int) bool { return d.c.lab.kind(n) != Host })
}

// group draws hosts that are parted from all others: how many, and then which.
func (d *draw) group(r *rand.Rand) []string {
	hosts := d.hosts()
	size := 1 + r.IntN(min(len(hosts), d.c.lab.count(Host)-1))
	r.Shuffle(len(hosts), func(i, j int) { hosts[i], hosts[j] = hosts[j], hosts[i] })
	hosts = hosts[:size]
	slices.Sort(hosts)
	return d.c.lab.nodes.selectNames(hosts)
}

// count returns how many nodes of a kind there are.
func (l *lab) count(kind NodeKind) int {
	n := 0
	for i := range l.nodes.names {
		if l.kind(i) == kind {
			n++
		}
	}
	return n
}
