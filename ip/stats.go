package ip

import (
	"reflect"

	"gvisor.dev/gvisor/pkg/tcpip"
)

// Stats are the counters of a node.
type Stats struct {
	TCP *TCPStats `json:"tcp,omitempty"` // nil for a router
	UDP *UDPStats `json:"udp,omitempty"` // nil for a router
	IP  IPStats   `json:"ip"`

	Tracking *TrackingStats `json:"tracking,omitempty"` // routers with a firewall or NAT only
	Firewall *FirewallStats `json:"firewall,omitempty"` // routers with a firewall only
	NAT      *NATStats      `json:"nat,omitempty"`      // routers with NAT only
}

// TCPStats are a host's TCP counters, over all its connections.
type TCPStats struct {
	SegmentsSent     uint64 `json:"segments_sent"`     // without retransmissions
	SegmentsReceived uint64 `json:"segments_received"` // valid ones
	Retransmits      uint64 `json:"retransmits"`       // segments that were sent again
	FastRetransmits  uint64 `json:"fast_retransmits"`  // of these, after duplicate ACKs or by RACK
	SlowStartResends uint64 `json:"slow_start_resends"`
	Timeouts         uint64 `json:"timeouts"`     // expiries of the retransmission timer
	TailProbes       uint64 `json:"tail_probes"`  // recoveries that a tail-loss probe began (RFC 8985)
	Recoveries       uint64 `json:"recoveries"`   // entries into loss recovery, by SACK or not
	ActiveOpens      uint64 `json:"active_opens"` // connections that this host asked for
	PassiveOpens     uint64 `json:"passive_opens"`
	FailedAttempts   uint64 `json:"failed_attempts"`
	ResetsSent       uint64 `json:"resets_sent"`
	ResetsReceived   uint64 `json:"resets_received"`
	TimedOut         uint64 `json:"timed_out"`        // connections given up
	ChecksumErrors   uint64 `json:"checksum_errors"`  // segments that were damaged on the way
	Malformed        uint64 `json:"malformed"`        // segments whose header makes no sense
	ListenOverflows  uint64 `json:"listen_overflows"` // SYNs and ACKs dropped because a listener's queue was full
	SYNCookies       uint64 `json:"syn_cookies"`      // SYNs that were answered with a cookie
	CookiesReturned  uint64 `json:"cookies_returned"` // connections that began with one
}

// UDPStats are a host's UDP counters.
type UDPStats struct {
	Sent           uint64 `json:"sent"`
	Received       uint64 `json:"received"`
	UnknownPort    uint64 `json:"unknown_port"`    // datagrams for a port that nobody listens on
	BufferOverflow uint64 `json:"buffer_overflow"` // datagrams dropped because a socket's buffer was full
	ChecksumErrors uint64 `json:"checksum_errors"` // datagrams that were damaged on the way
	Malformed      uint64 `json:"malformed"`       // datagrams whose length makes no sense
}

// IPStats are a node's IP counters, both versions together.
type IPStats struct {
	Sent         uint64 `json:"sent"`
	Received     uint64 `json:"received"`
	Delivered    uint64 `json:"delivered"`     // to the node itself
	Forwarded    uint64 `json:"forwarded"`     // routers only
	NoRoute      uint64 `json:"no_route"`      // packets without a way to their destination
	TTLExceeded  uint64 `json:"ttl_exceeded"`  // routers only
	TooBig       uint64 `json:"too_big"`       // routers only: larger than the next link's MTU, and not to be fragmented
	Fragmented   uint64 `json:"fragmented"`    // routers only: packets cut into fragments
	Unresolved   uint64 `json:"unresolved"`    // routers only: no neighbour answered
	Malformed    uint64 `json:"malformed"`     // headers that make no sense or, in IPv4, have a wrong checksum
	Foreign      uint64 `json:"foreign"`       // hosts only: packets for, or from, an address that can't be
	UnknownType  uint64 `json:"unknown_type"`  // hosts only: frames and packets of a protocol that the host doesn't speak
	Unclaimed    uint64 `json:"unclaimed"`     // hosts only: segments and datagrams so damaged that they were for no socket
	ICMPSent     uint64 `json:"icmp_sent"`     // ICMP messages sent
	ICMPReceived uint64 `json:"icmp_received"` // ICMP messages received
	ICMPInvalid  uint64 `json:"icmp_invalid"`  // hosts only: ICMP messages that make no sense or have a wrong checksum
}

// Stats returns the host's counters, since the start of the run: those of a host that has taken the place of others which crashed
// include theirs.
func (h *Host) Stats() Stats {
	if h.final != nil {
		return *h.final
	}
	s := h.stack.Stats()
	t, u, i, n := s.TCP, s.UDP, s.IP, s.NICs
	now := Stats{
		TCP: &TCPStats{
			SegmentsSent:     t.SegmentsSent.Value(),
			SegmentsReceived: t.ValidSegmentsReceived.Value(),
			Retransmits:      t.Retransmits.Value(),
			FastRetransmits:  t.FastRetransmit.Value(),
			SlowStartResends: t.SlowStartRetransmits.Value(),
			Timeouts:         t.Timeouts.Value(),
			TailProbes:       t.TLPRecovery.Value(),
			Recoveries:       t.FastRecovery.Value() + t.SACKRecovery.Value(),
			ActiveOpens:      t.ActiveConnectionOpenings.Value(),
			PassiveOpens:     t.PassiveConnectionOpenings.Value(),
			FailedAttempts:   t.FailedConnectionAttempts.Value(),
			ResetsSent:       t.ResetsSent.Value(),
			ResetsReceived:   t.ResetsReceived.Value(),
			TimedOut:         t.EstablishedTimedout.Value(),
			ChecksumErrors:   t.ChecksumErrors.Value(),
			Malformed:        t.InvalidSegmentsReceived.Value(),
			ListenOverflows:  t.ListenOverflowSynDrop.Value() + t.ListenOverflowAckDrop.Value() + h.syns.drops(),
			SYNCookies:       t.ListenOverflowSynCookieSent.Value(),
			CookiesReturned:  t.ListenOverflowSynCookieRcvd.Value(),
		},
		UDP: &UDPStats{
			Sent:           u.PacketsSent.Value(),
			Received:       u.PacketsReceived.Value(),
			UnknownPort:    u.UnknownPortErrors.Value(),
			BufferOverflow: u.ReceiveBufferErrors.Value(),
			ChecksumErrors: u.ChecksumErrors.Value(),
			Malformed:      u.MalformedPacketsReceived.Value(),
		},
		IP: IPStats{
			Sent:         i.PacketsSent.Value(),
			Received:     i.PacketsReceived.Value(),
			Delivered:    i.PacketsDelivered.Value(),
			NoRoute:      i.OutgoingPacketErrors.Value(),
			Malformed:    i.MalformedPacketsReceived.Value(),
			Foreign:      sum(i.InvalidDestinationAddressesReceived, i.InvalidSourceAddressesReceived),
			UnknownType:  total(n.UnknownL3ProtocolRcvdPacketCounts) + total(n.UnknownL4ProtocolRcvdPacketCounts),
			Unclaimed:    n.MalformedL4RcvdPackets.Value(),
			ICMPSent:     icmpSent(s),
			ICMPReceived: icmpReceived(s),
			ICMPInvalid:  sum(s.ICMP.V4.PacketsReceived.Invalid, s.ICMP.V6.PacketsReceived.Invalid),
		},
	}
	h.countForwarding(&now.IP)
	if h.incarnation > 0 {
		addCounters(now.TCP, h.earlier.TCP)
		addCounters(now.UDP, h.earlier.UDP)
		addCounters(&now.IP, &h.earlier.IP)
	}
	return now
}

// addCounters adds the fields of more, which are all of type uint64, to those of sum.
func addCounters[T any](sum, more *T) {
	to, from := reflect.ValueOf(sum).Elem(), reflect.ValueOf(more).Elem()
	for i := range to.NumField() {
		to.Field(i).SetUint(to.Field(i).Uint() + from.Field(i).Uint())
	}
}

func icmpSent(s tcpip.Stats) uint64 {
	v4, v6 := s.ICMP.V4.PacketsSent, s.ICMP.V6.PacketsSent
	return sum(v4.EchoRequest, v4.EchoReply, v4.DstUnreachable, v4.TimeExceeded, v6.EchoRequest, v6.EchoReply,
		v6.DstUnreachable, v6.TimeExceeded, v6.PacketTooBig, v6.NeighborSolicit, v6.NeighborAdvert)
}

func icmpReceived(s tcpip.Stats) uint64 {
	v4, v6 := s.ICMP.V4.PacketsReceived, s.ICMP.V6.PacketsReceived
	return sum(v4.EchoRequest, v4.EchoReply, v4.DstUnreachable, v4.TimeExceeded, v6.EchoRequest, v6.EchoReply,
		v6.DstUnreachable, v6.TimeExceeded, v6.PacketTooBig, v6.NeighborSolicit, v6.NeighborAdvert)
}

func sum(counters ...*tcpip.StatCounter) uint64 {
	var n uint64
	for _, c := range counters {
		n += c.Value()
	}
	return n
}

func total(counters *tcpip.IntegralStatCounterMap) uint64 {
	var n uint64
	for _, key := range counters.Keys() {
		if c, ok := counters.Get(key); ok {
			n += c.Value()
		}
	}
	return n
}
