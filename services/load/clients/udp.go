package clients

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"strconv"
	"syscall"
	"time"

	"netlab/services"
	"netlab/services/echo"
	"netlab/services/load"
	"netlab/services/target"
	"netlab/udp"
	"netlab/units"
)

const (
	numberSize  = 8 // a datagram begins with its number
	maxDatagram = 65535 - 20 - 8
)

// UDPConfig configures the workload "udp-load".
type UDPConfig struct {
	load.Config
	To      services.Target `json:"to" jsonschema_description:"The udp-echo. The port is 7 when it is left out." jsonschema:"required"`
	Size    units.Bytes     `json:"size" jsonschema_description:"Size of a datagram, from 8B up to 65507B." jsonschema:"default=100B"`
	Timeout units.Duration  `json:"timeout" jsonschema_description:"A request has failed when its echo takes so long." jsonschema:"default=1s"`
}

// NewUDPConfig returns the defaults.
func NewUDPConfig() *UDPConfig { return &UDPConfig{Size: 100, Timeout: units.Duration(time.Second)} }

// Validate implements services.Config.
func (c *UDPConfig) Validate() error {
	list := []error{c.Config.Validate(), target.CheckPort("to", c.To), checkTimeout(c.Timeout)}
	if c.Size < numberSize || c.Size > maxDatagram {
		list = append(list, services.Fieldf("size", "found %s, wanted %dB to %dB", c.Size, numberSize, maxDatagram))
	}
	return errors.Join(list...)
}

// Calls implements services.Caller.
func (c *UDPConfig) Calls() []services.Call {
	return []services.Call{target.Call("to", c.To, services.UDP, echo.DefaultPort)}
}

// UDP describes the workload.
var UDP = services.Type{
	Name: "udp-load", Role: services.Workload, Outcomes: true,
	Doc: "Loads a udp-echo: users who take turns with thinking, or requests at a rate. A datagram that doesn't come back in time " +
		"is a failed request. Measures latency and throughput.",
	Config: func() services.Config { return NewUDPConfig() },
	Result: func() any { return new(load.Result) },
	New: func(config services.Config, info services.Info) (services.Runner, error) {
		c := *config.(*UDPConfig)
		return &udpRunner{config: c, Runner: load.NewRunner(c.Config, info)}, nil
	},
}

type udpRunner struct {
	*load.Runner
	config UDPConfig
}

// Run implements services.Runner.
func (r *udpRunner) Run(ctx context.Context, env *services.Env) error {
	call := target.Call("to", r.config.To, services.UDP, echo.DefaultPort)
	return r.Load(ctx, env, func(_ context.Context, _ *load.User) (load.Client, error) {
		return &udpClient{config: &r.config, env: env, call: call}, nil
	})
}

// udpClient is one user, who has a socket of its own.
type udpClient struct {
	config *UDPConfig
	env    *services.Env
	call   services.Call
	conn   *udp.Conn
	name   string
	number uint64
	out    []byte
	in     []byte // a byte longer, to notice datagrams that are too long
	unhook func() bool
}

// Do implements load.Client.
func (c *udpClient) Do(ctx context.Context) (o load.Outcome) {
	o.Target = c.call.Host
	if c.conn == nil {
		var err error
		if c.conn, c.unhook, err = openUDP(ctx, c.env, c.call, c.config.Timeout.Std(), &o); err != nil {
			o.Fail(err)
			return o
		}
		c.name = nameOf(c.env, c.conn.RemoteAddr())
		c.out, c.in = make([]byte, c.config.Size), make([]byte, c.config.Size+1)
	}
	o.Target = c.name
	c.number++
	binary.BigEndian.PutUint64(c.out, c.number)
	sent := c.env.Elapsed()
	err := ask(c.conn, in(c.env, c.config.Timeout.Std()), c.out, c.in, func(answer []byte) bool {
		mine := len(answer) == len(c.out) && binary.BigEndian.Uint64(answer) == c.number
		if mine {
			o.Bytes = int64(len(answer))
			o.Set(load.Wait, c.env.Elapsed()-sent)
		}
		return mine
	})
	if err != nil {
		o.Fail(err)
	}
	return o
}

// Close implements load.Client.
func (c *udpClient) Close() {
	if c.conn != nil {
		c.unhook()
		c.conn.Close()
	}
}

// openUDP opens a socket to a server. It is closed when ctx ends, unless unhook was called.
func openUDP(ctx context.Context, env *services.Env, call services.Call, timeout time.Duration, o *load.Outcome) (conn *udp.Conn, unhook func() bool, err error) {
	lookup, cancel := env.WithTimeout(ctx, timeout)
	defer cancel()
	addrs, err := resolve(lookup, env, call.Host, o)
	if err != nil {
		return nil, nil, err
	}
	conn, err = udp.Dial(ctx, env.Host, net.JoinHostPort(addrs[0].String(), strconv.Itoa(int(call.Port))))
	if err != nil {
		return nil, nil, err
	}
	return conn, context.AfterFunc(ctx, func() { conn.Close() }), nil
}

// ask sends a datagram and reads into a buffer until mine says that an answer is the one, or until the deadline.
func ask(conn *udp.Conn, deadline time.Time, out, buffer []byte, mine func(answer []byte) bool) error {
	if err := conn.SetReadDeadline(deadline); err != nil {
		return err
	}
	_, err := conn.Write(out)
	if errors.Is(err, syscall.ECONNREFUSED) { // an earlier one found nobody; this one has not been sent yet
		_, err = conn.Write(out)
	}
	if err != nil {
		return err
	}
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return err
		}
		if mine(buffer[:n]) {
			return nil
		}
	}
}
