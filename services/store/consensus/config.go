// Package consensus replicates a store with raft (Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm", 2014), after
// etcd's library. The driver is ours: where the log is written, when messages go out, how reads are served.
//
// A write is answered when it is applied, after a majority has it on its disks. The leader writes to its disk while the followers write to
// theirs (Ongaro's thesis, section 10.2.1), so a write takes max(own append and sync, the round trip to and append and sync of the
// slowest member that completes the majority).
//
// Linearizable reads go one of two ways. By read index (thesis, section 6.4) the leader asks a majority whether it is still the leader; a
// follower asks the leader for the index and waits until it has applied it. By lease (section 6.4.1) the leader answers from its own state
// for as long as no other one can have been elected: until one tick before the election timeout is over, since the time at which it sent
// what a majority has answered. No member votes while it hears of a leader, nor for one election timeout after its start, which is what
// that rests on. With the wall clock as the lease's clock it rests on nothing as soon as that clock jumps.
package consensus

import (
	"errors"
	"time"

	"netlab/services"
	"netlab/units"
)

// Config configures raft.
type Config struct {
	Heartbeat       units.Duration `json:"heartbeat,omitempty" zero:"refused" jsonschema_description:"Time between the heartbeats of a leader, and the tick of all timeouts." jsonschema:"default=100ms"`
	ElectionTimeout units.Duration `json:"election_timeout,omitempty" zero:"refused" jsonschema_description:"How long a member hears nothing of a leader before it wants an election: at random from this to twice this, in whole heartbeats." jsonschema:"default=1s"`
	PreVote         *bool          `json:"pre_vote,omitempty" jsonschema_description:"Whether a member asks whether it could win before it calls an election, so that one that was cut off doesn't disturb the others. Default true."`
	Lease           bool           `json:"lease,omitempty" jsonschema_description:"Whether the leader answers linearizable reads without asking a majority while its lease holds. Default false: by read index."`
	LeaseClock      string         `json:"lease_clock,omitempty" jsonschema_description:"The clock that a lease is measured by. With wall, a lease is wrong when the host's clock is set back. Default monotonic." jsonschema:"enum=monotonic,enum=wall"`
	PersistVote     *bool          `json:"persist_vote,omitempty" jsonschema_description:"Whether a member writes down for whom it voted before it says so. Without, it can vote twice after a crash: to see what that does. Default true."`
	SnapshotEntries int            `json:"snapshot_entries,omitempty" zero:"refused" jsonschema_description:"After how many entries the data is flushed to disk and the log cut. A follower that is farther behind gets a snapshot." jsonschema:"default=10000,minimum=1"`
	Voters          services.Nodes `json:"voters,omitempty" jsonschema_description:"Members that vote at the start; the others wait until RAFT ADD lets them in. Default: all members."`
}

func or[T comparable](value, preset T) T {
	var zero T
	if value == zero {
		return preset
	}
	return value
}

func (c *Config) heartbeat() time.Duration {
	return or(c.Heartbeat, units.Duration(100*time.Millisecond)).Std()
}

// Election is the election timeout.
func (c *Config) Election() time.Duration {
	return or(c.ElectionTimeout, units.Duration(time.Second)).Std()
}

// ElectionTicks is the election timeout in heartbeats.
func (c *Config) ElectionTicks() int { return int(c.Election() / c.heartbeat()) }

func (c *Config) keep() uint64 { return uint64(or(c.SnapshotEntries, 10_000)) }

func enabled(b *bool) bool { return b == nil || *b }

// Validate returns what is wrong; members are those of the store.
func (c *Config) Validate(field string) error {
	var list []error
	add := func(name, format string, args ...any) {
		list = append(list, services.Fieldf(field+"."+name, format, args...))
	}
	h, e := c.heartbeat(), c.Election()
	if h < time.Millisecond {
		add("heartbeat", "found %s, wanted 1ms or more", c.Heartbeat)
	} else if e < 2*h || e%h != 0 || e/h > 10_000 {
		add("election_timeout", "found %s, wanted a multiple of the heartbeat (%s), at least twice and at most 10000 times as long",
			units.Duration(e), units.Duration(h))
	}
	switch c.LeaseClock {
	case "", "monotonic", "wall":
		if c.LeaseClock != "" && !c.Lease {
			add("lease_clock", "means nothing without \"lease\": true")
		}
	default:
		add("lease_clock", "%q is not one of monotonic, wall", c.LeaseClock)
	}
	if c.SnapshotEntries < 0 {
		add("snapshot_entries", "found %d, wanted 1 or more", c.SnapshotEntries)
	}
	return errors.Join(list...)
}
