package store

import (
	"netlab/services/store/node"
	"netlab/units"
)

// Result is what a member reports, over all incarnations of its host.
type Result struct {
	// Requests counts commands of clients, Reads and Writes those that read and wrote, and Errors those that were answered with an error,
	// by its first word in ErrorCodes.
	Requests   uint64            `json:"requests"`
	Reads      uint64            `json:"reads"`
	Writes     uint64            `json:"writes"`
	Errors     uint64            `json:"errors"`
	ErrorCodes map[string]uint64 `json:"error_codes"`
	// Forwarded counts requests that were passed on to another member, Degraded reads that were answered with what there was because no
	// majority answered ("prefer": "availability").
	Forwarded uint64 `json:"forwarded"`
	Degraded  uint64 `json:"degraded_reads"`
	// Elections counts those that the member called, ElectionsWon those that it won.
	Elections    uint64 `json:"elections"`
	ElectionsWon uint64 `json:"elections_won"`
	// LeaderAt is when it became the leader the last time, nil if it never did.
	LeaderAt *units.Duration `json:"leader_at"`
	// Suspected is when it missed its leader the last time, nil if it never did.
	SuspectedAt *units.Duration `json:"suspected_at"`
	// ReadsByIndex and ReadsByLease count linearizable reads by how the leader made sure of them.
	ReadsByIndex      uint64 `json:"reads_by_index"`
	ReadsByLease      uint64 `json:"reads_by_lease"`
	SnapshotsSent     uint64 `json:"snapshots_sent"`
	SnapshotsReceived uint64 `json:"snapshots_received"`
	Flushes           uint64 `json:"flushes"`
	// Keys is how many there are at the end; Applied the last entry that is applied, and FirstEntry and LastEntry what is in the log.
	Keys       int    `json:"keys"`
	Applied    uint64 `json:"applied"`
	FirstEntry uint64 `json:"first_entry"`
	LastEntry  uint64 `json:"last_entry"`
	// Stops counts how often it stopped because of trouble, with the last one in Trouble.
	Stops   uint64 `json:"stops"`
	Trouble string `json:"trouble,omitempty"`
	// Events are what became of its role, in order.
	Events []node.Event `json:"events"`
}

// codes are the errors that are counted by their first word.
var codes = []string{node.ClusterDown, node.Err, "EXECABORT", node.InDoubt, node.Misconf, node.Moved, "NOPROTO", node.TryAgain, "WRONGTYPE"}

// Result implements services.Runner.
func (s *server) Result() any {
	c := s.count
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &Result{
		Requests: c.Get("requests"), Reads: c.Get("reads"), Writes: c.Get("writes"), Errors: c.Get("errors"), ErrorCodes: map[string]uint64{},
		Forwarded: c.Get("requests_forwarded"), Degraded: c.Get("reads_degraded"), Elections: c.Get("elections"),
		ElectionsWon: c.Get("elections_won"), ReadsByIndex: c.Get("reads_by_index"), ReadsByLease: c.Get("reads_by_lease"),
		SnapshotsSent: c.Get("snapshots_sent"), SnapshotsReceived: c.Get("snapshots_received"), Flushes: c.Get("flushes"),
		Keys: s.last.keys, Applied: s.last.applied, FirstEntry: s.last.first, LastEntry: s.last.last, Stops: s.stops, Trouble: s.why,
		Events: c.Events(),
	}
	for _, code := range codes {
		if n := c.Get("code " + code); n > 0 {
			r.ErrorCodes[code] = n
		}
	}
	for _, e := range r.Events {
		switch e.Event {
		case "leader":
			r.LeaderAt = &e.At
		case "suspects":
			r.SuspectedAt = &e.At
		}
	}
	return r
}
