// Package stream is the workload "udp-stream" and the service "udp-sink": packets at a constant bit rate, as of a camera or a
// voice, and what becomes of them.
//
// Packet i leaves at start + i × size / rate, in virtual time and without drift. Each one is an RTP packet (RFC 3550) with a
// dynamic payload type and a clock of 90 kHz, which Wireshark decodes (Decode As, RTP). In the payload are the packet's
// number and time in full, and how the stream will go on, so the sink counts what is lost without wrapping numbers and also
// when the end of the stream is missing.
//
// The sink reports loss, gaps, reordering, one-way delay, jitter and how many packets arrived with a mark of congestion. One-way
// delays rest on both hosts having the same clock: times in packets are those of the lab, whatever the hosts believe the date to be.
package stream

import (
	"context"
	"errors"
	"math/big"
	"syscall"
	"time"

	"netlab/ip"
	"netlab/services"
	"netlab/services/target"
	"netlab/udp"
	"netlab/units"
)

// DefaultPort is where a sink listens when the file doesn't say otherwise.
const DefaultPort = 5002

// maxSize is the largest UDP payload in an IPv4 packet.
const maxSize = 65535 - 20 - 8

// Config configures the workload.
type Config struct {
	To       services.Target `json:"to" jsonschema_description:"The udp-sink. The port is 5002 when it is left out." jsonschema:"required"`
	Rate     units.BitRate   `json:"rate" jsonschema_description:"Bit rate of the UDP payload, which the RTP header is a part of." jsonschema:"required"`
	Size     units.Bytes     `json:"size" jsonschema_description:"UDP payload of a packet, 60B to 65507B." jsonschema:"default=1200B"`
	Duration units.Duration  `json:"duration,omitempty" jsonschema_description:"How long packets are sent. Either duration or packets is given."`
	Packets  uint64          `json:"packets,omitempty" jsonschema_description:"How many packets are sent. Either duration or packets is given."`
	DSCP     units.DSCP      `json:"dscp,omitempty" jsonschema_description:"DSCP of the packets, such as ef, for queues that look at it. Default cs0."`
	ECN      bool            `json:"ecn,omitempty" jsonschema_description:"Whether the packets say that they are ECN-capable, ECT(0), so that queues may mark them instead of dropping them. The sink counts the marks; the stream does not react to them. Default false."`
}

// NewConfig returns the defaults.
func NewConfig() *Config { return &Config{Size: 1200} }

// Endless implements services.Config.
func (c *Config) Endless() bool { return false }

// Validate implements services.Config.
func (c *Config) Validate() error {
	list := []error{target.CheckPort("to", c.To)}
	if c.Rate <= 0 {
		list = append(list, services.Fieldf("rate", "found %s, wanted more than 0bit/s", c.Rate))
	}
	if c.Size < minSize || c.Size > maxSize {
		list = append(list, services.Fieldf("size", "found %s, wanted %dB to %dB", c.Size, minSize, maxSize))
	}
	switch {
	case c.Duration == 0 && c.Packets == 0:
		list = append(list, errors.New("how much? want duration or packets"))
	case c.Duration != 0 && c.Packets != 0:
		list = append(list, services.Fieldf("packets", "there is duration already: want one of them"))
	case c.Duration < 0:
		list = append(list, services.Fieldf("duration", "found %s, wanted more than 0s", c.Duration))
	case c.Packets > maxPackets:
		list = append(list, services.Fieldf("packets", "found %d, wanted up to %d", c.Packets, uint64(maxPackets)))
	case c.Rate > 0 && c.Size > 0 && c.Duration > 0 && c.count().Cmp(big.NewInt(maxPackets)) > 0:
		list = append(list, services.Fieldf("duration", "%s at %s are %d packets, wanted up to %d", c.Duration, c.Rate, c.count(),
			uint64(maxPackets)))
	}
	return errors.Join(list...)
}

// Calls implements services.Caller.
func (c *Config) Calls() []services.Call {
	return []services.Call{target.Call("to", c.To, services.UDP, DefaultPort)}
}

// count is the number of packets that leave in the duration: those of which the time is less.
func (c *Config) count() *big.Int {
	bits := new(big.Int).Mul(big.NewInt(int64(c.Size)), big.NewInt(8*int64(time.Second)))
	n := new(big.Int).Mul(big.NewInt(int64(c.Duration)), big.NewInt(int64(c.Rate)))
	return n.Add(n, new(big.Int).Sub(bits, big.NewInt(1))).Quo(n, bits)
}

// plan is the stream that the configuration asks for.
func (c *Config) plan(start time.Duration) plan {
	p := plan{start: start, packets: c.Packets, size: uint64(c.Size), rate: uint64(c.Rate)}
	if c.Duration > 0 {
		p.packets = c.count().Uint64()
	}
	return p
}

// Type describes the workload.
var Type = services.Type{
	Name: "udp-stream", Role: services.Workload,
	Doc:    "Sends RTP packets over UDP to a udp-sink at a constant bit rate, each at its exact time.",
	Config: func() services.Config { return NewConfig() },
	Result: func() any { return new(Result) },
	New: func(config services.Config, info services.Info) (services.Runner, error) {
		return &runner{config: *config.(*Config), hosts: make([]sender, len(info.Hosts))}, nil
	},
}

// Result is what the workload reports. What arrived is in the report of the udp-sink.
type Result struct {
	// Sent counts packets, and Bytes their UDP payload, over all hosts.
	Sent  uint64      `json:"sent"`
	Bytes units.Bytes `json:"bytes"`
	// Refused counts how often an answer came that nobody listens on the sink's port.
	Refused uint64 `json:"refused"`
	// Errors counts packets that the host could not send.
	Errors uint64 `json:"errors"`
	// Duration is the time from the first packet to the last, the longest among the hosts.
	Duration *units.Duration `json:"duration_ns"`
}

// sender counts what one host sent.
type sender struct {
	sent, refused, errors uint64
	first, last           time.Duration
}

type runner struct {
	config Config
	hosts  []sender // by index of the host
}

// Run implements services.Runner.
func (r *runner) Run(ctx context.Context, env *services.Env) error {
	address, err := target.Address(r.config.To, DefaultPort)
	if err != nil {
		return err
	}
	conn, err := udp.Dial(ctx, env.Host, address)
	if err != nil {
		return err
	}
	defer conn.Close()
	ecn := ip.NotECT
	if r.config.ECN {
		ecn = ip.ECT0
	}
	if err := conn.SetTrafficClass(r.config.DSCP, ecn); err != nil {
		return err
	}
	s := &r.hosts[env.Index]
	p := r.config.plan(env.Elapsed())
	h := header{payloadType: payloadType, ssrc: env.Random.Uint32(), sequence: uint16(env.Random.Uint32())}
	clock := env.Random.Uint32()
	packet := make([]byte, p.size)
	for i := uint64(0); i < p.packets; i++ {
		if env.SleepUntil(ctx, p.start+p.offset(i)) != nil {
			return nil
		}
		now := env.Elapsed()
		h.timestamp = clock + timestamp(now-p.start)
		h.encode(packet)
		mark{i, now, p}.encode(packet[headerSize:])
		h.sequence++
		_, err := conn.Write(packet)
		if errors.Is(err, syscall.ECONNREFUSED) {
			s.refused++ // about an earlier packet; this one was not sent yet
			_, err = conn.Write(packet)
		}
		if err != nil && env.Over(ctx) {
			return nil
		}
		if err != nil {
			s.errors++
			env.Log.Debug("packet not sent", "error", err)
			continue
		}
		if s.sent == 0 {
			s.first = now
		}
		s.sent++
		s.last = now
	}
	return nil
}

// timestamp is a time in units of the RTP clock.
func timestamp(at time.Duration) uint32 {
	const perSecond = uint64(time.Second)
	whole, part := uint64(at)/perSecond, uint64(at)%perSecond
	return uint32(whole*clockRate + part*clockRate/perSecond)
}

// Result implements services.Runner.
func (r *runner) Result() any {
	all := new(Result)
	for i := range r.hosts {
		s := &r.hosts[i]
		all.Sent += s.sent
		all.Refused += s.refused
		all.Errors += s.errors
		if d := units.Duration(s.last - s.first); s.sent > 0 && (all.Duration == nil || d > *all.Duration) {
			all.Duration = &d
		}
	}
	all.Bytes = units.Bytes(all.Sent) * r.config.Size
	return all
}
