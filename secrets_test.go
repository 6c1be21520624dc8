package netlab_test

import (
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	stdtls "crypto/tls"

	"github.com/stretchr/testify/require"

	"netlab"
)

const tlsLab = `{
	"name": "secrets",
	"nodes": { "client": {}, "r1": { "kind": "router" }, "web": {} },
	"links": [{ "between": "client - r1", "latency": "10ms" }, "r1 - web"],
	"captures": CAPTURES
}`

// fetchOverTLS serves an object over TLS on web and has client fetch it.
func fetchOverTLS(version uint16, protocol string, object []byte) func(*netlab.Run) error {
	return func(run *netlab.Run) error {
		server, err := run.Host("web").ServerTLS(protocol)
		if err != nil {
			return err
		}
		client, err := run.Host("client").ClientTLS()
		if err != nil {
			return err
		}
		client.MaxVersion = version
		listener, err := run.Host("web").Listen("tcp", ":443")
		if err != nil {
			return err
		}
		s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(object) })}
		defer s.Close()
		run.Go(func() error {
			if err := s.Serve(stdtls.NewListener(listener, server)); err != http.ErrServerClosed {
				return err
			}
			return nil
		})
		transport := &http.Transport{DialContext: run.Host("client").DialContext, TLSClientConfig: client, ForceAttemptHTTP2: protocol == "h2",
			DisableCompression: true}
		defer transport.CloseIdleConnections()
		response, err := (&http.Client{Transport: transport}).Get("https://web/object")
		if err != nil {
			return err
		}
		defer response.Body.Close()
		_, err = io.Copy(io.Discard, response.Body)
		return err
	}
}

// Captures hold the secrets that decrypt them, in front of the records that need them, at both ends and on the way.
func TestCapturesAreDecrypted(t *testing.T) {
	object := []byte(strings.Repeat("a page of text. ", 10_000))
	for name, test := range map[string]struct {
		version  uint16
		protocol string
		filter   string
	}{
		"TLS 1.3, HTTP/2":   {stdtls.VersionTLS13, "h2", "http2.data.data"},
		"TLS 1.2, HTTP/2":   {stdtls.VersionTLS12, "h2", "http2.data.data"},
		"TLS 1.3, HTTP/1.1": {stdtls.VersionTLS13, "http/1.1", "http.response"},
		"TLS 1.2, HTTP/1.1": {stdtls.VersionTLS12, "http/1.1", "http.response"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := requireSame(t, 2, strings.Replace(tlsLab, "CAPTURES", "{}", 1), fetchOverTLS(test.version, test.protocol, object))
			for _, node := range []string{"client", "r1", "web"} {
				file := filepath.Join(dir, "captures", node+".pcapng")
				require.Empty(t, tshark(t, file, append(checksums, "-Y", faulty)...), node)
				if test.protocol == "h2" {
					sum := 0
					for _, row := range tshark(t, file, "-o", "tcp.reassemble_out_of_order:TRUE", "-Y", "http2.type == 0", "-T", "fields", "-e", "http2.length", "-e", "http2.type") {
						lengths, types, _ := strings.Cut(row, "\t")
						kinds := strings.Split(types, ",")
						for i, l := range strings.Split(lengths, ",") {
							n, err := strconv.Atoi(l)
							require.NoError(t, err)
							if kinds[i] == "0" {
								sum += n
							}
						}
					}
					require.Equal(t, len(object), sum, node)
				} else {
					require.Len(t, tshark(t, file, "-Y", "http.response.code == 200"), 1, node)
				}
				for _, info := range tshark(t, file, "-T", "fields", "-e", "_ws.col.Info") {
					require.NotContains(t, info, "Encrypted Handshake Message", node)
					require.NotContains(t, info, "Application Data", node)
				}
			}
		})
	}
}
