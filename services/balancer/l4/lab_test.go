package l4_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"netlab"
	"netlab/captures"
	"netlab/services"
	"netlab/services/backend"
	"netlab/services/balance"
	"netlab/services/balancer/l4"
)

// played is what a lab with a balancer left behind.
type played struct {
	*netlab.Results
	l4   *l4.Result
	pool *backend.Result
	dir  string
}

// segment is a lab file: a client behind a router, and behind a switch the balancer and three web servers. gateway is the backends'
// next router. more are further sections.
func segment(gateway, service, more string) string {
	return fmt.Sprintf(`{
		"nodes": {
			"client": {}, "r1": {"kind": "router"}, "sw": {"kind": "switch", "subnets": ["10.1.0.0/24", "fd00:1::/64"]}, "lb": {},
			"web[1..3]": {"services": {"it": %[2]s}, "routes": [{"to": "0.0.0.0/0", "via": "10.1.0.%[1]s"}, {"to": "::/0", "via": "fd00:1::%[1]s"}]}
		},
		"links": [
			{"between": "client - r1", "latency": "10ms", "addresses": {"client": ["10.2.0.2/24", "fd00:2::2/64"], "r1": ["10.2.0.1/24", "fd00:2::1/64"]}},
			{"between": "r1 - sw", "latency": "1ms", "addresses": {"r1": ["10.1.0.1/24", "fd00:1::1/64"]}},
			{"between": "lb - sw", "latency": "1ms", "addresses": {"lb": ["10.1.0.10/24", "fd00:1::10/64"]}},
			{"between": "web1 - sw", "latency": "1ms", "addresses": {"web1": ["10.1.0.21/24", "fd00:1::21/64"]}},
			{"between": "web2 - sw", "latency": "1ms", "addresses": {"web2": ["10.1.0.22/24", "fd00:1::22/64"]}},
			{"between": "web3 - sw", "latency": "1ms", "addresses": {"web3": ["10.1.0.23/24", "fd00:1::23/64"]}}
		], %[3]s}`, gateway, service, more)
}

// pool is the configuration of a pool of web[1..n] on a port.
func pool(n, port int) backend.Config {
	c := backend.NewConfig()
	c.Balancing = balance.Config{Algorithm: balance.RoundRobin}
	for i := range n {
		c.Backends = append(c.Backends, backend.Spec{To: services.TargetPattern(fmt.Sprintf("web%d:%d", i+1, port))})
	}
	return c
}

// play plays a lab file with a balancer on lb. body may be nil.
func play(t testing.TB, file string, o l4.Options, c backend.Config, body func(run *netlab.Run) error) played {
	t.Helper()
	require.NoError(t, o.Config.Validate())
	labs, err := netlab.Parse("lab.json", []byte(file), nil)
	require.NoError(t, err)
	p := played{dir: t.TempDir()}
	b, counters := l4.New(o), backend.NewCounters()
	p.Results, err = labs[0].Run(context.Background(), &netlab.RunOptions{Dir: p.dir}, func(run *netlab.Run) error {
		if body != nil {
			run.Go(func() error { return body(run) })
		}
		return serve(run, b, c, counters)
	})
	require.NoError(t, err)
	p.l4, p.pool = b.Result(), counters.Result()
	checkSums(t, p.dir)
	return p
}

// serve runs a balancer on lb until the run ends.
func serve(run *netlab.Run, b *l4.Balancer, c backend.Config, counters *backend.Counters) error {
	env := services.NewEnv(run.Host("lb").Host, slog.New(slog.NewTextHandler(os.Stderr, nil)), services.Service, "lb", 0, 1)
	ctx, cancel := context.WithCancel(run.Context())
	defer cancel()
	pool, err := backend.New(env, c, backend.Options{Counters: counters})
	if err != nil {
		return err
	}
	env.Go(func() { pool.Run(ctx) })
	err = b.Run(ctx, env, pool)
	cancel()
	env.Wait()
	return err
}

// packets returns the packets that a node saw.
func (p played) packets(t testing.TB, node string) []*captures.Packet {
	t.Helper()
	file, err := captures.ReadFile(filepath.Join(p.dir, "captures", node+".pcapng"))
	require.NoError(t, err)
	return file.Packets
}

// tcp calls fn for each TCP segment that a node saw.
func (p played) tcp(t testing.TB, node string, fn func(from, to netip.AddrPort, h header.TCP)) {
	t.Helper()
	for _, packet := range p.packets(t, node) {
		if from, to, h := segmentOf(packet.Data); h != nil {
			fn(from, to, h)
		}
	}
}

func segmentOf(frame []byte) (from, to netip.AddrPort, h header.TCP) {
	d := frame[14:]
	switch {
	case frame[12] == 0x08 && frame[13] == 0 && d[9] == 6:
		i := header.IPv4(d)
		h = header.TCP(i.Payload())
		from, to = netip.AddrPortFrom(netip.AddrFrom4([4]byte(d[12:16])), h.SourcePort()), netip.AddrPortFrom(netip.AddrFrom4([4]byte(d[16:20])), h.DestinationPort())
	case frame[12] == 0x86 && frame[13] == 0xdd && d[6] == 6:
		h = header.TCP(d[40:])
		from, to = netip.AddrPortFrom(netip.AddrFrom16([16]byte(d[8:24])), h.SourcePort()), netip.AddrPortFrom(netip.AddrFrom16([16]byte(d[24:40])), h.DestinationPort())
	}
	return from, to, h
}

// checkSums checks the checksums of all packets in all captures of a run.
func checkSums(t testing.TB, dir string) {
	files, err := filepath.Glob(filepath.Join(dir, "captures", "*.pcapng"))
	require.NoError(t, err)
	for _, name := range files {
		file, err := captures.ReadFile(name)
		require.NoError(t, err)
		for _, packet := range file.Packets {
			require.True(t, sumsRight(packet.Data), "%s: packet at %s", name, packet.Time)
		}
	}
}

func sumsRight(frame []byte) bool {
	d := frame[14:]
	switch uint16(frame[12])<<8 | uint16(frame[13]) {
	case 0x0800:
		h := header.IPv4(d)
		if !h.IsChecksumValid() {
			return false
		}
		if h.Flags()&header.IPv4FlagMoreFragments != 0 || h.FragmentOffset() != 0 {
			return true
		}
		sum := uint16(0)
		if p := h.TransportProtocol(); p != header.ICMPv4ProtocolNumber {
			sum = header.PseudoHeaderChecksum(p, h.SourceAddress(), h.DestinationAddress(), uint16(len(h.Payload())))
		}
		return checksum.Checksum(h.Payload(), sum) == 0xffff
	case 0x86dd:
		h := header.IPv6(d)
		p := h.TransportProtocol()
		if p != header.TCPProtocolNumber && p != header.UDPProtocolNumber && p != header.ICMPv6ProtocolNumber {
			return true
		}
		sum := header.PseudoHeaderChecksum(p, h.SourceAddress(), h.DestinationAddress(), uint16(len(h.Payload())))
		return checksum.Checksum(h.Payload(), sum) == 0xffff
	}
	return true
}

// node returns the counters of a node.
func node(p played, name string) netlab.NodeResult {
	n, _ := p.Nodes.Get(name)
	return n
}
