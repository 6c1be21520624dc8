package netem

import (
	"fmt"
	"time"
)

// DefaultAgeing is how long a switch remembers a MAC address (IEEE 802.1Q-2018, table 8-6).
const DefaultAgeing = 5 * time.Minute

// Switch is a learning Ethernet switch (IEEE 802.1D transparent bridge without a spanning tree: the network must be free of
// loops). It forwards a frame as soon as it has arrived in full, with no delay of its own. Frames to unknown and group
// addresses are flooded to all other ports.
type Switch struct {
	ageing time.Duration
	ports  []*Port
	table  map[[6]byte]station
	stats  SwitchStats
}

// station is where a MAC address was seen last.
type station struct {
	port *Port
	seen time.Duration
}

// SwitchStats are the counters of a switch, in frames.
type SwitchStats struct {
	Forwarded uint64 `json:"forwarded"` // to one port
	Flooded   uint64 `json:"flooded"`   // to all ports but one
	Filtered  uint64 `json:"filtered"`  // the destination is where the frame came from
	Stations  int    `json:"stations"`  // MAC addresses that it remembers
}

// NewSwitch returns a switch without ports. ageing is how long it remembers an address; 0 means DefaultAgeing.
func NewSwitch(ageing time.Duration) (*Switch, error) {
	if ageing < 0 {
		return nil, fmt.Errorf("ageing of %v: want a positive duration", ageing)
	}
	if ageing == 0 {
		ageing = DefaultAgeing
	}
	return &Switch{ageing: ageing, table: map[[6]byte]station{}}, nil
}

// NewPort adds a port to the switch.
func (s *Switch) NewPort(n *Network, c PortConfig) *Port {
	c.Passive = true
	p := n.NewPort(c)
	p.receive = func(at time.Duration, f *Frame) { s.receive(at, p, f) }
	s.ports = append(s.ports, p)
	return p
}

// SetDown stops the switch, as a power failure does, or starts it again. While it is down, frames that arrive are dropped
// (DropNodeDown); what it had learnt is forgotten. Frames in the queues of its ports go on: those are the links'. Only the engine's
// loop may call it.
func (s *Switch) SetDown(down bool) {
	for _, p := range s.ports {
		p.SetDead(down)
	}
	clear(s.table)
}

// Stats returns the switch's counters.
func (s *Switch) Stats() SwitchStats {
	st := s.stats
	for _, known := range s.table {
		if known.port.net.Elapsed()-known.seen <= s.ageing {
			st.Stations++
		}
	}
	return st
}

func (s *Switch) receive(at time.Duration, in *Port, f *Frame) {
	if len(f.Data) < etherHeader {
		f.Release()
		return
	}
	dst, src := [6]byte(f.Data[0:6]), [6]byte(f.Data[6:12])
	if src[0]&1 == 0 {
		s.table[src] = station{in, at}
	}
	if dst[0]&1 == 0 {
		if to, ok := s.table[dst]; ok {
			if at-to.seen <= s.ageing {
				if to.port == in {
					s.stats.Filtered++
					f.Release()
					return
				}
				s.stats.Forwarded++
				to.port.Forward(at, f)
				return
			}
			delete(s.table, dst)
		}
	}
	s.flood(at, in, f)
}

// flood sends copies to all ports but the one that the frame came from, in the order of the ports.
func (s *Switch) flood(at time.Duration, in *Port, f *Frame) {
	s.stats.Flooded++
	var last *Port
	for _, p := range s.ports {
		if p == in {
			continue
		}
		if last != nil {
			last.Forward(at, f.Clone())
		}
		last = p
	}
	if last == nil {
		f.Release()
		return
	}
	last.Forward(at, f)
}
