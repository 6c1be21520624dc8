package web

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// ErrorCounts counts failed requests by kind.
type ErrorCounts struct {
	Name        uint64 `json:"name"`        // the server's name is unknown
	Refused     uint64 `json:"refused"`     // nobody listens there
	Unreachable uint64 `json:"unreachable"` // there is no way to the server
	Timeout     uint64 `json:"timeout"`     // it took too long
	Reset       uint64 `json:"reset"`       // the server reset the connection
	Closed      uint64 `json:"closed"`      // the response broke off, or none came
	Digest      uint64 `json:"digest"`      // the content is not what its Content-Digest says
	Status      uint64 `json:"status"`      // the status was 400 or above
	Other       uint64 `json:"other"`
}

// kind returns the counter of an error; none stands for a status of 400 or above.
func (c *ErrorCounts) kind(err error) *uint64 {
	var lookup *net.DNSError
	var timeout net.Error
	switch {
	case err == nil:
		return &c.Status
	case errors.Is(err, errDigest):
		return &c.Digest
	case errors.As(err, &lookup):
		return &c.Name
	case errors.Is(err, syscall.ECONNREFUSED):
		return &c.Refused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTDOWN):
		return &c.Unreachable
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNABORTED):
		return &c.Reset
	case errors.As(err, &timeout) && timeout.Timeout():
		return &c.Timeout
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &c.Closed
	}
	return &c.Other
}

func (c *ErrorCounts) add(o ErrorCounts) {
	c.Name += o.Name
	c.Refused += o.Refused
	c.Unreachable += o.Unreachable
	c.Timeout += o.Timeout
	c.Reset += o.Reset
	c.Closed += o.Closed
	c.Digest += o.Digest
	c.Status += o.Status
	c.Other += o.Other
}
