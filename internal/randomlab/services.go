package randomlab

import "fmt"

// services draws what runs on hosts.
func (g *generator) services() {
	for i, h := range g.hosts {
		if i > 0 && g.one(4) {
			continue
		}
		for _, kind := range some(g, []string{"tcp-echo", "udp-echo", "tcp-sink", "udp-sink", "http-server", "https-server", "dns-server"}) {
			h.serves[kind] = true
			switch kind {
			case "http-server":
				h.services["web"] = g.web(object{"type": "http-server", "h2c": true})
			case "https-server":
				h.services["secure-web"] = g.web(object{"type": "http-server", "listen": ":443", "tls": g.tls()})
			case "dns-server":
				h.services["names"] = g.names()
				if g.resolver == nil {
					g.resolver = h
				}
			default:
				h.services[kind] = object{"type": kind}
			}
		}
		h.config["services"] = h.services
	}
	if g.resolver != nil { // a name server asks nobody, and who can't reach it either
		for _, h := range g.hosts {
			if h == g.resolver || h.ipv4 != g.resolver.ipv4 || h.ipv6 != g.resolver.ipv6 {
				h.config["dns"] = []string{}
			}
		}
	}
}

// tls draws the settings of a server's TLS.
func (g *generator) tls() any {
	switch g.IntN(4) {
	case 0:
		return object{"certificate": pick(g, "valid", "expired", "self-signed")}
	case 1:
		return object{"max_version": "1.2", "resumption": g.one(2)}
	}
	return true
}

// web draws an http-server, with something at the paths that clients ask for.
func (g *generator) web(s object) object {
	s["objects"] = fmt.Sprintf("%dB", g.between(1, 30000))
	s["handlers"] = object{
		"/chat":  object{"handler": "chat"},
		"/echo":  object{"handler": "websocket-echo"},
		"/items": object{"handler": "collection", "items": g.between(0, 60), "stateful": g.one(3)},
		"/work":  object{"handler": "delay", "cores": g.between(1, 2), "service_time": g.delay(20), "queue": g.between(0, 5)},
		"/drip":  object{"handler": "stream", "size": "5kB", "interval": g.time(1, 50)},
		"/away":  object{"handler": "redirect", "location": pick(g, "/", "/work", "/drip")},
		"/other": pick(g, object{"handler": "status", "error_rate": g.percent(500)}, object{"handler": "echo"}),
	}
	if g.one(4) {
		s["error_rate"] = g.percent(200)
	}
	if g.one(4) {
		s["idle_timeout"] = g.time(100, 2000)
	}
	if g.one(4) {
		s["header_timeout"] = g.time(100, 2000)
	}
	return s
}

// names draws a dns-server.
func (g *generator) names() object {
	var nodes []string
	for _, h := range g.hosts {
		nodes = append(nodes, h.name)
	}
	return object{"type": "dns-server", "ttl": fmt.Sprintf("%ds", g.between(0, 3)), "rotation": pick(g, "round-robin", "fixed", "random"),
		"records": object{
			"www":        object{"nodes": some(g, nodes), "ttl": fmt.Sprintf("%ds", g.between(0, 3))},
			"alias":      object{"cname": "www.lab"},
			"text":       object{"txt": []string{"a text", "another one"}},
			"_http._tcp": object{"srv": []any{object{"target": pick(g, nodes...), "port": 80, "priority": g.between(0, 3)}}},
		}}
}
