package ip

import (
	"fmt"
	"time"
)

// Action is what a router does with a packet.
type Action string

// The actions.
const (
	// Accept lets the packet through.
	Accept Action = "accept"
	// Drop makes it vanish without a word.
	Drop Action = "drop"
	// Reject drops it and tells the sender: TCP by a reset (RFC 9293, section 3.5.2), anything else by ICMP, destination
	// unreachable, communication administratively prohibited (RFC 1812, section 5.2.7.1; RFC 4443, section 3.1).
	Reject Action = "reject"
	// prohibit is reject by ICMP, for TCP too.
	prohibit Action = "prohibit"
)

// validate checks an action that may be empty if that has a meaning.
func (a Action) validate(empty bool) error {
	switch {
	case a == Accept, a == Drop, a == Reject, a == "" && empty:
		return nil
	case a == "":
		return fmt.Errorf("there is no action: say accept, drop or reject")
	}
	return fmt.Errorf("there is no action %q: say accept, drop or reject", a)
}

// Tracking says how a router tracks connections. The zero value is one that RFC 4787, RFC 5382 and RFC 5508 ask for.
//
// A connection is a TCP connection, a pair of UDP ports, an echo identifier between two addresses, or, of other protocols, a pair
// of addresses. It is forgotten when no packet of it was forwarded for as long as its timeout, in either direction (RFC 4787,
// REQ-6, lets packets from outside count too). A TCP connection is established when both sides sent a SYN and then an ACK came
// without one; it is closing once either side sent a FIN or a RST. Simultaneous opens (RFC 5382, REQ-2) work. Sequence numbers,
// windows and checksums aren't looked at, so a forged RST makes a connection closing. ICMP errors change nothing in the connection
// that they are about (RFC 4787, REQ-12).
//
// Fragments aren't put together. The first one carries the ports, and those that come after it within 30 seconds with the same
// identification go where it went. A fragment that overtakes the first one is dropped and counted.
type Tracking struct {
	// UDP is the timeout for UDP and for protocols other than TCP and ICMP; 0 means 5 minutes (RFC 4787, REQ-5).
	UDP time.Duration
	// TCPEstablished is the timeout for established TCP connections; 0 means 2 hours and 4 minutes (RFC 5382, REQ-5).
	TCPEstablished time.Duration
	// TCPTransitory is the timeout for TCP connections that are opening or closing; 0 means 4 minutes (RFC 5382, REQ-5).
	TCPTransitory time.Duration
	// ICMP is the timeout for echo requests; 0 means 60 seconds (RFC 5508, REQ-1).
	ICMP time.Duration
	// MaxEntries is how many connections are tracked at a time; 0 means 65536. Packets that would open another one are dropped.
	MaxEntries int
	// OutOfState is what happens to TCP segments that belong to no connection and don't open one, and to echo replies that
	// nobody asked for; empty means drop. With accept they begin a connection as if they opened it, where rules and NAT let them: so
	// connections outlive a router that forgot them, as they do by default on Linux.
	OutOfState Action
}

// validate checks the values and returns them with the defaults filled in.
func (c Tracking) validate() (Tracking, error) {
	for _, d := range []struct {
		name     string
		value    *time.Duration
		standard time.Duration
	}{
		{"UDP", &c.UDP, 5 * time.Minute},
		{"established TCP", &c.TCPEstablished, 2*time.Hour + 4*time.Minute},
		{"transitory TCP", &c.TCPTransitory, 4 * time.Minute},
		{"ICMP", &c.ICMP, time.Minute},
	} {
		if *d.value < 0 {
			return c, fmt.Errorf("the timeout for %s connections is %s: it must not be negative", d.name, *d.value)
		}
		if *d.value == 0 {
			*d.value = d.standard
		}
	}
	if c.MaxEntries < 0 {
		return c, fmt.Errorf("at most %d connections: there must be room for one or more, or 0 for the default", c.MaxEntries)
	}
	if c.MaxEntries == 0 {
		c.MaxEntries = 65536
	}
	if err := c.OutOfState.validate(true); err != nil {
		return c, fmt.Errorf("segments out of state: %w", err)
	}
	if c.OutOfState == "" {
		c.OutOfState = Drop
	}
	return c, nil
}

// TrackingStats are the counters of a router that tracks connections.
type TrackingStats struct {
	Connections int    `json:"connections"` // tracked now
	Opened      uint64 `json:"opened"`
	Expired     uint64 `json:"expired"`
	// Packets without a connection that were dropped before any rule saw them.
	Malformed  uint64 `json:"malformed"`    // the transport header was missing, or a part of it
	OutOfState uint64 `json:"out_of_state"` // dropped or rejected
	Fragments  uint64 `json:"fragments"`    // fragments without their first one
	// Packets that would have opened a connection.
	TableFull uint64 `json:"table_full"`
	Clashes   uint64 `json:"clashes"` // after translation it would have been the same as another one
}
