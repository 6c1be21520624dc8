package stream

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"time"

	"netlab/ip"
	"netlab/services"
	"netlab/udp"
)

// SinkConfig configures the service "udp-sink".
type SinkConfig struct {
	Listen services.ListenUDP `json:"listen" jsonschema_description:"Where it listens." jsonschema:"default=:5002"`
}

// Endless implements services.Config.
func (c *SinkConfig) Endless() bool { return true }

// Validate implements services.Config.
func (c *SinkConfig) Validate() error {
	if c.Listen == "" {
		return services.Fieldf("listen", "missing: want a colon and a port, such as \":%d\"", DefaultPort)
	}
	return nil
}

// Sink describes the service.
var Sink = services.Type{
	Name: "udp-sink", Role: services.Service,
	Doc:    "Receives the RTP packets of udp-stream and reports loss, gaps, reordering, one-way delay and jitter.",
	Config: func() services.Config { return &SinkConfig{Listen: ":5002"} },
	Result: func() any { return new(SinkResult) },
	New: func(config services.Config, _ services.Info) (services.Runner, error) {
		return &sink{config: *config.(*SinkConfig), sources: map[key]*source{}}, nil
	},
}

// SinkResult is what a sink reports: the figures of all streams together and of each one.
type SinkResult struct {
	Figures
	// Foreign counts datagrams that are no packets of a udp-stream.
	Foreign uint64 `json:"foreign"`
	// Sources are the streams by the name, or else the address, and the port that they came from: "client:51234".
	Sources map[string]Figures `json:"sources"`
}

// key tells streams apart.
type key struct {
	from netip.AddrPort
	ssrc uint32
}

// sink is the runner. What it knows of the streams is what it reports, so it outlives a crash of the host: what is sent meanwhile
// is lost.
type sink struct {
	config  SinkConfig
	sources map[key]*source
	order   []key // in which they came
	names   *ip.Names
	foreign uint64
	end     time.Duration
}

// Run implements services.Runner.
func (s *sink) Run(ctx context.Context, env *services.Env) error {
	conn, err := udp.Listen(env.Host, string(s.config.Listen))
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	conn.ReceiveECN()
	s.names = env.Host.Names()
	buffer := make([]byte, maxSize)
	for {
		n, from, ecn, err := conn.ReadECN(buffer)
		if err != nil {
			s.end = env.Elapsed()
			conn.Close()
			if env.Over(ctx) {
				return nil
			}
			return err
		}
		if !s.take(env.Elapsed(), from, buffer[:n], ecn == ip.CE) {
			s.foreign++
		}
	}
}

// take takes a datagram and says whether it is a packet of a stream. marked says that it arrived with the codepoint CE.
func (s *sink) take(at time.Duration, from netip.AddrPort, datagram []byte, marked bool) bool {
	h, payload, err := decode(datagram)
	if err != nil {
		return false
	}
	m, err := decodeMark(payload, len(datagram))
	if err != nil {
		return false
	}
	k := key{from, h.ssrc}
	known := s.sources[k]
	if known == nil {
		known = &source{plan: m.plan}
		s.sources[k] = known
		s.order = append(s.order, k)
	}
	if m.plan != known.plan {
		return false
	}
	known.arrive(m, at, marked)
	return true
}

// Result implements services.Runner.
func (s *sink) Result() any {
	all := &SinkResult{Foreign: s.foreign, Sources: map[string]Figures{}}
	for _, k := range s.order {
		f := s.sources[k].figures(s.end)
		all.merge(f)
		name := s.name(k.from)
		if other, ok := all.Sources[name]; ok {
			other.merge(f)
			f = other
		}
		all.Sources[name] = f
	}
	return all
}

// name is where a stream comes from, as the report says it.
func (s *sink) name(from netip.AddrPort) string {
	if name := s.names.Name(from.Addr()); name != "" {
		return net.JoinHostPort(name, strconv.Itoa(int(from.Port())))
	}
	return from.String()
}
