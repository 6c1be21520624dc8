package netlab_test

import (
	"bytes"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// The site sees the proxy and nothing of the client, and of a tunnel the proxy sees the host alone.
func TestForwardProxyPackets(t *testing.T) {
	dir := playVariant(t, exampleText(t, "forward-proxy"), "")
	sources := slices.Compact(slices.Sorted(slices.Values(column(t, dir, "news", "ip && tcp.dstport == 80", "ip.src_host"))))
	require.Equal(t, []string{"proxy"}, sources)
	require.Equal(t, []string{"/page", "/other"}, column(t, dir, "news", "http.request", "http.request.uri"))
	require.Equal(t, []string{"/page"}, column(t, dir, "news", `http.request.line contains "Via: 1.1 proxy"`, "http.request.uri"), "SOCKS changes nothing")
	require.Empty(t, column(t, dir, "news", "http.x_forwarded_for", "frame.number"))
	require.Empty(t, column(t, dir, "news", `http contains "orwarded"`, "frame.number"))
	require.Equal(t, []string{"http://news/page", "http://gossip/", "shop:443", "casino:443", "shop:25"},
		column(t, dir, "client", "tcp.dstport == 3128 && http.request && !tls", "http.request.uri"))
	require.Len(t, column(t, dir, "client2", "http.request", "frame.number"), 1)

	const secret = "swordfish"
	files := capturesOf(t, dir)
	for node, knows := range map[string]bool{"client": true, "proxy": false} {
		data, err := os.ReadFile(files[node])
		require.NoError(t, err)
		require.NotContains(t, string(data), secret, "%s: nobody has it in clear on the wire", node)
		require.Equal(t, knows, bytes.Contains(data, []byte("CLIENT_TRAFFIC_SECRET_0")), "%s: secrets", node)
		uris := column(t, dir, node, `http.request.uri contains "`+secret+`"`, "http.request.uri")
		require.Equal(t, knows, len(uris) > 0, "%s: %v", node, uris)
	}
}

// Clients talk to the proxy alone, over TLS; the servers behind it hear of the client from the proxy, without TLS.
func TestReverseProxyPackets(t *testing.T) {
	dir := playVariant(t, exampleText(t, "reverse-proxy"), "")
	peers := slices.Compact(slices.Sorted(slices.Values(column(t, dir, "client", "tcp.flags.syn == 1 && tcp.flags.ack == 1", "ip.src_host"))))
	require.Equal(t, []string{"www"}, peers)
	peers = slices.Compact(slices.Sorted(slices.Values(column(t, dir, "web1", "tcp.dstport == 80", "ip.src_host"))))
	require.Equal(t, []string{"www"}, peers)
	require.NotEmpty(t, column(t, dir, "client", "http2", "frame.number"))
	require.Empty(t, column(t, dir, "web1", "tls || http2", "frame.number"))
	require.Len(t, column(t, dir, "web1", `http.request.uri == "/picture"`, "frame.number"), 1)
	require.Len(t, column(t, dir, "web1", `http.request.uri == "/picture" && http.request.line contains "X-Forwarded-Proto: https"`, "frame.number"), 1)
	require.Empty(t, column(t, dir, "web1", `http.request.uri == "/upload"`, "frame.number"))
}
