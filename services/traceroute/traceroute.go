// Package traceroute is the workload "traceroute": it finds the routers on the way to a host.
//
// It sends UDP datagrams with a TTL of 1, 2, 3, … Each router that lets the TTL run out says so by ICMP and thereby shows
// its address; the host itself answers that nobody listens on the port, which ends the search. The destination port
// grows by one with each probe, as in Van Jacobson's traceroute of 1988, so that an answer tells which probe it is
// about. Probes go out one after the other: the next one leaves when the last was answered or its time is up.
package traceroute

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"time"

	"netlab/ip"
	"netlab/services"
	"netlab/services/figures"
	"netlab/services/target"
	"netlab/udp"
	"netlab/units"
)

const (
	maxTTL = 255
	// payloadSize makes IPv4 packets of 60 bytes, as those of traceroute on Linux.
	payloadSize = 32
	protocolUDP = 17
)

// Config configures the workload.
type Config struct {
	To        services.Target `json:"to" jsonschema_description:"The host or router to which the way is searched: a name or an address." jsonschema:"required"`
	MaxHops   int             `json:"max_hops" jsonschema_description:"The largest TTL that is tried, 1 to 255." jsonschema:"default=30"`
	Probes    int             `json:"probes" jsonschema_description:"How many datagrams are sent with each TTL, 1 to 10." jsonschema:"default=3"`
	Port      uint16          `json:"port" jsonschema_description:"UDP port of the first probe; each further probe takes the next one. Nobody should listen there." jsonschema:"default=33434"`
	Timeout   units.Duration  `json:"timeout" jsonschema_description:"How long a probe waits for its answer." jsonschema:"default=1s"`
	IPVersion string          `json:"ip_version,omitempty" jsonschema_description:"IP version to use. Default: what the host prefers." jsonschema:"enum=ipv4,enum=ipv6"`
}

// NewConfig returns the defaults.
func NewConfig() *Config {
	return &Config{MaxHops: 30, Probes: 3, Port: 33434, Timeout: units.Duration(time.Second)}
}

// Endless implements services.Config.
func (c *Config) Endless() bool { return false }

// Validate implements services.Config.
func (c *Config) Validate() error {
	const maxProbes, maxPort = 10, 65535
	list := []error{target.CheckHost("to", c.To), target.CheckVersion("ip_version", c.IPVersion)}
	hops, probes := c.MaxHops >= 1 && c.MaxHops <= maxTTL, c.Probes >= 1 && c.Probes <= maxProbes
	if !hops {
		list = append(list, services.Fieldf("max_hops", "found %d, wanted 1 to %d", c.MaxHops, maxTTL))
	}
	if !probes {
		list = append(list, services.Fieldf("probes", "found %d, wanted 1 to %d", c.Probes, maxProbes))
	}
	if hops && probes && (c.Port == 0 || int(c.Port)+c.MaxHops*c.Probes-1 > maxPort) {
		list = append(list, services.Fieldf("port", "found %d, wanted 1 to %d, so that every probe gets a port", c.Port,
			maxPort-c.MaxHops*c.Probes+1))
	}
	if c.Timeout <= 0 {
		list = append(list, services.Fieldf("timeout", "found %s, wanted more than 0s", c.Timeout))
	}
	return errors.Join(list...)
}

// Type describes the workload.
var Type = services.Type{
	Name: "traceroute", Role: services.Workload,
	Doc:    "Finds the routers on the way to a host by UDP datagrams with a growing TTL and the ICMP errors that they cause.",
	Config: func() services.Config { return NewConfig() },
	Result: func() any { return new(Result) },
	New: func(config services.Config, info services.Info) (services.Runner, error) {
		return &runner{config: *config.(*Config), hosts: make([]trace, len(info.Hosts))}, nil
	},
}

// Result is what the workload reports. With several hosts the paths follow each other in the order of the hosts.
type Result struct {
	// Reached says whether the destination answered, to each host.
	Reached bool `json:"reached"`
	// Hops is the TTL that it takes to reach the destination, the largest among the hosts; none when it was not reached.
	Hops *int `json:"hops"`
	// RTT is the spread of the destination's round-trip times.
	RTT  *figures.RTT `json:"rtt"`
	Path []Hop        `json:"path"`
}

// Hop is one step on the way.
type Hop struct {
	From string `json:"from"` // the host that searched
	TTL  int    `json:"ttl"`
	// Address and Name are those of who answered, empty when nobody did.
	Address string `json:"address"`
	Name    string `json:"name,omitempty"`
	// RTTs are the round-trip times of the probes; none for a probe that was not answered.
	RTTs []*units.Duration `json:"rtts_ns"`
	// Unreachable says why the way ends here: "network", "host", "prohibited" or "other".
	Unreachable string `json:"unreachable,omitempty"`
}

// trace is what one host found.
type trace struct {
	path    []Hop
	reached bool
	rtt     figures.Durations
}

type runner struct {
	config Config
	hosts  []trace // by index of the host
}

// Run implements services.Runner.
func (r *runner) Run(ctx context.Context, env *services.Env) error {
	peer, err := target.Resolve(ctx, env.Host, r.config.To, r.config.IPVersion)
	if err != nil {
		return err
	}
	errs, err := ip.ListenErrors(env.Host, peer.Is6())
	if err != nil {
		return err
	}
	defer errs.Close()
	defer context.AfterFunc(ctx, func() { errs.Close() })()
	p := prober{env: env, peer: peer, errs: errs, port: r.config.Port, timeout: r.config.Timeout.Std()}
	t := &r.hosts[env.Index]
	for ttl := 1; ttl <= r.config.MaxHops; ttl++ {
		hop, end, err := t.hop(ctx, &p, ttl, r.config.Probes)
		if env.Over(ctx) {
			return nil
		}
		if err != nil {
			return err
		}
		t.path = append(t.path, hop)
		if end {
			break
		}
	}
	return nil
}

// hop sends the probes of one TTL and says whether the search ends there.
func (t *trace) hop(ctx context.Context, p *prober, ttl, probes int) (hop Hop, end bool, err error) {
	hop = Hop{From: p.env.Host.Name(), TTL: ttl, RTTs: make([]*units.Duration, probes)}
	for i := range probes {
		e, rtt, err := p.probe(ctx, ttl)
		if err != nil {
			return hop, true, err
		}
		if e == nil {
			continue
		}
		hop.RTTs[i] = figures.Duration(rtt)
		if hop.Address == "" {
			hop.Address, hop.Name = e.From.String(), p.env.Host.Names().Name(e.From)
		}
		switch e.Kind() {
		case ip.TTLExceeded:
		case ip.PortUnreachable: // a router may say so from another of its addresses
			t.reached = true
			t.rtt.Add(rtt)
		case ip.NetworkUnreachable:
			hop.Unreachable = "network"
		case ip.HostUnreachable:
			hop.Unreachable = "host"
		case ip.Prohibited:
			hop.Unreachable = "prohibited"
		default:
			hop.Unreachable = "other"
		}
	}
	return hop, t.reached || hop.Unreachable != "", nil
}

// prober sends probes.
type prober struct {
	env     *services.Env
	peer    netip.Addr
	errs    *ip.ErrorConn
	port    uint16 // of the next probe
	timeout time.Duration
}

// probe sends one datagram and waits for the ICMP error that answers it; nil means that none came in time.
func (p *prober) probe(ctx context.Context, ttl int) (answer *ip.ICMPError, rtt time.Duration, err error) {
	destination := netip.AddrPortFrom(p.peer, p.port)
	p.port++
	conn, err := udp.Dial(ctx, p.env.Host, destination.String())
	if err != nil {
		return nil, 0, err
	}
	defer conn.Close()
	if err := conn.SetTTL(ttl); err != nil {
		return nil, 0, err
	}
	sent := p.env.Elapsed()
	if _, err := conn.Write(make([]byte, payloadSize)); err != nil {
		return nil, 0, err
	}
	source := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	deadline := p.env.Host.Network().Epoch().Add(sent + p.timeout)
	for {
		e, err := p.errs.Read(deadline)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, 0, nil
		case err != nil:
			return nil, 0, err
		case e.Protocol == protocolUDP && e.Source == source && e.Destination == destination:
			return &e, e.At - sent, nil
		}
	}
}

// Result implements services.Runner.
func (r *runner) Result() any {
	all := &Result{Reached: true, Path: []Hop{}}
	var rtt figures.Durations
	hops := 0
	for i := range r.hosts {
		t := &r.hosts[i]
		all.Reached = all.Reached && t.reached
		all.Path = append(all.Path, t.path...)
		rtt.Merge(t.rtt)
		hops = max(hops, len(t.path))
	}
	if all.Reached {
		all.Hops = &hops
	}
	all.RTT = rtt.RTT()
	return all
}
