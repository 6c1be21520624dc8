package nameserver

import (
	"context"
	"sync"

	"netlab/dns"
	"netlab/services"
)

// Server describes the service.
var Server = services.Type{
	Name: "dns-server", Role: services.Service,
	Doc: "Answers questions about the names of a zone over UDP and TCP: addresses (in rotation, by client), aliases, services and " +
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
}

type server struct {
	config Config

	mu     sync.Mutex
	server *dns.Server
}

// Run implements services.Runner.
func (s *server) Run(ctx context.Context, env *services.Env) error {
	zone, err := s.config.newZone(env)
	if err != nil {
		return err
	}
	server := &dns.Server{Zone: zone, Log: env.Log, Go: env.Go}
	s.mu.Lock()
	s.server = server
	s.mu.Unlock()
	return server.Serve(ctx, env.Host, string(s.config.Listen))
}

// Result implements services.Runner.
func (s *server) Result() any {
	s.mu.Lock()
	server := s.server
	s.mu.Unlock()
	result := &Result{Types: map[string]uint64{}, Replies: map[string]uint64{}}
	if server == nil {
		return result
	}
	stats := server.Stats()
	for name, n := range stats.Queries {
		result.Types[name] = n
	}
	for name, n := range stats.Replies {
		result.Replies[name] = n
		result.Queries += n
	}
	result.TCP, result.Truncated, result.Malformed = stats.TCP, stats.Truncated, stats.Malformed
	return result
}
