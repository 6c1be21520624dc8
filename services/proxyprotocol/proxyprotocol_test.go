package proxyprotocol

import (
	"bufio"
	"bytes"
	"io"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The examples are those of the specification, sections 2.1 and 2.2.
func TestEncode(t *testing.T) {
	for _, c := range []struct{ version, from, to, want string }{
		{"", "192.0.2.1:1", "192.0.2.2:2", ""},
		{V1, "255.255.255.255:65535", "255.255.255.255:65535", "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"},
		{V1, "[2001:db8::1]:1", "[2001:db8::2]:443", "PROXY TCP6 2001:db8::1 2001:db8::2 1 443\r\n"},
		{V1, "[::ffff:192.0.2.1]:1", "192.0.2.2:2", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"},
		{V2, "192.0.2.1:258", "192.0.2.2:80", "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\x01\x02\x00\x50"},
	} {
		b, err := Encode(c.version, netip.MustParseAddrPort(c.from), netip.MustParseAddrPort(c.to))
		require.NoError(t, err)
		require.Equal(t, c.want, string(b))
	}
	_, err := Encode(V1, netip.MustParseAddrPort("192.0.2.1:1"), netip.MustParseAddrPort("[2001:db8::2]:443"))
	require.Error(t, err)
	_, err = Encode("v3", netip.AddrPort{}, netip.AddrPort{})
	require.EqualError(t, err, `"v3" is not one of v1, v2`)
}

func TestReadTakesNoMore(t *testing.T) {
	for _, version := range []string{V1, V2} {
		for _, pair := range [][2]string{{"192.0.2.1:7", "192.0.2.2:80"}, {"[2001:db8::1]:7", "[2001:db8::2]:80"}} {
			from, to := netip.MustParseAddrPort(pair[0]), netip.MustParseAddrPort(pair[1])
			b, err := Encode(version, from, to)
			require.NoError(t, err)
			r := bufio.NewReader(io.MultiReader(bytes.NewReader(b), strings.NewReader("GET /")))
			source, destination, err := Read(r)
			require.NoError(t, err)
			require.Equal(t, from, source)
			require.Equal(t, to, destination)
			rest, err := io.ReadAll(r)
			require.NoError(t, err)
			require.Equal(t, "GET /", string(rest))
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for in, want := range map[string]error{
		"":                                                       io.EOF,
		"PROXY TCP4 1.2.3.4":                                     io.ErrUnexpectedEOF,
		"GET / HTTP/1.1\r\n":                                     ErrHeader,
		"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n":                       ErrHeader,
		"PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n":                 ErrHeader,
		"PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n":                    ErrHeader,
		"PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n":                     ErrHeader,
		"PROXY TCP4 1.2.3.4  5.6.7.8 1 2\r\n":                    ErrHeader,
		"PROXY " + strings.Repeat("x", 200) + "\r\n":             ErrHeader,
		"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x04\x00\x00\x00\x00": ErrHeader,
		"\r\n\r\n\x00\r\nQUIT\n\x31\x11\x00\x00":                 ErrHeader,
		"\r\n\r\n\x00\r\nQUIT\n\x21\x11\xff\xff":                 ErrHeader,
	} {
		_, _, err := Read(bufio.NewReader(strings.NewReader(in)))
		require.ErrorIs(t, err, want, "%q", in)
	}
	for _, in := range []string{"PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff:: x y\r\n", "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"} {
		source, _, err := Read(bufio.NewReader(strings.NewReader(in)))
		require.NoError(t, err)
		require.False(t, source.IsValid())
	}
}

// What is read as a header of version 1 or 2 is written in the same way again, but for additional fields.
func FuzzRead(f *testing.F) {
	f.Add([]byte("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"))
	f.Add([]byte("PROXY UNKNOWN\r\n"))
	f.Add([]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\x01\x02\x00\x50"))
	f.Fuzz(func(t *testing.T, b []byte) {
		source, destination, err := Read(bufio.NewReader(bytes.NewReader(b)))
		if err != nil || !source.IsValid() || source.Addr().Is4In6() || destination.Addr().Is4In6() {
			return
		}
		for _, version := range []string{V1, V2} {
			again, err := Encode(version, source, destination)
			require.NoError(t, err)
			from, to, err := Read(bufio.NewReader(bytes.NewReader(again)))
			require.NoError(t, err)
			require.Equal(t, source, from)
			require.Equal(t, destination, to)
		}
	})
}
