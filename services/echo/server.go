package echo

import (
	"context"
	"errors"
	"net"
	"sync"

	"netlab/services"
	"netlab/tcp"
	"netlab/udp"
	"netlab/units"
)

// TCPConfig configures the service "tcp-echo".
type TCPConfig struct {
	Listen services.ListenTCP `json:"listen" jsonschema_description:"Where it listens." jsonschema:"default=:7"`
}

// UDPConfig configures the service "udp-echo".
type UDPConfig struct {
	Listen services.ListenUDP `json:"listen" jsonschema_description:"Where it listens." jsonschema:"default=:7"`
}

// Endless implements services.Config.
func (c *TCPConfig) Endless() bool { return true }

// Endless implements services.Config.
func (c *UDPConfig) Endless() bool { return true }

// Validate implements services.Config.
func (c *TCPConfig) Validate() error { return checkListen(string(c.Listen)) }

// Validate implements services.Config.
func (c *UDPConfig) Validate() error { return checkListen(string(c.Listen)) }

func checkListen(listen string) error {
	if listen == "" {
		return services.Fieldf("listen", "missing: want a colon and a port, such as \":%d\"", DefaultPort)
	}
	return nil
}

// TCPServer describes the service "tcp-echo".
var TCPServer = services.Type{
	Name: "tcp-echo", Role: services.Service,
	Doc:    "Sends back what it receives over TCP (RFC 862).",
	Config: func() services.Config { return &TCPConfig{Listen: ":7"} },
	Result: func() any { return new(TCPResult) },
	New: func(config services.Config, _ services.Info) (services.Runner, error) {
		return &tcpServer{config: *config.(*TCPConfig)}, nil
	},
}

// UDPServer describes the service "udp-echo".
var UDPServer = services.Type{
	Name: "udp-echo", Role: services.Service,
	Doc:    "Sends back the datagrams that it receives over UDP (RFC 862).",
	Config: func() services.Config { return &UDPConfig{Listen: ":7"} },
	Result: func() any { return new(UDPResult) },
	New: func(config services.Config, _ services.Info) (services.Runner, error) {
		return &udpServer{config: *config.(*UDPConfig)}, nil
	},
}

// TCPResult is what a tcp-echo reports.
type TCPResult struct {
	Connections uint64      `json:"connections"`
	Bytes       units.Bytes `json:"bytes"`  // sent back
	Errors      uint64      `json:"errors"` // connections that broke before the end of the run or a crash of the host
}

// UDPResult is what a udp-echo reports.
type UDPResult struct {
	Datagrams uint64      `json:"datagrams"` // sent back
	Bytes     units.Bytes `json:"bytes"`     // their payload
	Errors    uint64      `json:"errors"`    // datagrams that the host could not send
}

type tcpServer struct {
	config TCPConfig

	mu     sync.Mutex
	result TCPResult
}

// Run implements services.Runner.
func (s *tcpServer) Run(ctx context.Context, env *services.Env) error {
	return env.ServeTCP(ctx, string(s.config.Listen), func(conn *tcp.Conn) { s.serve(ctx, env, conn) })
}

func (s *tcpServer) serve(ctx context.Context, env *services.Env, conn *tcp.Conn) {
	n, err := copyBack(conn)
	if env.Over(ctx) {
		err = nil
	}
	if err != nil {
		env.Log.Warn("echo failed", "client", conn.RemoteAddr().String(), "error", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.result.Connections++
	s.result.Bytes += units.Bytes(n)
	if err != nil {
		s.result.Errors++
	}
}

// Result implements services.Runner.
func (s *tcpServer) Result() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	result := s.result
	return &result
}

type udpServer struct {
	config UDPConfig
	result UDPResult
}

// Run implements services.Runner.
func (s *udpServer) Run(ctx context.Context, env *services.Env) error {
	conn, err := udp.Listen(env.Host, string(s.config.Listen))
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	defer conn.Close()
	buffer := make([]byte, maxDatagram)
	for {
		n, origin, err := conn.ReadOrigin(buffer)
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		if _, err := conn.Answer(buffer[:n], origin); err != nil {
			if env.Over(ctx) {
				return nil
			}
			s.result.Errors++
			env.Log.Debug("datagram not sent", "error", err)
			continue
		}
		s.result.Datagrams++
		s.result.Bytes += units.Bytes(n)
	}
}

// Result implements services.Runner.
func (s *udpServer) Result() any { return &s.result }
