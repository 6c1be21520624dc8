// Package randomlab makes random topologies for tests: the text of a file, in which everything that the file format offers turns up
// sooner or later, in combinations that nobody would think of. The same seed gives the same text.
//
// Labs are small and last some virtual seconds, so that thousands of them can be run. All of them are valid. They leave out what
// needs files (tables of delays, traces) and what is for real time, and they expect nothing: what has to hold for every lab is for the
// test to say.
package randomlab

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"

	"netlab/internal/random"
)

// object is a JSON object. Its members are written in the order of their names.
type object = map[string]any

// generator draws one lab.
type generator struct {
	*rand.Rand
	duration int // milliseconds
	families string

	nodes     object
	hosts     []*host
	routers   []string
	switches  []string
	links     []*link
	workloads object
	faults    []any
	// timed says that a transfer ends by the clock: on links without a rate it would never get there.
	timed bool
	// resolver is the host whose dns-server the others ask, or nil.
	resolver *host
}

// host is a host and what runs on it.
type host struct {
	name       string
	ipv4, ipv6 bool
	config     object
	services   object
	serves     map[string]bool // what workloads look for
}

// link is a link by the names of its ends.
type link struct {
	a, b   string
	name   string
	config object
}

// Generate returns the text of the lab with that number.
func Generate(seed uint64) []byte {
	g := &generator{Rand: random.Stream(seed, "random lab", 0), nodes: object{}, workloads: object{}}
	g.duration = 1000 * g.between(1, 5)
	g.families = pick(g, "dual", "dual", "dual", "ipv4", "ipv6")
	g.network()
	g.services()
	g.clients()
	g.guards()
	lab := object{
		"name": fmt.Sprintf("random-%d", seed), "seed": 1 + g.Uint64N(1000), "duration": ms(g.duration),
		"nodes": g.nodes, "workloads": g.workloads,
		"defaults": object{"ip": g.families},
	}
	g.defaults(lab["defaults"].(object))
	var links []any
	for _, l := range g.links {
		l.config["between"] = l.a + " - " + l.b
		l.config["name"] = l.name
		links = append(links, l.config)
	}
	if links != nil {
		lab["links"] = links
	}
	for range g.between(0, 6) {
		g.fault()
	}
	if g.faults != nil {
		lab["faults"] = g.faults
	}
	if g.one(3) {
		lab["chaos"] = g.chaos()
	}
	if g.one(3) {
		lab["routing"] = pick[any](g, "dynamic", object{"mode": "dynamic", "convergence": g.time(1, 2000)})
	}
	if g.one(4) {
		lab["captures"] = g.captures()
	}
	text, err := json.MarshalIndent(lab, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("randomlab: %v", err)) // all values are texts, numbers, lists and objects
	}
	return append(text, '\n')
}

// one says yes once in n.
func (g *generator) one(n int) bool { return g.IntN(n) == 0 }

// between returns a number from least to most.
func (g *generator) between(least, most int) int { return least + g.IntN(most-least+1) }

// pick returns one of several values.
func pick[T any](g *generator, list ...T) T { return list[g.IntN(len(list))] }

// some returns a few of several values, at least one, in their order.
func some[T any](g *generator, list []T) []T {
	n := g.between(1, len(list))
	indices := g.Perm(len(list))[:n]
	slices.Sort(indices)
	var out []T
	for _, i := range indices {
		out = append(out, list[i])
	}
	return out
}

func ms(n int) string { return fmt.Sprintf("%dms", n) }

// time returns a time of some milliseconds.
func (g *generator) time(least, most int) string { return ms(g.between(least, most)) }

// delay returns a distribution of times whose mean is up to about most milliseconds.
func (g *generator) delay(most int) string {
	mean := g.between(1, most)
	switch g.IntN(8) {
	case 0:
		return fmt.Sprintf("uniform(%dus, %dms)", g.between(0, 1000), mean)
	case 1:
		return fmt.Sprintf("normal(%dms, %dus)", mean, g.between(1, 300*mean))
	case 2:
		return fmt.Sprintf("lognormal(%dms, %dus)", mean, g.between(1, 500*mean))
	case 3:
		return fmt.Sprintf("laplace(%dms, %dus)", mean, g.between(1, 200*mean))
	case 4:
		return fmt.Sprintf("exponential(%dms)", mean)
	case 5:
		return fmt.Sprintf("pareto(%dms, %d.%d)", mean, g.between(2, 5), g.between(1, 9))
	}
	return ms(mean)
}

// percent returns a share of up to most per thousand.
func (g *generator) percent(most int) string {
	return fmt.Sprintf("%.1f%%", float64(g.between(1, most))/10)
}

// defaults draws what holds for nodes and links that say nothing.
func (g *generator) defaults(d object) {
	link := object{}
	if g.one(4) {
		link["latency"] = g.delay(20)
	}
	if g.timed {
		link["rate"] = "20Mbit/s"
	}
	d["link"] = link
	if g.one(4) {
		d["tcp"] = g.tcp()
	}
	if g.resolver != nil && g.one(2) {
		dns := object{"servers": g.resolver.name, "timeout": g.time(200, 2000), "attempts": g.between(1, 3), "cache": g.one(2)}
		d["dns"] = pick[any](g, g.resolver.name, dns)
	}
}

// captures draws what is captured.
func (g *generator) captures() object {
	c := object{}
	var names []string
	for _, h := range g.hosts {
		names = append(names, h.name)
	}
	if g.one(2) {
		c["nodes"] = some(g, append(names, g.routers...))
	}
	if g.one(3) {
		c["filter"] = pick(g, "tcp", "udp or icmp", "not tcp port 80", "syn or rst", "host "+pick(g, names...))
	}
	if g.one(3) {
		c["snap_length"] = fmt.Sprintf("%dB", g.between(20, 200))
	}
	if g.one(4) {
		c["format"] = "pcap"
	}
	return c
}
