package tls

import (
	"bytes"
	stdtls "crypto/tls"
	"fmt"
	"io"
	"net"
)

// keyLogLabel begins the line of a key log that has the master secret of a TLS 1.2 session.
const keyLogLabel = "CLIENT_RANDOM "

// secretTag begins the extra data of a ticket that is the session's master secret, as the key log has it.
const secretTag = "netlab master secret "

// LogResumed makes a server's configuration log the secrets of TLS 1.2 sessions that are resumed as well: crypto/tls logs those of
// full handshakes only, and the master secret of a session stays what it was while the client's random changes, by which
// a connection is known. So the ticket carries the secret along, which the server alone can read, and the random is taken from what
// the client sends: connections have to come from [Listener]. Without a key log it does nothing. The configuration must not be
// changed afterwards.
func LogResumed(c *stdtls.Config) {
	if c.KeyLogWriter == nil || c.SessionTicketsDisabled || c.MinVersion > Version12 || c.GetConfigForClient != nil {
		return
	}
	plain := c.Clone()
	c.GetConfigForClient = func(hello *stdtls.ClientHelloInfo) (*stdtls.Config, error) {
		conn, ok := hello.Conn.(*helloConn)
		if !ok {
			return nil, nil
		}
		own := plain.Clone()
		log := &sessionLog{to: plain.KeyLogWriter}
		own.KeyLogWriter = log
		own.WrapSession = func(state stdtls.ConnectionState, session *stdtls.SessionState) ([]byte, error) {
			if log.secret != "" {
				session.Extra = append(session.Extra, []byte(secretTag+log.secret))
			}
			return plain.EncryptTicket(state, session)
		}
		own.UnwrapSession = func(ticket []byte, state stdtls.ConnectionState) (*stdtls.SessionState, error) {
			session, err := plain.DecryptTicket(ticket, state)
			if session == nil || err != nil {
				return session, err
			}
			for _, extra := range session.Extra {
				if secret, ok := bytes.CutPrefix(extra, []byte(secretTag)); ok {
					log.resume(conn.random, string(secret))
				}
			}
			session.Extra = nil // it is added again to the next ticket
			return session, nil
		}
		return own, nil
	}
}

// sessionLog is the key log of one connection. It remembers the master secret.
type sessionLog struct {
	to     io.Writer
	secret string
}

// Write implements io.Writer for one line.
func (l *sessionLog) Write(line []byte) (int, error) {
	if rest, ok := bytes.CutPrefix(line, []byte(keyLogLabel)); ok {
		if _, secret, ok := bytes.Cut(bytes.TrimSpace(rest), []byte(" ")); ok {
			l.secret = string(secret)
		}
	}
	return l.to.Write(line)
}

// resume logs a session that goes on.
func (l *sessionLog) resume(random []byte, secret string) {
	if l.secret = secret; len(random) > 0 {
		fmt.Fprintf(l.to, "%s%x %s\n", keyLogLabel, random, secret)
	}
}

// Listener is a listener whose connections remember how their clients began, for [LogResumed].
type Listener struct{ net.Listener }

// Accept implements net.Listener.
func (l Listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &helloConn{Conn: conn}, nil
}

// The client's random in a record that begins with a ClientHello: behind the record's header of 5 bytes, the message's of 4 and the
// version (RFC 5246, sections 6.2.1, 7.4 and 7.4.1.2).
const (
	randomAt  = 5 + 4 + 2
	randomEnd = randomAt + 32
)

// helloConn remembers the random of a ClientHello.
type helloConn struct {
	net.Conn
	begin  []byte // what came first, until it is enough
	random []byte
}

// NetConn returns the connection below, as that of crypto/tls's Conn does.
func (c *helloConn) NetConn() net.Conn { return c.Conn }

// Read implements net.Conn. As crypto/tls reads, one goroutine does so at a time.
func (c *helloConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.random == nil {
		c.begin = append(c.begin, b[:n]...)
		if len(c.begin) >= randomEnd {
			c.random, c.begin = bytes.Clone(c.begin[randomAt:randomEnd]), nil
		}
	}
	return n, err
}
