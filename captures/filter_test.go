package captures

import (
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
		{"something", 0, `found "something": want tcp, udp, icmp, icmp4, icmp6, arp, ip, ip6, host, net, port, src, dst, ` +
			`size, ttl, dscp, ecn, fragment, first-fragment, later-fragment, syn, syn-ack, fin, rst, pure-ack, flags, data, ` +
			`payload-size, payload, payload-prefix, tls, dns, http, not or a parenthesis`},
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
		{"src client", 4, `found "client" after "src": want "host", "net" or "port"`},
		{"arp port 5", 0, `arp has no ports: write tcp or udp`},
		{"port 80 or 443", 11, `"443" alone says nothing: write "port 443"`},
		{"not 10.0.0.1", 4, `"10.0.0.1" alone says nothing: write "host 10.0.0.1"`},
		{"tcp and client", 8, `"client" alone says nothing: write "host client"`},
		{"tcp or udp and port 53", 11, `"or" before "and" can be read in two ways: write parentheses`},
		{"tcp and arp or udp and port 53", 19, `"or" before "and" can be read in two ways: write parentheses`},
		{"tcp & udp", 4, `unexpected '&'`},
		{"host ü", 5, `unexpected 'ü'`},
		{"host 10.0.0.0/8", 5, `"10.0.0.0/8" is a network: write "net 10.0.0.0/8"`},
		{`host "client"`, 5, `found "client" after "host": want the name of a node or an address`},
		{"10.0.0.0/8", 0, `"10.0.0.0/8" alone says nothing: write "net 10.0.0.0/8"`},
		{"net 10.0.0.1", 4, `"10.0.0.1" is one address: write "host 10.0.0.1"`},
		{"net 10.0.0.1/8", 4, `"10.0.0.1/8" has an address with more than 8 bits; did you mean 10.0.0.0/8?`},
		{"net 10.0.0.0/33", 4, `"10.0.0.0/33" is not a network: want an address and a length, such as 10.0.0.0/8 or fd00::/64`},
		{"src net", 7, `the end is not a network: want an address and a length, such as 10.0.0.0/8 or fd00::/64`},
		{"port 2000-1000", 5, `"2000-1000" begins after its end; did you mean 1000-2000?`},
		{"port 1000-", 5, `"1000-" are not ports: want two numbers from 1 to 65535, such as 1000-2000`},
		{"icmp port 5", 0, `icmp has no ports: write tcp or udp`},
		{"icmp ehco", 5, `"ehco" can't stand here; did you mean echo?`},
		{"icmp adn tcp", 5, `"adn" can't stand here; did you mean and?`},
		{"icmp redirect", 5, `found "redirect" after "icmp": want echo, echo-reply, unreachable, time-exceeded, too-big, "and" or "or"`},
		{"flags sin", 6, `"sin" is not a TCP flag; did you mean syn?`},
		{"flags = syn,akc", 12, `"akc" is not a TCP flag; did you mean ack?`},
		{"flags xsyn", 6, `"xsyn" is not a TCP flag; did you mean syn?`},
		{"flags something", 6, `"something" is not a TCP flag: want fin, syn, rst, psh, ack, urg, ece, cwr`},
		{"flags", 5, `the end is not a TCP flag: want fin, syn, rst, psh, ack, urg, ece, cwr`},
		{"flags syn,", 10, `the end is not a TCP flag: want fin, syn, rst, psh, ack, urg, ece, cwr`},
		{"flags syn ack", 10, `"ack" can't stand here: write a comma between flags`},
		{"tcp and ack", 8, `"ack" alone can mean two things: write "flags ack" for all segments with that flag, or "pure-ack"`},
		{"ece", 0, `"ece" alone is not a filter: write "flags ece"`},
		{"synack", 0, `"synack" is not a filter; did you mean syn-ack?`},
		{"size 1000", 5, `found "1000" after "size": want =, !=, <, <=, > or >=`},
		{"size == 1000", 5, `found "==" after "size": want =, !=, <, <=, > or >=`},
		{"size", 4, `found the end after "size": want =, !=, <, <=, > or >=`},
		{"size >", 6, `found the end: want a size, such as 1000 or 1KiB`},
		{"size > 1KB", 7, `"1KB" is ambiguous (1000 or 1024 bytes): write "1kB" or "1KiB"`},
		{"size > -1", 7, `"-1" is not a size: it must not be negative`},
		{"size > 65576", 7, `"65576" is more than a packet can have: want at most 65575`},
		{"payload-size < 1MB", 15, `"1MB" is more than a packet can have: want at most 65575`},
		{"size < 99999999999999999999", 7, `"99999999999999999999" is more than a packet can have: want at most 65575`},
		{"size > 1.5", 7, `"1.5" has no unit: want a size such as "64KiB"`},
		{"ttl <= 256", 7, `"256" is not a time to live: want a number from 0 to 255`},
		{"ttl <= 1B", 7, `"1B" is not a time to live: want a number from 0 to 255`},
		{"dscp efg", 5, `"efg" is not a DSCP; did you mean ef?`},
		{"dscp 64", 5, `"64" is not a DSCP: want a name such as "ef", "af41" or "cs1", or a number from 0 to 63`},
		{"dscp = ef", 5, `found "=" after "dscp": want a name or a number, such as ef or 46`},
		{"ecn cce", 4, `"cce" is not a codepoint of ECN; did you mean ce?`},
		{"ecn 1234567", 4, `"1234567" is not a codepoint of ECN: want not-ect, ect1, ect0, ce`},
		{"payload GET", 8, `found "GET" after "payload": want a text in quotes, such as "GET /", or hex and digits`},
		{"payload", 7, `found the end after "payload": want a text in quotes, such as "GET /", or hex and digits`},
		{`payload ""`, 8, `"" is in every payload: write "payload-size >= 0"`},
		{`payload "GET`, 8, `this quote is not closed`},
		{`payload "GET\"`, 8, `this quote is not closed`},
		{`payload "\q"`, 8, `"\q" is not a quoted text: write what can't be printed as \x00, \n, \r or \t, a quote as \" and a backslash as \\`},
		{"payload hex", 11, `the end is not hexadecimal: want two digits for each byte, such as 160301`},
		{"payload hex 160", 12, `"160" is not hexadecimal: want two digits for each byte, such as 160301`},
		{`"GET /"`, 0, `"GET /" alone says nothing: write "payload" before it`},
		{"tls handshak", 4, `"handshak" can't stand here; did you mean handshake?`},
		{"tls encrypted-extensions", 4, `"encrypted-extensions" is always encrypted and can't be seen`},
		{"tls port 443", 4, `found "port" after a complete filter: want "and" or "or"`},
		{"syn port 80", 4, `found "port" after a complete filter: want "and" or "or"`},
		{"tls something", 4, `found "something" after "tls": want handshake, application, alert, change-cipher-spec, client-hello, server-hello, ` +
			`certificate, server-key-exchange, certificate-request, server-hello-done, certificate-verify, client-key-exchange, ` +
			`certificate-status, new-session-ticket, finished, "and" or "or"`},
		{"dns web.lab", 4, `found "web.lab" after "dns": want query, response, name, "and" or "or"`},
		{"dns name and tcp", 9, `found "and" after "name": want the name that is asked for, such as "web.lab"`},
		{"dns name", 8, `found the end after "name": want the name that is asked for, such as "web.lab"`},
		{"dns name *.lab", 9, `"*.lab": a * stands for nothing here: write the whole name`},
		{`dns name "web..lab"`, 9, `"web..lab" is not a domain name: want labels of 1 to 63 characters with dots between them`},
		{`dns name ""`, 9, `"" is not a domain name: want labels of 1 to 63 characters with dots between them`},
		{"http requst", 5, `"requst" can't stand here; did you mean request?`},
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
