package tcp

import (
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// Info is what the stack knows of a connection, as "ss -ti" shows it on Linux.
type Info struct {
	State                          string        // such as ESTABLISHED
	RTT                            time.Duration // smoothed round-trip time (RFC 6298)
	RTTVar                         time.Duration // its variation
	RTO                            time.Duration // retransmission timeout
	Cwnd                           int           // congestion window in segments
	Ssthresh                       int           // slow-start threshold in segments; very large until the first loss
	CongestionState                string        // open, recovery, …
	Reordering                     bool          // whether segments arrived out of order
	SegmentsSent, SegmentsReceived uint64
	Retransmits                    uint64 // segments sent again
	FastRetransmits                uint64 // of these, in fast recovery
	Timeouts                       uint64 // expiries of the retransmission timer
}

// Info returns the connection's present state.
func (c *Conn) Info() Info {
	var i tcpip.TCPInfoOption
	if err := c.s.Endpoint.GetSockOpt(&i); err != nil {
		return Info{State: "unknown"}
	}
	info := Info{
		State: tcp.EndpointState(i.State).String(), RTT: i.RTT, RTTVar: i.RTTVar, RTO: i.RTO,
		Cwnd: int(i.SndCwnd), Ssthresh: int(i.SndSsthresh), CongestionState: congestionState(i.CcState), Reordering: i.ReorderSeen,
	}
	if s, ok := c.s.Endpoint.Stats().(*tcp.Stats); ok {
		info.SegmentsSent = s.SegmentsSent.Value()
		info.SegmentsReceived = s.SegmentsReceived.Value()
		info.Retransmits = s.SendErrors.Retransmits.Value()
		info.FastRetransmits = s.SendErrors.FastRetransmit.Value()
		info.Timeouts = s.SendErrors.Timeouts.Value()
	}
	return info
}

func congestionState(s tcpip.CongestionControlState) string {
	switch s {
	case tcpip.RTORecovery:
		return "rto-recovery"
	case tcpip.FastRecovery:
		return "fast-recovery"
	case tcpip.SACKRecovery:
		return "sack-recovery"
	case tcpip.Disorder:
		return "disorder"
	}
	return "open"
}
