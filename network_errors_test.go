package netlab_test

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"netlab"
	"netlab/ip"
	"netlab/udp"
)

// routed is a client behind a router whose networks are known, with a default route at the client only.
const routed = `{"defaults": {"ip": "FAMILY", "link": {"latency": "1ms"}},
	"nodes": {
		"client": {"routes": [%s]},
		"r": {"kind": "router"},
		"sw": {"kind": "switch", "subnets": ["10.7.0.0/16", "fd00:0:0:7::/64"]},
		"server": {"routes": []}
	},
	"links": [
		{"between": "client - r", "addresses": {"client": ["192.0.2.1/24", "2001:db8::1/64"], "r": ["192.0.2.2/24", "2001:db8::2/64"]}},
		"r - sw", "server - sw"
	]}`

const (
	defaultRoute4 = `{"to": "0.0.0.0/0", "via": "192.0.2.2"}`
	defaultRoute6 = `{"to": "::/0", "via": "2001:db8::2"}`
)

// forFamily keeps what there is of an IP version.
func forFamily(family, text string) string {
	text = fmt.Sprintf(text, choose(family, defaultRoute4, defaultRoute6))
	drop := choose(family, []string{`, "2001:db8::1/64"`, `, "2001:db8::2/64"`, `, "fd00:0:0:7::/64"`}, []string{`"192.0.2.1/24", `, `"192.0.2.2/24", `, `"10.7.0.0/16", `})
	for _, d := range drop {
		text = string(bytes.ReplaceAll([]byte(text), []byte(d), nil))
	}
	return string(bytes.ReplaceAll([]byte(text), []byte("FAMILY"), []byte(family)))
}

// A destination without a route is unreachable at once where the host itself has none, and after a round trip where a router
// says so: connections and datagrams fail, and with the error that an operating system gives.
func TestNoRoute(t *testing.T) {
	for _, family := range families {
		t.Run(family, func(t *testing.T) {
			nowhere := choose(family, "198.51.100.1:80", "[2001:db8:5::1]:80")
			dir := record(t, forFamily(family, routed), func(run *netlab.Run) error {
				start := run.Elapsed()
				_, err := run.Host("server").Dial("tcp", nowhere)
				require.ErrorIs(t, err, syscall.ENETUNREACH)
				require.Equal(t, start, run.Elapsed())
				_, err = run.Host("client").Dial("tcp", nowhere)
				require.ErrorIs(t, err, syscall.ENETUNREACH)
				require.Equal(t, start+2*time.Millisecond, run.Elapsed())
				return nil
			})
			require.Equal(t, []string{choose(family, "3/0", "1/0")}, errorsIn(t, dir, "client"))
			require.Empty(t, errorsIn(t, dir, "server"))
			require.Empty(t, packets(t, dir, "server"))
		})
	}
}

// Nobody has the address: who is on its network asks three times, a second apart. A host then knows for itself, and a router
// tells the sender.
func TestNobodyHasTheAddress(t *testing.T) {
	for _, family := range families {
		t.Run(family, func(t *testing.T) {
			nobody := choose(family, "10.7.99.99:80", "[fd00:0:0:7::9999]:80")
			var began, took [2]time.Duration
			dir := record(t, forFamily(family, routed), func(run *netlab.Run) error {
				for i, name := range []string{"client", "server"} {
					start := run.Elapsed()
					_, err := run.Host(name).Dial("tcp", nobody)
					require.ErrorIs(t, err, syscall.EHOSTUNREACH, name)
					began[i], took[i] = start, (run.Elapsed() - start).Round(time.Microsecond)
				}
				return nil
			})
			require.Equal(t, 3*time.Second+2*time.Millisecond, took[0])
			require.Equal(t, 3*time.Second, took[1])
			const ms = time.Millisecond
			require.Equal(t, []time.Duration{ms, ms + time.Second, ms + 2*time.Second}, asks(t, dir, "r")[:3])
			told := choose(family, "3/1", "1/3")
			require.Equal(t, []string{told, told, told}, errorsIn(t, dir, "client"), "about the SYNs at 0, 1 and 3 s")
			var server []time.Duration
			for _, at := range asks(t, dir, "server") {
				if at >= began[1] {
					server = append(server, at-began[1].Round(time.Microsecond))
				}
			}
			require.Equal(t, []time.Duration{0, time.Second, 2 * time.Second}, server)
		})
	}
}

// A router answers pings to each of its addresses, refuses connections by a reset and datagrams by "port unreachable".
func TestRouterAsADestination(t *testing.T) {
	onBoth(t, `{"defaults": {"ip": "FAMILY", "link": {"latency": "1ms"}}, "nodes": {"client": {}, "r1": {"kind": "router"}, "r2": {"kind": "router"}, "server": {}},
		"links": ["client - r1", "r1 - r2", "r2 - server"]}`, func(t *testing.T, run *netlab.Run, _ string) error {
		client := run.Host("client")
		requireEchoes(t, run, "client", "r1", 2*time.Millisecond)
		for _, a := range client.Names().Lookup("r2") {
			requireEchoes(t, run, "client", a.String(), 4*time.Millisecond)
		}
		start := run.Elapsed()
		_, err := client.Dial("tcp", net.JoinHostPort(client.Names().Lookup("r2")[1].String(), "80"))
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
		require.Equal(t, 4*time.Millisecond, run.Elapsed()-start)
		c, err := client.Dial("udp", "r1:53")
		require.NoError(t, err)
		defer c.Close()
		_, err = c.Write([]byte("hello"))
		require.NoError(t, err)
		_, err = c.Read(make([]byte, 10))
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
		return nil
	}, func(t *testing.T, family, dir string, _ *netlab.Results) {
		require.Equal(t, []string{choose(family, "3/3", "1/4")}, errorsIn(t, dir, "client"))
		last := segments(t, dir, "client")
		require.True(t, last[len(last)-1].tcp.RST)
	})
}

// Where the time to live is used up, the router says so, from the interface that the packet came by.
func TestTimeExceeded(t *testing.T) {
	onBoth(t, `{"defaults": {"ip": "FAMILY"}, "nodes": {"client": {}, "r[1..3]": {"kind": "router"}, "server": {}},
		"links": ["client - r1", "r1 - r2", "r2 - r3", "r3 - server"]}`, func(t *testing.T, run *netlab.Run, _ string) error {
		for ttl := 1; ttl <= 4; ttl++ {
			c, err := udp.Dial(run.Context(), run.Host("client").Host, "server:9")
			require.NoError(t, err)
			require.NoError(t, c.SetTTL(ttl))
			_, err = c.Write([]byte("x"))
			require.NoError(t, err)
			require.NoError(t, run.Sleep(time.Second))
			require.NoError(t, c.Close())
		}
		return nil
	}, func(t *testing.T, family, dir string, r *netlab.Results) {
		over := choose(family, "11/0", "3/0")
		require.Equal(t, []string{over, over, over, choose(family, "3/3", "1/4")}, errorsIn(t, dir, "client"))
		for _, name := range []string{"r1", "r2", "r3"} {
			n, _ := r.Nodes.Get(name)
			require.EqualValues(t, 1, n.IP.TTLExceeded, name)
			require.EqualValues(t, 1, n.IP.ICMPSent, name)
		}
	})
}

// narrow has a link in the middle that takes less than the others.
const narrow = `{"defaults": {"ip": "FAMILY", "link": {"latency": "1ms"}}, "nodes": {"client": {}, "r[1..2]": {"kind": "router"}, "server": {}},
	"links": ["client - r1", {"between": "r1 - r2", "mtu": "1280B"}, "r2 - server"]}`

// exchange sends a datagram of n bytes from client to server, in IPv4 one that may be cut on the way, and returns what arrived
// within a second.
func exchange(t *testing.T, run *netlab.Run, n int) []byte {
	l, err := run.Host("server").ListenPacket("udp", ":9")
	require.NoError(t, err)
	defer l.Close()
	h := run.Host("client").Host
	to := h.Names().Lookup("server")[0]
	s, err := h.NewSocket(header.UDPProtocolNumber, to.Is6())
	require.NoError(t, err)
	defer s.Close()
	if to.Is4() {
		require.Nil(t, s.Endpoint.SetSockOptInt(tcpip.MTUDiscoverOption, int(tcpip.PMTUDiscoveryDont)))
	}
	require.Nil(t, s.Endpoint.Connect(ip.FullAddress(netip.AddrPortFrom(to, 9))))
	_, failed := s.Endpoint.Write(bytes.NewReader(pattern(n)), tcpip.WriteOptions{})
	require.Nil(t, failed)
	require.NoError(t, l.SetReadDeadline(time.Now().Add(time.Second)))
	b := make([]byte, 65536)
	n, _, err = l.ReadFrom(b)
	if err != nil {
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		return nil
	}
	return b[:n]
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * i >> 3)
	}
	return b
}

// Over IPv4 a router cuts datagrams that don't fit, whole ones and fragments, and the destination puts them together again.
func TestRouterFragmentsDatagrams(t *testing.T) {
	for _, size := range []int{1252, 1253, 1472, 1473, 4000, 60000} {
		dir := record(t, string(bytes.ReplaceAll([]byte(narrow), []byte("FAMILY"), []byte("ipv4"))), func(run *netlab.Run) error {
			require.True(t, bytes.Equal(pattern(size), exchange(t, run, size)), "%d bytes", size)
			return nil
		})
		want := 0 // of fragments of 1480 bytes each becomes one of 1256 bytes, the most that is a multiple of 8, and a rest
		for rest := size + 8; rest > 0; rest -= 1480 {
			if want++; min(rest, 1480) > 1260 {
				want++
			}
		}
		got := packets(t, dir, "server")
		require.Len(t, got, want, "%d bytes", size)
		for _, p := range got {
			h := p.Layer(layers.LayerTypeIPv4).(*layers.IPv4)
			require.LessOrEqual(t, int(h.Length), 1280)
			require.EqualValues(t, 62, h.TTL)
			require.Zero(t, headerSum(h.Contents), "the header's checksum")
		}
		require.Empty(t, errorsIn(t, dir, "client"))
	}
}

// headerSum is zero for a header with the right checksum (RFC 1071).
func headerSum(b []byte) uint16 {
	sum := 0
	for i := 0; i+1 < len(b); i += 2 {
		sum += int(b[i])<<8 | int(b[i+1])
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// Over IPv6 only the sender cuts: a router says "packet too big", with the MTU of the link that it doesn't fit on.
func TestPacketTooBig(t *testing.T) {
	for size, fits := range map[int]bool{1232: true, 1233: false, 1452: false} {
		dir := record(t, string(bytes.ReplaceAll([]byte(narrow), []byte("FAMILY"), []byte("ipv6"))), func(run *netlab.Run) error {
			if got := exchange(t, run, size); fits {
				require.True(t, bytes.Equal(pattern(size), got))
			} else {
				require.Nil(t, got)
			}
			return nil
		})
		if fits {
			require.Empty(t, errorsIn(t, dir, "client"))
		} else {
			require.Equal(t, []string{"2/0 1280"}, errorsIn(t, dir, "client"))
		}
	}
}
