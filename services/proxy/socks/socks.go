// Package socks is the service "socks-proxy": a proxy that speaks SOCKS version 5 (RFC 1928), with or without a user's name and password
// (RFC 1929).
//
// A client that has connected says which methods of authentication it knows, logs in if the proxy wants that, and says what it wants:
// CONNECT, a connection to a host and a port, which the proxy makes and joins with the client's; or UDP ASSOCIATE, datagrams to any number
// of hosts through a port of the proxy, for as long as the client's connection lasts. After that nobody looks at what passes, so unlike an
// HTTP proxy it serves any protocol, and changes nothing in it.
//
// A host may be given as a name, which the proxy then resolves, so that clients need no name server, and tell theirs nothing.
//
// BIND, with which FTP had servers connect to clients, is answered with "command not supported", and so are commands that there aren't.
// Fragments of datagrams are dropped, as the RFC allows. GSSAPI (RFC 1961), which the RFC demands and nobody has, is left out. Nothing is
// encrypted: a user's password can be read on the way.
package socks

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"netlab/services"
	"netlab/services/failures"
	"netlab/services/proxy/access"
	"netlab/services/proxy/tunnel"
	"netlab/tcp"
	"netlab/units"
)

// Config configures the service "socks-proxy".
type Config struct {
	Listen services.ListenTCP `json:"listen" jsonschema_description:"Where it listens." jsonschema:"default=:1080"`
	access.Filter
	Users            access.Users   `json:"users,omitempty" jsonschema_description:"Who may use it: names and passwords. Default: everybody may."`
	UDP              bool           `json:"udp" jsonschema_description:"Whether clients may send datagrams through it (UDP ASSOCIATE)." jsonschema:"default=true"`
	ConnectTimeout   units.Duration `json:"connect_timeout" jsonschema_description:"How long it may take to connect to a host; then the client is told that the TTL expired, which comes nearest." jsonschema:"default=10s"`
	HandshakeTimeout units.Duration `json:"handshake_timeout,omitempty" zero:"refused" jsonschema_description:"How long a client may take to say what it wants. Default: no limit."`
	IdleTimeout      units.Duration `json:"idle_timeout,omitempty" zero:"refused" jsonschema_description:"How long a connection is kept on which nothing moves. Default: until the end."`
	access.Limits
}

// NewConfig returns the defaults.
func NewConfig() *Config {
	return &Config{Listen: ":1080", UDP: true, ConnectTimeout: units.Duration(10 * time.Second)}
}

// Endless implements services.Config.
func (c *Config) Endless() bool { return true }

// Validate implements services.Config.
func (c *Config) Validate() error {
	list := []error{c.Filter.Validate(false), c.Users.Validate("users"), c.Limits.Validate()}
	add := func(field, format string, args ...any) { list = append(list, services.Fieldf(field, format, args...)) }
	if c.Listen == "" {
		add("listen", "missing: want a colon and a port, such as \":1080\"")
	}
	if c.ConnectTimeout <= 0 {
		add("connect_timeout", "found %s, wanted more than 0s", c.ConnectTimeout)
	}
	if c.HandshakeTimeout < 0 {
		add("handshake_timeout", "found %s, wanted 0s or more", c.HandshakeTimeout)
	}
	if c.IdleTimeout < 0 {
		add("idle_timeout", "found %s, wanted 0s or more", c.IdleTimeout)
	}
	return errors.Join(list...)
}

// Type describes the service.
var Type = services.Type{
	Name: "socks-proxy", Role: services.Service,
	Doc: "A SOCKS5 proxy: it connects to hosts in its clients' stead, whatever they speak, and passes datagrams on. Names are resolved at " +
		"the proxy. Lists of hosts and ports say what it leads to, users who may use it. HTTP clients are told to use it with " +
		"\"proxy\": \"socks5://proxy:1080\".",
	Config: func() services.Config { return NewConfig() },
	Result: func() any { return new(Result) },
	New: func(config services.Config, _ services.Info) (services.Runner, error) {
		return &runner{config: *config.(*Config)}, nil
	},
}

// Result is what the proxy reports. Requests are connections on which clients said what they want, and Refused holds those too that never
// came so far.
type Result struct {
	access.Record
	// Denied, Unauthorized, Limited and Malformed are the parts of Refused: for the filter, for want of a user, because of too many
	// connections, and because the client didn't speak SOCKS5, or wanted something that there isn't here.
	Denied       uint64 `json:"denied"`
	Unauthorized uint64 `json:"unauthorized"`
	Limited      uint64 `json:"limited"`
	Malformed    uint64 `json:"malformed"`
	// Connections counts those of clients, MaxConnections how many there were at once.
	Connections    uint64 `json:"connections"`
	MaxConnections int    `json:"max_connections"`
	// Associations counts those for UDP, Datagrams what was passed on in both directions, and DatagramsDropped what wasn't: fragments,
	// what made no sense or came from strangers, and hosts that are denied or unknown.
	Associations     uint64 `json:"associations"`
	Datagrams        uint64 `json:"datagrams"`
	DatagramsDropped uint64 `json:"datagrams_dropped"`
}

// runner is the service. What it counts outlives a crash of the host.
type runner struct {
	config Config
	ledger access.Ledger

	mu     sync.Mutex
	result Result
}

// Result implements services.Runner.
func (r *runner) Result() any {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.result
	all.Record = r.ledger.Record()
	return &all
}

// count changes what is counted.
func (r *runner) count(change func(*Result)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.result)
}

// Run implements services.Runner.
func (r *runner) Run(ctx context.Context, env *services.Env) error {
	clients := access.NewConnections(r.config.Limits)
	err := env.ServeTCP(ctx, string(r.config.Listen), func(conn *tcp.Conn) {
		open, over := clients.Came(conn.RemoteAddr())
		defer clients.Left(conn.RemoteAddr().String())
		r.count(func(all *Result) {
			all.Connections++
			all.MaxConnections = max(all.MaxConnections, open)
		})
		s := &session{runner: r, env: env, ctx: ctx, conn: conn}
		s.usage.Requests = 1
		if over {
			s.refused(&r.result.Limited)
		} else {
			s.serve()
		}
		r.ledger.Add(access.Client(env.Host, conn.RemoteAddr().String()), s.host, s.usage)
	})
	if env.Over(ctx) {
		return nil
	}
	return err
}

// session is a client's connection.
type session struct {
	*runner
	env   *services.Env
	ctx   context.Context
	conn  *tcp.Conn
	host  string // that it asked for
	usage access.Usage
}

// refused counts that the client doesn't get what it wants.
func (s *session) refused(part *uint64) {
	s.usage.Refused = 1
	s.count(func(*Result) { *part++ })
}

// serve serves the client until it is done.
func (s *session) serve() {
	if limit := s.config.HandshakeTimeout.Std(); limit > 0 {
		s.conn.SetDeadline(time.Now().Add(limit))
	}
	ok, err := s.greet()
	if err != nil {
		s.refused(&s.result.Malformed)
		return
	}
	if !ok {
		s.refused(&s.result.Unauthorized)
		return
	}
	want, to, err := readRequest(s.conn)
	switch {
	case errors.Is(err, errAddressType):
		s.refused(&s.result.Malformed)
		s.answer(addressTypeUnknown, netip.AddrPort{})
		return
	case err != nil:
		s.refused(&s.result.Malformed)
		s.answer(generalFailure, netip.AddrPort{})
		return
	}
	s.conn.SetDeadline(time.Time{})
	switch {
	case want == connect:
		s.connect(to)
	case want == udpAssociate && s.config.UDP:
		s.associate(to)
	default:
		s.refused(&s.result.Malformed)
		s.answer(commandUnknown, netip.AddrPort{})
	}
}

// greet chooses a method of authentication and has the client log in. ok says that it may go on.
func (s *session) greet() (ok bool, err error) {
	offered, err := readGreeting(s.conn)
	if err != nil {
		return false, err
	}
	method := byte(noAuthentication)
	if len(s.config.Users) > 0 {
		method = userPassword
	}
	if !slices.Contains(offered, method) {
		s.conn.Write([]byte{version, noneAcceptable})
		return false, nil
	}
	if _, err := s.conn.Write([]byte{version, method}); err != nil || method == noAuthentication {
		return true, err
	}
	name, password, err := readLogin(s.conn)
	if err != nil {
		return false, err
	}
	const success, failure = 0, 1 // RFC 1929, section 2
	if !s.config.Users.Known(name, password) {
		s.conn.Write([]byte{authVersion, failure})
		return false, nil
	}
	_, err = s.conn.Write([]byte{authVersion, success})
	return true, err
}

// answer tells the client how it went.
func (s *session) answer(r reply, bound netip.AddrPort) error {
	_, err := s.conn.Write(appendReply(nil, r, bound))
	return err
}

// connect makes a connection to a host and joins it with the client's.
func (s *session) connect(to address) {
	s.host = to.host()
	if reason := s.config.Check(access.Request{Host: s.host, Port: to.Port}); reason != "" {
		s.refused(&s.result.Denied)
		s.answer(notAllowed, netip.AddrPort{})
		return
	}
	ctx, cancel := s.env.WithTimeout(s.ctx, s.config.ConnectTimeout.Std())
	server, err := tcp.Dial(ctx, s.env.Host, to.String())
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	cancel()
	if err != nil {
		s.usage.Failed = 1
		s.answer(replyTo(err), netip.AddrPort{})
		return
	}
	if err := s.answer(succeeded, addrPort(server.LocalAddr())); err != nil {
		server.Abort()
		s.usage.Failed = 1
		return
	}
	s.usage.Tunnels = 1
	flow, err := tunnel.Join(s.ctx, s.env, s.conn, server, nil, s.config.IdleTimeout.Std())
	s.usage.Sent, s.usage.Received = units.Bytes(flow.Up), units.Bytes(flow.Down)
	if err != nil && !errors.Is(err, tunnel.ErrIdle) && !s.env.Over(s.ctx) {
		s.usage.Failed = 1
	}
}

// replyTo says what an error of a dial is for a client.
func replyTo(err error) reply {
	switch failures.Of(err) {
	case failures.Refused:
		return connectionRefused
	case failures.Name, failures.Unreachable:
		return hostUnreachable
	case failures.Timeout, failures.DNSTimeout:
		return ttlExpired
	}
	return generalFailure
}
