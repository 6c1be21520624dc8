package captures

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// parsed returns filters, each of which must be right.
func parsed(t testing.TB, texts ...string) []*Filter {
	t.Helper()
	var filters []*Filter
	for _, text := range texts {
		f, err := ParseFilter(text, addressesOf)
		require.NoError(t, err, text)
		filters = append(filters, f)
	}
	return filters
}

// everyFilter is all filters of the tables.
func everyFilter(t testing.TB) []*Filter {
	texts := []string{"(tcp or udp or icmp) and not host r1 and not dst port 99"}
	for _, test := range append(slices.Clone(headerFilters), appFilters...) {
		texts = append(texts, test.text)
	}
	return parsed(t, texts...)
}

// everyFrame is all frames of the tables, of both versions.
func everyFrame(t testing.TB) [][]byte {
	frames := frameZoo(t)
	for _, e := range bothVersions {
		for _, frame := range append(e.headerFrames(t), e.appFrames(t)...) {
			frames = append(frames, frame.data)
		}
	}
	return frames
}

func TestFilterMatchAllocatesNothing(t *testing.T) {
	frames := everyFrame(t)
	for _, f := range everyFilter(t) {
		require.Zero(t, testing.AllocsPerRun(5, func() {
			for _, frame := range frames {
				f.Match(frame)
			}
		}), f.String())
	}
}

func FuzzParseFilter(f *testing.F) {
	for _, s := range []string{
		"", "tcp and (host client or not port 80)", "!icmp6||arp&&ip", "src host fd00::1", "or", "port 80 or 443", "((((", "flags=syn,ack",
		`payload "\x00\u00e9" or payload-prefix hex 1603`, "size>=1KiB and ttl!=1", "tls client-hello", `dns name "web.lab"`, "net 10.0.0.0/8",
		"port 1-2", "icmp too-big", "ecn ce", "dscp ef", `payload "`, "payload \"\xff\"", "http request", "later-fragment",
	} {
		f.Add(s)
	}
	frames := everyFrame(f)
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := ParseFilter(text, addressesOf)
		again, errAgain := ParseFilter(text, addressesOf)
		require.Equal(t, filter, again)
		require.Equal(t, err, errAgain)
		if err != nil {
			var bad *FilterError
			require.ErrorAs(t, err, &bad)
			require.LessOrEqual(t, bad.Offset, len(text))
			return
		}
		opposite, err := ParseFilter("not ("+text+")", addressesOf)
		empty := strings.Trim(text, " \t\r\n") == ""
		for _, frame := range frames {
			matched := filter.Match(frame)
			require.True(t, matched || !empty)
			if err == nil { // it may nest too deep now, and nothing can't be in parentheses
				require.Equal(t, !matched, opposite.Match(frame))
			}
		}
	})
}

func FuzzFilterMatch(f *testing.F) {
	for _, frame := range everyFrame(f) {
		f.Add(frame)
	}
	filters := everyFilter(f)
	// Laws that hold for all bytes: whatever the first one chooses the second one chooses too.
	var laws [][2]*Filter
	for _, law := range [][2]string{
		{"syn", "flags syn and not flags ack and not syn-ack"},
		{"flags = syn,ack", "syn-ack"},
		{"pure-ack", "tcp and payload-size = 0 and flags ack and not data and not fragment"},
		{"data", "payload-size > 0 and (tcp or udp)"},
		{"fragment", "(first-fragment or later-fragment) and not (first-fragment and later-fragment)"},
		{"first-fragment or later-fragment", "fragment"},
		{"later-fragment", "not payload-size >= 0 and not port 1-65535 and not flags syn and not icmp echo"},
		{"icmp echo or icmp too-big", "icmp and not icmp unreachable and not tcp"},
		{"payload-prefix hex 16", "payload hex 16 and payload-size >= 1"},
		{"tls client-hello or tls finished", "tls handshake"},
		{"tls handshake or tls alert or tls application or tls change-cipher-spec", "tls and tcp and data"},
		{"tls", "tls handshake or tls alert or tls application or tls change-cipher-spec"},
		{"dns query or dns response or dns name web.lab", "dns and port 53 and data"},
		{"dns", "dns query or dns response"},
		{"http", "(http request or http response) and not (http request and http response)"},
		{"host 10.0.0.1", "net 10.0.0.0/24 and not ip6"},
		{"ecn ce", "not ecn ect0 and not ecn ect1 and not ecn not-ect and (ip or ip6)"},
		{"ttl <= 1", "not ttl > 1 and ttl < 2 and (ttl = 0 or ttl = 1)"},
		{"size >= 100", "not size < 100 and size > 99 and size != 99"},
	} {
		laws = append(laws, [2]*Filter(parsed(f, law[0], law[1])))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		before := bytes.Clone(frame)
		for _, filter := range filters {
			require.Equal(t, filter.Match(frame), filter.Match(before))
		}
		for _, law := range laws {
			require.True(t, !law[0].Match(frame) || law[1].Match(frame), "%s, but not %s", law[0], law[1])
		}
		require.Equal(t, before, frame)
	})
}

func BenchmarkFilterMatch(b *testing.B) {
	e := bothVersions[1]
	frames := map[string][]byte{}
	for _, frame := range append(e.headerFrames(b), e.appFrames(b)...) {
		frames[frame.name] = frame.data
	}
	for _, bench := range []struct{ name, filter, frame string }{
		{"addresses", "tcp and host client and not port 22", "push"},
		{"networks", "src net fd00::/64 and dst port 1000-9999", "push"},
		{"flags", "syn-ack", "synack"},
		{"sizes", "size >= 1000 and payload-size > 0", "large"},
		{"IP header", "ttl > 1 and dscp 0 and ecn not-ect and not fragment", "push"},
		{"ICMP", "icmp time-exceeded", "exceeded"},
		{"payload", `payload "0123456789x"`, "large"},
		{"prefix", `payload-prefix "GET /"`, "get"},
		{"TLS", "tls finished", "finished"},
		{"DNS", "dns name web.lab", "query"},
		{"HTTP", "http request", "get"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			f, frame := parsed(b, bench.filter)[0], frames[bench.frame]
			b.ReportAllocs()
			for b.Loop() {
				f.Match(frame)
			}
		})
	}
}
