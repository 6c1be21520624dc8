package catalog_test

import (
	"time"

	"netlab/services"
	"netlab/services/balancer"
	"netlab/services/capacity"
	"netlab/services/cdn"
	"netlab/services/chat"
	"netlab/services/echo"
	"netlab/services/kvcache"
	"netlab/services/load"
	"netlab/services/load/clients"
	"netlab/services/lookup"
	"netlab/services/nameserver"
	"netlab/services/pages"
	"netlab/services/ping"
	"netlab/services/proxy/forward"
	"netlab/services/proxy/reverse"
	"netlab/services/proxy/socks"
	"netlab/services/secure"
	"netlab/services/slowstore"
	"netlab/services/store"
	"netlab/services/stream"
	"netlab/services/tier"
	"netlab/services/traceroute"
	"netlab/services/transfer"
	"netlab/services/web"
	"netlab/units"
)

const ms = time.Millisecond

func duration(d time.Duration) units.Duration { return units.Duration(d) }

// scene is a service on b and a workload on a that talks to it for lasts or longer, about ten times a second.
type scene struct {
	name     string
	service  services.Type // without New: there is none
	config   services.Config
	workload services.Type
	client   services.Config
	// good is how often the workload has succeeded, served how often the service has counted that, both up to now.
	good   func(result any) uint64
	served func(result any) uint64
	// single says that the workload goes over one connection and does not come back when that breaks.
	single bool
}

const lasts = 14 * time.Second

func tenPerSecond() load.Config {
	return load.Config{Rate: 10, Arrivals: load.Constant, Duration: duration(lasts)}
}

func loaded(result any) uint64 { return result.(*load.Result).Succeeded }

func webServer() *web.ServerConfig {
	c := web.NewServerConfig()
	work, err := units.Exponential(2 * ms)
	if err != nil {
		panic(err)
	}
	c.Capacity = capacity.Config{Cores: 1, ServiceTime: work}
	c.ErrorRate = 0.01
	c.Handlers = map[string]web.Handler{
		"/chat/":  {Handler: "chat"},
		"/echo":   {Handler: "websocket-echo"},
		"/items":  {Handler: "collection", Stateful: true},
		"/files/": {Handler: "files"},
		"/work":   {Handler: "delay", Capacity: capacity.Config{Cores: 1, ServiceTime: units.Constant(5 * ms)}},
	}
	return c
}

func secureWebServer() *web.ServerConfig {
	c := webServer()
	c.Listen, c.TLS.On = ":443", true
	return c
}

func requests(result any) uint64 { return result.(*web.ServerResult).Requests }

func httpLoad(url services.URL, change func(c *clients.HTTPConfig)) *clients.HTTPConfig {
	c := clients.NewHTTPConfig()
	c.Load, c.URL, c.Timeout = tenPerSecond(), url, duration(time.Second)
	if change != nil {
		change(c)
	}
	return c
}

func talk(transport chat.Transport, change func(c *chat.Config)) *chat.Config {
	c := chat.NewConfig()
	c.URL, c.Transport, c.Users, c.Messages, c.Interval = "http://b/chat", transport, 2, int(lasts/(100*ms)), duration(100*ms)
	c.Timeout = duration(2 * time.Second)
	if change != nil {
		change(c)
	}
	return c
}

func heard(result any) uint64 { return result.(*chat.Result).Received }

// scenes has every type of the catalog.
func scenes() []scene {
	tcpLoad := clients.NewTCPConfig()
	tcpLoad.Config, tcpLoad.To, tcpLoad.Timeout = tenPerSecond(), "b", duration(time.Second)
	udpLoad := clients.NewUDPConfig()
	udpLoad.Config, udpLoad.To = tenPerSecond(), "b"
	dnsLoad := clients.NewDNSConfig()
	dnsLoad.Config, dnsLoad.To, dnsLoad.Names, dnsLoad.Timeout = tenPerSecond(), "b", []string{"a.lab"}, duration(time.Second)
	look := lookup.NewConfig()
	look.Name, look.Server, look.Count, look.Interval = "a.lab", "b", int(lasts/(100*ms)), duration(100*ms)
	look.Timeout, look.Attempts = duration(time.Second), 1
	echoes := func(protocol string) *echo.Config {
		c := echo.NewConfig()
		c.To, c.Protocol, c.Count, c.Interval = "b", protocol, int(lasts/(100*ms)), duration(100*ms)
		return c
	}
	upload := transfer.NewConfig()
	upload.To, upload.Duration = "b", duration(lasts)
	download := transfer.NewConfig()
	download.To, download.Duration, download.Direction = "b", duration(lasts), transfer.Download
	video := stream.NewConfig()
	video.To, video.Rate, video.Duration = "b", 96_000, duration(lasts)
	pings := ping.NewConfig()
	pings.To, pings.Count, pings.Interval = "b", int(lasts/(100*ms)), duration(100*ms)
	trace := traceroute.NewConfig()
	trace.To, trace.MaxHops, trace.Probes = "b", 10, 10
	fetch := web.NewConfig()
	fetch.URL, fetch.Objects, fetch.Method, fetch.Body = "http://b/files", 10, "PUT", 1000
	fetch.Count, fetch.Interval, fetch.Timeout = int(lasts/time.Second), duration(100*ms), duration(time.Second)
	refused := web.NewConfig()
	refused.URL, refused.Proxy, refused.Count, refused.Interval = "http://b:9/", "socks5://b", int(lasts/(100*ms)), duration(100*ms)
	refused.Timeout = duration(time.Second)
	walk := pages.NewConfig()
	walk.URL, walk.Walks, walk.Pause, walk.Timeout = "http://b/items", int(lasts/time.Second), duration(200*ms), duration(time.Second)
	socket := chat.NewSocketConfig()
	socket.URL, socket.Count, socket.Interval = "ws://b/echo", int(lasts/(100*ms)), duration(100*ms)
	socket.Timeout = duration(2 * time.Second)

	kvLoad := clients.NewKVConfig()
	kvLoad.Config, kvLoad.To, kvLoad.Timeout, kvLoad.Fill = tenPerSecond(), "b", duration(time.Second), true
	kvLoad.Keys.Count, kvLoad.Writes = 10, 0.2

	answered := func(result any) uint64 { return result.(*lookup.Result).Answered }
	queries := func(result any) uint64 { return result.(*nameserver.Result).Queries }
	echoed := func(result any) uint64 { return result.(*echo.Result).Received }
	moved := func(result any) uint64 { return uint64(result.(*transfer.Result).Bytes) }
	sunk := func(result any) uint64 {
		r := result.(*transfer.SinkResult)
		return uint64(r.Received + r.Sent)
	}
	resumed := func(c *clients.HTTPConfig) { c.KeepAlive, c.HTTPVersion = false, "http/1.1" }
	return []scene{
		{"dns", nameserver.Server, nameserver.NewConfig(), clients.DNS, dnsLoad, loaded, queries, false},
		{"lookup", nameserver.Server, nameserver.NewConfig(), lookup.Type, look, answered, queries, false},
		{"tcp-load", echo.TCPServer, &echo.TCPConfig{Listen: ":7"}, clients.TCP, tcpLoad, loaded,
			func(r any) uint64 { return uint64(r.(*echo.TCPResult).Bytes) }, false},
		{"tcp-echo", echo.TCPServer, &echo.TCPConfig{Listen: ":7"}, echo.Type, echoes(echo.TCP), echoed,
			func(r any) uint64 { return uint64(r.(*echo.TCPResult).Bytes) }, true},
		{"udp-load", echo.UDPServer, &echo.UDPConfig{Listen: ":7"}, clients.UDP, udpLoad, loaded,
			func(r any) uint64 { return r.(*echo.UDPResult).Datagrams }, false},
		{"udp-echo", echo.UDPServer, &echo.UDPConfig{Listen: ":7"}, echo.Type, echoes(echo.UDP), echoed,
			func(r any) uint64 { return r.(*echo.UDPResult).Datagrams }, false},
		{"upload", transfer.Sink, &transfer.SinkConfig{Listen: ":5001"}, transfer.Type, upload, moved, sunk, true},
		{"download", transfer.Sink, &transfer.SinkConfig{Listen: ":5001"}, transfer.Type, download, moved, sunk, true},
		{"stream", stream.Sink, &stream.SinkConfig{Listen: ":5002"}, stream.Type, video,
			func(r any) uint64 { return r.(*stream.Result).Sent }, func(r any) uint64 { return r.(*stream.SinkResult).Received }, false},
		{"http", web.Server, webServer(), clients.HTTPLoad, httpLoad("http://b/", nil), loaded, requests, false},
		{"h2c", web.Server, h2cServer(), clients.HTTPLoad, httpLoad("http://b/work", func(c *clients.HTTPConfig) { c.HTTPVersion = "h2c" }),
			loaded, requests, false},
		{"https", web.Server, secureWebServer(), clients.HTTPLoad, httpLoad("https://b/", resumed), loaded, requests, false},
		{"https2", web.Server, secureWebServer(), clients.HTTPLoad, httpLoad("https://b/", nil), loaded, requests, false},
		// The last proxy of a request with no forwards left answers itself, and one without a way to a host says so.
		{"http-proxy", forward.Type, forward.NewConfig(), clients.HTTPLoad, httpLoad("http://a/", func(c *clients.HTTPConfig) {
			c.Proxy, c.Method, c.Headers = "http://b", "OPTIONS", map[string]string{"Max-Forwards": "0"}
		}), loaded, func(r any) uint64 { return r.(*forward.Result).Requests }, false},
		{"socks-proxy", socks.Type, socks.NewConfig(), web.Fetch, refused,
			func(r any) uint64 { return r.(*web.Result).Errors.Refused }, func(r any) uint64 { return r.(*socks.Result).Requests }, false},
		{"cdn", cdn.Edge, edge(), cdn.Publish, publisher(), func(r any) uint64 { return r.(*cdn.PublishResult).Succeeded },
			func(r any) uint64 { return r.(*cdn.Result).Pushes }, false},
		{"balancer", balancer.Type, frontEnd(), clients.HTTPLoad, httpLoad("http://b/", func(c *clients.HTTPConfig) { c.Redirects = 0 }),
			loaded, func(r any) uint64 { return r.(*balancer.Result).Layer7.Requests }, false},
		{"reverse-proxy", reverse.Type, reverseProxy(), clients.HTTPLoad, httpLoad("http://b/", func(c *clients.HTTPConfig) { c.Redirects = 0 }),
			loaded, func(r any) uint64 { return r.(*reverse.Result).Received }, false},
		{"files", web.Server, webServer(), web.Fetch, fetch, func(r any) uint64 { return r.(*web.Result).Succeeded }, requests, false},
		{"kv-cache", kvcache.Server, kvcache.NewConfig(), clients.KV, kvLoad, loaded,
			func(r any) uint64 { return r.(*kvcache.Result).Requests }, false},
		{"store", store.Server, store.NewConfig(), clients.KV, kvLoad, loaded,
			func(r any) uint64 { return r.(*store.Result).Requests }, false},
		{"slow-store", slowstore.Server, slowstore.NewConfig(), clients.HTTPLoad,
			httpLoad("http://b/{key}", func(c *clients.HTTPConfig) { c.Keys.Count, c.Writes = 10, 0.5 }), loaded,
			func(r any) uint64 { return r.(*slowstore.Result).Reads + r.(*slowstore.Result).Writes }, false},
		// With write-back, writes are acknowledged before the store has them, whether it is there or not.
		{"app-server", tier.Server, &tier.Config{Listen: ":80", Store: "b:81", Cache: "b", Strategy: tier.WriteBack}, clients.HTTPLoad,
			httpLoad("http://b/{key}", func(c *clients.HTTPConfig) { c.Keys.Count, c.Method, c.Body = 10, "PUT", 100 }), loaded,
			func(r any) uint64 { return r.(*tier.Result).Writes }, false},
		{"pages", web.Server, webServer(), pages.Type, walk, func(r any) uint64 { return r.(*pages.Result).Pages }, requests, false},
		{"websocket", web.Server, webServer(), chat.Socket, socket, func(r any) uint64 { return r.(*chat.SocketResult).Received }, requests, true},
		{"chat", web.Server, webServer(), chat.Chat, talk(chat.WebSocket, func(c *chat.Config) { c.PingInterval = duration(time.Second) }),
			heard, requests, false},
		{"polling", web.Server, webServer(), chat.Chat, talk(chat.Polling, nil), heard, requests, false},
		{"long-polling", web.Server, webServer(), chat.Chat, talk(chat.LongPolling, func(c *chat.Config) { c.Wait = duration(time.Second) }),
			heard, requests, false},
		{"ping", services.Type{}, nil, ping.Type, pings, func(r any) uint64 { return r.(*ping.Result).Received }, nil, false},
		{"traceroute", services.Type{}, nil, traceroute.Type, trace, func(r any) uint64 { return uint64(len(r.(*traceroute.Result).Path)) }, nil, true},
	}
}

// edge is a server of a CDN that objects are pushed to, and publisher who does so.
func edge() *cdn.Config {
	c := cdn.NewConfig()
	c.Origin, c.Token = "http://a", "secret"
	return c
}

func publisher() *cdn.PublishConfig {
	c := cdn.NewPublishConfig()
	c.Edges, c.Token, c.Push = services.Targets{"b"}, "secret", []string{"/news"}
	c.Count, c.Interval, c.Timeout = int(lasts/(100*ms)), duration(100*ms), duration(time.Second)
	return c
}

// frontEnd is a balancer that has no backend that is there, and answers with redirects.
func frontEnd() *balancer.Config {
	c := balancer.NewConfig()
	c.Backends.SetString("b:81")
	c.Routes = []balancer.Route{{Redirect: &balancer.Redirect{Path: "/elsewhere", Status: 302}}}
	return c
}

// reverseProxy has no backend that is there, and answers with redirects.
func reverseProxy() *reverse.Config {
	c := reverse.NewConfig()
	c.Backends.SetString("b:81")
	c.Routes = []balancer.Route{{Redirect: &balancer.Redirect{Path: "/elsewhere", Status: 302}}}
	return c
}

func h2cServer() *web.ServerConfig {
	c := webServer()
	c.H2C = true
	c.TLS = secure.Server{}
	return c
}
