package balancer

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"
)

// errHello stops the handshake once the ClientHello is read.
var errHello = errors.New("the ClientHello is read")

// readHello reads the first message of a TLS client and returns the name that it asks for (SNI, RFC 6066, section 3), "" if it asks
// for none, and all bytes that were read. crypto/tls parses it, and its limits hold: a message of 64 KiB.
func readHello(from io.Reader) (name string, read []byte, err error) {
	peek := &peeker{from: from}
	err = tls.Server(peek, &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		name = hello.ServerName
		return nil, errHello
	}}).Handshake()
	if errors.Is(err, errHello) {
		err = nil
	}
	return name, peek.read.Bytes(), err
}

// peeker is a connection that remembers what is read, and on which nothing is ever written.
type peeker struct {
	from io.Reader
	read bytes.Buffer
}

// Read implements net.Conn.
func (p *peeker) Read(b []byte) (int, error) {
	n, err := p.from.Read(b)
	p.read.Write(b[:n])
	return n, err
}

// Write implements net.Conn: an alert goes nowhere.
func (p *peeker) Write(b []byte) (int, error) { return len(b), nil }

// The rest of net.Conn has nothing to do.
func (p *peeker) Close() error                     { return nil }
func (p *peeker) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (p *peeker) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (p *peeker) SetDeadline(time.Time) error      { return nil }
func (p *peeker) SetReadDeadline(time.Time) error  { return nil }
func (p *peeker) SetWriteDeadline(time.Time) error { return nil }
