package randomlab

import "fmt"

// guards draws firewalls and address translation at routers.
func (g *generator) guards() {
	for _, name := range g.routers {
		config := g.nodes[name].(object)
		if g.one(4) {
			config["firewall"] = g.firewall()
		}
		if g.one(5) {
			if nat := g.nat(name); nat != nil {
				config["nat"] = nat
				if firewall, ok := config["firewall"].(object); ok {
					delete(firewall, "timeouts") // the two share one table
				}
			}
		}
	}
}

// firewall draws a packet filter.
func (g *generator) firewall() object {
	h := pick(g, g.hosts...).name
	rules := []any{
		"accept tcp port 80,443", "drop udp port 5002", "reject tcp to " + h, "accept icmp", "drop from " + h,
		fmt.Sprintf("reject udp port %d-%d as range", g.between(1, 100), g.between(100, 9999)),
		object{"action": "accept", "protocol": "tcp", "ports": []any{7, "5000-5002"}},
	}
	f := object{"default": pick(g, "accept", "accept", "drop", "reject"), "rules": some(g, rules)}
	if g.one(3) {
		f["input"] = true
	}
	if g.one(3) {
		f["out_of_state"] = pick(g, "accept", "drop", "reject")
	}
	if g.one(3) {
		f["timeouts"] = object{"udp": g.time(10, 1000), "icmp": g.time(10, 1000), "tcp_transitory": g.time(100, 2000)}
	}
	if g.one(5) {
		f["max_connections"] = g.between(1, 20)
	}
	return f
}

// nat draws address translation for a router, nil if it can't have one.
func (g *generator) nat(router string) object {
	if g.families == "ipv6" {
		return nil
	}
	var outside []string
	links := 0
	for _, l := range g.links {
		if l.a != router && l.b != router {
			continue
		}
		links++
		other := l.a
		if other == router {
			other = l.b
		}
		for _, h := range g.hosts {
			if h.name == other && !h.ipv4 {
				other = ""
			}
		}
		if other != "" {
			outside = append(outside, l.name)
		}
	}
	if links < 2 || len(outside) == 0 {
		return nil
	}
	n := object{"outside": pick(g, outside...), "kind": pick(g, "full-cone", "restricted-cone", "port-restricted-cone", "symmetric")}
	if g.one(3) {
		n["random_ports"] = true
	}
	if g.one(3) {
		n["hairpin"] = true
	}
	if g.one(4) {
		n["ports"] = fmt.Sprintf("%d-%d", 5000, 5000+g.between(0, 50))
		n["reject_when_full"] = g.one(2)
	}
	return n
}
