// Package lookup is the workload "dns-lookup": it asks for a name at exact times, as dig does, through the host's own resolver
// with its cache or at one name server directly.
package lookup

import (
	"context"
	"errors"
	"net/netip"
	"time"

	wire "github.com/miekg/dns"

	"netlab/dns"
	"netlab/services"
	"netlab/services/target"
	"netlab/units"
)

// Addresses is the kind of record that programs ask for: all addresses that the host can use.
const Addresses = "address"

// kinds are the record types that can be asked for.
var kinds = map[string]uint16{
	"a": wire.TypeA, "aaaa": wire.TypeAAAA, "cname": wire.TypeCNAME, "srv": wire.TypeSRV, "txt": wire.TypeTXT, "ns": wire.TypeNS, "soa": wire.TypeSOA,
}

// Config configures the workload.
type Config struct {
	Name     string          `json:"name" jsonschema_description:"The name that it asks for; a short one is completed by the host's search domains." jsonschema:"required"`
	Record   string          `json:"record" jsonschema_description:"What it asks for: address is A and AAAA at once, as far as the host speaks them, which is what programs do." jsonschema:"enum=address,enum=a,enum=aaaa,enum=cname,enum=srv,enum=txt,enum=ns,enum=soa,default=address"`
	Server   services.Target `json:"server,omitempty" jsonschema_description:"A name server that is asked directly, without cache and search domains. Default: the host's resolver."`
	Count    int             `json:"count" jsonschema_description:"How often it asks; 0 goes on until the end of the run." jsonschema:"default=1"`
	Interval units.Duration  `json:"interval" jsonschema_description:"Time from one lookup to the next, whether or not it is answered." jsonschema:"default=1s"`
	Timeout  units.Duration  `json:"timeout,omitempty" jsonschema_description:"How long server has for an answer. Default 5s."`
	Attempts int             `json:"attempts,omitempty" jsonschema_description:"How often server is asked. Default 2."`
	UDPSize  units.Bytes     `json:"udp_size,omitempty" jsonschema_description:"Size of datagrams that is offered to server by EDNS (RFC 6891), 512B to 65535B. Default: none, which means 512B."`
}

// NewConfig returns the defaults.
func NewConfig() *Config {
	return &Config{Record: Addresses, Count: 1, Interval: units.Duration(time.Second)}
}

// Endless implements services.Config.
func (c *Config) Endless() bool { return c.Count == 0 }

// Validate implements services.Config.
func (c *Config) Validate() error {
	var list []error
	wrong := func(field, format string, args ...any) { list = append(list, services.Fieldf(field, format, args...)) }
	if c.Name == "" {
		wrong("name", "missing: want a domain name such as \"www.lab\"")
	} else if err := dns.CheckName(c.Name); err != nil {
		wrong("name", "%s", err)
	}
	if _, known := kinds[c.Record]; !known && c.Record != Addresses {
		wrong("record", "%q is not one of address, a, aaaa, cname, srv, txt, ns, soa", c.Record)
	}
	if c.Count < 0 {
		wrong("count", "found %d, wanted 0 or more", c.Count)
	}
	if c.Interval <= 0 {
		wrong("interval", "found %s, wanted more than 0s", c.Interval)
	}
	if c.Server == "" {
		const own = "is for a \"server\" that is asked directly; the host's resolver has its own, in \"dns\" of the node"
		if c.Timeout != 0 {
			wrong("timeout", own)
		}
		if c.Attempts != 0 {
			wrong("attempts", own)
		}
		if c.UDPSize != 0 {
			wrong("udp_size", own)
		}
		return errors.Join(list...)
	}
	list = append(list, target.CheckPort("server", c.Server))
	if c.Timeout < 0 {
		wrong("timeout", "found %s, wanted more than 0s", c.Timeout)
	}
	if c.Attempts < 0 {
		wrong("attempts", "found %d, wanted 1 or more", c.Attempts)
	}
	if c.UDPSize != 0 && (c.UDPSize < wire.MinMsgSize || c.UDPSize > wire.MaxMsgSize) {
		wrong("udp_size", "found %s, wanted %dB to %dB", c.UDPSize, wire.MinMsgSize, wire.MaxMsgSize)
	}
	return errors.Join(list...)
}

// Calls implements services.Caller.
func (c *Config) Calls() []services.Call {
	if c.Server == "" {
		return nil
	}
	return []services.Call{target.Call("server", c.Server, services.UDP, dns.Port)}
}

// AsksServers implements services.Asker.
func (c *Config) AsksServers() bool { return c.Server == "" && c.Record != Addresses }

// Type describes the workload.
var Type = services.Type{
	Name: "dns-lookup", Role: services.Workload, Outcomes: true,
	Doc: "Asks for a name at exact times, through the host's resolver or at a name server directly, and keeps the answers, how long " +
		"they took and which came from the cache.",
	Config: func() services.Config { return NewConfig() },
	Result: func() any { return new(Result) },
	New: func(config services.Config, info services.Info) (services.Runner, error) {
		return &runner{config: *config.(*Config), tallies: make([]tally, len(info.Hosts))}, nil
	},
}

// runner keeps what each host found at the host's index.
type runner struct {
	config  Config
	tallies []tally
}

// Run implements services.Runner.
func (r *runner) Run(ctx context.Context, env *services.Env) error {
	ask, err := r.asker(env)
	if err != nil {
		return err
	}
	t := &r.tallies[env.Index]
	t.names = env.Host.Names()
	start := env.Elapsed()
	for i := 0; r.config.Count == 0 || i < r.config.Count; i++ {
		at := start + time.Duration(i)*r.config.Interval.Std()
		if env.SleepUntil(ctx, at) != nil {
			break
		}
		n := t.begin(env.Elapsed())
		env.Go(func() {
			begun := env.Elapsed()
			answers, err := ask(ctx)
			if !env.Over(ctx) {
				env.Outcome(begun, t.end(n, env.Elapsed()-begun, answers, err))
			}
		})
	}
	env.Wait()
	return nil
}

// asker returns the function that looks the name up.
func (r *runner) asker(env *services.Env) (func(context.Context) ([]*dns.Answer, error), error) {
	h, c := env.Host, &r.config
	var types []uint16
	if c.Record != Addresses {
		types = []uint16{kinds[c.Record]}
	}
	resolver, _ := h.Resolver().(*dns.Resolver)
	if c.Server != "" {
		name, port, err := target.Split(c.Server)
		if err != nil {
			return nil, err
		}
		address, ok := dns.ServerAddress(h, name)
		if !ok {
			return nil, errors.New(name + " has no address that " + h.Name() + " can use")
		}
		resolver, err = dns.NewResolver(h, dns.ResolverConfig{Servers: []netip.AddrPort{netip.AddrPortFrom(address, port)}, NoCache: true,
			Timeout: c.Timeout.Std(), Attempts: c.Attempts, UDPSize: uint16(c.UDPSize)})
		if err != nil {
			return nil, err
		}
	}
	switch {
	case resolver != nil:
		return func(ctx context.Context) ([]*dns.Answer, error) { return resolver.Query(ctx, c.Name, types...) }, nil
	case types != nil:
		return nil, errors.New(h.Name() + " asks no name server: give it \"dns\", or the workload a \"server\"")
	}
	return func(ctx context.Context) ([]*dns.Answer, error) {
		addrs, err := h.Resolve(ctx, c.Name)
		return fromTable(c.Name, addrs), err
	}, nil
}

// Result implements services.Runner.
func (r *runner) Result() any {
	all := newResult()
	for i := range r.tallies {
		r.tallies[i].addTo(all)
	}
	return all.finish()
}
