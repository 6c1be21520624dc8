package httpclient

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	nethttp "net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/proxy"

	"netlab/http"
	"netlab/services"
	"netlab/services/failures"
	"netlab/tcp"
)

// A client may be told to use a proxy.
//
// Requests for http URLs go to an HTTP proxy in absolute form (RFC 9112, section 3.2.2), over connections to the proxy that requests for
// all servers share. For https URLs the client asks it for a tunnel (CONNECT, RFC 9110, section 9.3.6) and runs the TLS handshake with
// the server through it. A SOCKS5 proxy (RFC 1928) is asked for a connection to the server in either case; names are resolved there (what
// curl calls socks5h). No request goes past the proxy, not even one to the client's own host.
//
// What the client measures is about the connection that it has, which is the one to the proxy: DNS is the lookup of the proxy's name,
// Connect the time until the proxy has said that the way is free, its CONNECT or SOCKS exchange included; TLS is the handshake with the
// server; Target is the proxy's address.

// refusedError is an HTTP proxy's answer to a CONNECT that it refuses or can't fulfil. The answer counts as that to the request.
type refusedError struct {
	status int
	reason string
}

// Error implements error.
func (e *refusedError) Error() string { return "the proxy answered CONNECT with " + e.reason }

// ThroughProxy implements services.Proxied.
func (c *Config) ThroughProxy() bool { return c.Proxy != "" }

// validateProxy returns errors about the proxy.
func (c *Config) validateProxy() error {
	if c.Proxy == "" {
		return nil
	}
	u, err := c.Proxy.Parse()
	if err != nil {
		return services.Fieldf("proxy", "%s", err)
	}
	if u.Scheme == services.HTTPProxy && versions[c.HTTPVersion] == http.H2C {
		return services.Fieldf("proxy", "%q speaks HTTP/1.1, but http_version is h2c: want a socks5 proxy, or http_version http/1.1", string(c.Proxy))
	}
	return nil
}

// ProxyCalls returns the ports of a proxy that a client talks to, for [services.Caller].
func (c *Config) ProxyCalls() []services.Call {
	if c.Proxy == "" {
		return nil
	}
	return []services.Call{{Field: "proxy", Host: c.Proxy.Host(), Protocol: services.TCP, Port: c.Proxy.Port()}}
}

// useProxy makes the client use the proxy of its configuration, if there is one.
func (c *Client) useProxy() error {
	if c.config.Proxy == "" {
		return nil
	}
	u, err := c.config.Proxy.Parse()
	if err != nil {
		return err
	}
	u.Host = net.JoinHostPort(u.Hostname(), strconv.Itoa(int(c.config.Proxy.Port())))
	c.proxy = u
	if u.Scheme == services.HTTPProxy {
		// Of https URLs net/http isn't told: it would make the tunnel in ways of its own, and measure nothing.
		c.transport.Proxy = func(r *nethttp.Request) (*url.URL, error) {
			if r.URL.Scheme == "http" {
				return u, nil
			}
			return nil, nil
		}
	}
	return nil
}

// through makes a connection to an address, past the proxy if there is one. secure says that TLS will follow.
func (c *Client) through(ctx context.Context, owner *call, address string, secure bool) (*conn, error) {
	if c.proxy == nil || c.proxy.Scheme == services.HTTPProxy && !secure {
		return c.connect(ctx, owner, address)
	}
	conn, err := c.connect(ctx, owner, c.proxy.Host)
	if err != nil {
		return nil, err
	}
	start := c.env.Elapsed()
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })() // in the past: who reads or writes stops
	if c.proxy.Scheme == services.HTTPProxy {
		err = c.askHTTP(conn.Conn, address)
	} else {
		err = c.askSOCKS(conn.Conn, address)
	}
	if err != nil {
		conn.Abort()
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, err
	}
	conn.made.Connect += c.env.Elapsed() - start
	return conn, nil
}

// askHTTP asks an HTTP proxy for a tunnel.
func (c *Client) askHTTP(to *tcp.Conn, address string) error {
	r := &nethttp.Request{Method: nethttp.MethodConnect, URL: &url.URL{Opaque: address}, Host: address, Header: nethttp.Header{}}
	r.Header.Set("User-Agent", c.header.Get("User-Agent"))
	if u := c.proxy.User; u != nil {
		password, _ := u.Password()
		login := nethttp.Request{Header: nethttp.Header{}}
		login.SetBasicAuth(u.Username(), password)
		r.Header.Set("Proxy-Authorization", login.Header.Get("Authorization"))
	}
	if err := r.Write(to); err != nil {
		return err
	}
	reader := bufio.NewReader(to)
	response, err := nethttp.ReadResponse(reader, r)
	if err != nil {
		return fmt.Errorf("the proxy's answer to CONNECT: %w", err)
	}
	if response.StatusCode/100 != 2 {
		return &refusedError{response.StatusCode, response.Status}
	}
	if reader.Buffered() > 0 {
		return errors.New("the proxy sent something before its client did")
	}
	return nil
}

// askSOCKS asks a SOCKS5 proxy for a connection.
func (c *Client) askSOCKS(to *tcp.Conn, address string) error {
	var login *proxy.Auth
	if u := c.proxy.User; u != nil {
		password, _ := u.Password()
		login = &proxy.Auth{User: u.Username(), Password: password}
	}
	dialer, err := proxy.SOCKS5("tcp", c.proxy.Host, login, made{to})
	if err != nil {
		return err
	}
	_, err = dialer.Dial("tcp", address)
	if err == nil {
		return nil
	}
	for text, known := range replies {
		if strings.HasSuffix(err.Error(), text) {
			return fmt.Errorf("%w: %w", err, known)
		}
	}
	return err
}

// replies are what a SOCKS5 proxy may say (RFC 1928, sections 3 and 6; RFC 1929), as golang.org/x/net has it in its errors, and what that means.
var replies = map[string]error{
	"network unreachable": syscall.ENETUNREACH,
	"host unreachable":    syscall.EHOSTUNREACH,
	"connection refused":  syscall.ECONNREFUSED,
	"TTL expired":         os.ErrDeadlineExceeded,

	"connection not allowed by ruleset":       failures.ErrDenied,
	"no acceptable authentication methods":    failures.ErrDenied, // it wants a user, and there is none
	"username/password authentication failed": failures.ErrDenied,
}

// made is a dialer that has a connection already.
type made struct{ *tcp.Conn }

// Dial implements proxy.Dialer.
func (m made) Dial(string, string) (net.Conn, error) { return m.Conn, nil }
