package netlab_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/captures"
	"netlab/netem"
)

// What theory says exactly, to the nanosecond.

// segment is a TCP segment in a capture.
type segment struct {
	at      time.Duration // since the start of the run
	out     bool
	dropped bool
	tcp     layers.TCP
	len     int
}

var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// segments reads the TCP segments of a node's capture.
func segments(t testing.TB, dir, node string) []segment {
	t.Helper()
	c, err := captures.ReadFile(filepath.Join(dir, "captures", node+".pcapng"))
	require.NoError(t, err)
	var list []segment
	for _, p := range c.Packets {
		g := gopacket.NewPacket(p.Data, layers.LayerTypeEthernet, gopacket.Default)
		tcp, ok := g.Layer(layers.LayerTypeTCP).(*layers.TCP)
		if !ok {
			continue
		}
		list = append(list, segment{at: p.Time.Sub(epoch), out: p.Direction == netem.Outbound,
			dropped: p.Comment != "", tcp: *tcp, len: len(tcp.Payload)})
	}
	return list
}

// record plays a lab with captures and returns the folder.
func record(t testing.TB, text string, fn func(*netlab.Run) error) string {
	t.Helper()
	dir := t.TempDir()
	play(t, parse(t, text), &netlab.RunOptions{Dir: dir}, fn)
	return dir
}

// A client that sends SYNs into a black hole: at 0, 1, 3, 7, 15, 31 and 63 s, and gives up after 127 s (RFC 6298 with an initial
// timeout of 1 s, six retries).
func TestSYNsIntoABlackHole(t *testing.T) {
	for _, ip := range []string{"ipv4", "ipv6"} {
		t.Run(ip, func(t *testing.T) {
			var gaveUp time.Duration
			dir := record(t, `{"defaults": {"ip": "`+ip+`"}, "nodes": {"client": {}, "server": {}},
				"links": [{"between": "client - server", "loss": "100%"}]}`, func(run *netlab.Run) error {
				_, err := run.Host("client").Dial("tcp", "server:80")
				gaveUp = run.Elapsed()
				var timeout net.Error
				if !errors.Is(err, syscall.ETIMEDOUT) || !errors.As(err, &timeout) || !timeout.Timeout() {
					return fmt.Errorf("Dial returned %w", err)
				}
				return nil
			})
			var at []time.Duration
			for _, s := range segments(t, dir, "client") {
				require.True(t, s.tcp.SYN && s.out && s.dropped)
				at = append(at, s.at.Round(time.Microsecond))
			}
			sec := time.Second
			require.Equal(t, []time.Duration{0, sec, 3 * sec, 7 * sec, 15 * sec, 31 * sec, 63 * sec}, at)
			require.Equal(t, 127*sec, gaveUp.Round(time.Microsecond))
		})
	}
}

// Connect takes one round trip, and the first byte of an answer two.
func TestConnectAndFirstByte(t *testing.T) {
	play(t, parse(t, `{"nodes": {"client": {}, "r": {"kind": "router"}, "server": {}},
		"links": [{"between": "client - r", "latency": "30ms"}, {"between": "r - server", "latency": "20ms"}]}`), nil,
		func(run *netlab.Run) error {
			l, err := run.Host("server").Listen("tcp", ":80")
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
				if _, err := c.Read(make([]byte, 100)); err != nil {
					return err
				}
				_, err = c.Write([]byte("answer"))
				return err
			})
			start := run.Elapsed()
			c, err := run.Host("client").Dial("tcp", "server:80")
			if err != nil {
				return err
			}
			defer c.Close()
			if got := run.Elapsed() - start; got != 100*time.Millisecond {
				return fmt.Errorf("connect took %v", got)
			}
			if _, err := c.Write([]byte("request")); err != nil {
				return err
			}
			if _, err := c.Read(make([]byte, 1)); err != nil {
				return err
			}
			if got := run.Elapsed() - start; got != 200*time.Millisecond {
				return fmt.Errorf("the first byte took %v", got)
			}
			return nil
		})
}

// Slow start doubles the congestion window in each round trip: 10, 20, 40, 80, 160 segments.
func TestSlowStart(t *testing.T) {
	dir := record(t, `{"nodes": {"client": {}, "server": {}}, "links": [{"between": "client - server", "latency": "50ms"}]}`,
		func(run *netlab.Run) error { return bulk(run, 1e6) })
	counts := map[time.Duration]int{}
	var first time.Duration = -1
	for _, s := range segments(t, dir, "client") {
		if s.out && s.len > 0 {
			if first < 0 {
				first = s.at
			}
			counts[(s.at-first)/(100*time.Millisecond)]++
		}
	}
	for i, want := range []int{10, 20, 40, 80, 160} {
		require.Equal(t, want, counts[time.Duration(i)], "round trip %d", i+1)
	}
}

// With all ACKs lost the retransmission timer doubles: 0.2 s after a tail-loss probe, as far as the capture shows.
func TestRetransmissionTimeoutsDouble(t *testing.T) {
	dir := record(t, `{"defaults": {"tcp": {"rack": false}}, "duration": "60s", "nodes": {"client": {}, "server": {}},
		"links": [{"between": "client - server", "latency": "1ms"}], "faults": [{"at": "1s", "cut": "client - server"}]}`,
		func(run *netlab.Run) error {
			l, err := run.Host("server").Listen("tcp", ":9")
			if err != nil {
				return err
			}
			defer l.Close()
			c, err := run.Host("client").Dial("tcp", "server:9")
			if err != nil {
				return err
			}
			defer c.Close()
			if err := run.Sleep(2 * time.Second); err != nil {
				return err
			}
			if _, err := c.Write([]byte("into the dark")); err != nil {
				return err
			}
			_, err = c.Read(make([]byte, 1)) // until the end of the run
			return err
		})
	var at []time.Duration
	for _, s := range segments(t, dir, "client") {
		if s.len > 0 {
			require.True(t, s.dropped)
			at = append(at, s.at)
		}
	}
	require.GreaterOrEqual(t, len(at), 8)
	for i, want := range []time.Duration{200, 400, 800, 1600, 3200, 6400, 12800} {
		require.Equal(t, want*time.Millisecond, (at[i+1] - at[i]).Round(time.Microsecond))
	}
}

// A path with a small MTU in the middle: the router says "fragmentation needed", the sender lowers its segments, and the
// transfer arrives.
func TestPathMTUDiscovery(t *testing.T) {
	for ip, header := range map[string]int{"ipv4": 20, "ipv6": 40} {
		t.Run(ip, func(t *testing.T) {
			dir := t.TempDir()
			res := play(t, parse(t, `{"defaults": {"ip": "`+ip+`"}, "nodes": {"client": {}, "r[1..2]": {"kind": "router"}, "server": {}},
				"links": ["client - r1", {"between": "r1 - r2", "mtu": "1300B", "latency": "5ms"}, "r2 - server"]}`),
				&netlab.RunOptions{Dir: dir}, func(run *netlab.Run) error { return bulk(run, 100000) })
			r1, _ := res.Nodes.Get("r1")
			require.NotZero(t, r1.IP.TooBig)
			largest := 0
			for _, s := range segments(t, dir, "server") {
				largest = max(largest, s.len+4*int(s.tcp.DataOffset)+header)
			}
			require.LessOrEqual(t, largest, 1300)
			require.Greater(t, largest, 1260) // the stack keeps room for the largest SACK option
		})
	}
}

// The time to live falls by one at each router, and where it is used up the router answers.
func TestTimeToLive(t *testing.T) {
	dir := t.TempDir()
	play(t, parse(t, `{"nodes": {"client": {}, "r[1..3]": {"kind": "router"}, "server": {}},
		"links": ["client - r1", "r1 - r2", "r2 - r3", "r3 - server"],
		"workloads": {"probe": {"type": "ping", "from": "client", "to": "server", "count": 1}}}`), &netlab.RunOptions{Dir: dir}, nil)
	for i, node := range []string{"client", "r1", "r2", "r3", "server"} {
		c, err := captures.ReadFile(filepath.Join(dir, "captures", node+".pcapng"))
		require.NoError(t, err)
		first := c.Packets[0]
		require.Equal(t, 64-max(0, i-1), int(first.Data[22]), node)
	}
}

// Errors are those that programs know from the operating system.
func TestErrors(t *testing.T) {
	playText(t, `{"nodes": {"client": {}, "r": {"kind": "router"}, "server": {}},
		"links": ["client - r", {"between": "r - server", "latency": "10ms"}]}`, func(run *netlab.Run) error {
		client := run.Host("client")
		if _, err := client.Dial("tcp", "server:81"); !errors.Is(err, syscall.ECONNREFUSED) {
			return fmt.Errorf("nobody listens: %w", err)
		}
		if _, err := client.Dial("tcp", "r:81"); !errors.Is(err, syscall.ECONNREFUSED) {
			return fmt.Errorf("a router: %w", err)
		}
		var dns *net.DNSError
		if _, err := client.Dial("tcp", "nobody:81"); !errors.As(err, &dns) || !dns.IsNotFound {
			return fmt.Errorf("an unknown name: %w", err)
		}
		if _, err := client.Dial("tcp", "192.0.2.1:81"); !errors.Is(err, syscall.ENETUNREACH) {
			return fmt.Errorf("no route: %w", err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
		defer cancel()
		var timeout net.Error
		if _, err := client.DialContext(ctx, "tcp", "server:81"); !errors.As(err, &timeout) || !timeout.Timeout() {
			return fmt.Errorf("a context that ends: %w", err)
		}
		l, err := run.Host("server").Listen("tcp", ":80")
		if err != nil {
			return err
		}
		if _, err := run.Host("server").Listen("tcp", ":80"); !errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("a port that is in use: %w", err)
		}
		l.Close()
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			return fmt.Errorf("a closed listener: %w", err)
		}
		u, err := client.Dial("udp", "server:99")
		if err != nil {
			return err
		}
		defer u.Close()
		if _, err := u.Write([]byte("hello")); err != nil {
			return err
		}
		if _, err := u.Read(make([]byte, 10)); !errors.Is(err, syscall.ECONNREFUSED) {
			return fmt.Errorf("a UDP port that nobody listens on: %w", err)
		}
		return nil
	})
}

// A host reaches itself by its name, its addresses and localhost, without a frame on the wire.
func TestLoopback(t *testing.T) {
	res := playText(t, `{"nodes": {"client": {}, "server": {}}, "links": ["client - server"]}`, func(run *netlab.Run) error {
		h := run.Host("client")
		l, err := h.Listen("tcp", ":80")
		if err != nil {
			return err
		}
		defer l.Close()
		for _, name := range []string{"client", "localhost", "127.0.0.1", "::1", h.Addresses()[0].String()} {
			c, err := h.Dial("tcp", net.JoinHostPort(name, "80"))
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			s, err := l.Accept()
			if err != nil {
				return err
			}
			if _, err := c.Write([]byte("x")); err != nil {
				return err
			}
			if _, err := io.ReadFull(s, make([]byte, 1)); err != nil {
				return err
			}
			c.Close()
			s.Close()
		}
		return nil
	})
	require.Zero(t, res.Run.Frames)
}
