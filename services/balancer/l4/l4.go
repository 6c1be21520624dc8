// Package l4 is layer 4 of the service "balancer": it gives TCP connections and flows of UDP to backends without looking at what they
// carry. There are three modes, as in IPVS, the balancer of Linux (Zhang, "Linux Virtual Server for Scalable Network Services", Ottawa
// Linux Symposium 2000), and in HAProxy:
//
//   - proxy: the client's connection ends at the balancer, which makes another one to a backend through its own host's stack and
//     carries bytes from one to the other, with the end of each direction and with back-pressure: it reads on only when the other side
//     has taken what was read. Backends see the balancer's address, unless the PROXY protocol tells them of the client's. Of UDP, each
//     client address and port is a flow with a socket of its own towards a backend.
//   - nat: there is one connection, from the client to the backend. The balancer takes packets for the service before its own stack
//     sees them, makes the destination the backend's address, and sends them on; of what comes back it makes the source the service's
//     address. Checksums follow the change (RFC 1624), the TTL is one less, ICMP errors are translated with what they quote. The
//     backend sees the client's address, so its answers must come back this way: the balancer has to be its next router towards the
//     clients. The balancer is that for everything else, too: it routes packets that are for others. With source_nat backends
//     see the balancer's address and need no route.
//   - direct: direct server return. The balancer sends the client's packets on as they are, to the backend's MAC address; the backend
//     holds the service's address as well, without answering ARP for it, and answers the client itself. The balancer sees half of
//     each connection only, and must be on a segment with all backends, whose port is the service's.
//
// The modes nat and direct have a table of connections: a packet of one that is known goes where the first one went, whatever has
// become of the set of backends. A connection is forgotten when nothing was heard of it for a time that depends on its state: opening,
// established, or ending, which begins with the first FIN or RST. When the table is full, new connections are refused or take the
// place of the one that would be forgotten first. A segment that belongs to no connection and opens none goes to the host's own
// stack, which resets it, because nobody listens there: that is what connections see whose balancer has crashed.
//
// Left out: no synchronisation of tables between balancers; no encapsulation (IPVS's tunnel mode); sequence numbers and checksums aren't
// looked at; no persistence beyond a connection but by source-hash; a proxy asks at most three backends for a connection; the
// balancer's own host can't be a client of the modes nat and direct. A packet for a backend that doesn't answer ARP is dropped without
// an ICMP error.
package l4

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"time"

	"netlab/netem"
	"netlab/services"
	"netlab/services/backend"
	"netlab/services/balance"
	"netlab/units"
)

// Options is what a [Balancer] is made of.
type Options struct {
	// Config must be valid.
	Config Config
	// Listen is ":port", the port of the service. Backends may have another one, but in the mode direct.
	Listen string
	// ProxyProtocol is "", "v1" or "v2": the header with the client's address that the mode proxy sends first on each TCP connection to
	// a backend (package netlab/services/proxyprotocol).
	ProxyProtocol string
	// FlowKey has the pool's algorithm hash both addresses and ports of a connection, and not the client's address alone.
	FlowKey bool
	// ConnectTimeout is how long the mode proxy waits for a backend's connection; 0 means 5 s.
	ConnectTimeout units.Duration
}

// Balancer is the layer 4 of one service. It counts over all incarnations of its host.
type Balancer struct {
	options  Options
	counters counters
	opening  int // sessions of a proxy that have no backend yet; under the lock of counters
}

// New returns a balancer.
func New(o Options) *Balancer { return &Balancer{options: o} }

// Result returns what was counted.
func (b *Balancer) Result() *Result { return b.counters.result() }

func (b *Balancer) connectTimeout() time.Duration { return or(b.options.ConnectTimeout, 5*time.Second) }

// Run serves until ctx ends or the host goes. pool is that of this incarnation of the host, and running.
func (b *Balancer) Run(ctx context.Context, env *services.Env, pool *backend.Pool) error {
	b.counters.forget()
	members, err := b.members(ctx, env, pool)
	if err != nil {
		return err
	}
	if b.options.Config.Rewrites() {
		d, err := b.newDirector(ctx, env, pool, members)
		if err != nil {
			return err
		}
		b.watch(env, pool, d.down)
		d.run(ctx, env)
		return nil
	}
	p := &proxy{Balancer: b, env: env, pool: pool, members: members, listen: b.options.Listen, active: map[uint64]*session{}}
	b.watch(env, pool, p.down)
	if b.options.Config.protocol() == UDP {
		return p.serveUDP(ctx)
	}
	return p.serveTCP(ctx)
}

// watch calls down, in an event of its own, for each backend that is found dead, if its connections are to be reset.
func (b *Balancer) watch(env *services.Env, pool *backend.Pool, down func(name string)) {
	if b.options.Config.OnBackendDown != Reset {
		return
	}
	pool.Watch(func(c backend.Change) {
		if c.To == backend.Down {
			env.Host.Network().AfterFunc(env.Host.Owner(), netem.KindTimer, 0, func() { down(c.Name) })
		}
	})
}

// request is what the pool is told of a connection from a client to an address of the service.
func (b *Balancer) request(client, service netip.AddrPort) balance.Request {
	client = netip.AddrPortFrom(client.Addr().Unmap(), client.Port())
	r := balance.Request{Source: client.Addr()}
	if b.options.FlowKey {
		r.Key = client.String() + " " + netip.AddrPortFrom(service.Addr().Unmap(), service.Port()).String()
	}
	return r
}

func (b *Balancer) port() (uint16, error) {
	_, port, err := net.SplitHostPort(b.options.Listen)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return uint16(n), err
}

func (b *Balancer) newDirector(ctx context.Context, env *services.Env, pool *backend.Pool, members []*member) (*director, error) {
	port, err := b.port()
	if err != nil {
		return nil, err
	}
	d := &director{Balancer: b, config: &b.options.Config, protocol: protocolTCP, env: env, host: env.Host, pool: pool,
		members: members, port: port, table: newTable(&b.options.Config)}
	if b.options.Config.protocol() == UDP {
		d.protocol = protocolUDP
	}
	if b.options.Config.Address != "" {
		if d.addresses, err = env.Host.Resolve(ctx, string(b.options.Config.Address)); err != nil {
			return nil, err
		}
	}
	return d, nil
}
