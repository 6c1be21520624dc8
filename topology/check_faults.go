package topology

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// verb is something that a fault can do, and the fields that go with it.
type verb struct {
	name string
	// own are fields that other verbs don't have. needs is one of them without which it means nothing, why what it says.
	own        []string
	needs, why string
	// instant says that it is done at once and can't be put back.
	instant bool
	// rule says that it acts on packets.
	rule bool
}

// ruleFields are the fields that all verbs about packets have.
var ruleFields = []string{"on", "side", "link", "direction", "first", "nth", "every_nth", "share", "limit"}

// verbTable lists the verbs.
var verbTable = []verb{
	{name: "cut"},
	{name: "restore", instant: true},
	{name: "flap", own: []string{"down", "up"}},
	{name: "set", own: []string{"link"}, needs: "link", why: "which names the links that change"},
	{name: "partition", own: []string{"one_way"}},
	{name: "heal", instant: true},
	{name: "crash"},
	{name: "restart", instant: true},
	{name: "pause"},
	{name: "resume", instant: true},
	{name: "slow", own: []string{"factor"}},
	{name: "skew", own: []string{"offset"}, needs: "offset", why: "by which the clocks are wrong"},
	{name: "drift", own: []string{"rate"}, needs: "rate", why: "at which the clocks gain or lose time"},
	{name: "fail_dns", own: []string{"answer"}},
	{name: "fill_disk"},
	{name: "slow_disk", own: []string{"factor"}},
	{name: "fail_sync", own: []string{"share"}},
	{name: "skip_sync"},
	{name: "tear_writes"},
	{name: "corrupt_disk", own: []string{"files", "byte"}, instant: true},
	{name: "pass", rule: true},
	{name: "drop", rule: true},
	{name: "delay", rule: true, own: []string{"by"}, needs: "by", why: "the time that packets wait"},
	{name: "duplicate", rule: true, own: []string{"copies"}},
	{name: "corrupt", rule: true, own: []string{"bits"}},
	{name: "truncate", rule: true, own: []string{"to"}, needs: "to", why: "the size that is left"},
	{name: "reset", rule: true},
	{name: "reject", rule: true, own: []string{"with", "mtu"}},
}

// fields are those that go with the verb beside those that all faults have.
func (v *verb) fields() []string {
	if v.rule {
		return append(slices.Clone(v.own), ruleFields...)
	}
	return v.own
}

// verbNames returns the names of all verbs.
func verbNames() []string {
	names := make([]string, len(verbTable))
	for i, v := range verbTable {
		names[i] = v.name
	}
	return names
}

// commonFields are the fields that go with every verb, or with all but those done at once.
var commonFields = []string{"name", "at", "every", "times", "probability", "for"}

// has says whether a fault gives a field.
func (f *Fault) has(name string) bool {
	for _, field := range fieldsOf(reflect.TypeFor[Fault]()) {
		if field.name == name {
			return !reflect.ValueOf(f).Elem().FieldByIndex(field.index).IsZero()
		}
	}
	panic(fmt.Sprintf("topology: a fault has no field %q", name))
}

// Verb returns the verb of a fault, "" if it has none or several.
func (f *Fault) Verb() string {
	found := ""
	for _, v := range verbTable {
		if f.has(v.name) {
			if found != "" {
				return ""
			}
			found = v.name
		}
	}
	return found
}

// IsRule says whether the fault's verb acts on packets.
func (f *Fault) IsRule() bool {
	v := verbOf(f.Verb())
	return v != nil && v.rule
}

func verbOf(name string) *verb {
	for i := range verbTable {
		if verbTable[i].name == name {
			return &verbTable[i]
		}
	}
	return nil
}

// checkFaults checks each fault, and that what one undoes was done by an earlier one.
func (c *checker) checkFaults() {
	names := c.checkFaultNames()
	for i := range c.t.Faults {
		f, at := &c.t.Faults[i], c.root.field("faults").item(i)
		if v := c.checkVerb(at, f); v != nil {
			c.checkTiming(at, f, v)
			c.checkFault(at, f, v, names)
		}
	}
}

// checkFaultNames checks the faults' names and returns the faults by name.
func (c *checker) checkFaultNames() map[string]int {
	names := map[string]int{}
	for i := range c.t.Faults {
		f, at := &c.t.Faults[i], c.root.field("faults").item(i).field("name")
		if f.Name == "" && !at.given() {
			continue
		}
		first, taken := names[f.Name]
		message := checkLabel(f.Name, maxLabel)
		switch {
		case message != "":
			c.addf(at, "%s", message)
		case f.Name == "all":
			c.addf(at, `"all" means all partitions: a fault needs another name`)
		case taken:
			c.addf(at, "%q is already the name of faults[%d]", f.Name, first)
		default:
			names[f.Name] = i
		}
	}
	return names
}

// checkVerb returns the one verb of a fault, or nil after a report; it also reports fields that go with others.
func (c *checker) checkVerb(at place, f *Fault) *verb {
	var found []*verb
	for i := range verbTable {
		if v := &verbTable[i]; f.has(v.name) || at.field(v.name).given() {
			found = append(found, v)
		}
	}
	switch len(found) {
	case 1:
	case 0:
		c.addf(at, "the fault has no verb: want one of %s", strings.Join(verbNames(), ", "))
		return nil
	default:
		names := make([]string, len(found))
		for i, v := range found {
			names[i] = v.name
		}
		c.addf(at.field(names[1]).name(), "the fault has %d verbs, %s: want one; write a fault for each", len(found), strings.Join(names, " and "))
		return nil
	}
	v := found[0]
	for _, field := range fieldsOf(reflect.TypeFor[Fault]()) {
		at := at.field(field.name)
		if field.name == v.name || slices.Contains(commonFields, field.name) || slices.Contains(v.fields(), field.name) || !(f.has(field.name) || at.given()) {
			continue
		}
		c.addf(at.name(), "goes with %s, not with %s", strings.Join(owners(field.name), " and "), v.name)
	}
	if v.needs != "" && !f.has(v.needs) && !at.field(v.needs).given() {
		c.addf(at.field(v.needs), "%s needs %q, %s", v.name, v.needs, v.why)
		return nil
	}
	return v
}

// owners returns the verbs that a field goes with.
func owners(field string) []string {
	var list []string
	for i := range verbTable {
		if v := &verbTable[i]; slices.Contains(v.own, field) {
			list = append(list, v.name)
		}
	}
	if slices.Contains(ruleFields, field) {
		list = append(list, "verbs about packets")
	}
	return list
}

// checkTiming checks when a fault happens.
func (c *checker) checkTiming(at place, f *Fault, v *verb) {
	if c.t.Duration > 0 && f.At >= c.t.Duration {
		c.addf(at.field("at"), "found %s, wanted less than the run's duration of %s", f.At, c.t.Duration)
	}
	zero := func(name string, isZero bool) {
		if isZero && at.field(name).given() {
			c.addf(at.field(name), "found 0s, wanted more than that; leave the field out for its default")
		}
	}
	zero("for", f.For.IsZero())
	zero("every", f.Every.IsZero())
	if v.instant && (!f.For.IsZero() || at.field("for").given()) {
		c.addf(at.field("for").name(), `%s is done at once and has no "for"`, v.name)
	}
	repeats := !f.Every.IsZero() || at.field("every").given()
	c.atLeastOne(at.field("times"), f.Times)
	switch {
	case f.Times > 0 && !repeats:
		c.addf(at.field("times"), `it says how often something happens that has "every": give that too`)
	case repeats && f.For.IsZero() && !v.instant:
		c.addf(at.field("every"), `what happens again and again has to end before: give "for" too`)
	case repeats && f.For.IsConstant() && f.Every.IsConstant() && f.For.Mean() >= f.Every.Mean():
		c.addf(at.field("every"), "found %s, wanted more than the %s that it lasts", f.Every, f.For)
	}
	if f.Probability != nil && *f.Probability == 0 {
		c.addf(at.field("probability"), "found 0%%: it would never happen; leave the fault out")
	}
}

func (c *checker) checkFault(at place, f *Fault, v *verb, names map[string]int) {
	switch value := at.field(v.name); {
	case v.rule:
		c.checkRule(at, f, v)
	case v.name == "cut":
		c.faultLinks(value, f.Cut)
	case v.name == "restore":
		c.checkRestore(value, f)
	case v.name == "flap":
		c.faultLinks(value, f.Flap)
		c.positiveTime(at.field("down"), f.DownTime)
		c.positiveTime(at.field("up"), f.UpTime)
	case v.name == "set":
		c.checkSet(at, f)
	case v.name == "partition":
		c.checkPartition(value, f)
	case v.name == "heal":
		c.checkHeal(value, f, names)
	default:
		c.checkNodeFault(at, f, v)
	}
}
