// Package echo is the services "tcp-echo" and "udp-echo" (RFC 862) and the workload "echo", which talks to them.
//
// The workload sends messages at exact times, start + i × interval, and compares what comes back. Over UDP each message is a
// datagram; over TCP all go over one connection, so that a lost segment holds up the messages behind it, which a look at
// rtt.max shows.
package echo

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"netlab/ip"
	"netlab/services"
	"netlab/services/probe"
	"netlab/services/target"
	"netlab/tcp"
	"netlab/units"
)

// DefaultPort is the port of RFC 862.
const DefaultPort = 7

// The protocols.
const (
	TCP = "tcp"
	UDP = "udp"
)

const (
	numberSize  = 8 // each message begins with its number
	maxDatagram = 65535 - 20 - 8
	maxMessage  = 1 << 20
)

// Config configures the workload.
type Config struct {
	To       services.Target `json:"to" jsonschema_description:"The tcp-echo or udp-echo. The port is 7 when it is left out." jsonschema:"required"`
	Protocol string          `json:"protocol" jsonschema_description:"Transport protocol." jsonschema:"enum=tcp,enum=udp,default=tcp"`
	FromPort uint16          `json:"from_port,omitempty" jsonschema_description:"UDP port that messages are sent from. Default: any that is free."`
	Count    int             `json:"count" jsonschema_description:"How many messages are sent; 0 goes on until the end of the run." jsonschema:"default=5"`
	Interval units.Duration  `json:"interval" jsonschema_description:"Time from one message to the next." jsonschema:"default=1s"`
	Size     units.Bytes     `json:"size" jsonschema_description:"Size of a message, from 8B up to 1MiB over TCP and 65507B over UDP." jsonschema:"default=56B"`
	Timeout  units.Duration  `json:"timeout" jsonschema_description:"A message is lost when its echo takes this long." jsonschema:"default=1s"`
}

// NewConfig returns the defaults.
func NewConfig() *Config {
	return &Config{Protocol: TCP, Count: 5, Interval: units.Duration(time.Second), Size: 56, Timeout: units.Duration(time.Second)}
}

// Endless implements services.Config.
func (c *Config) Endless() bool { return c.Count == 0 }

func (c *Config) schedule() probe.Schedule {
	return probe.Schedule{Count: c.Count, Interval: c.Interval, Timeout: c.Timeout}
}

// Validate implements services.Config.
func (c *Config) Validate() error {
	list := []error{target.CheckPort("to", c.To), c.schedule().Validate()}
	most := units.Bytes(maxMessage)
	switch c.Protocol {
	case TCP:
	case UDP:
		most = maxDatagram
	default:
		list = append(list, services.Fieldf("protocol", "%q is not one of %s, %s", c.Protocol, TCP, UDP))
	}
	if c.FromPort != 0 && c.Protocol != UDP {
		list = append(list, services.Fieldf("from_port", "only udp has it: a TCP connection takes a port that is free"))
	}
	if c.Size < numberSize || c.Size > most {
		list = append(list, services.Fieldf("size", "found %s, wanted %dB to %dB", c.Size, numberSize, most))
	}
	return errors.Join(list...)
}

// Calls implements services.Caller.
func (c *Config) Calls() []services.Call {
	protocol := services.TCP
	if c.Protocol == UDP {
		protocol = services.UDP
	}
	return []services.Call{target.Call("to", c.To, protocol, DefaultPort)}
}

// Type describes the workload.
var Type = services.Type{
	Name: "echo", Role: services.Workload, Outcomes: true,
	Doc:    "Sends messages to a tcp-echo or udp-echo at exact times, compares what comes back and measures how long it took.",
	Config: func() services.Config { return NewConfig() },
	Result: func() any { return new(Result) },
	New: func(config services.Config, info services.Info) (services.Runner, error) {
		n := len(info.Hosts)
		return &runner{config: *config.(*Config), probers: make([]*probe.Prober, n), broken: make([]bool, n)}, nil
	},
}

// Result is what the workload reports, over all hosts that it ran on.
type Result struct {
	probe.Result
	// Intact says that every message that came back was right, and that no connection broke.
	Intact bool `json:"intact"`
}

// runner keeps what each host found at the host's index.
type runner struct {
	config  Config
	probers []*probe.Prober
	broken  []bool
}

// conn is what messages go over.
type conn interface {
	// send sends a message.
	send(message []byte) error
	// receive waits for a message and fills b with it; what doesn't fit is lost.
	receive(b []byte) (int, error)
	close()
}

// Run implements services.Runner.
func (r *runner) Run(ctx context.Context, env *services.Env) error {
	address, err := target.Address(r.config.To, DefaultPort)
	if err != nil {
		return err
	}
	c, err := r.config.open(ctx, env.Host, address)
	if err != nil {
		if env.Over(ctx) {
			return nil
		}
		r.broken[env.Index] = true
		return err
	}
	p := probe.NewProber(r.config.schedule())
	r.probers[env.Index] = p
	var closing atomic.Bool
	env.Go(func() {
		buffer := make([]byte, r.config.Size+1)
		for {
			n, err := c.receive(buffer)
			if err != nil {
				if !closing.Load() && !env.Over(ctx) {
					r.broken[env.Index] = true
					env.Log.Warn("echo failed", "error", err)
				}
				return
			}
			at := env.Elapsed()
			number, ok := check(buffer[:n], int(r.config.Size))
			if !ok {
				r.broken[env.Index] = true
				env.Log.Warn("wrong echo", "bytes", n)
				continue
			}
			p.Reply(number, at)
		}
	})
	stop := func() {
		closing.Store(true)
		c.close()
	}
	defer context.AfterFunc(ctx, stop)() // a message that does not get out must not hold up the end
	message := make([]byte, r.config.Size)
	p.Run(ctx, env, func(number uint64) error {
		write(message, number)
		return c.send(message)
	}, stop)
	return nil
}

// Result implements services.Runner.
func (r *runner) Result() any {
	all := &Result{Result: probe.Sum(r.probers), Intact: true}
	for _, broken := range r.broken {
		all.Intact = all.Intact && !broken
	}
	return all
}

// write makes a message: its number, and then bytes that go on from there.
func write(message []byte, number uint64) {
	binary.BigEndian.PutUint64(message, number)
	for i := numberSize; i < len(message); i++ {
		message[i] = byte(number) + byte(i)
	}
}

// check returns the number of a message and whether it is one of that size.
func check(message []byte, size int) (number uint64, ok bool) {
	if len(message) != size {
		return 0, false
	}
	number = binary.BigEndian.Uint64(message)
	for i := numberSize; i < len(message); i++ {
		if message[i] != byte(number)+byte(i) {
			return 0, false
		}
	}
	return number, true
}

func (c *Config) open(ctx context.Context, h *ip.Host, address string) (conn, error) {
	if c.Protocol == UDP {
		return openUDP(ctx, h, c.FromPort, address)
	}
	stream, err := tcp.Dial(ctx, h, address)
	if err != nil {
		return nil, err
	}
	return tcpConn{stream}, nil
}

// copyBack sends what a connection receives back until the peer ends the stream.
func copyBack(c io.ReadWriter) (int64, error) {
	const most = 32 << 10
	buffer := make([]byte, most)
	var total int64
	for {
		n, err := c.Read(buffer)
		if n > 0 {
			written, err := c.Write(buffer[:n])
			total += int64(written)
			if err != nil {
				return total, err
			}
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}
