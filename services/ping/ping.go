// Package ping is the workload "ping": ICMP echo requests (RFC 792, RFC 4443) to a node, at exact times.
//
// Request i leaves at start + i × interval, whether or not the replies to earlier ones have come, so a round trip may
// take longer than the interval. A request whose reply takes the timeout or longer is lost; the reply is then counted as
// late, if the ping is still there to see it. Replies to a request that was answered before are duplicates.
//
// Round-trip times are virtual time between the sending of a request and the arrival of its reply: over a link of 10 ms and
// no rate limit exactly 20 ms.
package ping

import (
	"context"
	"errors"
	"net"
	"time"

	"netlab/ip"
	"netlab/services"
	"netlab/services/probe"
	"netlab/services/target"
	"netlab/units"
)

// maxSize is the largest payload of an IPv4 echo request: 65535 bytes without the IP and ICMP headers.
const maxSize = 65535 - 20 - 8

// Config configures the workload.
type Config struct {
	To        services.Target `json:"to" jsonschema_description:"The host or router that is pinged: a name or an address." jsonschema:"required"`
	Count     int             `json:"count" jsonschema_description:"How many requests are sent; 0 goes on until the end of the run." jsonschema:"default=5"`
	Interval  units.Duration  `json:"interval" jsonschema_description:"Time from one request to the next." jsonschema:"default=1s"`
	Size      units.Bytes     `json:"size" jsonschema_description:"Payload of a request, up to 65507B; the ICMP header of 8 bytes comes on top." jsonschema:"default=56B"`
	Timeout   units.Duration  `json:"timeout" jsonschema_description:"A request is lost when its reply takes this long." jsonschema:"default=1s"`
	DSCP      units.DSCP      `json:"dscp,omitempty" jsonschema_description:"DSCP of the requests, such as ef; hosts reply with the same. Default cs0."`
	IPVersion string          `json:"ip_version,omitempty" jsonschema_description:"IP version to use. Default: what the host prefers." jsonschema:"enum=ipv4,enum=ipv6"`
}

// NewConfig returns the defaults.
func NewConfig() *Config {
	return &Config{Count: 5, Interval: units.Duration(time.Second), Size: 56, Timeout: units.Duration(time.Second)}
}

// Endless implements services.Config.
func (c *Config) Endless() bool { return c.Count == 0 }

// Validate implements services.Config.
func (c *Config) Validate() error {
	list := []error{target.CheckHost("to", c.To), target.CheckVersion("ip_version", c.IPVersion), c.schedule().Validate()}
	if c.Size < 0 || c.Size > maxSize {
		list = append(list, services.Fieldf("size", "found %s, wanted 0B to %dB", c.Size, maxSize))
	}
	return errors.Join(list...)
}

func (c *Config) schedule() probe.Schedule {
	return probe.Schedule{Count: c.Count, Interval: c.Interval, Timeout: c.Timeout}
}

// Type describes the workload.
var Type = services.Type{
	Name: "ping", Role: services.Workload, Outcomes: true,
	Doc: "Sends ICMP echo requests at exact times and measures round-trip times and loss. " +
		"Requests do not wait for replies, so the interval may be shorter than the round trip.",
	Config: func() services.Config { return NewConfig() },
	Result: func() any { return new(Result) },
	New: func(config services.Config, info services.Info) (services.Runner, error) {
		return &runner{config: *config.(*Config), probers: make([]*probe.Prober, len(info.Hosts)),
			ttl: make([]int, len(info.Hosts))}, nil
	},
}

// Result is what the workload reports, over all hosts that it ran on.
type Result struct {
	probe.Result
	// TTL is the TTL or hop limit of the last reply in time, on arrival; with several hosts that of the last host.
	TTL *int `json:"ttl"`
}

// runner keeps what each host found at the host's index.
type runner struct {
	config  Config
	probers []*probe.Prober
	ttl     []int
}

// Run implements services.Runner.
func (r *runner) Run(ctx context.Context, env *services.Env) error {
	peer, err := target.Resolve(ctx, env.Host, r.config.To, r.config.IPVersion)
	if err != nil {
		return err
	}
	conn, err := ip.DialEcho(env.Host, peer)
	if err != nil {
		return err
	}
	if err := conn.SetDSCP(r.config.DSCP); err != nil {
		conn.Close()
		return err
	}
	p := probe.NewProber(r.config.schedule())
	r.probers[env.Index] = p
	payload := make([]byte, r.config.Size)
	for i := range payload {
		payload[i] = byte(i) // as ping on other systems
	}
	env.Go(func() {
		for {
			reply, err := conn.Receive(time.Time{})
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil && p.Reply(uint64(reply.Sequence), reply.At) {
				r.ttl[env.Index] = reply.TTL
			}
		}
	})
	p.Run(ctx, env, func(number uint64) error { return conn.Send(uint16(number), payload) }, func() { conn.Close() })
	return nil
}

// Result implements services.Runner.
func (r *runner) Result() any {
	all := &Result{Result: probe.Sum(r.probers)}
	for i := range r.ttl {
		if r.ttl[i] > 0 {
			all.TTL = &r.ttl[i]
		}
	}
	return all
}
