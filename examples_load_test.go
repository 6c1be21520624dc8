package netlab_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
)

// playVariant runs a variant of a file, or its only lab for no name, and returns the run's folder.
func playVariant(t testing.TB, text, variant string) string {
	t.Helper()
	dir := t.TempDir()
	play(t, parseVariant(t, text, variant), &netlab.RunOptions{Dir: dir}, nil)
	return dir
}

// column runs tshark on a node's capture and returns a field of all packets that match a filter, of each its first value.
func column(t testing.TB, dir, node, filter, field string) []string {
	t.Helper()
	return tshark(t, capturesOf(t, dir)[node], "-N", "n", "-Y", filter, "-T", "fields", "-E", "occurrence=f", "-e", field)
}

// repeat returns a value n times.
func repeat(value string, n int) []string { return slices.Repeat([]string{value}, n) }

// The chat is on the wire what its description says.
func TestChatPackets(t *testing.T) {
	text := exampleText(t, "websocket-vs-polling")
	const message, closing = "websocket.opcode == 1", "websocket.opcode == 8" // RFC 6455, section 5.2

	dir := playVariant(t, text, "websocket")
	require.Equal(t, repeat("websocket", 100), column(t, dir, "server", "http.response.code == 101", "http.upgrade"))
	require.Equal(t, repeat("1", 5), column(t, dir, "server", message+" && tcp.dstport == 80", "websocket.mask"), "clients mask what they send")
	require.Equal(t, repeat("0", 500), column(t, dir, "server", message+" && tcp.srcport == 80", "websocket.mask"))
	require.Equal(t, repeat("1000", 200), column(t, dir, "server", closing, "websocket.payload.close.status_code"))

	// The sizes of frames of a message that the description adds up: 246 and 66, and 401, 66, 148 and 66.
	require.Contains(t, column(t, dir, "server", message+" && tcp.srcport == 80", "frame.len"), "246")
	dir = playVariant(t, text, "long-polling")
	require.Empty(t, column(t, dir, "server", "websocket", "frame.number"))
	require.Equal(t, append(repeat("400", 100), repeat("401", 400)...), column(t, dir, "server", "http.response.code == 200", "frame.len"))
	require.Equal(t, repeat("148", 500), column(t, dir, "server", `http.request.method == "GET"`, "frame.len"))
}

// The questions that client1 asks are those that the description of dns names, and the answers rotate.
func TestDNSPackets(t *testing.T) {
	dir := playVariant(t, exampleText(t, "dns"), "")
	question := func(name, kind string) string {
		return fmt.Sprintf(`dns.flags.response == 0 && dns.qry.name == "%s.lab" && dns.qry.type == %s`, name, kind)
	}
	for _, kind := range []string{"1", "28"} { // A, AAAA
		// Seven go unanswered, two for each lookup that fails. From 38 s on all is as before.
		require.Equal(t, seconds(0, 6, 12, 18, 24, 26, 28, 30, 32, 34, 36, 38, 44), column(t, dir, "client1", question("www", kind), "frame.time_relative"))
		require.Equal(t, seconds(0), column(t, dir, "client1", question("shop", kind), "frame.time_relative"))
		require.Equal(t, seconds(0), column(t, dir, "client1", question("wwww", kind), "frame.time_relative"))
	}

	// Who is named first, in the answers that reach anybody until the cable is cut.
	answers := column(t, dir, "ns", `dns.flags.response == 1 && dns.qry.name == "www.lab" && dns.qry.type == 1 && frame.time_relative < 22`, "dns.a")
	require.Len(t, answers, 5)
	require.Equal(t, answers[:2], answers[3:], "the fourth as the first, the fifth as the second")
	require.Len(t, slices.Compact(slices.Sorted(slices.Values(answers))), 3)
}

// seconds returns times as tshark prints them.
func seconds(list ...int) []string {
	var out []string
	for _, s := range list {
		out = append(out, fmt.Sprintf("%d.000000000", s))
	}
	return out
}

// Every other page comes from the other server, whether it says what was asked for or not.
func TestPaginationPackets(t *testing.T) {
	text := exampleText(t, "pagination")
	pages := func(n int) (list []string) {
		for i := range n {
			list = append(list, []string{"web1", "web2"}[i%2])
		}
		return list
	}
	for _, variant := range []string{"stateless", "stateful"} {
		dir := playVariant(t, text, variant)
		require.Equal(t, pages(20), column(t, dir, "client1", "http.request", "ip.dst_host"), variant)

		for i, uri := range column(t, dir, "client1", "http.request", "http.request.uri") {
			if variant == "stateless" {
				require.Equal(t, fmt.Sprintf("/v1/items?limit=10&offset=%d", i%10*10), uri)
			}
		}
		for i, uri := range column(t, dir, "client2", "http.request", "http.request.uri") {
			require.Equal(t, i > 0, strings.Contains(uri, "&page_token="), "%s: %s", variant, uri)
		}
		require.Len(t, column(t, dir, "client3", "tcp.flags.syn == 1 && tcp.flags.ack == 0", "frame.number"), 1)
	}
}

// The bounds that capacity expects come from theory, so they hold for other arrivals and other work too.
func TestCapacityOfOtherSeeds(t *testing.T) {
	if testing.Short() {
		t.Skip("many requests")
	}
	text := exampleText(t, "capacity")
	for _, seed := range []string{"2", "3"} {
		other := strings.Replace(text, `"seed": 1`, `"seed": `+seed, 1)
		require.NotEqual(t, text, other)
		for _, variant := range []string{"one-core", "two-cores"} {
			for _, outcome := range readResults(t, playVariant(t, other, variant)).Expect {
				require.True(t, outcome.Holds, "seed %s, %s: %s: %v", seed, variant, outcome.Text, outcome.Values)
			}
		}
	}
}
