package randomlab

import "fmt"

// fault draws a fault, and for some of those that last until something else undoes them, what does so.
func (g *generator) fault() {
	f := object{"at": g.time(0, g.duration-1)}
	if g.one(4) {
		f["name"] = fmt.Sprintf("f%d", len(g.faults)+1)
	}
	if g.one(6) {
		f["probability"] = g.percent(1000)
	}
	var undo object
	switch g.IntN(8) {
	case 0, 1:
		undo = g.linkFault(f)
	case 2, 3:
		undo = g.nodeFault(f)
	case 4:
		undo = g.partition(f)
	default:
		g.rule(f)
	}
	g.faults = append(g.faults, f)
	switch {
	case undo != nil && g.one(2):
		undo["at"] = f["at"]
		if g.one(2) {
			undo["at"] = ms(g.duration - 1)
		}
		g.faults = append(g.faults, undo)
	case g.one(3):
		f["for"] = g.delay(800)
	case g.one(2):
		f["for"], f["every"] = g.time(1, 300), g.time(400, 1500)
		if g.one(2) {
			f["times"] = g.between(1, 3)
		}
	}
}

// linkFault draws a fault of links.
func (g *generator) linkFault(f object) (undo object) {
	if len(g.links) == 0 {
		g.rule(f)
		return nil
	}
	l := pick(g, g.links...)
	switch g.IntN(4) {
	case 0:
		f["cut"] = l.name
		return object{"restore": l.name}
	case 1:
		f["flap"], f["down"], f["up"] = l.name, g.delay(100), g.time(1, 300)
	default:
		set := object{}
		for len(set) == 0 {
			g.params(set, 4)
			if set["burst"] != nil || l.bucket() { // a bucket wants a rate of one kind
				delete(set, "rate")
				delete(set, "burst")
				delete(set, "peak_rate")
				delete(set, "mtu")
			}
		}
		f["set"], f["link"] = set, l.name
		if g.one(3) {
			f["set"] = object{pick(g, "forward", "backward"): set}
		}
	}
	return nil
}

// bucket says whether a direction of the link has a token bucket.
func (l *link) bucket() bool {
	for _, p := range []any{l.config, l.config["forward"], l.config["backward"]} {
		if p, ok := p.(object); ok && p["burst"] != nil {
			return true
		}
	}
	return false
}

// nodeFault draws a fault of nodes.
func (g *generator) nodeFault(f object) (undo object) {
	var names, resolvers []string
	for _, h := range g.hosts {
		names = append(names, h.name)
		if h.serves["dns-server"] {
			resolvers = append(resolvers, h.name)
		}
	}
	some := some(g, names)
	switch g.IntN(7) {
	case 0, 1:
		nodes := append(some, g.routers...)
		if g.one(2) {
			nodes = some[:1]
		}
		if len(g.switches) > 0 && g.one(8) {
			nodes = g.switches[:1]
		}
		f["crash"] = nodes
		return object{"restart": nodes}
	case 2:
		f["pause"] = some
		return object{"resume": some}
	case 3:
		f["skew"], f["offset"] = some, pick(g, "5s", "-1h", "17ms", "1000h")
	case 4:
		f["drift"], f["rate"] = some, pick(g, "100ppm", "-3%", "50%")
	case 5:
		if resolvers != nil {
			f["fail_dns"], f["answer"] = resolvers, pick(g, "servfail", "refused", "nxdomain", "silence")
			return nil
		}
		fallthrough
	default:
		f["slow"], f["factor"] = some, pick(g, 0.5, 2, 10)
	}
	return nil
}

// partition draws a partition.
func (g *generator) partition(f object) (undo object) {
	order := g.Perm(len(g.hosts))
	cut := g.between(1, len(order)-1)
	var groups [2][]string
	for i, n := range order {
		group := 0
		if i >= cut {
			group = 1
		}
		groups[group] = append(groups[group], g.hosts[n].name)
	}
	f["partition"] = groups[:g.between(1, 2)]
	if g.one(3) {
		f["one_way"] = true
	}
	if name, ok := f["name"]; ok {
		return object{"heal": name}
	}
	return object{"heal": "all"}
}

// rule draws a rule about packets.
func (g *generator) rule(f object) {
	verb := pick(g, "pass", "drop", "delay", "duplicate", "corrupt", "truncate", "reset", "reject")
	h := pick(g, g.hosts...)
	f[verb] = pick(g, "all", "tcp", "udp", "icmp", "syn", "syn-ack", "fin or rst", "pure-ack", "size > 500", "port 80", "host "+h.name, "not arp",
		"ip6 and tcp", "fragment", "dscp ef", "ttl > 62")
	switch verb {
	case "delay":
		f["by"] = g.delay(200)
	case "duplicate":
		f["copies"] = g.between(1, 4)
	case "corrupt":
		f["bits"] = g.between(1, 30)
	case "truncate":
		f["to"] = fmt.Sprintf("%dB", g.between(1, 800))
	case "reset":
		f[verb] = pick(g, "tcp", "syn", "port 80", "tcp and not syn")
	case "reject":
		f["with"] = pick(g, "port-unreachable", "host-unreachable", "net-unreachable", "admin-prohibited", "time-exceeded", "too-big")
		if f["with"] == "too-big" {
			f["mtu"] = fmt.Sprintf("%dB", g.between(1280, 1400))
		}
	}
	switch {
	case g.one(3) && len(g.links) > 0:
		f["link"] = pick(g, g.links...).name
		f["direction"] = pick(g, "forward", "backward", "both")
	case g.one(2):
		f["on"], f["side"] = pick(g, append([]string{h.name}, g.routers...)...), pick(g, "in", "out", "both")
	}
	switch g.IntN(5) {
	case 0:
		f["first"] = g.between(1, 5)
	case 1:
		f["nth"] = g.between(1, 10)
	case 2:
		f["every_nth"] = g.between(1, 10)
	case 3:
		f["share"] = g.percent(500)
	}
	if g.one(4) {
		f["limit"] = g.between(1, 20)
	}
}

// chaos draws what draws faults.
func (g *generator) chaos() object {
	c := object{"every": g.delay(800), "for": g.delay(400), "nodes": "*"}
	kinds := []string{"crash", "pause", "partition", "one-way-partition", "slow", "skew"}
	if len(g.links) > 0 {
		kinds = append(kinds, "cut", "flap", "loss", "latency", "rate")
	}
	c["every"] = fmt.Sprintf("exponential(%dms)", g.between(100, 2000))
	if g.one(2) {
		c["kinds"] = some(g, kinds)
	}
	if g.one(3) {
		c["quiet"], c["start"] = g.time(1, 200), g.time(1, 500)
	}
	if g.one(3) {
		c["concurrent"] = g.between(1, 3)
	}
	if g.one(3) {
		c["count"] = g.between(1, 5)
	}
	return c
}
