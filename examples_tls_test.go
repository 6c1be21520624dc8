package netlab_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fields runs tshark on a capture and returns the columns of each packet that matches the filter.
func fields(t testing.TB, file, filter string, names ...string) [][]string {
	t.Helper()
	args := []string{"-o", "tcp.reassemble_out_of_order:TRUE", "-Y", filter, "-T", "fields", "-E", "separator=|"}
	for _, n := range names {
		args = append(args, "-e", n)
	}
	var rows [][]string
	for _, line := range tshark(t, file, args...) {
		rows = append(rows, strings.Split(line, "|"))
	}
	return rows
}

// dataFrame is a DATA frame of HTTP/2, as tshark prints it.
type dataFrame struct{ at, stream, length string }

// dataFrames returns the DATA frames in a capture. A packet may hold several frames.
func dataFrames(t testing.TB, file string) []dataFrame {
	t.Helper()
	var list []dataFrame
	for _, row := range fields(t, file, "http2.type == 0", "frame.time_relative", "http2.type", "http2.streamid", "http2.length") {
		streams, lengths := strings.Split(row[2], ","), strings.Split(row[3], ",")
		for i, kind := range strings.Split(row[1], ",") {
			if kind == "0" {
				list = append(list, dataFrame{row[0], streams[i], lengths[i]})
			}
		}
	}
	return list
}

// The packets that the description of https speaks of are what it says, and the capture decrypts by itself.
func TestHTTPSPackets(t *testing.T) {
	file := capturesOf(t, record(t, exampleText(t, "https"), nil))["client"]
	require.Equal(t, [][]string{{"4", "server", "h2,http/1.1", "0x0304,0x0303"}}, fields(t, file, "tls.handshake.type == 1", "frame.number",
		"tls.handshake.extensions_server_name", "tls.handshake.extensions_alpn_str", "tls.handshake.extensions.supported_version"))

	// Server Hello, Encrypted Extensions, Certificate, Certificate Verify, Finished, New Session Ticket (RFC 8446, section 4).
	require.Equal(t, [][]string{{"6", "2,8,11,15,20,4", "h2", "server"}}, fields(t, file, "tls.handshake.type == 2", "frame.number",
		"tls.handshake.type", "tls.handshake.extensions_alpn_str", "x509ce.dNSName"))
	require.Equal(t, [][]string{{"8", "20"}}, fields(t, file, "tls.handshake.type == 20 && tcp.dstport == 443", "frame.number", "tls.handshake.type"))
	require.Equal(t, [][]string{{"9", "0,0,1"}}, fields(t, file, "http2.magic", "frame.number", "http2.streamid"), "settings and a request")
	require.Equal(t, [][]string{{"0,0,1", "GET", "/page"}, {"3", "GET", "/page"}}, fields(t, file, "http2.headers.method",
		"http2.streamid", "http2.headers.method", "http2.headers.path"), "settings and a request, another request")
	var pages []string
	for _, d := range dataFrames(t, file) {
		pages = append(pages, d.stream+": "+d.length)
	}
	require.Equal(t, []string{"1: 1000", "3: 1000"}, pages)
	require.Len(t, fields(t, file, "http.response.code == 200", "frame.number"), 2, "and over HTTP")
}

// What tls12-vs-tls13 says of sizes, and of who sees the certificate, holds.
func TestTLSVersionsPackets(t *testing.T) {
	text := exampleText(t, "tls12-vs-tls13")
	files := capturesOf(t, record(t, text, nil))
	for _, node := range []string{"old", "modern"} {
		require.Len(t, dataFrames(t, files[node]), 4, "pages in clear, those of resumed sessions too")
	}
	require.Equal(t, [][]string{{"860"}, {"378"}}, fields(t, files["modern"], "tls.handshake.type == 2", "tcp.len")[:2], "full, resumed")
	require.Equal(t, [][]string{{"6"}}, fields(t, files["old"], "tls.handshake.type == 11", "frame.number")[:1])

	// Without the secrets one sees what everybody on the way does.
	blind := strings.Replace(text, `"expect": [`, `"captures": { "secrets": [] }, "expect": [`, 1)
	files = capturesOf(t, record(t, blind, nil))
	require.Empty(t, fields(t, files["modern"], "tls.handshake.type == 11", "frame.number"), "TLS 1.3 hides certificates")
	names := fields(t, files["old"], "tls.handshake.type == 11", "x509ce.dNSName")
	require.Equal(t, [][]string{{"server"}, {"server"}, {"server"}}, names, "TLS 1.2 shows that of each full handshake")
}

// The alerts are those that the description of certificates names.
func TestCertificatesAlerts(t *testing.T) {
	file := capturesOf(t, record(t, exampleText(t, "certificates"), nil))["client"]
	const badCertificate, certificateRequired = "42", "116" // RFC 8446, section 6
	require.Equal(t, [][]string{{"8001", badCertificate}, {"8002", badCertificate}, {"8003", badCertificate}},
		fields(t, file, "tls.alert_message.level == 2 && frame.packet_flags_direction == 2", "tcp.dstport", "tls.alert_message.desc"), "the client's")
	require.Equal(t, [][]string{{"8004", certificateRequired}},
		fields(t, file, "tls.alert_message.level == 2 && frame.packet_flags_direction == 1", "tcp.srcport", "tls.alert_message.desc"), "the server's")
}

// The man in the middle reads what is sent over HTTP, and of HTTPS nothing but the server's name.
func TestManInTheMiddle(t *testing.T) {
	const plain, secret = "hunter2", "swordfish"
	files := capturesOf(t, record(t, exampleText(t, "man-in-the-middle"), nil))
	for _, node := range []string{"r1", "client", "server"} {
		data, err := os.ReadFile(files[node])
		require.NoError(t, err)
		require.Contains(t, string(data), plain, "%s: HTTP", node)
		require.NotContains(t, string(data), secret, "%s: no capture holds what is encrypted", node)
		require.Equal(t, node == "client", bytes.Contains(data, []byte("CLIENT_TRAFFIC_SECRET_0")), "%s: secrets", node)
	}

	uris := func(node string) []string {
		var list []string
		for _, row := range fields(t, files[node], "http.request", "tcp.dstport", "http.request.uri") {
			list = append(list, row[0]+" "+row[1])
		}
		return slices.Compact(list) // the router has every packet twice
	}
	const first, second = "80 /login?user=ada&password=" + plain, "443 /login?user=ada&password=" + secret
	require.Equal(t, []string{first}, uris("r1"))
	require.Equal(t, []string{first}, uris("server"), "it isn't among those that get secrets")
	require.Equal(t, []string{first, second}, uris("client"))

	// Of TLS the attacker sees two Hellos; all records behind them are of the type Application Data.
	for _, row := range fields(t, files["r1"], "tls", "tls.record.content_type", "tls.handshake.type", "tls.handshake.extensions_server_name") {
		switch row[1] {
		case "1":
			require.Equal(t, "server", row[2], "the name is in clear")
		case "2":
		default:
			require.Empty(t, row[1])
			require.Empty(t, strings.Trim(row[0], "20,3"), "Change Cipher Spec (20), Application Data (23): %s", row[0])
		}
	}
}

// A lost packet delays one connection out of six, but everything behind it on HTTP/2's only one.
func TestHeadOfLineBlocking(t *testing.T) {
	files := capturesOf(t, record(t, exampleText(t, "http1-vs-http2"), nil))
	// arrivals counts the complete objects by the tenth of a second at which they came.
	arrivals := func(node string) string {
		count := map[int]int{}
		add := func(at string) {
			seconds, err := strconv.ParseFloat(at, 64)
			require.NoError(t, err)
			count[int(seconds*10+0.01)]++
		}
		if strings.Contains(node, "streams") {
			for _, d := range dataFrames(t, files[node]) {
				add(d.at)
			}
		} else {
			for _, row := range fields(t, files[node], "http.response.code == 200", "frame.time_relative") {
				add(row[0])
			}
		}
		var b strings.Builder
		for tenth := range 40 {
			if n := count[tenth]; n > 0 {
				fmt.Fprintf(&b, "%d.%d s: %d  ", tenth/10, tenth%10, n)
			}
		}
		return strings.TrimSpace(b.String())
	}
	require.Equal(t, "0.3 s: 6  0.4 s: 6  0.5 s: 6  0.6 s: 6  0.7 s: 6", arrivals("client-six"))
	require.Equal(t, "0.3 s: 6  0.4 s: 6  0.5 s: 5  0.6 s: 5  0.7 s: 5  0.8 s: 2  0.9 s: 1", arrivals("client-six-loss"))
	require.Equal(t, "0.3 s: 30", arrivals("client-streams"))
	require.Equal(t, "0.4 s: 30", arrivals("client-streams-loss"))
}
