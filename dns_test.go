package netlab_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/services/lookup"
	"netlab/services/nameserver"
	"netlab/topology"
)

// Names in a whole lab: a client, a name server and two web servers behind a router, 10 ms from each other.

const namesLab = `{
	"name": "names", "duration": "40s",
	"defaults": { "link": { "latency": "5ms" } },
	"nodes": {
		"client": { "dns": { "servers": "ns", "timeout": "1s" } },
		"plain": {},
		"r": { "kind": "router" },
		"ns": { "services": { "names": { "type": "dns-server", "records": {
			"www": { "nodes": "web[*]", "ttl": "5s" },
			"shop": { "cname": "web1" },
			"big": { "txt": ["BIG"] },
			"_http._tcp": { "srv": [{ "target": "web1", "port": 80 }] }
		} } } },
		"web[1..2]": { "services": { "http": { "type": "http-server" } } }
	},
	"links": ["client - r", "plain - r", "ns - r", "web[*] - r"],
	"workloads": {
		"look": { "type": "dns-lookup", "from": "client", "name": "www", "count": 40, "start": "1s" },
		"text": { "type": "dns-lookup", "from": "client", "name": "big.lab", "record": "txt", "start": "2s" },
		"srv": { "type": "dns-lookup", "from": "client", "name": "_http._tcp", "record": "srv", "start": "3s" },
		"gone": { "type": "dns-lookup", "from": "client", "name": "nothing", "start": "4s" },
		"fetch": { "type": "http-fetch", "from": "client", "url": "http://shop.lab/bytes/1000", "start": "5s" },
		"table": { "type": "http-fetch", "from": "plain", "url": "http://web1/bytes/1000", "start": "6s" }
	},
	"faults": [{ "at": "20s", "for": "10s", "cut": "ns - r" }],
	"expect": ["look.failures.timeout > 0", "look.distinct == 2", "look.hits > 20", "nodes.plain.udp.sent == 0"]
}`

func namesText() string {
	return strings.ReplaceAll(namesLab, "BIG", strings.Repeat("0123456789", 100))
}

func TestNamesInALab(t *testing.T) {
	const rtt = 20 * time.Millisecond
	requireSame(t, 2, namesText(), nil)
	results := playText(t, namesText(), nil)
	require.Equal(t, netlab.Holds, results.Verdict(), "%v", results.Expect)
	workload := func(name string) *lookup.Result {
		w, ok := results.Workloads.Get(name)
		require.True(t, ok)
		return w.Report.(*lookup.Result)
	}

	look := workload("look")
	for i, a := range look.Answers[:19] {
		// Fetched every sixth second: what came at 1.02 s holds until 6.02 s. The first in the answer changes each time.
		want, order := time.Duration(0), []string{"web1", "web2"}
		if i%6 == 0 {
			want = rtt
		}
		if i/6%2 == 1 {
			order = []string{"web2", "web1"}
		}
		require.EqualValues(t, want, a.Latency, "answer %d", i)
		require.Equal(t, addressesOf(t, results, order), a.Records, "answer %d", i)
	}
	// Cut off at 20 s: known until 24.02 s, and then two attempts of a second each. Whoever asks at 26 s waits for an answer of
	// his own again, up to the end at 30 s.
	require.EqualValues(t, 0, look.Answers[23].Latency)
	for i, want := range []time.Duration{2, 1, 2, 1} {
		require.EqualValues(t, want*time.Second, look.Answers[24+i].Latency, "answer %d", 24+i)
		require.Contains(t, look.Answers[24+i].Error, "i/o timeout")
	}
	require.NotZero(t, look.Failures.Timeout)
	require.Equal(t, look.Lookups, look.Answered+look.Failures.Timeout)
	require.EqualValues(t, 0, look.Answers[38].Latency)

	require.Len(t, workload("text").Answers[0].Records[0], 1000+4*2+3) // four strings in quotes
	require.EqualValues(t, 3*rtt, workload("text").Latency.Max, "truncated, and then a connection")
	require.Equal(t, []string{"0 0 80 web1.lab."}, workload("srv").Answers[0].Records)
	require.Equal(t, map[string]uint64{"NXDOMAIN": 1}, workload("gone").Rcodes)

	node, _ := results.Nodes.Get("ns")
	service, _ := node.Services.Get("names")
	ns := service.Report.(*nameserver.Result)
	require.EqualValues(t, 1, ns.Truncated)
	require.EqualValues(t, 1, ns.TCP)
}

// Wireshark understands every packet with DNS.
func TestTsharkReadsNames(t *testing.T) {
	dir := record(t, namesText(), nil)
	requireNoFault(t, dir)
	file := capturesOf(t, dir)["client"]
	questions := tshark(t, file, "-Y", "dns.flags.response == 0", "-T", "fields", "-e", "dns.qry.name", "-e", "dns.qry.type")
	require.Contains(t, questions, "www.lab\t1")
	require.Contains(t, questions, "www.lab\t28")
	require.Contains(t, questions, "_http._tcp.lab\t33")
	require.Len(t, tshark(t, file, "-Y", "dns.flags.truncated == 1 && dns.flags.response == 1"), 1)
	require.Len(t, tshark(t, file, "-Y", "dns && tcp"), 2)
	require.Len(t, tshark(t, capturesOf(t, dir)["ns"], "-Y", "dns.flags.response == 1 && !dns.response_to"), 0)
}

// addressesOf returns the IPv4 addresses of nodes and then their IPv6 addresses.
func addressesOf(t testing.TB, results *netlab.Results, nodes []string) []string {
	t.Helper()
	lab := parse(t, namesText())
	var v4, v6 []string
	for _, n := range nodes {
		for _, l := range lab.Topology().Links {
			for _, p := range l.Addresses[n] {
				if p.Addr().Is4() {
					v4 = append(v4, p.Addr().String())
				} else {
					v6 = append(v6, p.Addr().String())
				}
			}
		}
	}
	return append(v4, v6...)
}

// requireNoFault requires that Wireshark finds no fault with any capture.
func requireNoFault(t *testing.T, dir string) {
	t.Helper()
	for node, file := range capturesOf(t, dir) {
		require.Empty(t, tshark(t, file, append(checksums, "-Y", faulty)...), node)
	}
}

// Connecting by name costs exactly one round trip to the name server, once; programs see the errors of package net.
func TestNamesOfPrograms(t *testing.T) {
	playText(t, namesText(), func(run *netlab.Run) error {
		h := run.Host("client")
		for _, want := range []time.Duration{40, 20} {
			start := run.Elapsed()
			c, err := h.Dial("tcp", "web1.lab:80")
			if err != nil {
				return err
			}
			c.Close()
			require.Equal(t, want*time.Millisecond, run.Elapsed()-start)
		}
		_, err := h.DialContext(run.Context(), "tcp", "web9:80")
		var failed *net.DNSError
		require.ErrorAs(t, err, &failed)
		require.True(t, failed.IsNotFound)
		if err := run.Sleep(21*time.Second - run.Elapsed()); err != nil {
			return err
		}
		start := run.Elapsed()
		_, err = h.DialContext(context.Background(), "tcp", "web2.lab:80")
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.True(t, errors.As(err, &failed) && failed.IsTimeout)
		require.Equal(t, 2*time.Second, run.Elapsed()-start)
		return nil
	})
}

// A name server with two links is asked at the address from which it answers.
func TestNameServerWithTwoLinks(t *testing.T) {
	for _, order := range []string{`"ns - a", "ns - b"`, `"ns - b", "ns - a"`} {
		results := playText(t, fmt.Sprintf(`{
			"nodes": { "ns": { "services": { "names": { "type": "dns-server" } } }, "a": { "dns": "ns" }, "b": { "dns": "ns" } },
			"links": [%s],
			"workloads": { "look": { "type": "dns-lookup", "from": ["a", "b"], "name": "ns" } },
			"expect": ["look.answered == 2"]
		}`, order), nil)
		require.Equal(t, netlab.Holds, results.Verdict(), "%v", results.Expect)
	}
}

// The resolved file runs as the file does.
func TestResolvedNamesRunAlike(t *testing.T) {
	lab := parse(t, namesText())
	again := parse(t, string(lab.Topology().JSON()))
	one, two := t.TempDir(), t.TempDir()
	play(t, lab, &netlab.RunOptions{Dir: one}, nil)
	play(t, again, &netlab.RunOptions{Dir: two}, nil)
	require.Equal(t, sums(t, filepath.Join(one, "captures")), sums(t, filepath.Join(two, "captures")))
	n, _ := again.Topology().Nodes.Get("client")
	require.Equal(t, topology.Patterns{"ns"}, n.DNS.Servers)
	_, err := netip.ParseAddr(n.DNS.Servers[0])
	require.Error(t, err, "servers are named")
}

// In real time names are found as well.
func TestNamesInRealTime(t *testing.T) {
	results := play(t, parse(t, `{
		"nodes": { "ns": { "services": { "names": { "type": "dns-server" } } }, "a": { "dns": "ns" } },
		"links": [{ "between": "ns - a", "latency": "1ms" }],
		"workloads": { "look": { "type": "dns-lookup", "from": "a", "name": "ns", "count": 3, "interval": "200ms", "start": "100ms" } },
		"expect": ["look.answered == 3", "look.hits > 0"]
	}`), &netlab.RunOptions{RealTime: true}, nil)
	require.Equal(t, netlab.Holds, results.Verdict(), "%v", results.Expect)
}
