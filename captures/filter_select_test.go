package captures

import (
	"strings"
	"testing"

	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"
)

// chosen returns the names of the frames that a filter chooses.
func chosen(t testing.TB, text string, frames []namedFrame) string {
	t.Helper()
	f, err := ParseFilter(text, addressesOf)
	require.NoError(t, err, text)
	var names []string
	for _, frame := range frames {
		if f.Match(frame.data) {
			names = append(names, frame.name)
		}
	}
	return strings.Join(names, " ")
}

// textWant is a filter and the names of the frames that it chooses.
type textWant struct{ text, want string }

var headerFilters = []textWant{
	{"syn", "syn ecnsyn"},
	{"syn-ack", "synack"},
	{"fin", "finack"},
	{"rst", "rst"},
	{"flags syn", "syn ecnsyn synack"},
	{"flags syn,ack", "synack"},
	{"flags = syn", "syn"},
	{"flags = syn, ece ,cwr", "ecnsyn"},
	{"flags = ack", "ack options"},
	{"flags psh", "push"},
	{"flags ece", "ecnsyn eceack"},
	{"flags cwr", "ecnsyn"},
	{"flags urg,ack", "urgent"},
	{"tcp and not flags ack", "syn ecnsyn rst last"},
	{"pure-ack", "ack eceack options"},
	{"data", "push urgent small large first"},
	{"payload-size = 0", "syn ecnsyn synack ack eceack finack rst options empty last-hop ef ect0 ect1 ce no-port too-big exceeded redirect"},
	{"payload-size > 0", "push urgent small large ping pong first"},
	{"payload-size != 0", "push urgent small large ping pong first"},
	{"payload-size = 10", "small"},
	{"payload-size >= 1kB", "large"},
	{"payload-size > 1kB", ""},
	{"payload-size < 6 and payload-size > 1", "push"},
	{"payload-size = 32", "first"},
	{"payload-size = 8", "ping pong"},
	{"size > 1KiB", "large"},
	{"size >= 1000", "large"},
	{"not size >= 0", "arp lldp runt"},
	{"ttl <= 1", "last-hop"},
	{"ttl = 64 and udp and payload-size > 10", "large first"},
	{"ttl < 1", ""},
	{"ttl > 255", ""},
	{"dscp ef", "ef"},
	{"dscp 46", "ef"},
	{"dscp af41", "ce"},
	{"ecn ce", "ce"},
	{"ecn ect0", "ect0"},
	{"ecn ect1", "ect1"},
	{"ecn not-ect and ttl = 1", "last-hop"},
	{"icmp echo", "ping"},
	{"icmp echo-reply", "pong"},
	{"icmp unreachable", "no-port"},
	{"icmp too-big", "too-big"},
	{"icmp time-exceeded", "exceeded"},
	{"icmp4 echo or icmp6 echo", "ping"},
	{"icmp4 echo and icmp6 echo", ""},
	{"icmp echo src host client", "ping"},
	{"icmp echo dst host client", ""},
	{"icmp src host client and payload-size > 0", "ping pong"},
	{"fragment", "first middle last"},
	{"first-fragment", "first"},
	{"later-fragment", "middle last"},
	{"fragment and port 9", "first"},
	{"later-fragment and udp", "middle"},
	{"port 1000-1999", "options large"},
	{"dst port 1500-1998", "options"},
	{"src port 20012-20013", "small large"},
	{"tcp port 1000-1999", "options"},
	{"port 5001-5001 and flags = rst", "rst"},
	{"payload hex 68656C", "push"},
	{"payload-prefix \"hello\"", "push"},
	{"payload \"abc\"", "ping pong"},
	{"payload \"xxxx\"", "first"},
	{"net 10.0.0.0/30 or net fd00::/64", "*"},
	{"src net 10.0.0.1/32 or src net fd00::1/128", "*"},
	{"src net 10.0.0.2/32 or src net fd00::2/128", ""},
	{"dst net ::ffff:10.0.0.2/127 or dst net fd00::2/127", "*"},
	{"net 0.0.0.0/0 or net ::/0", "*"},
	{"net 10.1.0.0/16 or net fd01::/64", ""},
}

func TestFilterHeaders(t *testing.T) {
	for _, e := range bothVersions {
		frames := e.headerFrames(t)
		var all []string // those with addresses
		for _, frame := range frames[:len(frames)-2] {
			all = append(all, frame.name)
		}
		for _, test := range headerFilters {
			want := strings.ReplaceAll(test.want, "*", strings.Join(all, " "))
			require.Equal(t, want, chosen(t, test.text, frames), "%s: %s", e.name, test.text)
		}
	}
}

var appFilters = []textWant{
	{"tls", "hello hellos flight finished retry alert data cut secret"},
	{"tls handshake", "hello hellos flight finished retry cut secret"},
	{"tls application", "flight data"},
	{"tls alert", "alert"},
	{"tls change-cipher-spec", "flight finished retry"},
	{"tls client-hello", "hello retry cut"},
	{"tls server-hello", "hellos flight"},
	{"tls certificate", "hellos"},
	{"tls server-hello-done", "hellos"},
	{"tls client-key-exchange", "finished"},
	{"tls finished", "finished"},
	{"tls new-session-ticket", ""},
	{"tls handshake and not tls application", "hello hellos finished retry cut secret"},
	{"dns", "query answer other refused pipelined tcp-answer"},
	{"dns query", "query other pipelined"},
	{"dns response", "answer refused tcp-answer"},
	{`dns name "web.lab"`, "query answer pipelined tcp-answer"},
	{`dns name Web.Lab.`, "query answer pipelined tcp-answer"},
	{`dns name "web"`, ""},
	{`dns name db.lab and dns query`, "pipelined"},
	{"http", "get long connect ok"},
	{"http request", "get long connect"},
	{"http response", "ok"},
	{`payload "GET /"`, "get words udp-get ping"},
	{`payload-prefix "GET /"`, "get udp-get ping"},
	{`payload-prefix hex 474554202f`, "get udp-get ping"},
	{`payload "\x00\xff\"\\"`, "binary"},
	{`payload hex 00ff22`, "binary"},
	{`payload-prefix hex 160303`, "hello hellos flight finished cut secret"},
	{`payload "WEB" and udp`, "query"},
}

func TestFilterApplications(t *testing.T) {
	for _, e := range bothVersions {
		frames := e.appFrames(t)
		for _, test := range appFilters {
			require.Equal(t, test.want, chosen(t, test.text, frames), "%s: %s", e.name, test.text)
		}
	}
}

// Every prefix of every frame is taken, and a flag or a payload that was cut away is not made up.
func TestFilterCutFrames(t *testing.T) {
	for _, e := range bothVersions {
		frame := e.tcp(t, 1, 443, layers.TCP{ACK: true, PSH: true}, "hello")
		header := len(frame) - len(e.transport(frame))
		for n := range len(frame) {
			cut := []namedFrame{{"cut", frame[:n]}}
			for text, from := range map[string]int{
				"ttl = 64": header, "size > 40": header, "ecn not-ect": header, "flags ack": header + 14, "data": header + 13,
				"payload-size = 5": header + 13, `payload "hel"`: header + 23, `payload "hello"`: header + 25,
			} {
				require.Equal(t, n >= from, chosen(t, text, cut) == "cut", "%s: %s with %d bytes", e.name, text, n)
			}
		}
		for _, frame := range append(e.headerFrames(t), e.appFrames(t)...) {
			for _, test := range append(headerFilters, appFilters...) {
				f, err := ParseFilter(test.text, addressesOf)
				require.NoError(t, err)
				for n := range len(frame.data) {
					f.Match(frame.data[:n:n])
				}
			}
		}
	}
}

// Headers that can't be right have no payload, not even an empty one.
func TestFilterBrokenHeaders(t *testing.T) {
	for _, e := range bothVersions {
		tcp, udp := e.tcp(t, 1, 5001, layers.TCP{ACK: true}, ""), e.udp(t, 1, 5001, "data")
		for name, breakIt := range map[string]func() []byte{
			"TCP header of 16 bytes":       func() []byte { e.transport(tcp)[12] = 4 << 4; return tcp },
			"TCP header beyond the packet": func() []byte { e.transport(tcp)[12] = 15 << 4; return tcp },
			"UDP length 7":                 func() []byte { e.transport(udp)[5] = 7; return udp },
		} {
			frames := []namedFrame{{name, breakIt()}}
			require.Empty(t, chosen(t, "payload-size >= 0 or data or pure-ack", frames), "%s: %s", e.name, name)
			require.Equal(t, name, chosen(t, "port 5001", frames))
		}
		e.transport(udp)[4] = 0x10 // longer than the packet
		require.Equal(t, "udp", chosen(t, `payload-size = 4 and payload "data"`, []namedFrame{{"udp", udp}}), e.name)
	}
}
