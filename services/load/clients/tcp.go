package clients

import (
	"context"
	"errors"
	"io"
	"time"

	"netlab/services"
	"netlab/services/echo"
	"netlab/services/load"
	"netlab/services/target"
	"netlab/tcp"
	"netlab/units"
)

const (
	maxMessage = 1 << 30
	maxRead    = 32 << 10 // at once: there may be thousands of users
	unhurried  = 1 << 20  // so much is written without waiting, so that it needs no deadline
)

// TCPConfig configures the workload "tcp-load".
type TCPConfig struct {
	load.Config
	To        services.Target `json:"to" jsonschema_description:"The server, such as a tcp-echo. The port is 7 when it is left out." jsonschema:"required"`
	Request   units.Bytes     `json:"request" jsonschema_description:"How much a request sends." jsonschema:"default=100B"`
	Response  *units.Bytes    `json:"response,omitempty" jsonschema_description:"How much is read for an answer. Default: as much as was sent, which is what an echo answers."`
	KeepAlive bool            `json:"keep_alive" jsonschema_description:"Whether a user makes all requests on one connection. Otherwise each has its own." jsonschema:"default=true"`
	Timeout   units.Duration  `json:"timeout" jsonschema_description:"How long the connection may take, and how long the answer." jsonschema:"default=30s"`
}

// NewTCPConfig returns the defaults.
func NewTCPConfig() *TCPConfig {
	return &TCPConfig{Request: 100, KeepAlive: true, Timeout: units.Duration(30 * time.Second)}
}

// Validate implements services.Config.
func (c *TCPConfig) Validate() error {
	list := []error{c.Config.Validate(), target.CheckPort("to", c.To), checkTimeout(c.Timeout)}
	if c.Request < 1 || c.Request > maxMessage {
		list = append(list, services.Fieldf("request", "found %s, wanted 1B to %s", c.Request, units.Bytes(maxMessage)))
	}
	if c.Response != nil && (*c.Response < 1 || *c.Response > maxMessage) {
		list = append(list, services.Fieldf("response", "found %s, wanted 1B to %s", *c.Response, units.Bytes(maxMessage)))
	}
	return errors.Join(list...)
}

func checkTimeout(d units.Duration) error {
	if d <= 0 {
		return services.Fieldf("timeout", "found %s, wanted more than 0s", d)
	}
	return nil
}

// Calls implements services.Caller.
func (c *TCPConfig) Calls() []services.Call {
	return []services.Call{target.Call("to", c.To, services.TCP, echo.DefaultPort)}
}

// TCP describes the workload.
var TCP = services.Type{
	Name: "tcp-load", Role: services.Workload, Outcomes: true,
	Doc: "Loads a TCP server that answers each request, such as a tcp-echo: users who take turns with thinking, or requests at a " +
		"rate. Measures latency, throughput and their parts.",
	Config: func() services.Config { return NewTCPConfig() },
	Result: func() any { return new(load.Result) },
	New: func(config services.Config, info services.Info) (services.Runner, error) {
		c := *config.(*TCPConfig)
		return &tcpRunner{config: c, Runner: load.NewRunner(c.Config, info)}, nil
	},
}

type tcpRunner struct {
	*load.Runner
	config TCPConfig
}

// Run implements services.Runner.
func (r *tcpRunner) Run(ctx context.Context, env *services.Env) error {
	call := target.Call("to", r.config.To, services.TCP, echo.DefaultPort)
	h := &tcpHost{config: r.config, env: env, call: call, response: int(r.config.Request), request: make([]byte, r.config.Request)}
	if r.config.Response != nil {
		h.response = int(*r.config.Response)
	}
	for i := range h.request {
		h.request[i] = byte('a' + i%26)
	}
	return r.Load(ctx, env, func(_ context.Context, _ *load.User) (load.Client, error) { return &tcpClient{tcpHost: h}, nil })
}

// tcpHost is what the users of a host share.
type tcpHost struct {
	config   TCPConfig
	env      *services.Env
	call     services.Call
	request  []byte
	response int
}

// tcpClient is one user.
type tcpClient struct {
	*tcpHost
	conn   *tcp.Conn
	name   string // of the server
	buffer []byte
	unhook func() bool
}

// Do implements load.Client.
func (c *tcpClient) Do(ctx context.Context) (o load.Outcome) {
	timeout := c.config.Timeout.Std()
	o.Target = c.call.Host
	if c.conn == nil {
		conn, err := dial(ctx, c.env, c.call.Host, c.call.Port, timeout, &o)
		if err != nil {
			o.Fail(err)
			return o
		}
		c.conn, c.name = conn, nameOf(c.env, conn.RemoteAddr())
		c.unhook = context.AfterFunc(ctx, func() { conn.Abort() })
	}
	o.Target = c.name
	err := c.exchange(timeout, &o)
	if err != nil {
		o.Fail(err)
	}
	if err != nil || !c.config.KeepAlive {
		c.Close()
	}
	return o
}

// exchange sends a request and reads the answer.
func (c *tcpClient) exchange(timeout time.Duration, o *load.Outcome) error {
	deadline := in(c.env, timeout)
	if err := c.conn.SetReadDeadline(deadline); err != nil {
		return err
	}
	if len(c.request) > unhurried {
		if err := c.conn.SetWriteDeadline(deadline); err != nil {
			return err
		}
	}
	sent := c.env.Elapsed()
	if _, err := c.conn.Write(c.request); err != nil {
		return err
	}
	if c.buffer == nil {
		c.buffer = make([]byte, min(c.response, maxRead))
	}
	var first time.Duration
	for left := c.response; left > 0; {
		n, err := c.conn.Read(c.buffer[:min(left, len(c.buffer))])
		if n > 0 && left == c.response {
			first = c.env.Elapsed()
			o.Set(load.Wait, first-sent)
		}
		left -= n
		o.Bytes += int64(n)
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
	}
	o.Set(load.Transfer, c.env.Elapsed()-first)
	return nil
}

// Close implements load.Client.
func (c *tcpClient) Close() {
	if c.conn != nil {
		c.unhook()
		c.conn.Close()
		c.conn = nil
	}
}
