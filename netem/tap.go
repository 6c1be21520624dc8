package netem

import "time"

// Direction says which way a frame passed a port.
type Direction uint8

const (
	// Outbound is away from the node.
	Outbound Direction = iota
	// Inbound is towards the node.
	Inbound
)

// String returns "out" or "in".
func (d Direction) String() string {
	if d == Outbound {
		return "out"
	}
	return "in"
}

// PortID numbers the ports of a network in the order in which they were made, from 0.
type PortID int32

// Tap sees the frames that pass ports. Its methods are called by one goroutine only, at non-decreasing times.
type Tap interface {
	// Frame is called for each frame that leaves a port (Outbound: when its first bit goes on the wire, or when it is
	// dropped before that) or reaches one (Inbound: when its last bit arrived). at is virtual time since the start of
	// the run. id is [Frame.ID]. data is an Ethernet frame without frame check sequence, valid during the call only. comment is empty or
	// says what netlab did to the frame, such as "dropped: random loss on r1--server".
	Frame(at time.Duration, port PortID, dir Direction, id uint64, data []byte, comment string)
}
