package failures_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/http"
	"netlab/services/failures"
)

func TestOf(t *testing.T) {
	op := func(op string, err error) error { return &net.OpError{Op: op, Net: "tcp", Err: err} }
	for _, c := range []struct {
		err  error
		want failures.Kind
	}{
		{nil, failures.Status},
		{op("dial", &net.DNSError{Err: "no such host", Name: "x", IsNotFound: true}), failures.Name},
		{op("dial", &net.DNSError{Err: "timeout", Name: "x", IsTimeout: true}), failures.DNSTimeout},
		{op("dial", syscall.ECONNREFUSED), failures.Refused},
		{op("dial", syscall.EHOSTUNREACH), failures.Unreachable},
		{op("dial", syscall.ENETUNREACH), failures.Unreachable},
		{op("dial", syscall.ETIMEDOUT), failures.Timeout},
		{op("read", syscall.ECONNRESET), failures.Reset},
		{op("write", syscall.EPIPE), failures.Reset},
		{op("read", os.ErrDeadlineExceeded), failures.Timeout},
		{context.DeadlineExceeded, failures.Timeout},
		{fmt.Errorf("reading: %w", io.ErrUnexpectedEOF), failures.Closed},
		{errors.New("http2: client connection lost"), failures.Closed},
		{io.EOF, failures.Closed},
		{failures.ErrDigest, failures.Digest},
		{fmt.Errorf("after 10: %w", failures.ErrRedirects), failures.Redirects},
		{&tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: new(x509.Certificate), Host: "b"}}, failures.TLS},
		{x509.UnknownAuthorityError{}, failures.TLS},
		{x509.CertificateInvalidError{Reason: x509.Expired}, failures.TLS},
		{tls.AlertError(40), failures.TLS},
		{tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, failures.TLS},
		{op("remote error", tls.AlertError(116)), failures.TLS},
		{errors.New("tls: server selected unsupported protocol version 301"), failures.TLS},
		{http.ErrNotHTTP2, failures.TLS},
		{errors.New("something else"), failures.Other},
	} {
		require.Equal(t, c.want, failures.Of(c.err), "%v", c.err)
	}
}

func TestCounts(t *testing.T) {
	var c, o failures.Counts
	for i, k := range failures.Kinds {
		for range i + 1 {
			c.CountKind(k)
		}
		o.CountKind(k)
	}
	o.Count(io.EOF)
	c.Add(o)
	require.EqualValues(t, 13*14/2+14, c.Total())
	require.EqualValues(t, 8+2, c.Of(failures.Closed))
	require.Panics(t, func() { c.CountKind("x") })

	// The names in results are the kinds.
	text, err := json.Marshal(c)
	require.NoError(t, err)
	var names map[failures.Kind]uint64
	require.NoError(t, json.Unmarshal(text, &names))
	require.Len(t, names, len(failures.Kinds))
	for _, k := range failures.Kinds {
		require.Equal(t, c.Of(k), names[k])
	}
}
