package netlab_test

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab"
)

// homes has a server with two interfaces; the way over r1 is the longer one.
const homes = `{"defaults": {"ip": "FAMILY"},
	"nodes": {"client": {}, "r0": {"kind": "router"}, "r1": {"kind": "router"}, "r2": {"kind": "router"}, "server": {}, "far": {}},
	"links": [
		{"between": "client - r0", "latency": "1ms"},
		{"between": "r0 - r1", "latency": "10ms"},
		{"between": "r0 - r2", "latency": "2ms"},
		{"between": "r1 - server", "latency": "1ms"},
		{"between": "r2 - server", "latency": "1ms"},
		{"between": "r1 - far", "latency": "1ms"}
	]}`

// A host with two interfaces sends by the shorter way, from the address of the interface that it uses, and is reached at the
// addresses of both.
func TestHostWithTwoInterfaces(t *testing.T) {
	onBoth(t, homes, func(t *testing.T, run *netlab.Run, family string) error {
		l, err := run.Host("client").Listen("tcp", ":80")
		require.NoError(t, err)
		defer l.Close()
		server := run.Host("server").Names().Lookup("server")
		require.Len(t, server, 2)
		client := run.Host("client").Names().Lookup("client")[0]
		c, err := run.Host("server").Dial("tcp", net.JoinHostPort(client.String(), "80"))
		require.NoError(t, err)
		require.Equal(t, server[1], c.LocalAddr().(*net.TCPAddr).AddrPort().Addr())
		c.Close()
		requireEchoes(t, run, "server", "client", 8*time.Millisecond)
		far := run.Host("far").Names().Lookup("far")[0]
		requireEchoes(t, run, "server", far.String(), 4*time.Millisecond)

		// To the first address by r1; the answer takes the shorter way back.
		for i, want := range []time.Duration{12 + 4, 4 + 4} {
			requireEchoes(t, run, "client", server[i].String(), want*time.Millisecond)
			require.NoError(t, converse(run, "client", "server", server[i]))
		}
		return nil
	}, nil)
}

// converse exchanges a line over a connection to an address.
func converse(run *netlab.Run, from, to string, address netip.Addr) error {
	l, err := run.Host(to).Listen("tcp", ":81")
	if err != nil {
		return err
	}
	defer l.Close()
	run.Go(func() error {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = io.Copy(c, c)
		return err
	})
	c, err := run.Host(from).Dial("tcp", net.JoinHostPort(address.String(), "81"))
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Write([]byte("hello")); err != nil {
		return err
	}
	if _, err = io.ReadFull(c, make([]byte, 5)); err != nil {
		return fmt.Errorf("the echo: %w", err)
	}
	return nil
}

// A host with two interfaces passes nothing on, whatever a neighbour believes.
func TestHostsForwardNothing(t *testing.T) {
	r := playText(t, `{"nodes": {"client": {"routes": [{"to": "198.51.100.0/24", "via": "192.0.2.2"}, {"to": "2001:db8:1::/64", "via": "2001:db8::2"}]},
		"host": {}, "other": {}}, "links": [
		{"between": "client - host", "addresses": {"client": ["192.0.2.1/24", "2001:db8::1/64"], "host": ["192.0.2.2/24", "2001:db8::2/64"]}},
		{"between": "host - other", "addresses": {"host": ["198.51.100.1/24", "2001:db8:1::1/64"], "other": ["198.51.100.2/24", "2001:db8:1::2/64"]}}]}`,
		func(run *netlab.Run) error {
			for _, a := range []string{"198.51.100.2", "2001:db8:1::2"} {
				_, err := echo(run, "client", a)
				require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			}
			for _, a := range run.Host("host").Addresses() {
				requireEchoes(t, run, "client", a.String(), 0)
			}
			return nil
		})
	l, _ := r.Links.Get("host--other")
	require.Zero(t, l.Forward.Sent.Frames)
	l, _ = r.Links.Get("client--host")
	require.EqualValues(t, 6, l.Forward.Delivered.Frames)
	require.EqualValues(t, 4, l.Backward.Delivered.Frames)
}

// Each host is reached by the versions that both ends speak, and a host that speaks one only doesn't know the other.
func TestHostsWithOneVersion(t *testing.T) {
	playText(t, `{"nodes": {"dual": {}, "v6first": {"prefer": "ipv6"}, "four": {"ip": "ipv4"}, "six": {"ip": "ipv6"}, "r": {"kind": "router"}},
		"links": ["dual - r", "v6first - r", "four - r", "six - r"]}`, func(run *netlab.Run) error {
		hosts := []string{"dual", "v6first", "four", "six"}
		listening := map[string]net.Listener{}
		for _, name := range hosts {
			l, err := run.Host(name).Listen("tcp", ":80")
			require.NoError(t, err)
			defer l.Close()
			listening[name] = l
		}
		for _, from := range hosts {
			for _, to := range hosts {
				if from == to {
					continue
				}
				c, err := run.Host(from).Dial("tcp", net.JoinHostPort(to, "80"))
				if from == "four" && to == "six" || from == "six" && to == "four" {
					var unknown *net.DNSError
					require.ErrorAs(t, err, &unknown, "%s to %s", from, to)
					require.True(t, unknown.IsNotFound)
					literal := run.Host(to).Addresses()[0]
					_, err = run.Host(from).Dial("tcp", netip.AddrPortFrom(literal, 80).String())
					var wrong *net.AddrError
					require.ErrorAs(t, err, &wrong)
					continue
				}
				require.NoError(t, err, "%s to %s", from, to)
				s, err := listening[to].Accept()
				require.NoError(t, err)
				v6 := from == "six" || to == "six" || from == "v6first" && to != "four"
				require.Equal(t, v6, c.RemoteAddr().(*net.TCPAddr).IP.To4() == nil, "%s to %s", from, to)
				require.Equal(t, c.LocalAddr().String(), s.RemoteAddr().String())
				c.Close()
				s.Close()
			}
		}
		for _, name := range []string{"four", "six"} {
			require.Len(t, run.Host(name).Addresses(), 1)
		}
		return nil
	})
}

// Two links between the same nodes have names. Traffic takes the faster one, and each address is at its own link.
func TestParallelLinks(t *testing.T) {
	_, err := netlab.Parse("lab.json", []byte(`{"nodes": {"a": {}, "b": {}}, "links": ["a - b", "a - b"]}`), nil)
	require.ErrorContains(t, err, "name")
	onBoth(t, `{"defaults": {"ip": "FAMILY"}, "nodes": {"client": {}, "r[1..2]": {"kind": "router"}, "server": {}},
		"links": ["client - r1", {"between": "r1 - r2", "name": "slow", "latency": "10ms"},
			{"between": "r1 - r2", "name": "fast", "latency": "1ms"}, "r2 - server"]}`,
		func(t *testing.T, run *netlab.Run, family string) error {
			requireEchoes(t, run, "client", "server", 2*time.Millisecond)
			r2 := run.Host("client").Names().Lookup("r2")
			require.Len(t, r2, 3)
			requireEchoes(t, run, "client", r2[0].String(), 11*time.Millisecond) // its answer comes by the faster link
			requireEchoes(t, run, "client", r2[1].String(), 2*time.Millisecond)
			return nil
		}, func(t *testing.T, _, _ string, r *netlab.Results) {
			for name, want := range map[string]uint64{"slow": 1, "fast": 2} {
				l, ok := r.Links.Get(name)
				require.True(t, ok)
				require.Equal(t, want, l.Forward.Delivered.Frames, name)
			}
			fast, _ := r.Links.Get("fast")
			require.EqualValues(t, 3, fast.Backward.Delivered.Frames)
		})
}

// The longest prefix among a host's own routes and a router's decides; what none contains is unreachable.
func TestGivenRoutes(t *testing.T) {
	const links = `"links": [
		{"between": "client - r1", "addresses": {"client": ["192.0.2.1/30", "2001:db8::1/126"], "r1": ["192.0.2.2/30", "2001:db8::2/126"]}},
		{"between": "client - r2", "addresses": {"client": ["192.0.2.5/30", "2001:db8::5/126"], "r2": ["192.0.2.6/30", "2001:db8::6/126"]}},
		{"between": "r1 - server", "name": "long", "latency": "10ms", "addresses": {"r1": ["198.51.100.1/30", "2001:db8:1::1/126"], "server": ["198.51.100.2/30", "2001:db8:1::2/126"]}},
		{"between": "r2 - server", "name": "short", "latency": "1ms", "addresses": {"r2": ["198.51.100.5/30", "2001:db8:1::5/126"], "server": ["198.51.100.6/30", "2001:db8:1::6/126"]}}]}`
	dir := t.TempDir()
	r := play(t, parse(t, `{"nodes": {"client": {"routes": [
			{"to": "198.51.100.0/24", "via": "192.0.2.2"}, {"to": "198.51.100.6/32", "via": "192.0.2.6"},
			{"to": "2001:db8:1::/48", "via": "2001:db8::2"}, {"to": "2001:db8:1::6/128", "via": "2001:db8::6"}]},
		"r1": {"kind": "router", "routes": [{"to": "0.0.0.0/0", "via": "198.51.100.2"}, {"to": "::/0", "via": "2001:db8:1::2"}]},
		"r2": {"kind": "router"}, "server": {}}, `+links), &netlab.RunOptions{Dir: dir}, func(run *netlab.Run) error {
		for _, address := range []string{"198.51.100.2", "2001:db8:1::2"} {
			requireEchoes(t, run, "client", address, 20*time.Millisecond)
		}
		for _, address := range []string{"198.51.100.6", "2001:db8:1::6"} {
			requireEchoes(t, run, "client", address, 2*time.Millisecond)
		}
		for _, address := range []string{"203.0.113.1:80", "[2001:db9::1]:80"} {
			_, err := run.Host("client").Dial("tcp", address)
			require.ErrorIs(t, err, syscall.ENETUNREACH)
		}
		return nil
	})
	long, _ := r.Links.Get("long")
	require.EqualValues(t, 2, long.Forward.Delivered.Frames)
	short, _ := r.Links.Get("short")
	require.EqualValues(t, 2, short.Forward.Delivered.Frames)
}
