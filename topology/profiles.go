package topology

import (
	"fmt"
	"slices"
	"strings"

	"netlab/units"
)

// builtinProfile is one of netlab's own profiles, written as in a file.
type builtinProfile struct {
	name, description string
	both              string // latency; loss; queue, as in a file
	down, up          string // rate; and what differs
}

// profileTable holds netlab's profiles. Forward is towards the user: latency is one way, so a round trip takes twice that.
//
// The section "Profiles" of docs/file-format.md names the source of each latency and rate, and says which figures are our own choice.
// They are typical figures, not limits.
var profileTable = []builtinProfile{
	{"lan", "Gigabit Ethernet in a building.", "0.1ms; 0%; 512KiB", "1Gbit/s", "1Gbit/s"},
	{"wifi", "802.11n at some distance: losses come in bursts, delay varies.", "lognormal(3ms, 2ms); burst(1%, 4); 256KiB", "40Mbit/s", "30Mbit/s"},
	{"dsl", "VDSL without interleaving.", "normal(12ms, 1ms); 0.01%; 256KiB", "40Mbit/s", "10Mbit/s"},
	{"cable", "DOCSIS 3.1 without queue management upstream: bufferbloat.", "normal(8ms, 2ms); 0.01%; 512KiB", "200Mbit/s", "15Mbit/s"},
	{"lte", "LTE while standing still, in a cell that others use too.", "lognormal(25ms, 8ms); burst(0.1%, 3); 1MiB", "20Mbit/s", "6Mbit/s"},
	{"5g", "5G below 6 GHz.", "lognormal(10ms, 3ms); burst(0.05%, 2); 2MiB", "200Mbit/s", "20Mbit/s"},
	{"3g", "UMTS with HSPA.", "lognormal(75ms, 25ms); burst(0.5%, 3); 256KiB", "1600kbit/s", "768kbit/s"},
	{"geo-satellite", "A satellite 36,000 km away: 600 ms for a round trip.", "normal(300ms, 5ms); burst(0.2%, 5); 1MiB", "50Mbit/s", "3Mbit/s"},
	{"leo-satellite", "A constellation 550 km away, with a new satellite every 15 s.", "lognormal(18ms, 6ms); burst(0.5%, 8); 1MiB", "100Mbit/s", "15Mbit/s"},
	{"transatlantic", "A leased wave from Europe to North America.", "37ms; 0.001%; 4MiB", "10Gbit/s", "10Gbit/s"},
	{"datacenter", "A cable between two racks.", "1us; 0%; 1MiB", "25Gbit/s", "25Gbit/s"},
}

// BuiltinProfile returns one of netlab's profiles.
func BuiltinProfile(name string) (Profile, bool) {
	for _, b := range profileTable {
		if b.name == name {
			return b.profile(), true
		}
	}
	return Profile{}, false
}

// BuiltinProfiles returns the names of netlab's profiles.
func BuiltinProfiles() []string {
	names := make([]string, len(profileTable))
	for i, b := range profileTable {
		names[i] = b.name
	}
	return names
}

func (b builtinProfile) profile() Profile {
	parts := strings.Split(b.both, "; ")
	p := Profile{Description: b.description, LinkParams: LinkParams{
		Latency: mustRead(units.ParseDistribution(parts[0])), Loss: mustRead(units.ParseLoss(parts[1])), Queue: new(Queue)}}
	if err := p.Queue.setText(parts[2]); err != nil {
		panic(fmt.Sprintf("topology: profile %s: %v", b.name, err))
	}
	if b.down == b.up {
		p.Rate = mustRead(units.ParseLinkRate(b.down))
		return p
	}
	p.Forward.Rate = mustRead(units.ParseLinkRate(b.down))
	p.Backward.Rate = mustRead(units.ParseLinkRate(b.up))
	return p
}

func mustRead[T any](v T, err error) *T {
	if err != nil {
		panic(fmt.Sprintf("topology: a profile of netlab's: %v", err))
	}
	return &v
}

// profile returns the profile with that name: the file's own, or netlab's. The empty name is the empty profile.
func (t *Topology) profile(name string) (Profile, bool) {
	if name == "" {
		return Profile{}, true
	}
	if p, ok := t.Profiles.Get(name); ok {
		return p, true
	}
	return BuiltinProfile(name)
}

// checkProfiles checks the profiles and that those that links name exist.
func (c *checker) checkProfiles() {
	section := c.root.field("profiles")
	known := BuiltinProfiles()
	for i := range c.t.Profiles.entries {
		e := &c.t.Profiles.entries[i]
		at := section.field(e.Name)
		if message := checkLabel(e.Name, maxLabel); message != "" {
			c.addf(at.name(), "%s", message)
		}
		if slices.Contains(BuiltinProfiles(), e.Name) {
			c.addf(at.name(), "%s is one of netlab's own profiles: a changed one needs another name", e.Name)
		}
		known = append(known, e.Name)
		c.checkParams(at, &e.Value.LinkParams, &e.Value.Forward, &e.Value.Backward)
		c.checkMTUs(at, false, &e.Value.LinkParams, &e.Value.Forward, &e.Value.Backward)
	}
	for i := range c.t.Links {
		name := c.t.Links[i].Profile
		at := c.root.field("links").item(i).field("profile")
		if name == "" && !at.given() {
			continue
		}
		if _, ok := c.t.profile(name); !ok || name == "" {
			c.addf(at, "there is no profile %s%s", quote(name), orList(name, known))
		}
	}
}

// orList suggests what is near, or lists what there is.
func orList(found string, known []string) string {
	if hint := didYouMean(found, known); hint != "" {
		return hint
	}
	return "; there are " + strings.Join(known, ", ")
}
