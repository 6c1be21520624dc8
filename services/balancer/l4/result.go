package l4

import "netlab/units"

// Result is what a balancer of layer 4 counted, over all incarnations of its host.
type Result struct {
	Connections uint64 `json:"connections"` // TCP connections or flows of UDP that were given to a backend
	Active      int    `json:"active"`      // of these, those that are known now
	MostActive  int    `json:"most_active"` // the most that were known at a time
	Expired     uint64 `json:"expired"`     // forgotten because nothing came for as long as their timeout
	Reset       uint64 `json:"reset"`       // reset because their backend was found dead (on_backend_down)
	Failed      uint64 `json:"failed"`      // mode proxy: no connection to the backend came about

	Forward  Traffic `json:"forward"`  // from clients to backends
	Backward Traffic `json:"backward"` // from backends to clients; in the mode direct the balancer doesn't see them
	Errors   uint64  `json:"errors"`   // ICMP errors about connections that were translated, in both directions

	Dropped  Dropped             `json:"dropped"`
	Backends map[string]*Backend `json:"backends"` // by name
}

// Traffic is what went in one direction.
type Traffic struct {
	Packets uint64      `json:"packets"` // 0 in the mode proxy over TCP, which sees bytes
	Bytes   units.Bytes `json:"bytes"`   // of packets with their IP header; in the mode proxy what they carry
}

// Dropped are packets, or in the mode proxy connections and datagrams, that went nowhere.
type Dropped struct {
	TableFull  uint64 `json:"table_full"`   // there was no place for another connection
	NoBackend  uint64 `json:"no_backend"`   // no backend could be used
	OutOfState uint64 `json:"out_of_state"` // segments that belong to no connection and don't open one
	Malformed  uint64 `json:"malformed"`    // the header made no sense
	Fragments  uint64 `json:"fragments"`    // a fragment came before the first one
	Ports      uint64 `json:"ports"`        // source_nat: no port was free
	NoRoute    uint64 `json:"no_route"`     // the backend isn't on a segment of the host (direct), or has no address of the packet's IP version
}

// Backend is what one backend was given.
type Backend struct {
	Connections uint64  `json:"connections"`
	Active      int     `json:"active"`
	Forward     Traffic `json:"forward"`
	Backward    Traffic `json:"backward"`
}
