// Package store is the service "store": a member of a replicated key-value database.
//
// Clients speak RESP with it, as with Redis, and members speak gRPC with each other. A member keeps a replication log (package replog) and
// the data (packages kv and engine) on its host's disk; what a crash leaves is what was synced. How members agree is up to the replication:
//
//	none   one member, whose log is written and synced before a write is answered
//	raft   consensus (package consensus)
package store

import (
	"errors"
	"slices"
	"strings"
	"time"

	"netlab/services"
	"netlab/services/store/consensus"
	"netlab/units"
)

// DefaultPort is where clients find a member, and peerPort where other members do.
const (
	DefaultPort = 6379
	peerPort    = ":7000"
)

// The ways to replicate.
const (
	None = "none"
	Raft = "raft"
)

// Config configures the service.
type Config struct {
	Listen      services.ListenTCP `json:"listen" jsonschema_description:"Where clients find it." jsonschema:"default=:6379"`
	PeerListen  services.ListenTCP `json:"peer_listen" jsonschema_description:"Where other members find it; the same port on all of them." jsonschema:"default=:7000"`
	Members     services.Nodes     `json:"members,omitempty" jsonschema_description:"Hosts of all members, this one among them, the same list on each. Default: this host alone."`
	Replication string             `json:"replication" jsonschema_description:"How members agree: none is for a single one." jsonschema:"enum=none,enum=raft,default=none"`
	Raft        *consensus.Config  `json:"raft,omitempty" jsonschema_description:"Settings of raft. Default: its defaults."`
	Prefer      string             `json:"prefer,omitempty" jsonschema_description:"What reads that ask for nothing else get when no majority answers: consistency an error, availability what this member has, however old. Default consistency." jsonschema:"enum=consistency,enum=availability"`
	Read        string             `json:"read,omitempty" jsonschema_description:"What reads that ask for nothing else get: consistency the latest value, latency what this member has. Default consistency." jsonschema:"enum=consistency,enum=latency"`
	Routing     string             `json:"routing,omitempty" jsonschema_description:"What a member does with a request for another one: redirect tells the client, proxy passes it on. Default redirect." jsonschema:"enum=redirect,enum=proxy"`
	Fsync       string             `json:"fsync,omitempty" jsonschema_description:"When the log is synced: always before anything is answered, or never, to see what a crash takes then. Default always." jsonschema:"enum=always,enum=never"`
	SegmentSize units.Bytes        `json:"segment_size,omitempty" zero:"refused" jsonschema_description:"From which size on the log goes on in another file. Default 1MiB."`
}

// NewConfig returns the defaults.
func NewConfig() *Config {
	return &Config{Listen: ":6379", PeerListen: peerPort, Replication: None}
}

// Endless implements services.Config.
func (c *Config) Endless() bool { return true }

// Stores implements services.Storer.
func (c *Config) Stores() bool { return true }

// Expand implements services.Expander.
func (c *Config) Expand(names func(services.Nodes) services.Nodes) services.Config {
	d := *c
	d.Members = names(c.Members)
	if c.Raft != nil {
		r := *c.Raft
		r.Voters = names(r.Voters)
		d.Raft = &r
	}
	return &d
}

// Validate implements services.Config.
func (c *Config) Validate() error {
	var list []error
	add := func(field, format string, args ...any) { list = append(list, services.Fieldf(field, format, args...)) }
	if c.Listen == "" {
		add("listen", "missing: want a colon and a port, such as \":6379\"")
	}
	if c.PeerListen == "" {
		add("peer_listen", "missing: want a colon and a port, such as \":7000\"")
	}
	for _, f := range []struct {
		name, value string
		of          []string
	}{
		{"replication", c.Replication, []string{None, Raft}}, {"prefer", c.Prefer, []string{"consistency", "availability"}},
		{"read", c.Read, []string{"consistency", "latency"}}, {"routing", c.Routing, []string{"redirect", "proxy"}},
		{"fsync", c.Fsync, []string{"always", "never"}},
	} {
		if f.value != "" && !slices.Contains(f.of, f.value) {
			add(f.name, "%q is not one of %s", f.value, strings.Join(f.of, ", "))
		}
	}
	switch {
	case c.Replication == Raft && len(c.Members) == 0:
		add("members", "missing: raft needs the hosts of all members")
	case c.Replication == None:
		for _, f := range []struct {
			name  string
			given bool
		}{{"members", len(c.Members) > 0}, {"prefer", c.Prefer != ""}, {"read", c.Read != ""}, {"routing", c.Routing != ""}} {
			if f.given {
				add(f.name, "means nothing with \"replication\": %q: there is but one member", None)
			}
		}
	}
	if c.Raft != nil {
		if c.Replication != Raft {
			add("raft", "means nothing with \"replication\": %q", c.Replication)
		}
		list = append(list, c.Raft.Validate("raft"))
	}
	if c.SegmentSize < 0 || c.SegmentSize > 0 && c.SegmentSize < 1<<10 || c.SegmentSize > 1<<30 {
		add("segment_size", "found %s, wanted 1KiB to 1GiB", c.SegmentSize)
	}
	return errors.Join(list...)
}

// validateOn is Validate for what depends on the host and the names that patterns stand for.
func (c *Config) validateOn(host string) error {
	if c.Replication == None {
		return nil
	}
	if !slices.Contains(c.Members, host) {
		return services.Fieldf("members", "%s is not among them: %s", host, strings.Join(c.Members, ", "))
	}
	for _, v := range c.raft().Voters {
		if !slices.Contains(c.Members, v) {
			return services.Fieldf("raft.voters", "%s is not a member: want some of %s", v, strings.Join(c.Members, ", "))
		}
	}
	return nil
}

// silence is after how long without a word a connection to another member is tried, and then given up.
func (c *Config) silence() time.Duration {
	r := c.raft()
	return r.Election()
}

func (c *Config) raft() consensus.Config {
	if c.Raft == nil {
		return consensus.Config{}
	}
	return *c.Raft
}
