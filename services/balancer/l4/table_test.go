package l4_test

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"netlab"
	"netlab/services/backend"
	"netlab/services/balancer/l4"
	"netlab/tcp"
	"netlab/udp"
	"netlab/units"
)

func seconds(n int) units.Duration { return units.Duration(time.Duration(n) * time.Second) }

// A connection is forgotten exactly when the timeout of its state is over since its last packet at the balancer. A segment after that
// is reset by the balancer's stack; one just before it isn't.
func TestTimeouts(t *testing.T) {
	table := l4.Table{Established: seconds(60), FIN: seconds(20)}
	// A segment of the client takes 12 ms to the balancer; the last packet there is the client's acknowledgement.
	for _, c := range []struct {
		half  bool
		after time.Duration
		gone  bool
	}{
		{false, 60*time.Second - time.Millisecond, false}, {false, 60*time.Second + time.Millisecond, true},
		{true, 20*time.Second - time.Millisecond, false}, {true, 20*time.Second + time.Millisecond, true},
	} {
		p := exchange(t, l4.Options{Config: l4.Config{Mode: l4.NAT, Table: table}}, to("web1:9000"), func(run *netlab.Run, client, server *tcp.Conn) {
			if c.half {
				require.NoError(t, server.CloseWrite())
			} else {
				_, err := server.Write([]byte("x"))
				require.NoError(t, err)
			}
			_, err := client.Read(make([]byte, 1))
			if c.half {
				require.ErrorIs(t, err, io.EOF)
			} else {
				require.NoError(t, err)
			}
			require.NoError(t, run.Sleep(c.after)) // the acknowledgement left at once
			_, err = client.Write([]byte("y"))
			require.NoError(t, err)
			server.SetReadDeadline(run.Host("web1").Now().Add(time.Second))
			_, err = server.Read(make([]byte, 1))
			if c.gone {
				require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			} else {
				require.NoError(t, err)
			}
		})
		want := uint64(0)
		if c.gone {
			want = 1
		}
		require.Equal(t, want, min(1, p.l4.Dropped.OutOfState), "%+v", c)
	}
}

// A table that is full takes no new connection, or gives up the oldest for it. Connections that are known go on.
func TestTableFull(t *testing.T) {
	for _, when := range []string{l4.Refuse, l4.Oldest} {
		c := l4.Config{Mode: l4.NAT, Table: l4.Table{Entries: 2, WhenFull: when}}
		p := play(t, segment("10", echo, `"duration": "20s"`), l4.Options{Listen: ":80", Config: c}, pool(3, 8080), func(run *netlab.Run) error {
			require.NoError(t, run.Sleep(time.Millisecond))
			h := run.Host("client").Host
			say := func(c *tcp.Conn) error {
				c.SetDeadline(h.Now().Add(2 * time.Second))
				if _, err := c.Write([]byte("hello")); err != nil {
					return err
				}
				_, err := io.ReadFull(c, make([]byte, 5))
				return err
			}
			var conns []*tcp.Conn
			for range 2 {
				c, err := tcp.Dial(run.Context(), h, "10.1.0.10:80")
				require.NoError(t, err)
				defer c.Abort()
				require.NoError(t, say(c))
				conns = append(conns, c)
			}
			third := make(chan error, 1)
			run.Go(func() error {
				c, err := tcp.Dial(run.Context(), h, "10.1.0.10:80")
				if err == nil {
					defer c.Abort()
				}
				third <- err
				return nil
			})
			require.NoError(t, run.Sleep(time.Second/2))
			require.NoError(t, say(conns[1]))
			if when == l4.Oldest {
				require.NoError(t, <-third)
				require.ErrorContains(t, say(conns[0]), "reset", "its place is another one's")
			} else {
				require.NoError(t, say(conns[0]))
				conns[0].Abort() // frees no place before the timeout
				require.NoError(t, run.Sleep(time.Second))
			}
			return nil
		})
		require.Equal(t, 2, p.l4.MostActive)
		if when == l4.Refuse {
			require.Equal(t, uint64(2), p.l4.Connections)
			require.Positive(t, p.l4.Dropped.TableFull)
		} else {
			require.Equal(t, uint64(3), p.l4.Connections)
			require.Zero(t, p.l4.Dropped.TableFull)
		}
	}
}

// A proxy that has as many connections as it may resets further ones.
func TestProxyFull(t *testing.T) {
	p := exchange(t, l4.Options{Config: l4.Config{Table: l4.Table{Entries: 1}}}, to("web1:9000"), func(run *netlab.Run, client, server *tcp.Conn) {
		c, err := tcp.Dial(run.Context(), run.Host("client").Host, "10.1.0.10:80")
		require.NoError(t, err)
		_, err = c.Read(make([]byte, 1))
		require.ErrorContains(t, err, "reset")
	})
	require.Equal(t, uint64(1), p.l4.Dropped.TableFull)
	require.Equal(t, uint64(1), p.l4.Connections)
}

// A backend that is drained keeps its connections; new ones go elsewhere. When draining takes too long they are reset.
func TestDrain(t *testing.T) {
	for _, mode := range []string{l4.NAT, l4.Proxy} {
		c := pool(2, 9000)
		c.Drain = []backend.Drain{{Backend: "web1", At: seconds(1), Timeout: ptr(seconds(10))}}
		p := exchange(t, l4.Options{Config: l4.Config{Mode: mode}}, c, func(run *netlab.Run, client, server *tcp.Conn) {
			require.NoError(t, run.Sleep(5*time.Second))
			_, err := client.Write([]byte("x"))
			require.NoError(t, err)
			_, err = server.Read(make([]byte, 1))
			require.NoError(t, err, "its connection goes on")
			for range 3 {
				_, err = tcp.Dial(run.Context(), run.Host("client").Host, "10.1.0.10:80")
				if mode == l4.NAT {
					require.ErrorContains(t, err, "refused", "web2, where nobody listens")
				}
			}
			_, err = client.Read(make([]byte, 1))
			require.ErrorContains(t, err, "reset")
			require.Equal(t, 11*time.Second+12*time.Millisecond, run.Elapsed().Round(time.Microsecond), "at 11 s, 12 ms away")
			_, err = server.Read(make([]byte, 1))
			require.ErrorContains(t, err, "reset")
		})
		require.Equal(t, uint64(1), p.l4.Backends["web1"].Connections)
	}
}

func ptr[T any](v T) *T { return &v }

// A backend crashes. With reset its clients are told when the health checks find out; with keep nobody tells them.
func TestBackendDown(t *testing.T) {
	for _, mode := range []string{l4.NAT, l4.Proxy} {
		for _, on := range []string{l4.Keep, l4.Reset} {
			c := to("web1:9000")
			c.Health = &backend.Health{Interval: seconds(1), Timeout: units.Duration(time.Second / 2), Fall: 2}
			file := segment("10", echo, `"duration": "40s", "captures": {"nodes": ["client"]}, "faults": [{"at": "5.1s", "crash": "web1"}]`)
			p := exchangeIn(t, file, l4.Options{Config: l4.Config{Mode: mode, OnBackendDown: on}}, c, func(run *netlab.Run, client, _ *tcp.Conn) {
				client.SetReadDeadline(run.Host("client").Now().Add(20 * time.Second))
				_, err := client.Read(make([]byte, 1))
				if on == l4.Keep {
					require.ErrorIs(t, err, os.ErrDeadlineExceeded)
					return
				}
				require.ErrorContains(t, err, "reset")
				// Checks begin at whole seconds: those at 6 s and 7 s fail after half a second.
				require.Equal(t, 7*time.Second+512*time.Millisecond, run.Elapsed().Round(time.Millisecond))
			})
			want := uint64(0)
			if on == l4.Reset {
				want = 1
			}
			require.Equal(t, want, p.l4.Reset)
		}
	}
}

// Nobody can be given a connection: TCP is refused at once.
func TestNoBackend(t *testing.T) {
	c := pool(1, 8080)
	c.Drain = []backend.Drain{{Backend: "web1"}}
	p := play(t, segment("10", echo, `"duration": "5s"`), l4.Options{Listen: ":80", Config: l4.Config{Mode: l4.NAT}}, c, func(run *netlab.Run) error {
		require.NoError(t, run.Sleep(time.Second))
		_, err := tcp.Dial(run.Context(), run.Host("client").Host, "10.1.0.10:80")
		require.ErrorContains(t, err, "refused")
		require.Equal(t, time.Second+28*time.Millisecond, run.Elapsed().Round(time.Millisecond), "24 ms there and back, 4 ms for ARP")
		return nil
	})
	require.Equal(t, uint64(1), p.l4.Dropped.NoBackend)
}

// With source_nat backends see the balancer as the client and need no route through it.
func TestSourceNAT(t *testing.T) {
	p := play(t, segment("1", echo, `"duration": "2s", "workloads": {"get": {"type": "tcp-load", "from": "client", "to": "10.1.0.10:80",
		"users": 20, "requests": 60}}, "expect": ["get.succeeded == 60"]`),
		l4.Options{Listen: ":80", Config: l4.Config{Mode: l4.NAT, SourceNAT: true}}, pool(3, 8080), nil)
	require.True(t, p.Expect[0].Holds, "%v", p.Expect)
	p.tcp(t, "web1", func(from, to netip.AddrPort, _ header.TCP) {
		require.True(t, from.Addr().String() == "10.1.0.10" || to.Addr().String() == "10.1.0.10")
	})
}

// UDP in all modes: datagrams of a client's port go to one backend, fragments too, and flows are forgotten after their timeout.
func TestUDP(t *testing.T) {
	for _, mode := range []string{l4.Proxy, l4.NAT, l4.Direct} {
		gateway, to, body := "10", "10.1.0.10:8080", func(*netlab.Run) error { return nil }
		c := l4.Config{Mode: mode, Protocol: l4.UDP}
		switch mode {
		case l4.Direct:
			gateway, to, body = "1", "10.1.0.100:8080", share("10.1.0.100")
			c.Address = "10.1.0.100"
			c.Table.UDP = seconds(3)
		case l4.Proxy:
			c.IdleTimeout = seconds(3)
		default:
			c.Table.UDP = seconds(3)
		}
		p := play(t, segment(gateway, `{"type": "udp-echo", "listen": ":8080"}`, `"duration": "8s"`), l4.Options{Listen: ":8080", Config: c}, pool(3, 8080), func(run *netlab.Run) error {
			if err := body(run); err != nil {
				return err
			}
			require.NoError(t, run.Sleep(time.Millisecond))
			ask := func(size int) {
				u, err := udp.Listen(run.Host("client").Host, ":0")
				require.NoError(t, err)
				defer u.Close()
				for range 2 {
					_, err = u.WriteToAddrPort(bytes.Repeat([]byte("u"), size), netip.MustParseAddrPort(to))
					require.NoError(t, err)
					u.SetReadDeadline(run.Host("client").Now().Add(time.Second))
					n, from, err := u.ReadFromAddrPort(make([]byte, 1<<16))
					require.NoError(t, err, "%s, %d bytes", mode, size)
					require.Equal(t, size, n)
					require.Equal(t, to, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()).String(), mode)
				}
			}
			for range 3 {
				ask(100)
				ask(5000)
			}
			return nil
		})
		require.Equal(t, uint64(6), p.l4.Connections, mode)
		for _, b := range p.l4.Backends {
			require.Equal(t, uint64(2), b.Connections, mode)
		}
		require.Equal(t, uint64(6), p.l4.Expired, mode)
		require.Zero(t, p.l4.Active)
	}
}

// A link in the middle of the way back takes small packets only. "Fragmentation needed" comes to the service's address, quotes a packet that
// the balancer translated, and gets to the backend, which sends smaller ones.
func TestErrorsAreTranslated(t *testing.T) {
	for _, to6 := range []bool{false, true} {
		file := segment("10", web, `"duration": "10s", "workloads": {"get": {"type": "http-load", "from": "client",
			"url": "http://ADDRESS/", "users": 1, "requests": 3}}, "expect": ["get.succeeded == 3"]`)
		// The small link is behind another one: the client's segment size says nothing of it.
		file = strings.NewReplacer(`"client": {}`, `"client": {}, "r0": {"kind": "router"}`, `"objects": "1kB"`, `"objects": "20kB"`,
			`{"between": "client - r1"`, `{"between": "client - r0", "addresses": {"client": ["10.3.0.2/24", "fd00:3::2/64"], "r0": ["10.3.0.1/24", "fd00:3::1/64"]}}, {"between": "r0 - r1", "mtu": "1300B"`,
			`{"client": ["10.2.0.2/24"`, `{"r0": ["10.2.0.2/24"`).Replace(file)
		address := "10.1.0.10"
		if to6 {
			address = "[fd00:1::10]"
		}
		p := play(t, strings.Replace(file, "ADDRESS", address, 1), l4.Options{Listen: ":80", Config: l4.Config{Mode: l4.NAT}}, pool(1, 8080), nil)
		require.True(t, p.Expect[0].Holds, "%v", p.Expect)
		require.NotZero(t, node(p, "r1").IP.TooBig)
		require.Equal(t, node(p, "r1").IP.TooBig, p.l4.Errors)
	}
}

// Two runs leave the same files.
func TestDeterminism(t *testing.T) {
	for _, mode := range []string{l4.Proxy, l4.NAT} {
		var first map[string]string
		for range 2 {
			p := play(t, segment("10", echo, `"duration": "2s", "workloads": {"get": {"type": "tcp-load", "from": "client", "to": "10.1.0.10:80",
				"users": 40, "requests": 200}}`), l4.Options{Listen: ":80", Config: l4.Config{Mode: mode}}, pool(3, 8080), nil)
			files := map[string]string{"l4": fmt.Sprintf("%+v", *p.l4.Backends["web1"])}
			names, err := filepath.Glob(filepath.Join(p.dir, "*", "*.pcapng"))
			require.NoError(t, err)
			require.NotEmpty(t, names)
			for _, name := range names {
				b, err := os.ReadFile(name)
				require.NoError(t, err)
				files[filepath.Base(name)] = string(b)
			}
			if first == nil {
				first = files
			}
			require.Equal(t, len(first), len(files))
			for name := range files {
				require.True(t, first[name] == files[name], "%s: %s", mode, name)
			}
		}
	}
}
