package netlab_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/captures/analysis"
	"netlab/examples"
)

// tlsTypes are the numbers of handshake messages.
var tlsTypes = map[string]string{
	"ClientHello": "1", "ServerHello": "2", "HelloRetryRequest": "2", "NewSessionTicket": "4", "EncryptedExtensions": "8", "Certificate": "11",
	"ServerKeyExchange": "12", "CertificateRequest": "13", "ServerHelloDone": "14", "CertificateVerify": "15", "ClientKeyExchange": "16",
	"Finished": "20", "KeyUpdate": "24",
}

var http2Types = []string{"DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS", "PUSH_PROMISE", "PING", "GOAWAY", "WINDOW_UPDATE", "CONTINUATION"}

var opcodes = map[string]string{"continuation": "0", "text": "1", "binary": "2", "close": "8", "ping": "9", "pong": "10"}

// applicationDifferences are where Wireshark counts otherwise what applications say, by capture and what is counted, and why.
var applicationDifferences = map[string]difference{}

// analysedApplications is what the analysis counts of what applications say, by the fields and values of Wireshark.
func analysedApplications(t testing.TB, a *analysis.Analysis) map[string]int {
	t.Helper()
	counts := map[string]int{
		"dns.flags.response 0": a.DNS.Queries, "dns.flags.response 1": a.DNS.Responses,
		"http.request 1": a.HTTP.Requests, "http.response 1": a.HTTP.Responses, "tls streams": a.TLS.Sessions,
		"http2.headers.method": a.HTTP.Requests2, "http2.headers.status": a.HTTP.Responses2,
	}
	for name, n := range a.TLS.Messages {
		require.Contains(t, tlsTypes, name)
		counts["tls.handshake.type "+tlsTypes[name]] += n
	}
	for name, n := range a.HTTP.Frames2 {
		require.Contains(t, http2Types, name)
		counts["http2.type "+strconv.Itoa(slices.Index(http2Types, name))] += n
	}
	for _, side := range []map[string]int{a.WebSocket.FromClient, a.WebSocket.FromServer} {
		for name, n := range side {
			counts["websocket.opcode "+opcodes[name]] += n
		}
	}
	return withoutZeros(counts)
}

// tsharkApplications counts the same with tshark: occurrences, of which a frame may have several.
func tsharkApplications(t testing.TB, file string) map[string]int {
	t.Helper()
	fields := []string{"tcp.stream", "dns.flags.response", "http.request", "http.response", "tls.handshake.type", "http2.type",
		"http2.headers.method", "http2.headers.status", "websocket.opcode"}
	args := []string{"-o", "tcp.reassemble_out_of_order:TRUE", "-T", "fields", "-E", "separator=|", "-E", "aggregator=,",
		"-Y", "(dns || http || tls || http2 || websocket) && !icmp && !icmpv6"}
	for _, field := range fields {
		args = append(args, "-e", field)
	}
	counts := map[string]int{}
	sessions := map[string]bool{}
	for _, row := range tshark(t, file, args...) {
		columns := strings.Split(row, "|")
		require.Len(t, columns, len(fields))
		for i, column := range columns[1:] {
			for _, value := range strings.Split(column, ",") {
				field := fields[i+1]
				switch {
				case value == "":
					continue
				case field == "tls.handshake.type" && (value == "1" || value == "2"):
					sessions[columns[0]] = true
				case strings.HasPrefix(field, "http2.headers"):
					counts[field]++
					continue
				}
				counts[field+" "+value]++
			}
		}
	}
	counts["tls streams"] = len(sessions)
	return withoutZeros(counts)
}

func withoutZeros(counts map[string]int) map[string]int {
	maps.DeleteFunc(counts, func(_ string, n int) bool { return n == 0 })
	return counts
}

// What applications say in the examples is counted as tshark counts it. With -v the tables are printed.
func TestApplicationsAgreeWithTshark(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector has nothing to find here")
	}
	unused := maps.Clone(applicationDifferences)
	for _, e := range examples.List() {
		for _, lab := range parseAll(t, exampleText(t, e.Name)) {
			name := strings.Trim(e.Name+"/"+lab.Variant(), "/")
			t.Run(name, func(t *testing.T) {
				dir := t.TempDir()
				play(t, lab, &netlab.RunOptions{Dir: dir}, nil)
				files := capturesOf(t, dir)
				for _, node := range slices.Sorted(maps.Keys(files)) {
					compareApplications(t, name+"/"+node, files[node], unused)
				}
			})
		}
	}
	if !t.Failed() {
		require.Empty(t, unused, "differences that are none")
	}
}

// compareApplications compares a capture, whose name is given, with what tshark finds in it, and takes the differences that there are
// out of unused.
func compareApplications(t *testing.T, name, file string, unused map[string]difference) {
	t.Helper()
	a, err := analysis.ReadFile(file, analysis.Options{Applications: true})
	require.NoError(t, err)
	ours, theirs := analysedApplications(t, a), tsharkApplications(t, file)
	all := maps.Clone(ours)
	maps.Copy(all, theirs)
	var table strings.Builder
	fmt.Fprintf(&table, "%-50s %8s %8s\n", name, "netlab", "tshark")
	for _, what := range slices.Sorted(maps.Keys(all)) {
		key := name + ": " + what
		d, known := applicationDifferences[key]
		delete(unused, key)
		fmt.Fprintf(&table, "  %-48s %8d %8d  %s\n", what, ours[what], theirs[what], d.why)
		switch {
		case known:
			require.Equal(t, [2]int{d.ours, d.theirs}, [2]int{ours[what], theirs[what]}, key)
		case ours[what] != theirs[what]:
			t.Errorf("%s: netlab %d, tshark %d", key, ours[what], theirs[what])
		}
	}
	t.Log(table.String())
}
