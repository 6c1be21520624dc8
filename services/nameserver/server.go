package nameserver

import (
	"context"

	"netlab/dns"
	"netlab/services"
)

// Server describes the service.
var Server = services.Type{
	Name: "dns-server", Role: services.Service,
	Doc: "Answers questions about the names of a zone over UDP and TCP: addresses (in rotation, by client, the nearest), aliases, services and " +
		"texts. Every node has its own name in the zone. Hosts whose \"dns\" names it ask it over the network.",
	Config: func() services.Config { return NewConfig() },
	Result: func() any { return new(Result) },
	New: func(config services.Config, _ services.Info) (services.Runner, error) {
		return &server{config: *config.(*Config)}, nil
	},
}

// Result is what a server reports.
type Result struct {
	// Queries counts all queries, over UDP and TCP.
	Queries uint64 `json:"queries"`
	// Types counts queries by the type of record that was asked for, Replies by response code.
	Types   map[string]uint64 `json:"types"`
	Replies map[string]uint64 `json:"replies"`
	// TCP counts the queries over TCP, Truncated the replies that did not fit into a datagram.
	TCP       uint64 `json:"tcp"`
	Truncated uint64 `json:"truncated"`
	// Malformed counts what was no query.
	Malformed uint64 `json:"malformed"`
	// Failed counts queries that met a fault of the server ("fail_dns"), Unanswered those of them that got no reply for it.
	Failed     uint64 `json:"failed"`
	Unanswered uint64 `json:"unanswered"`
}

// server is the runner. What dns.Server counts, and how it fails, outlives a crash of the host; the zone, with the places in its
// rotations, is made anew.
type server struct {
	config Config
	server dns.Server
}

var _ services.DNSFailer = (*server)(nil)

// Run implements services.Runner.
func (s *server) Run(ctx context.Context, env *services.Env) error {
	zone, err := s.config.newZone(env)
	if err != nil {
		return err
	}
	s.server.Zone, s.server.Log, s.server.Go = zone, env.Log, env.Go
	return s.server.Serve(ctx, env.Host, string(s.config.Listen))
}

// FailQueries implements services.DNSFailer.
func (s *server) FailQueries(answer string) (undo func(), err error) {
	f, err := s.server.Fail(dns.FailureKind(answer))
	if err != nil {
		return nil, err
	}
	return f.Remove, nil
}

// Result implements services.Runner.
func (s *server) Result() any {
	result := &Result{Types: map[string]uint64{}, Replies: map[string]uint64{}}
	stats := s.server.Stats()
	for name, n := range stats.Queries {
		result.Types[name] = n
	}
	for name, n := range stats.Replies {
		result.Replies[name] = n
		result.Queries += n
	}
	result.Queries += stats.Unanswered
	result.TCP, result.Truncated, result.Malformed = stats.TCP, stats.Truncated, stats.Malformed
	result.Failed, result.Unanswered = stats.Failed, stats.Unanswered
	return result
}
