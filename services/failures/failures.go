// Package failures says why requests of clients fail, in the same words for all workloads.
//
// [Of] finds the kind of an error that came from a socket, from a resolver, from crypto/tls or from net/http, and [Counts]
// counts them by kind.
package failures

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"netlab/http"
)

// Kind is the reason why a request failed. Its values are the names of the fields of [Counts] in results.
type Kind string

// The kinds of failures.
const (
	Name        Kind = "name"        // the server's name is unknown
	DNSTimeout  Kind = "dns_timeout" // no name server answered
	Refused     Kind = "refused"     // nobody listens there
	Unreachable Kind = "unreachable" // there is no way to the server
	Denied      Kind = "denied"      // a SOCKS proxy's rules forbid it, or it doesn't know the user
	Timeout     Kind = "timeout"     // it took too long
	Reset       Kind = "reset"       // the server reset the connection or the stream
	Closed      Kind = "closed"      // the response broke off, or none came
	TLS         Kind = "tls"         // the handshake failed, such as for a wrong certificate
	Digest      Kind = "digest"      // the content is not what was promised
	Redirects   Kind = "redirects"   // there were too many redirects
	Status      Kind = "status"      // the status was 400 or above
	Other       Kind = "other"
)

// Errors of clients that stand for a kind.
var (
	ErrDigest    = errors.New("the content is not what its Content-Digest says")
	ErrRedirects = errors.New("too many redirects")
	ErrDenied    = errors.New("the proxy denies it")
)

// streamError looks like net/http's error for a stream of HTTP/2 that was reset (RFC 9113, section 6.4), which errors.As then
// finds.
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

// Error implements error.
func (e streamError) Error() string { return "stream error" }

// Of returns the kind of an error. Nil stands for a response with a status of 400 or above.
func Of(err error) Kind {
	var lookup *net.DNSError
	var timeout net.Error
	switch {
	case err == nil:
		return Status
	case errors.Is(err, ErrDigest):
		return Digest
	case errors.Is(err, ErrRedirects):
		return Redirects
	case errors.Is(err, ErrDenied):
		return Denied
	case errors.As(err, &lookup):
		if lookup.IsTimeout {
			return DNSTimeout
		}
		return Name
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTDOWN):
		return Unreachable
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNABORTED),
		errors.As(err, new(streamError)):
		return Reset
	case errors.As(err, &timeout) && timeout.Timeout():
		return Timeout
	case ofTLS(err):
		return TLS
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), ofHTTP2(err):
		return Closed
	}
	return Other
}

// ofTLS says whether an error comes from a TLS handshake or record.
func ofTLS(err error) bool {
	var op *net.OpError
	switch {
	case errors.Is(err, http.ErrNotHTTP2),
		errors.As(err, new(*tls.CertificateVerificationError)), errors.As(err, new(tls.AlertError)),
		errors.As(err, new(tls.RecordHeaderError)), errors.As(err, new(x509.CertificateInvalidError)),
		errors.As(err, new(x509.HostnameError)), errors.As(err, new(x509.UnknownAuthorityError)):
		return true
	case errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error"):
		return true // an alert, as crypto/tls reports it on connections
	}
	return anyHasPrefix(err, "tls: ") // what crypto/tls has no type for
}

// ofHTTP2 says whether an error is one of net/http's about a connection of HTTP/2 that has ended, which have no type.
func ofHTTP2(err error) bool {
	return anyHasPrefix(err, "http2: server sent GOAWAY", "http2: Transport received Server's graceful shutdown GOAWAY",
		"http2: client conn ", "http2: client connection ")
}

// anyHasPrefix says whether the text of an error, or of one that it wraps, begins with one of some prefixes.
func anyHasPrefix(err error, prefixes ...string) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		for _, p := range prefixes {
			if strings.HasPrefix(err.Error(), p) {
				return true
			}
		}
	}
	return false
}
