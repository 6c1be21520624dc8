package http

import (
	"bufio"
	"bytes"
	"io"
	"net"
	nethttp "net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// fed is a connection on which bytes come.
type fed struct {
	net.Conn
	from io.Reader
}

func (f fed) Read(p []byte) (int, error) { return f.from.Read(p) }

// passed returns what a strict connection makes of bytes.
func passed(t testing.TB, from io.Reader) string {
	text, err := io.ReadAll(&strictConn{Conn: fed{from: from}})
	require.NoError(t, err)
	return string(text)
}

const poison = "\x00\r\n\r\n"

func TestStrict(t *testing.T) {
	const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	long := "X-Long: " + strings.Repeat("a", 3*maxLine) + "\r\n"
	for in, want := range map[string]string{
		get + get:    get + get,
		"\r\n" + get: "\r\n" + get,
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\n\r":                                                            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\n\r",
		"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n\x00\r\n" + get:                                          "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n\x00\r\n" + get,
		"POST / HTTP/1.1\r\ntransfer-encoding:  Chunked \r\n\r\nA;x\r\n0123456789\r\n0\r\nT: x\r\n\r\n" + get: "POST / HTTP/1.1\r\ntransfer-encoding:  Chunked \r\n\r\nA;x\r\n0123456789\r\n0\r\nT: x\r\n\r\n" + get,
		"GET / HTTP/1.1\r\n" + long + "\r\n" + get:                                                            "GET / HTTP/1.1\r\n" + long + "\r\n" + get,
		"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n" + get:                                                          "GET / HTTP/1.1\r\nA: b\r\n" + poison,
		get + "GET / HTTP/1.1\nHost: a\n\n":                                                                   get + poison,
		"GET / HTTP/1.1\r\n " + long + "\r\n":                                                                 "GET / HTTP/1.1\r\n" + poison,
		"GET / HTTP/1.1\r\nContent-Length:" + strings.Repeat(" ", 3*maxLine) + "1\r\n\r\n":                    "GET / HTTP/1.1\r\n" + poison,
		"GET / HTTP/1.1\r\nHos":                                                                               "GET / HTTP/1.1\r\n",
	} {
		require.Equal(t, want, passed(t, strings.NewReader(in)), "%.60q", in)
		require.Equal(t, want, passed(t, iotest.OneByteReader(strings.NewReader(in))), "%.60q", in)
	}
}

// FuzzStrict checks that the result does not depend on how the bytes arrive, that it is a beginning of them, and that of what passes
// net/http reads the same requests when it is told of each alone: it ends each body where the check does.
func FuzzStrict(f *testing.F) {
	f.Add([]byte("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"))
	f.Add([]byte("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: a\r\n\r\n"))
	f.Add([]byte("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		all := passed(t, bytes.NewReader(data))
		require.Equal(t, all, passed(t, iotest.OneByteReader(bytes.NewReader(data))))
		good, _ := strings.CutSuffix(all, poison)
		require.True(t, strings.HasPrefix(string(data), good))
		in := bufio.NewReader(strings.NewReader(all))
		for {
			r, err := nethttp.ReadRequest(in)
			if err != nil {
				return
			}
			if strings.HasPrefix(r.Proto, "HTTP/1.1") {
				require.LessOrEqual(t, len(r.TransferEncoding), 1)
				require.False(t, len(r.TransferEncoding) == 1 && r.ContentLength >= 0)
			}
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return
			}
		}
	})
}
