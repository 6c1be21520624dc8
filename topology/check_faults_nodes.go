package topology

import (
	"path"
	"strings"

	"netlab/services"
)

// maxFactor is the largest factor of slow and slow_disk: with it a millisecond becomes 11 days. Those of faults that overlap are multiplied.
const maxFactor = 1_000_000_000

// nodes returns the nodes that a fault's verb names.
func (f *Fault) nodes(verb string) Patterns {
	switch verb {
	case "crash":
		return f.Crash
	case "restart":
		return f.Restart
	case "pause":
		return f.Pause
	case "resume":
		return f.Resume
	case "slow":
		return f.Slow
	case "skew":
		return f.Skew
	case "drift":
		return f.Drift
	case "fail_dns":
		return f.FailDNS
	case "fill_disk":
		return f.FillDisk
	case "slow_disk":
		return f.SlowDisk
	case "fail_sync":
		return f.FailSync
	case "skip_sync":
		return f.SkipSync
	case "tear_writes":
		return f.TearWrites
	case "corrupt_disk":
		return f.CorruptDisk
	}
	return nil
}

// Nodes returns the nodes that a fault of a resolved topology hits by its verb: hosts, routers or switches that crash, hosts that
// pause and the like. Faults of links, packets and partitions have none.
func (f *Fault) Nodes() []string { return f.nodes(f.Verb()) }

// HitsFile says whether files of a corrupt_disk fault choose a file of that name. Slashes are characters like others.
func (f *Fault) HitsFile(name string) bool {
	plain := strings.NewReplacer("/", "\x00").Replace
	hit, err := path.Match(plain(f.Files), plain(name))
	return f.Files == "" || hit && err == nil
}

// checkNodeFault checks a fault of nodes.
func (c *checker) checkNodeFault(at place, f *Fault, v *verb) {
	value := at.field(v.name)
	list := f.nodes(v.name)
	if len(list) == 0 {
		c.addf(value, "the list is empty: want the names of nodes")
	}
	if f.Factor != 0 || at.field("factor").given() {
		if !(f.Factor > 0 && f.Factor <= maxFactor) { // not a number is neither
			c.addf(at.field("factor"), "found %v, wanted a number above 0 and up to %d", f.Factor, maxFactor)
		}
	}
	if f.Offset != nil && *f.Offset == 0 {
		c.addf(at.field("offset"), "found 0s: that changes nothing")
	}
	if f.Rate != nil && f.Rate.Ratio() == 0 {
		c.addf(at.field("rate"), "found 0%%: that changes nothing")
	}
	if v.name == "fail_sync" && f.Share != nil && *f.Share == 0 {
		c.addf(at.field("share"), "found 0%%: no sync would fail; leave the fault out")
	}
	if _, err := path.Match(f.Files, ""); err != nil || f.Files == "" && at.field("files").given() {
		c.addf(at.field("files"), "found %s, wanted the name of a file, or a pattern such as log.*", quote(f.Files))
	}
	if f.Byte != nil && *f.Byte < 0 {
		c.addf(at.field("byte"), "found %d, wanted 0 or more", *f.Byte)
	}
	if !c.nodesKnown {
		return
	}
	for i, p := range list {
		at := value.item(i)
		found, err := c.lab.nodes.Match(p)
		if err != nil {
			c.addf(at, "%s", err)
			continue
		}
		fits := 0
		var message string
		for _, n := range found {
			if wrong := c.cannotHave(v.name, n); wrong != "" {
				message = wrong
				continue
			}
			fits++
			if before := undoes[v.name]; before != "" && !c.before(f, before, n) {
				c.addf(at, "no fault %s has %s %s", f.upTo(), past[before], c.lab.name(n))
				break
			}
		}
		if message != "" && (fits == 0 || len(found) == 1) {
			c.addf(at, "%s", message)
		}
	}
}

// undoes says which verb another one undoes, and past what that is called afterwards.
var (
	undoes = map[string]string{"restart": "crash", "resume": "pause"}
	past   = map[string]string{"crash": "crashed", "pause": "paused"}
)

// cannotHave says why a verb means nothing for a node, or "".
func (c *checker) cannotHave(verb string, n int) string {
	name, kind := c.lab.name(n), c.lab.kind(n)
	if verb == "crash" || verb == "restart" {
		return ""
	}
	if kind != Host {
		return name + " is a " + string(kind) + ", wanted a host"
	}
	has := func(fits func(Service) bool) bool {
		for _, s := range c.lab.node(n).Services.All() {
			if fits(s) {
				return true
			}
		}
		return false
	}
	switch verb {
	case "fail_dns":
		if !has(func(s Service) bool { return s.Type == "dns-server" }) {
			return name + " has no dns-server"
		}
	case "fill_disk", "slow_disk", "fail_sync", "skip_sync", "tear_writes", "corrupt_disk":
		if !has(func(s Service) bool { st, ok := s.Config.(services.Storer); return ok && st.Stores() }) {
			return name + " has no service that stores something on disk"
		}
	}
	return ""
}

// before says whether a fault with that verb hits a node not later than f.
func (c *checker) before(f *Fault, verb string, n int) bool {
	for i := range c.t.Faults {
		g := &c.t.Faults[i]
		if g.At > f.At {
			continue
		}
		found, _, _ := c.lab.nodes.MatchAll(g.nodes(verb)) // an error of its own is reported there
		for _, m := range found {
			if m == n {
				return true
			}
		}
	}
	return false
}
