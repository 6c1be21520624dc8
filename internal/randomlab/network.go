package randomlab

import "fmt"

// network draws nodes and links: routers in a tree with a few more links between them, so that there are loops, switches in trees
// that hang on routers, and hosts behind either.
func (g *generator) network() {
	for i := range g.between(0, 4) {
		name := fmt.Sprintf("r%d", i+1)
		g.nodes[name] = object{"kind": "router"}
		if i > 0 {
			g.link(name, pick(g, g.routers...))
		}
		g.routers = append(g.routers, name)
	}
	for range g.IntN(len(g.routers) + 1) { // parallel links too
		if a, b := pick(g, g.routers...), pick(g, g.routers...); a != b {
			g.link(a, b)
		}
	}
	g.segments()
	hosts := g.between(2, 6)
	places := append(append([]string{}, g.routers...), g.switches...)
	if len(places) == 0 {
		hosts = 2
	}
	for i := range hosts {
		g.host(fmt.Sprintf("h%d", i+1))
		name := g.hosts[i].name
		if len(places) == 0 {
			if i > 0 {
				g.link(g.hosts[0].name, name)
			}
			continue
		}
		first := pick(g, places...)
		g.link(name, first)
		if len(g.routers) > 0 && g.one(6) {
			if second := pick(g, g.routers...); second != first {
				g.link(second, name) // a host with two interfaces
			}
		}
	}
}

// segments draws switches.
func (g *generator) segments() {
	for i := range g.between(0, 3) {
		name := fmt.Sprintf("sw%d", i+1)
		config := object{"kind": "switch"}
		if g.one(3) {
			config["neighbors"] = pick(g, "static", "resolve")
		}
		if g.one(3) {
			config["ageing"] = g.time(200, 5000)
		}
		g.nodes[name] = config
		switch {
		case i == 0 && len(g.routers) > 0, i > 0 && len(g.routers) > 0 && g.one(2):
			g.link(pick(g, g.routers...), name)
		case i > 0:
			g.link(name, pick(g, g.switches...))
		}
		g.switches = append(g.switches, name)
	}
}

// host draws a host without services.
func (g *generator) host(name string) {
	h := &host{name: name, ipv4: g.families != "ipv6", ipv6: g.families != "ipv4", config: object{}, services: object{}, serves: map[string]bool{}}
	if g.families == "dual" && g.one(6) {
		family := pick(g, "ipv4", "ipv6")
		h.config["ip"] = family
		h.ipv4, h.ipv6 = family == "ipv4", family == "ipv6"
	}
	if h.ipv4 && h.ipv6 && g.one(3) {
		h.config["prefer"] = pick(g, "ipv4", "ipv6")
	}
	if g.one(4) {
		h.config["tcp"] = g.tcp()
	}
	if g.one(4) {
		h.config["disk"] = object{"latency": g.delay(5), "sync": g.delay(10), "rate": "50MB/s", "capacity": "1GB"}
	}
	g.nodes[name] = h.config
	g.hosts = append(g.hosts, h)
}

// tcp draws settings of TCP.
func (g *generator) tcp() object {
	t := object{}
	for _, name := range []string{"sack", "rack", "no_delay"} {
		if g.one(3) {
			t[name] = g.one(2)
		}
	}
	for _, name := range []string{"send_buffer", "receive_buffer"} {
		if g.one(4) {
			t[name] = fmt.Sprintf("%dKiB", g.between(8, 256))
		}
	}
	if g.one(5) {
		t["keep_alive"] = g.time(100, 3000)
	}
	if g.one(5) {
		t["user_timeout"] = g.time(500, 5000)
	}
	return t
}

// link draws a link between two nodes, with a name of its own.
func (g *generator) link(a, b string) {
	l := &link{a: a, b: b, name: fmt.Sprintf("l%d", len(g.links)+1), config: object{}}
	switch g.IntN(6) {
	case 0: // a wire
	case 1:
		l.config["profile"] = pick(g, "lan", "wifi", "dsl", "cable", "lte", "5g", "3g", "geo-satellite", "leo-satellite", "transatlantic", "datacenter")
	default:
		g.params(l.config, 3)
	}
	if g.one(4) {
		way := object{}
		g.params(way, 6)
		for _, name := range []string{"mtu", "rate", "burst", "peak_rate"} {
			delete(way, name) // it might not go with the other direction's
		}
		if !l.bucket() {
			g.rate(way)
		}
		l.config[pick(g, "forward", "backward")] = way
	}
	g.links = append(g.links, l)
}

// params draws properties of a link, each of them once in rare.
func (g *generator) params(p object, rare int) {
	add := func(name string, value any) {
		if g.one(rare) {
			p[name] = value
		}
	}
	if g.one(2) {
		p["latency"] = g.delay(30)
	}
	add("latency_correlation", g.percent(950))
	add("keep_order", g.one(2))
	if g.one(2) {
		g.rate(p)
	}
	add("queue", g.queue())
	add("loss", g.loss())
	add("reorder", pick[any](g, g.percent(50), object{"share": g.percent(100), "gap": g.between(1, 5), "depth": g.between(1, 8), "hold": g.time(1, 100)}))
	add("duplicate", g.percent(50))
	add("corrupt", pick[any](g, g.percent(30), object{"share": g.percent(30), "bits": g.between(1, 20)}))
	add("truncate", pick[any](g, g.percent(20), object{"share": g.percent(20), "to": fmt.Sprintf("%dB", g.between(1, 1000))}))
	add("mtu", fmt.Sprintf("%dB", g.between(1280, 9000)))
}

// rate draws a rate, or a token bucket.
func (g *generator) rate(p object) {
	fast, slow := fmt.Sprintf("%dMbit/s", g.between(2, 200)), fmt.Sprintf("%dkbit/s", g.between(100, 2000))
	switch g.IntN(6) {
	case 0:
		p["rate"] = slow
	case 1:
		p["rate"] = fmt.Sprintf("steps(0s %s, %s %s, every %s)", fast, g.time(10, 500), slow, g.time(501, 2000))
	case 2:
		p["rate"] = fmt.Sprintf("ramp(0s %s, %s %s)", fast, g.time(100, 2000), slow)
	case 3:
		p["rate"], p["burst"] = slow, fmt.Sprintf("%dB", g.between(10000, 100000))
		if g.one(2) {
			p["peak_rate"] = fast
		}
	default:
		p["rate"] = fast
	}
}

// queue draws a queue.
func (g *generator) queue() any {
	limit := pick(g, fmt.Sprintf("%d packets", g.between(1, 200)), fmt.Sprintf("%dKiB", g.between(10, 500)))
	q := object{"limit": limit}
	switch g.IntN(7) {
	case 0:
		return limit
	case 1:
		q["type"], q["limit"] = "red", "100KiB"
		least := g.between(1, 30)
		q["min_threshold"], q["max_threshold"] = fmt.Sprintf("%dKiB", least), fmt.Sprintf("%dKiB", least+g.between(1, 60))
		q["gentle"], q["weight"], q["max_probability"] = g.one(2), pick(g, 0.002, 0.05, 0.5, 1), g.percent(500)
	case 2:
		q["type"], q["target"], q["interval"] = "codel", g.time(1, 9), g.time(10, 200)
	case 3:
		q["type"], q["flows"] = "fq-codel", g.between(1, 64)
	case 4:
		q["type"] = "pie"
	case 5:
		q["type"] = "priority"
		if g.one(2) {
			q["bands"] = [][]string{{"ef"}, {"af11", "cs1"}, {"cs0"}}
		}
	case 6:
		return pick(g, "codel", "fq-codel", "pie", "priority", "drop-tail")
	}
	if kind := q["type"]; kind != "priority" && g.one(3) {
		q["ecn"] = true
	}
	return q
}

// loss draws a model of loss.
func (g *generator) loss() string {
	switch g.IntN(6) {
	case 0:
		return fmt.Sprintf("burst(%s, %d)", g.percent(100), g.between(2, 8))
	case 1:
		return fmt.Sprintf("gilbert-elliott(%s, %s, %s, %s)", g.percent(50), g.percent(900), g.percent(1000), g.percent(20))
	case 2:
		return fmt.Sprintf("every(%d)", g.between(10, 100))
	case 3:
		return "pattern(" + pick(g, "00000000010", "0000000000000000000111", "000000010000000000001") + ")"
	}
	return g.percent(100)
}
