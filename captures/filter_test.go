package captures

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"
)

// matchFrames are the frames that the filters of the tests are tried on, by short names.
func matchFrames(t testing.TB) map[string][]byte {
	syn := func() *layers.TCP { return &layers.TCP{SrcPort: 49152, DstPort: 5001, SYN: true} }
	udp := []byte{0, 10, 0, 20, 0, 8, 0, 0}
	return map[string][]byte{
		"tcp4":  tcpFrame(t, client4, server4, syn(), ""),
		"tcp6":  tcpFrame(t, client6, server6, syn(), ""),
		"back":  tcpFrame(t, server4, client4, &layers.TCP{SrcPort: 5001, DstPort: 49152, SYN: true, ACK: true}, ""),
		"dns":   udpFrame(t, client4, router4, 1000, 53, "query"),
		"ping":  icmp4Frame(t, client4, server4, 8, 0, 1, 1, nil),
		"ping6": icmp6Frame(t, client6, server6, 128, 0, make([]byte, 4)),
		"arp":   arpFrame(t, 1, client4, server4),
		"later": fragment4(t, layers.IPProtocolTCP, 8, false, []byte{0xc0, 0, 0x13, 0x89, 0, 0, 0, 0}),
		"ext":   extended6(t, layers.IPProtocolUDP, udp, []layers.IPProtocol{0, 44}, [][]byte{make([]byte, 8), make([]byte, 8)}),
		"lldp":  build(t, ether(0x88cc)),
		"short": {1, 2, 3},
	}
}

func TestFilterMatch(t *testing.T) {
	const all = "tcp4 tcp6 back dns ping ping6 arp later ext lldp short"
	frames := matchFrames(t)
	for text, want := range map[string]string{
		"":                           all,
		"tcp":                        "tcp4 tcp6 back later",
		"udp":                        "dns ext",
		"icmp":                       "ping ping6",
		"icmp4":                      "ping",
		"icmp6":                      "ping6",
		"arp":                        "arp",
		"ip":                         "tcp4 back dns ping later",
		"ip6":                        "tcp6 ping6 ext",
		"host client":                "tcp4 tcp6 back dns ping ping6 arp later ext",
		"host r1":                    "dns",
		"host 10.0.0.2":              "tcp4 back ping arp later",
		"host ::ffff:10.0.0.2":       "tcp4 back ping arp later",
		"host fd00:0::2":             "tcp6 ping6 ext",
		"src host server":            "back",
		"dst host client":            "back",
		"port 5001":                  "tcp4 tcp6 back",
		"src port 5001":              "back",
		"dst port 5001":              "tcp4 tcp6",
		"port 20":                    "ext",
		"tcp port 53":                "",
		"udp port 53":                "dns",
		"udp dst port 53":            "dns",
		"tcp src host server":        "back",
		"not tcp port 5001":          "dns ping ping6 arp later ext lldp short",
		"not tcp":                    "dns ping ping6 arp ext lldp short",
		"! (tcp || udp)":             "ping ping6 arp lldp short",
		"!!arp":                      "arp",
		"tcp and ip6":                "tcp6",
		"tcp&&ip6":                   "tcp6",
		"tcp and ip6 or arp":         "tcp6 arp",
		"tcp and (ip6 or arp)":       "tcp6",
		"arp or (tcp and ip6)":       "tcp6 arp",
		"not tcp and not udp and ip": "ping",
		" arp\tor\nicmp6 ":           "arp ping6",
	} {
		t.Run(text, func(t *testing.T) {
			f, err := ParseFilter(text, addressesOf)
			require.NoError(t, err)
			require.Equal(t, text, f.String())
			for _, name := range strings.Fields(all) {
				require.Equal(t, strings.Contains(" "+want+" ", " "+name+" "), f.Match(frames[name]), name)
			}
		})
	}
	require.True(t, (*Filter)(nil).Match(nil))
	require.Empty(t, (*Filter)(nil).String())
}

func TestFilterErrors(t *testing.T) {
	for _, test := range []struct {
		text    string
		offset  int
		problem string
	}{
		{"tpc", 0, `"tpc" is not a filter; did you mean tcp?`},
		{"tcp and ptor 80", 8, `"ptor" is not a filter; did you mean port?`},
		{"something", 0, `found "something": want tcp, udp, icmp, icmp4, icmp6, arp, ip, ip6, host, port, src, dst, not or a parenthesis`},
		{"tcp adn udp", 4, `"adn" can't stand here; did you mean and?`},
		{"tcp udp", 4, `found "udp" after a complete filter: want "and" or "or"`},
		{"tcp)", 3, `this parenthesis was not opened`},
		{"(tcp", 0, `this parenthesis is not closed`},
		{"(tcp udp)", 5, `found "udp" after a complete filter: want "and" or "or"`},
		{"tcp and", 7, `found the end: want a filter such as "tcp" or "host client"`},
		{"not", 3, `found the end: want a filter such as "tcp" or "host client"`},
		{"host", 4, `found the end after "host": want the name of a node or an address`},
		{"host )", 5, `found ")" after "host": want the name of a node or an address`},
		{"host web9", 5, `"web9" is neither a node nor an address`},
		{"host switch", 5, `node "switch" has no address`},
		{"port http", 5, `"http" is not a port: want a number from 1 to 65535`},
		{"port 0", 5, `"0" is not a port: want a number from 1 to 65535`},
		{"port 65536", 5, `"65536" is not a port: want a number from 1 to 65535`},
		{"port", 4, `the end is not a port: want a number from 1 to 65535`},
		{"src client", 4, `found "client" after "src": want "host" or "port"`},
		{"arp port 5", 0, `arp has no ports: write tcp or udp`},
		{"port 80 or 443", 11, `"443" alone says nothing: write "port 443"`},
		{"not 10.0.0.1", 4, `"10.0.0.1" alone says nothing: write "host 10.0.0.1"`},
		{"tcp and client", 8, `"client" alone says nothing: write "host client"`},
		{"tcp or udp and port 53", 11, `"or" before "and" can be read in two ways: write parentheses`},
		{"tcp and arp or udp and port 53", 19, `"or" before "and" can be read in two ways: write parentheses`},
		{"tcp & udp", 4, `unexpected '&'`},
		{"host ü", 5, `unexpected 'ü'`},
		{strings.Repeat("(", 200) + "tcp", 100, `nested more than 100 deep`},
		{strings.Repeat("!", 200) + "tcp", 100, `nested more than 100 deep`},
	} {
		t.Run(test.text, func(t *testing.T) {
			_, err := ParseFilter(test.text, addressesOf)
			require.Equal(t, &FilterError{Offset: test.offset, Problem: test.problem}, err)
		})
	}
	_, err := ParseFilter("host client", nil)
	require.EqualError(t, err, `filter, at offset 5: "client" is not an address`)
}

func TestFilterMatchAllocatesNothing(t *testing.T) {
	f, err := ParseFilter("(tcp or udp or icmp) and not host r1 and not dst port 99", addressesOf)
	require.NoError(t, err)
	for name, frame := range matchFrames(t) {
		require.Zero(t, testing.AllocsPerRun(10, func() { f.Match(frame) }), name)
	}
}

func FuzzParseFilter(f *testing.F) {
	for _, s := range []string{"", "tcp and (host client or not port 80)", "!icmp6||arp&&ip", "src host fd00::1", "or", "port 80 or 443", "(((("} {
		f.Add(s)
	}
	frame := tcpFrame(f, client4, server4, &layers.TCP{SrcPort: 1, DstPort: 80}, "")
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := ParseFilter(text, addressesOf)
		if err != nil {
			var bad *FilterError
			require.ErrorAs(t, err, &bad)
			require.LessOrEqual(t, bad.Offset, len(text))
			return
		}
		matched := filter.Match(frame)
		if strings.TrimSpace(text) == "" {
			return
		}
		opposite, err := ParseFilter("not ("+text+")", addressesOf)
		if err == nil { // it may nest too deep now
			require.Equal(t, !matched, opposite.Match(frame))
		}
	})
}

func FuzzFilterMatch(f *testing.F) {
	for _, frame := range frameZoo(f) {
		f.Add(frame)
	}
	filter, err := ParseFilter("tcp and port 80 or icmp or (host client and not port 9) or ip6", func(string) ([]netip.Addr, bool) {
		return []netip.Addr{client4, client6}, true
	})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, frame []byte) { filter.Match(frame) })
}

func BenchmarkFilterMatch(b *testing.B) {
	f, err := ParseFilter("tcp and host client and not port 22", addressesOf)
	require.NoError(b, err)
	frame := matchFrames(b)["tcp6"]
	b.ReportAllocs()
	for b.Loop() {
		f.Match(frame)
	}
}
