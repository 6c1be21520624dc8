package balancer

import (
	"bytes"
	"crypto/tls"
	"io"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// recorded is the first message of a client that asks for a name.
func recorded(name string) []byte {
	var hello bytes.Buffer
	peek := &recording{to: &hello}
	tls.Client(peek, &tls.Config{ServerName: name, InsecureSkipVerify: true}).Handshake()
	return hello.Bytes()
}

type recording struct {
	peeker
	to *bytes.Buffer
}

func (r *recording) Read([]byte) (int, error)    { return 0, io.EOF }
func (r *recording) Write(b []byte) (int, error) { return r.to.Write(b) }

func TestReadHello(t *testing.T) {
	for _, name := range []string{"www.shop.lab", ""} {
		hello := recorded(name)
		found, read, err := readHello(iotest.OneByteReader(bytes.NewReader(append(bytes.Clone(hello), "more"...))))
		require.NoError(t, err)
		require.Equal(t, name, found)
		require.Equal(t, hello, read)
		_, _, err = readHello(bytes.NewReader(hello[:len(hello)-1]))
		require.Error(t, err)
	}
}

// FuzzReadHello checks that what was read is a beginning of what there was.
func FuzzReadHello(f *testing.F) {
	f.Add(recorded("www.shop.lab"))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, read, _ := readHello(bytes.NewReader(data))
		require.True(t, bytes.HasPrefix(data, read))
	})
}
