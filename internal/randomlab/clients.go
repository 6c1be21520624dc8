package randomlab

import "fmt"

// clients draws workloads.
func (g *generator) clients() {
	for i := range g.between(2, 7) {
		w := g.client()
		if w == nil {
			continue
		}
		if g.one(2) {
			w["start"] = g.time(0, g.duration/2)
		}
		repeatable(w)
		g.workloads[fmt.Sprintf("w%d", i+1)] = w
	}
}

// repeatable keeps clients of HTTP/2 to one request at a time on connections that stay: when such a connection ends under several
// requests, Go's client resets their streams in the order of a map, and when it closes one itself, the last frames may differ.
func repeatable(w object) {
	version, ok := w["http_version"]
	if !ok || version == "http/1.1" || version == "auto" && w["url"].(string)[4] != 's' {
		return
	}
	single := w["type"] == "http-pages" || w["type"] == "http-fetch" && w["concurrency"] == 1 || w["type"] == "http-load" && w["users"] == 1
	if !single || w["keep_alive"] == false {
		w["http_version"] = "http/1.1"
	}
}

// pair returns a client and another host that serves something, nil if there is none. Both speak an IP version of the other.
func (g *generator) pair(kind string) (from, to *host) {
	for _, i := range g.Perm(len(g.hosts)) {
		for _, j := range g.Perm(len(g.hosts)) {
			from, to := g.hosts[i], g.hosts[j]
			if i != j && (kind == "" || to.serves[kind]) && (from.ipv4 && to.ipv4 || from.ipv6 && to.ipv6) {
				return from, to
			}
		}
	}
	return nil, nil
}

// client draws a workload, nil if there is nobody to serve it.
func (g *generator) client() object {
	kinds := []string{"ping", "traceroute", "echo-tcp", "echo-udp", "tcp-transfer", "udp-stream", "tcp-load", "udp-load",
		"http-fetch", "http-load", "http-pages", "chat", "websocket", "dns-lookup", "dns-load"}
	switch kind := pick(g, kinds...); kind {
	case "ping":
		return g.to("ping", "", object{"count": g.between(1, 30), "interval": g.time(1, 200), "timeout": g.time(10, 1000),
			"size": fmt.Sprintf("%dB", g.between(8, 4000))})
	case "traceroute":
		return g.to("traceroute", "", object{"max_hops": g.between(1, 8), "probes": g.between(1, 3), "timeout": g.time(50, 500)})
	case "echo-tcp":
		return g.to("echo", "tcp-echo", object{"count": g.between(1, 30), "interval": g.time(1, 100), "size": fmt.Sprintf("%dB", g.between(8, 5000))})
	case "echo-udp":
		return g.to("echo", "udp-echo", object{"protocol": "udp", "count": g.between(1, 30), "interval": g.time(1, 100),
			"size": fmt.Sprintf("%dB", g.between(8, 5000))})
	case "tcp-transfer":
		w := object{"flows": g.between(1, 3), "direction": pick(g, "upload", "download")}
		if g.one(2) {
			w["bytes"] = fmt.Sprintf("%dB", g.between(1, 1000000))
		} else {
			w["duration"] = g.time(10, 300)
			g.timed = true
		}
		return g.to("tcp-transfer", "tcp-sink", w)
	case "udp-stream":
		return g.to("udp-stream", "udp-sink", object{"rate": fmt.Sprintf("%dkbit/s", g.between(10, 5000)), "size": fmt.Sprintf("%dB", g.between(60, 3000)),
			"packets": g.between(1, 300)})
	case "tcp-load":
		return g.load(g.to("tcp-load", "tcp-echo", object{"keep_alive": g.one(2), "request": fmt.Sprintf("%dB", g.between(1, 3000)), "timeout": g.time(50, 2000)}))
	case "udp-load":
		return g.load(g.to("udp-load", "udp-echo", object{"size": fmt.Sprintf("%dB", g.between(8, 3000)), "timeout": g.time(50, 1000)}))
	case "http-fetch":
		return g.http("http-fetch", object{"count": g.between(1, 5), "concurrency": g.between(1, 4), "interval": g.time(0, 100)},
			"/", "/work", "/drip", "/away", "/other", "/bytes/100")
	case "http-load":
		return g.load(g.http("http-load", object{"connections": pick(g, "per-user", "shared")}, "/", "/work", "/drip", "/bytes/5000"))
	case "http-pages":
		return g.http("http-pages", object{"style": pick(g, "offset", "token"), "limit": g.between(1, 30), "pause": g.time(0, 50)}, "/items")
	case "chat":
		w := object{"transport": pick(g, "websocket", "polling", "long-polling"), "users": g.between(1, 3), "messages": g.between(1, 5),
			"interval": g.time(10, 500), "lead_time": g.time(100, 500)}
		switch w["transport"] {
		case "polling":
			w["poll_interval"] = g.time(50, 500)
		case "websocket":
			w["reconnect"], w["compression"] = g.one(2), pick(g, "none", "no-context-takeover")
		}
		return g.scheme(g.to("chat", pick(g, "http-server", "https-server"), w), "http", "/chat")
	case "websocket":
		return g.scheme(g.to("websocket", pick(g, "http-server", "https-server"), object{"connections": g.between(1, 2), "count": g.between(1, 10),
			"interval": g.time(1, 200), "size": fmt.Sprintf("%dB", g.between(1, 5000)), "kind": pick(g, "text", "binary")}), "ws", "/echo")
	case "dns-lookup":
		return g.lookup()
	default:
		w := g.to("dns-load", "dns-server", object{"names": []string{"www.lab", "h1.lab", "nobody.lab"}, "timeout": g.time(50, 1000), "random_prefix": g.one(3)})
		return g.load(w)
	}
}

// to completes a workload with a client and a server, nil if there are none.
func (g *generator) to(kind, serves string, w object) object {
	from, to := g.pair(serves)
	if from == nil {
		return nil
	}
	w["type"], w["from"], w["to"] = kind, from.name, to.name
	return w
}

// scheme makes a URL of the server.
func (g *generator) scheme(w object, scheme, path string) object {
	if w == nil {
		return nil
	}
	name := w["to"].(string)
	delete(w, "to")
	for _, h := range g.hosts {
		if h.name != name {
			continue
		}
		if h.serves["https-server"] && (!h.serves["http-server"] || g.one(2)) {
			scheme += "s"
		}
	}
	w["url"] = fmt.Sprintf("%s://%s%s", scheme, name, path)
	return w
}

// http draws a client of a web server.
func (g *generator) http(kind string, w object, paths ...string) object {
	if w = g.scheme(g.to(kind, pick(g, "http-server", "https-server"), w), "http", pick(g, paths...)); w == nil {
		return nil
	}
	versions := []string{"auto", "http/1.1", "h2c"}
	if w["url"].(string)[4] == 's' {
		versions = []string{"auto", "http/1.1", "h2"}
		if g.one(2) {
			w["tls"] = object{"verify": g.one(2), "resumption": g.one(2)}
		}
	}
	w["http_version"], w["keep_alive"], w["timeout"] = pick(g, versions...), !g.one(3), g.time(100, 3000)
	if g.one(4) {
		w["retry"] = object{"attempts": g.between(2, 3), "backoff": g.time(1, 100), "jitter": "50%"}
	}
	if w["type"] != "http-pages" && g.one(4) {
		w["method"], w["body"] = "POST", fmt.Sprintf("%dB", g.between(1, 20000))
	}
	return w
}

// load completes a workload with how much it asks for.
func (g *generator) load(w object) object {
	if w == nil {
		return nil
	}
	switch g.IntN(3) {
	case 0:
		w["users"], w["think_time"] = g.between(1, 4), g.delay(50)
	case 1:
		w["rate"], w["arrivals"] = fmt.Sprintf("%d/s", g.between(1, 50)), pick(g, "poisson", "constant")
	default:
		w["schedule"] = []any{object{"for": g.time(50, 500), "rate": "20/s"}, object{"for": g.time(50, 500), "rate": "1/s", "to": "40/s"}}
		return w
	}
	w["requests"] = g.between(1, 40)
	return w
}

// lookup draws lookups by a host's resolver or at a server.
func (g *generator) lookup() object {
	name := pick(g, "www.lab", "alias.lab", "h2.lab", "nobody.lab")
	w := object{"type": "dns-lookup", "name": name, "count": g.between(1, 10), "interval": g.time(1, 300)}
	from, to := g.pair("dns-server")
	if from == nil {
		return nil
	}
	w["from"], w["server"] = from.name, to.name
	w["timeout"], w["attempts"] = g.time(50, 1000), g.between(1, 3)
	w["record"] = pick(g, "address", "a", "aaaa", "cname", "txt")
	return w
}
