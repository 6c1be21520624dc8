package netlab_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/captures"
	"netlab/ip"
	"netlab/netem"
	"netlab/topology"
)

// What the network does, seen by hosts and in captures: neighbours, errors, paths. Everything on IPv4 and IPv6.

// families are the values of "ip" in a file.
var families = []string{"ipv4", "ipv6"}

// onBoth plays a lab once for each IP version, with captures. FAMILY in the text stands for the version.

func onBoth(t *testing.T, text string, fn func(t *testing.T, run *netlab.Run, family string) error, after func(t *testing.T, family, dir string, r *netlab.Results)) {
	t.Helper()
	for _, family := range families {
		t.Run(family, func(t *testing.T) {
			dir := t.TempDir()
			r := play(t, parse(t, strings.ReplaceAll(text, "FAMILY", family)), &netlab.RunOptions{Dir: dir}, func(run *netlab.Run) error {
				return fn(t, run, family)
			})
			if after != nil {
				after(t, family, dir, r)
			}
		})
	}
}

// choose returns the value for an IP version.
func choose[T any](family string, v4, v6 T) T {
	if family == "ipv4" {
		return v4
	}
	return v6
}

// echo pings once and returns the round-trip time.
func echo(run *netlab.Run, from, to string) (time.Duration, error) {
	h := run.Host(from).Host
	addrs, err := h.Resolve(run.Context(), to)
	if err != nil {
		return 0, err
	}
	c, err := ip.DialEcho(h, addrs[0])
	if err != nil {
		return 0, err
	}
	defer c.Close()
	start := run.Elapsed()
	if err := c.Send(1, make([]byte, 20)); err != nil {
		return 0, err
	}
	reply, err := c.Receive(time.Now().Add(10 * time.Second))
	return reply.At - start, err
}

// requireEchoes requires that pings, one after the other, take these times.
func requireEchoes(t *testing.T, run *netlab.Run, from, to string, want ...time.Duration) {
	t.Helper()
	for i, w := range want {
		got, err := echo(run, from, to)
		require.NoError(t, err)
		require.Equal(t, w, got.Round(time.Microsecond), "ping %d from %s to %s", i+1, from, to)
	}
}

// packet is a packet in a capture.
type packet struct {
	gopacket.Packet
	at  time.Duration // rounded to a microsecond
	out bool
}

// packets reads a node's capture.
func packets(t *testing.T, dir, node string) (list []packet) {
	t.Helper()
	c, err := captures.ReadFile(filepath.Join(dir, "captures", node+".pcapng"))
	require.NoError(t, err)
	for _, p := range c.Packets {
		list = append(list, packet{gopacket.NewPacket(p.Data, layers.LayerTypeEthernet, gopacket.Default),
			p.Time.Sub(epoch).Round(time.Microsecond), p.Direction == netem.Outbound})
	}
	return list
}

// asks returns when a node asked for MAC addresses.
func asks(t *testing.T, dir, node string) (at []time.Duration) {
	for _, p := range packets(t, dir, node) {
		a, isARP := p.Layer(layers.LayerTypeARP).(*layers.ARP)
		if p.out && (isARP && a.Operation == layers.ARPRequest || p.Layer(layers.LayerTypeICMPv6NeighborSolicitation) != nil) {
			at = append(at, p.at)
		}
	}
	return at
}

// errorsIn returns the ICMP errors in a node's capture: "type/code", and for "too big" the MTU.
func errorsIn(t *testing.T, dir, node string) (list []string) {
	for _, p := range packets(t, dir, node) {
		if m, ok := p.Layer(layers.LayerTypeICMPv4).(*layers.ICMPv4); ok && (m.TypeCode.Type() == 3 || m.TypeCode.Type() == 11) {
			text := fmt.Sprintf("%d/%d", m.TypeCode.Type(), m.TypeCode.Code())
			if text == "3/4" {
				text += fmt.Sprintf(" %d", m.Seq)
			}
			list = append(list, text)
		}
		if m, ok := p.Layer(layers.LayerTypeICMPv6).(*layers.ICMPv6); ok && m.TypeCode.Type() < 128 {
			text := fmt.Sprintf("%d/%d", m.TypeCode.Type(), m.TypeCode.Code())
			if text == "2/0" {
				text += fmt.Sprint(" ", int(m.Payload[0])<<24|int(m.Payload[1])<<16|int(m.Payload[2])<<8|int(m.Payload[3]))
			}
			list = append(list, text)
		}
	}
	return list
}

// Behind a switch the first ping takes one round trip more, to find the other's MAC address; the other learns from the
// question. Where the neighbours are static nobody asks.
func TestFirstPingAsksForTheNeighbor(t *testing.T) {
	const text = `{"defaults": {"ip": "FAMILY", "link": {"latency": "5ms"}},
		"nodes": {"a": {}, "b": {}, "c": {}, "sw": {"kind": "switch"%s}}, "links": ["a - sw", "b - sw", "c - sw"]}`
	const rtt = 20 * time.Millisecond
	onBoth(t, fmt.Sprintf(text, ""), func(t *testing.T, run *netlab.Run, _ string) error {
		requireEchoes(t, run, "a", "b", 2*rtt, rtt, rtt)
		requireEchoes(t, run, "b", "a", rtt)
		requireEchoes(t, run, "c", "a", 2*rtt, rtt)
		return nil
	}, func(t *testing.T, _, dir string, r *netlab.Results) {
		require.Equal(t, []time.Duration{0}, asks(t, dir, "a"))
		require.Empty(t, asks(t, dir, "b"))
		sw, _ := r.Nodes.Get("sw")
		require.EqualValues(t, 2, sw.Switch.Flooded, "the questions")
		require.Equal(t, 3, sw.Switch.Stations)
	})
	onBoth(t, fmt.Sprintf(text, `, "neighbors": "static"`), func(t *testing.T, run *netlab.Run, _ string) error {
		requireEchoes(t, run, "a", "b", rtt, rtt)
		requireEchoes(t, run, "c", "a", rtt)
		return nil
	}, func(t *testing.T, _, dir string, _ *netlab.Results) {
		for _, node := range []string{"a", "b", "c"} {
			require.Empty(t, asks(t, dir, node))
		}
	})
}

// Two hosts joined by a cable know each other from the start.
func TestNoQuestionsOnPointToPointLinks(t *testing.T) {
	onBoth(t, `{"defaults": {"ip": "FAMILY"}, "nodes": {"a": {}, "r": {"kind": "router"}, "b": {}}, "links": ["a - r", "r - b"]}`,
		func(t *testing.T, run *netlab.Run, _ string) error {
			requireEchoes(t, run, "a", "b", 0)
			return nil
		}, func(t *testing.T, _, dir string, _ *netlab.Results) {
			for _, node := range []string{"a", "r", "b"} {
				require.Empty(t, asks(t, dir, node))
			}
		})
}

// A router behind a switch is found like anybody else, and finds hosts: the round trip between the two, once.
func TestRouterBehindASwitch(t *testing.T) {
	const text = `{"defaults": {"ip": "FAMILY", "link": {"latency": "1ms"}},
		"nodes": {"client": {}, "other": {}, "sw": {"kind": "switch"%s}, "r": {"kind": "router"}, "server": {}},
		"links": ["client - sw", "other - sw", "sw - r", "r - server"]}`
	const ms = time.Millisecond
	onBoth(t, fmt.Sprintf(text, ""), func(t *testing.T, run *netlab.Run, _ string) error {
		requireEchoes(t, run, "client", "server", 10*ms, 6*ms)
		requireEchoes(t, run, "server", "client", 6*ms)
		requireEchoes(t, run, "server", "other", 10*ms, 6*ms) // the router asks
		requireEchoes(t, run, "other", "r", 4*ms)             // and other has learnt from the question
		return nil
	}, nil)
	onBoth(t, fmt.Sprintf(text, `, "neighbors": "static"`), func(t *testing.T, run *netlab.Run, _ string) error {
		requireEchoes(t, run, "client", "server", 6*ms)
		requireEchoes(t, run, "server", "other", 6*ms)
		return nil
	}, func(t *testing.T, _, dir string, _ *netlab.Results) { require.Empty(t, asks(t, dir, "r")) })
}

// A partition works behind one switch too: what is cut is dropped and counted at the sender's NIC, questions for MAC addresses
// included, and everybody else goes on.
func TestPartitionBehindASwitch(t *testing.T) {
	onBoth(t, `{"defaults": {"ip": "FAMILY", "link": {"latency": "1ms"}},
		"nodes": {"a": {}, "b": {}, "c": {}, "sw": {"kind": "switch"}}, "links": ["a - sw", "b - sw", "c - sw"]}`,
		func(t *testing.T, run *netlab.Run, _ string) error {
			cut, err := run.Inject(topology.Fault{Partition: [][]string{{"a"}, {"b"}}})
			require.NoError(t, err)
			start := run.Elapsed()
			_, err = run.Host("a").Dial("tcp", "b:80")
			require.ErrorIs(t, err, syscall.EHOSTUNREACH)
			require.Equal(t, 3*time.Second, (run.Elapsed() - start).Round(time.Microsecond))
			requireEchoes(t, run, "a", "c", 8*time.Millisecond, 4*time.Millisecond)
			requireEchoes(t, run, "b", "c", 8*time.Millisecond, 4*time.Millisecond)
			cut.Remove()
			requireEchoes(t, run, "a", "b", 8*time.Millisecond, 4*time.Millisecond)
			cut, err = run.Inject(topology.Fault{Partition: [][]string{{"a"}, {"b"}}})
			require.NoError(t, err)
			_, err = echo(run, "b", "a")
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			cut.Remove()
			return nil
		}, func(t *testing.T, _, dir string, r *netlab.Results) {
			for name, want := range map[string]uint64{"a--sw": 3, "b--sw": 1, "c--sw": 0} {
				l, _ := r.Links.Get(name)
				require.LessOrEqual(t, want, l.Forward.Dropped["partition"], name)
				require.Zero(t, l.Backward.Dropped["partition"])
			}
			require.Len(t, asks(t, dir, "a"), 5, "three for b, one for c, one for b")
		})
}
