package socks

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever a client sends, reading it ends, and an address that was read is written so that it reads the same.
func FuzzRequest(f *testing.F) {
	for _, s := range []string{"\x05\x01\x00\x01\x0a\x00\x01\x01\x00\x07", "\x05\x03\x00\x03\x01a\x00\x35", "\x05\x01\x00\x04" + string(make([]byte, 18)),
		"\x05\x01\x00\x03\x0710.0.1.1\x00\x07", "\x05\x01\x00\x03\x00\x00\x07", "\x04\x01", "\x05\xff\x00\x03\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		readGreeting(bytes.NewReader(b))
		readLogin(bytes.NewReader(b))
		_, a, err := readRequest(bytes.NewReader(b))
		if err != nil {
			return
		}
		again, err := readAddress(bytes.NewReader(a.append(nil)[1:]), a.append(nil)[0])
		require.NoError(t, err)
		require.Equal(t, a, again)
		require.NotContains(t, a.host(), "\n")
	})
}

func FuzzDatagram(f *testing.F) {
	for _, s := range []string{"\x00\x00\x00\x01\x0a\x00\x01\x01\x00\x35hi", "\x00\x00\x00\x03\x01a\x00\x35", "\x00\x00\x01\x01", "\x00\x00\x00\x03\xffx", ""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		to, content, err := parseDatagram(b)
		if err != nil || to.Name != "" {
			return
		}
		again, same, err := parseDatagram(appendDatagram(nil, netip.AddrPortFrom(to.Addr, to.Port), content))
		require.NoError(t, err)
		require.Equal(t, to, again)
		require.True(t, bytes.Equal(content, same))
	})
}
