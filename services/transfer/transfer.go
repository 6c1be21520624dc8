// Package transfer is the workload "tcp-transfer" and the service "tcp-sink": bulk data over TCP, checked at both ends.
//
// A connection begins with a line of text that says what is wanted, so that it reads well in Wireshark:
//
//	PUT <bytes>             then the data, up to the end of the client's half of the connection
//	PUT until <time>        then data; the server takes what arrives up to that time since the start of the run, such as "10.1s"
//	GET <bytes> seed <n>    the server sends that many bytes and ends its half of the connection
//	GET <time> seed <n>     the server sends for that long or until the client has gone
//
// Each of them may end with "dscp <name>", which the server's packets then have as well as the client's.
//
// After an upload the server answers with what arrived:
//
//	OK <bytes> crc32c <8 hexadecimal digits>
//
// The data of a download is a stream that both ends make from the seed, so the client compares every byte. Of an upload the
// client compares the sum in the answer with that of what it sent. A transfer is intact if something arrived and all of it was
// right.
//
// An upload of some bytes is over when the answer has come: all data was acknowledged and read. So its goodput counts bytes
// that arrived, and its duration holds one round trip for the handshake and one for the end.
//
// A flow with a duration counts what arrives within that time, and its goodput is that over the duration. The time begins with
// the dial. A download's client knows when it is over, an upload's server is told: the hosts of a lab have one clock. So flows
// that begin together end together, and what they get adds up to no more than what the network carries. Then the client
// resets the connection: to bring home what is in queues and buffers could take long, and would disturb whoever measures
// longer. So that this is not much, the sender keeps little waiting, see [tcp.Conn.SetUnsentLimit].
//
// A flow that the end of the run cuts off has not failed. Of a download the figures hold what arrived until then, compared as
// always. Of an upload nothing is known without an answer, so its goodput has no value and it is not intact.
package transfer

import (
	"context"
	"errors"
	"time"

	"netlab/services"
	"netlab/services/target"
	"netlab/units"
)

// The directions.
const (
	Upload   = "upload"
	Download = "download"
)

// maxFlows is more than a host has local ports.
const maxFlows = 1 << 16

// Config configures the workload.
type Config struct {
	To        services.Target `json:"to" jsonschema_description:"The tcp-sink. The port is 5001 when it is left out." jsonschema:"required"`
	Bytes     units.Bytes     `json:"bytes,omitempty" jsonschema_description:"How much data each flow transfers. Either bytes or duration is given."`
	Duration  units.Duration  `json:"duration,omitempty" jsonschema_description:"How long each flow lasts, from the dial on. What is on its way then does not count. Either bytes or duration is given."`
	Flows     int             `json:"flows" jsonschema_description:"How many connections each host opens at once." jsonschema:"default=1"`
	Direction string          `json:"direction" jsonschema_description:"upload sends data to the sink, download gets it from there." jsonschema:"enum=upload,enum=download,default=upload"`
	Warmup    units.Duration  `json:"warmup,omitempty" jsonschema_description:"Time from the start of a download that its goodput leaves out, for example slow start. Default 0s."`
	DSCP      units.DSCP      `json:"dscp,omitempty" jsonschema_description:"DSCP of the packets of both ends, such as af11, for queues that look at it; the server's handshake and the acknowledgement of the first line are still without. The stack's TCP takes no part in ECN. Default cs0."`
}

// NewConfig returns the defaults.
func NewConfig() *Config { return &Config{Flows: 1, Direction: Upload} }

// Endless implements services.Config.
func (c *Config) Endless() bool { return false }

// Validate implements services.Config.
func (c *Config) Validate() error {
	list := []error{target.CheckPort("to", c.To)}
	switch {
	case c.Bytes == 0 && c.Duration == 0:
		list = append(list, errors.New("how much? want bytes or duration"))
	case c.Bytes != 0 && c.Duration != 0:
		list = append(list, services.Fieldf("duration", "there is bytes already: want one of them"))
	case c.Bytes < 0:
		list = append(list, services.Fieldf("bytes", "found %s, wanted more than 0B", c.Bytes))
	case c.Duration < 0:
		list = append(list, services.Fieldf("duration", "found %s, wanted more than 0s", c.Duration))
	}
	if c.Flows < 1 || c.Flows > maxFlows {
		list = append(list, services.Fieldf("flows", "found %d, wanted 1 to %d", c.Flows, maxFlows))
	}
	if c.Direction != Upload && c.Direction != Download {
		list = append(list, services.Fieldf("direction", "%q is not one of %s, %s", c.Direction, Upload, Download))
	}
	switch {
	case c.Warmup < 0:
		list = append(list, services.Fieldf("warmup", "found %s, wanted 0s or more", c.Warmup))
	case c.Warmup > 0 && c.Direction != Download:
		list = append(list, services.Fieldf("warmup",
			"only a download can leave it out: the client of an upload does not know when which byte arrived"))
	case c.Duration > 0 && c.Warmup >= c.Duration:
		list = append(list, services.Fieldf("warmup", "found %s, wanted less than the duration of %s", c.Warmup, c.Duration))
	}
	return errors.Join(list...)
}

// Calls implements services.Caller.
func (c *Config) Calls() []services.Call {
	return []services.Call{target.Call("to", c.To, services.TCP, DefaultPort)}
}

// Type describes the workload.
var Type = services.Type{
	Name: "tcp-transfer", Role: services.Workload,
	Doc: "Sends bulk data over TCP to a tcp-sink or gets it from there, over one flow or many, and checks that every byte " +
		"arrived. Reports goodput, fairness among the flows, and what the connections went through.",
	Config: func() services.Config { return NewConfig() },
	Result: func() any { return new(Result) },
	New: func(config services.Config, info services.Info) (services.Runner, error) {
		c := *config.(*Config)
		return &runner{config: c, hosts: info.Hosts, flows: make([]flow, len(info.Hosts)*c.Flows)}, nil
	},
}

type runner struct {
	config Config
	hosts  []string
	flows  []flow // host by host
}

// Run implements services.Runner.
func (r *runner) Run(ctx context.Context, env *services.Env) error {
	address, err := target.Address(r.config.To, DefaultPort)
	if err != nil {
		return err
	}
	flows := r.flows[env.Index*r.config.Flows:][:r.config.Flows]
	if _, err := target.Resolve(ctx, env.Host, r.config.To, ""); err != nil {
		for i := range flows {
			flows[i].err = err.Error()
		}
		return err
	}
	for i := range flows {
		f := &flows[i]
		f.started, f.seed, f.config = true, env.Random.Uint64(), r.config
		env.Go(func() {
			if err := f.run(ctx, env, address); err != nil {
				f.err = err.Error()
				env.Log.Warn("flow failed", "flow", i, "error", err)
			}
		})
	}
	env.Wait()
	return nil
}

// request is what a flow asks the sink for.
func (c *Config) request(seed uint64) request {
	r := request{get: c.Direction == Download, bytes: int64(c.Bytes), seed: seed, dscp: c.DSCP}
	if c.Duration > 0 {
		r.bytes, r.duration = -1, time.Duration(c.Duration)
	}
	return r
}
