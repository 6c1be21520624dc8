package vrrp

import "netlab/units"

// State is a state of the state machine (RFC 9568, section 6.4). Older texts say master for active.
type State string

// The states.
const (
	Initialize State = "initialize"
	Backup     State = "backup"
	Active     State = "active"
)

// Result is what the service reports. IPv4 and IPv6 are groups of their own; one that the address or the host doesn't have is null.
type Result struct {
	IPv4 *GroupResult `json:"ipv4"`
	IPv6 *GroupResult `json:"ipv6"`
	// TrackFalls counts how often the tracked check lowered the priority.
	TrackFalls uint64 `json:"track_falls"`
}

// GroupResult is what one host saw of a group, over all its incarnations.
type GroupResult struct {
	// State is that at the end.
	State State `json:"state"`
	// Takeovers counts how often the host became active, ActiveTime how long it was so in all.
	Takeovers  uint64         `json:"takeovers"`
	ActiveTime units.Duration `json:"active_time_ns"`
	// Sent and Received count advertisements, the latter of this group. Announcements counts gratuitous ARP packets and unsolicited
	// neighbour advertisements.
	Sent          uint64 `json:"advertisements_sent"`
	Received      uint64 `json:"advertisements_received"`
	Announcements uint64 `json:"announcements"`
	// Dropped counts what was no good advertisement.
	Dropped Dropped `json:"dropped"`
	// LastSilence is how long nothing was heard of the group before the latest takeover: since the latest advertisement, or since the
	// host's start.
	LastSilence units.Duration `json:"last_silence_ns"`
	// Transitions are all changes of state.
	Transitions []Transition `json:"transitions"`
}

// Dropped counts bad advertisements by what was wrong first.
type Dropped struct {
	TTL      uint64 `json:"ttl"`
	Version  uint64 `json:"version"`
	Type     uint64 `json:"type"`
	Length   uint64 `json:"length"`
	Checksum uint64 `json:"checksum"`
}

// Transition is a change of state.
type Transition struct {
	At     units.Duration `json:"at_ns"`
	To     State          `json:"to"`
	Reason string         `json:"reason"`
}

func (d *Dropped) count(err error) {
	switch err {
	case errTTL:
		d.TTL++
	case errVersion:
		d.Version++
	case errType:
		d.Type++
	case errLength:
		d.Length++
	case errChecksum:
		d.Checksum++
	default:
		panic("vrrp: unknown reason to drop an advertisement: " + err.Error())
	}
}
