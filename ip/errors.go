package ip

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
)

// Errno converts an error of the network stack into the error that an operating system would give, so that errors.Is finds
// syscall.ECONNREFUSED and the like.
func Errno(err tcpip.Error) error {
	switch err.(type) {
	case nil:
		return nil
	case *tcpip.ErrConnectionRefused:
		return syscall.ECONNREFUSED
	case *tcpip.ErrConnectionReset:
		return syscall.ECONNRESET
	case *tcpip.ErrConnectionAborted, *tcpip.ErrAborted:
		return syscall.ECONNABORTED
	case *tcpip.ErrTimeout:
		return syscall.ETIMEDOUT
	case *tcpip.ErrHostUnreachable:
		return syscall.EHOSTUNREACH
	case *tcpip.ErrNetworkUnreachable, *tcpip.ErrNoNet:
		return syscall.ENETUNREACH
	case *tcpip.ErrHostDown:
		return syscall.EHOSTDOWN
	case *tcpip.ErrClosedForSend:
		return syscall.EPIPE
	case *tcpip.ErrPortInUse:
		return syscall.EADDRINUSE
	case *tcpip.ErrBadLocalAddress:
		return syscall.EADDRNOTAVAIL
	case *tcpip.ErrMessageTooLong:
		return syscall.EMSGSIZE
	case *tcpip.ErrNoBufferSpace:
		return syscall.ENOBUFS
	case *tcpip.ErrNotConnected:
		return syscall.ENOTCONN
	case *tcpip.ErrAlreadyConnected:
		return syscall.EISCONN
	case *tcpip.ErrNotPermitted:
		return syscall.EPERM
	case *tcpip.ErrNotSupported:
		return syscall.EOPNOTSUPP
	case *tcpip.ErrAddressFamilyNotSupported:
		return syscall.EAFNOSUPPORT
	case *tcpip.ErrInvalidOptionValue, *tcpip.ErrInvalidEndpointState, *tcpip.ErrBadAddress:
		return syscall.EINVAL
	case *tcpip.ErrNoPortAvailable:
		return syscall.EADDRNOTAVAIL
	case *tcpip.ErrDestinationRequired:
		return syscall.EDESTADDRREQ
	}
	return errors.New(err.String())
}

// ErrHostDown is what ends all that was going on on a host that has crashed. For errors.Is it is net.ErrClosed too.
var ErrHostDown error = hostDownError{}

type hostDownError struct{}

func (hostDownError) Error() string { return "host is down" }
func (hostDownError) Unwrap() error { return net.ErrClosed }

// OpError wraps err as package net does. A deadline of a context counts as a timeout.
func OpError(op, network string, source, addr net.Addr, err error) error {
	var already *net.OpError
	if errors.As(err, &already) {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = os.ErrDeadlineExceeded
	}
	return &net.OpError{Op: op, Net: network, Source: source, Addr: addr, Err: err}
}
