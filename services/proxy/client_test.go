package proxy_test

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/services"
	"netlab/services/failures"
	"netlab/services/load"
	"netlab/services/load/clients"
	"netlab/services/proxy/access"
	"netlab/services/proxy/forward"
	"netlab/services/proxy/socks"
	"netlab/services/web"
	"netlab/tcp"
)

// proxies starts both proxies on b, with a user each.
func proxies(l *testlab.Lab, change func(f *forward.Config, s *socks.Config)) (http, socks5 *testlab.Instance) {
	f, s := forwardConfig(nil), socksConfig(nil)
	if change != nil {
		change(f, s)
	}
	http, socks5 = l.Service(l.B, forward.Type, f), l.Service(l.B, socks.Type, s)
	l.Sleep(ms)
	return http, socks5
}

func users(f *forward.Config, s *socks.Config) {
	f.Users, s.Users = access.Users{"ada": "secret"}, access.Users{"ada": "secret"}
}

// Round trips are 20 ms, and the way from the client to the server and back is one to the proxy and another one from there.
func TestPhases(t *testing.T) {
	for _, c := range []struct {
		name         string
		url          services.URL
		proxy        services.ProxyURL
		connect, tls time.Duration
		ttfb         time.Duration
	}{
		// TCP to the proxy; then TCP to the server, and the request over both.
		{"absolute form", "http://a/bytes/100", "http://b", 20 * ms, 0, 80 * ms},
		// TCP to the proxy, CONNECT with TCP to the server, TLS 1.3 over both, the request over both.
		{"CONNECT", "https://a/bytes/100", "http://b:3128", 60 * ms, 40 * ms, 140 * ms},
		// The greeting takes a round trip more.
		{"SOCKS", "http://a/bytes/100", "socks5://b", 80 * ms, 0, 120 * ms},
		{"SOCKS and TLS", "https://a/bytes/100", "socks5://b:1080", 80 * ms, 40 * ms, 160 * ms},
	} {
		t.Run(c.name, func(t *testing.T) {
			testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
				sites(l)
				proxies(l, nil)
				found, err := l.Workload(web.Fetch, fetch(c.url, c.proxy, func(f *web.Config) { f.Count = 2 }), l.A)
				require.NoError(t, err)
				r := found.(*web.Result)
				require.True(t, r.Intact)
				require.EqualValues(t, 1, r.Connections)
				require.Equal(t, u(c.connect), r.Connect.Max)
				if c.tls > 0 {
					require.Equal(t, u(c.tls), r.TLS.Max)
					require.Equal(t, map[string]uint64{"http2": 2}, r.Protocols, "what client and server have agreed on")
				}
				require.Equal(t, u(c.ttfb), r.TTFB.Max)
				require.Equal(t, u(40*ms), r.TTFB.Min, "on the connections that there are")
			})
		})
	}
}

func TestClientWithUser(t *testing.T) {
	testlab.Run(t, wire, func(t *testing.T, l *testlab.Lab) {
		sites(l)
		http, socks5 := proxies(l, users)
		for _, c := range []struct {
			url    services.URL
			proxy  services.ProxyURL
			status string
			kind   failures.Kind
		}{
			{"http://a/", "http://ada:secret@b", "200", ""}, {"https://a/", "http://ada:secret@b", "200", ""},
			{"http://a/", "socks5://ada:secret@b", "200", ""}, {"https://a/", "socks5://ada:secret@b", "200", ""},
			{"http://a/", "http://ada:wrong@b", "407", failures.Status}, {"https://a/", "http://b", "407", failures.Status},
			{"http://a/", "socks5://ada:wrong@b", "", failures.Denied}, {"https://a/", "socks5://b", "", failures.Denied},
		} {
			found, err := l.Workload(web.Fetch, fetch(c.url, c.proxy, nil), l.A)
			require.NoError(t, err)
			r := found.(*web.Result)
			if c.status != "" {
				require.Equal(t, map[string]uint64{c.status: 1}, r.Status, c)
			}
			var want failures.Counts
			if c.kind != "" {
				want.CountKind(c.kind)
			}
			require.Equal(t, want, r.Errors, c)
		}
		f, err := http.Stop()
		require.NoError(t, err)
		require.EqualValues(t, 2, f.(*forward.Result).Unauthorized)
		s, err := socks5.Stop()
		require.NoError(t, err)
		require.EqualValues(t, 2, s.(*socks.Result).Unauthorized)
	})
}

func TestClientFailures(t *testing.T) {
	testlab.Run(t, wire, func(t *testing.T, l *testlab.Lab) {
		proxies(l, func(f *forward.Config, s *socks.Config) {
			f.Deny.Hosts, s.Deny.Hosts = []string{"ads"}, []string{"ads"}
			f.ConnectPorts = []uint16{443, 81}
		})
		for _, c := range []struct {
			url   services.URL
			proxy services.ProxyURL
			kind  failures.Kind
		}{
			{"https://ads/", "http://b", failures.Status}, {"http://a:81/", "http://b", failures.Status},
			{"https://a:81/", "http://b", failures.Status}, {"http://a:81/", "socks5://b", failures.Refused},
			{"http://nowhere/", "socks5://b", failures.Unreachable}, {"http://ads/", "socks5://b", failures.Denied},
			{"http://a/", "http://b:9", failures.Refused}, {"http://a/", "http://nowhere", failures.Name},
		} {
			found, err := l.Workload(web.Fetch, fetch(c.url, c.proxy, nil), l.A)
			require.NoError(t, err)
			var want failures.Counts
			want.CountKind(c.kind)
			require.Equal(t, want, found.(*web.Result).Errors, c)
		}
	})
}

// A proxy that accepts connections and says nothing, or something that makes no sense, is a failure within the client's time.
func TestBadProxies(t *testing.T) {
	for answer, kind := range map[string]failures.Kind{
		"": failures.Timeout, "HTTP/1.1 200 OK\r\n\r\ntoo early": failures.Other, "hello\r\n\r\n": failures.Other, "\x05\x00": failures.Timeout,
	} {
		testlab.Run(t, wire, func(t *testing.T, l *testlab.Lab) {
			acceptAt(l, l.B, ":9", func(c *tcp.Conn) {
				c.Write([]byte(answer))
				io.Copy(io.Discard, c)
			})
			for _, proxy := range []services.ProxyURL{"http://b:9", "socks5://b:9"} {
				found, err := l.Workload(web.Fetch, fetch("https://a/", proxy, func(c *web.Config) { c.Timeout = u(5 * time.Second) }), l.A)
				require.NoError(t, err)
				r := found.(*web.Result)
				require.EqualValues(t, 1, r.Failed)
				require.LessOrEqual(t, r.Took, u(5*time.Second))
				if proxy == "http://b:9" {
					var want failures.Counts
					want.CountKind(kind)
					require.Equal(t, want, r.Errors, "%q", answer)
				}
			}
		})
	}
}

// Load through both proxies is the same in every run, also when the proxy's host crashes in the middle, and recovers from that.
func TestLoadAndCrash(t *testing.T) {
	if testing.Short() {
		t.Skip("with the race detector Go chooses at random which of two goroutines goes on first")
	}
	for _, proxy := range []services.ProxyURL{"http://b", "socks5://b"} {
		for _, url := range []services.URL{"http://a/bytes/5000", "https://a/bytes/5000"} {
			for _, crash := range []bool{false, true} {
				var all [2]string
				for i := range all {
					w := newWitness()
					c := wire
					c.Tap = w
					testlab.Run(t, c, func(t *testing.T, l *testlab.Lab) {
						sites(l)
						http, socks5 := proxies(l, nil)
						config := clients.NewHTTPConfig()
						config.URL, config.Proxy, config.Users, config.Duration, config.Timeout = url, proxy, 4, u(5*time.Second), u(time.Second)
						load1 := l.Start(clients.HTTPLoad, "load", config, l.A)
						if crash {
							l.Sleep(time.Second)
							l.Crash(l.B)
							l.Sleep(time.Second)
							l.Restart(l.B)
						}
						found, err := load1.Wait()
						require.NoError(t, err)
						r := found.(*load.Result)
						if crash {
							require.Positive(t, r.Failed)
							require.Greater(t, r.Succeeded, uint64(150), "it goes on afterwards")
						} else {
							require.Zero(t, r.Failed)
							require.Greater(t, r.Succeeded, uint64(450), "4 users, 40 ms a request")
						}
						f, err := http.Stop()
						require.NoError(t, err)
						s, err := socks5.Stop()
						require.NoError(t, err)
						all[i] = text(t, []any{r, f, s})
					})
					all[i] += string(w.Sum(nil))
				}
				require.Equal(t, all[0], all[1], "%s through %s, crash: %v", url, proxy, crash)
			}
		}
	}
}

func TestProxyURL(t *testing.T) {
	for text, wrong := range map[services.ProxyURL]string{
		"http://proxy": "", "http://proxy:3128/": "", "socks5://ada:x@[2001:db8::1]:1080": "", "http://ada@proxy": "",
		"proxy:3128": "not a kind of proxy", "proxy": "not the URL of a proxy", "https://proxy": "want http or socks5", "http://": "names no host",
		"http://proxy/path": "more than a host", "http://proxy:0": "not a port", "socks5://ada@proxy": "without a password", "http://:x@proxy": "wrong length",
		"http://[fe80::1%25eth0]": "zone", "http://pro xy": "not the URL",
	} {
		_, err := text.Parse()
		if wrong == "" {
			require.NoError(t, err, text)
			require.NotEmpty(t, text.Host())
			require.NotZero(t, text.Port())
		} else {
			require.ErrorContains(t, err, wrong)
			require.Empty(t, text.Host())
			require.Zero(t, text.Port())
		}
	}
	c := fetch("http://a/", "http://b", func(c *web.Config) { c.HTTPVersion = "h2c" })
	require.ErrorContains(t, c.Validate(), "speaks HTTP/1.1")
	c.Proxy = "socks5://b:81"
	require.NoError(t, c.Validate())
	require.Equal(t, services.Call{Field: "proxy", Host: "b", Protocol: services.TCP, Port: 81}, c.Calls()[0])
}
