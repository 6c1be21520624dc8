package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	wire "github.com/miekg/dns"
)

// refusedError is the answer of servers that could not or would not say anything about a name.
type refusedError struct {
	server netip.AddrPort
	rcode  int
}

// Error implements error.
func (e *refusedError) Error() string { return "server misbehaving: " + rcodeName(e.rcode) }

// IsRefused says whether an error of a lookup is that servers answered, but could not or would not say anything about the name.
func IsRefused(err error) bool { return errors.As(err, new(*refusedError)) }

// silentError is that no server answered in time.
type silentError struct{ server netip.AddrPort }

// Error implements error.
func (e *silentError) Error() string { return "i/o timeout" }

// Unwrap makes it a timeout for errors.Is.
func (e *silentError) Unwrap() error { return os.ErrDeadlineExceeded }

// dnsError makes the error that package net has for lookups.
func dnsError(name string, server netip.AddrPort, err error) *net.DNSError {
	e := &net.DNSError{UnwrapErr: err, Err: err.Error(), Name: name}
	var refused *refusedError
	var silent *silentError
	switch {
	case errors.As(err, &refused):
		server = refused.server
		e.IsTemporary = refused.rcode == wire.RcodeServerFailure
	case errors.As(err, &silent):
		server = silent.server
		e.IsTimeout, e.IsTemporary = true, true
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		e.IsTimeout, e.IsTemporary = true, true
	case !errors.Is(err, context.Canceled):
		e.IsTemporary = true
	}
	if server.IsValid() {
		e.Server = server.String()
	}
	return e
}

// notFound is the error of a name that has no addresses, or does not exist at all.
func notFound(name string, answers []*Answer) *net.DNSError {
	e := &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	for _, a := range answers {
		if e.Server = a.Server.String(); a.Rcode == wire.RcodeSuccess {
			e.Err = fmt.Sprintf("no such host: %s has no address", a.Name)
		}
	}
	return e
}
