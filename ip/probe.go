package ip

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// TCPState is the state of one end of a TCP connection, as its stack says (the TCP_INFO of Linux).
type TCPState struct {
	// State is the connection's (RFC 9293, section 3.3.2), Congestion that of its congestion control: open, disorder,
	// fast-recovery, sack-recovery or rto-recovery, and "" as long as there is none, in the handshake. Then the numbers are 0.
	State, Congestion string
	Cwnd              int           // in segments
	Ssthresh          int           // in segments, -1 until the first loss
	RTT, RTTVar       time.Duration // RTT is smoothed; 0 until it is measured
	RTO               time.Duration // doubled by each expiry
	InFlight          int           // bytes that were sent and not acknowledged cumulatively
	MSS               int           // the largest payload that was sent, in bytes
}

// Probe looks at the TCP connections of the hosts that have it as their [HostConfig.Probe]. [Probe.Look] reports those that have
// received or sent a segment since the last call, so also those whose retransmission timer has run out. It doesn't use the probe that
// the stack calls for each received segment: that one is silent about timers, and by reading the clock it would change what
// follows.
//
// Connections of a host with itself are left out. What happens without a segment isn't seen before the next one: the end of
// TIME-WAIT, and a connection that ends with its host.
type Probe struct {
	begin func(h *Host, local, remote netip.AddrPort) func(TCPState)

	mu      sync.Mutex
	touched []*probed
	looked  []*probed // reused
}

// NewProbe returns a probe that calls begin for each new connection. What begin returns is called at each look at it; nil means that
// nobody wants to see that one.
func NewProbe(begin func(h *Host, local, remote netip.AddrPort) func(TCPState)) *Probe {
	return &Probe{begin: begin}
}

// hostProbe is the probe of one incarnation of a host.
type hostProbe struct {
	probe *Probe
	host  *Host
	known map[segmentKey]*probed // under probe.mu, as what is in it
}

// newHostProbe returns nil for no probe.
func newHostProbe(p *Probe, h *Host) *hostProbe {
	if p == nil {
		return nil
	}
	return &hostProbe{probe: p, host: h, known: map[segmentKey]*probed{}}
}

// probed is a connection that a probe knows.
type probed struct {
	of      *hostProbe
	key     segmentKey
	nic     tcpip.NICID
	touched bool // since the last look

	began   bool   // something was sent
	initial uint32 // sequence number of the SYN
	next    uint32 // after the last byte that was sent, SND.NXT
	unacked uint32 // of the first byte that isn't acknowledged, SND.UNA
	mss     int

	// Only Look uses the rest.
	endpoint stack.TransportEndpoint
	report   func(TCPState)
	begun    bool // report is known
	over     bool // nothing more is to be seen
}

// sent takes a frame that the host sends. Any goroutine may call it. A nil probe does nothing.
func (hp *hostProbe) sent(nic tcpip.NICID, frame []byte) {
	if hp == nil {
		return
	}
	s, ok := parseSegment(frame)
	if !ok {
		return
	}
	hp.probe.mu.Lock()
	defer hp.probe.mu.Unlock()
	key := segmentKey{s.src, s.dst, s.srcPort, s.dstPort, s.v6}
	c := hp.known[key]
	if c == nil || s.flags&flagSYN != 0 && c.began && s.seq != c.initial {
		c = hp.add(key)
	}
	if s.flags&flagSYN != 0 {
		s.seq++
	}
	if !c.began {
		c.began, c.initial, c.unacked, c.next = true, s.seq-1, s.seq, s.seq
	}
	if end := s.seq + uint32(s.payload); int32(end-c.next) > 0 {
		c.next = end
	}
	c.mss = max(c.mss, s.payload)
	hp.touch(c, nic)
}

// received takes a frame that the host is about to receive. A nil probe does nothing.
func (hp *hostProbe) received(nic tcpip.NICID, frame []byte) {
	if hp == nil {
		return
	}
	s, ok := parseSegment(frame)
	if !ok {
		return
	}
	hp.probe.mu.Lock()
	defer hp.probe.mu.Unlock()
	key := segmentKey{s.dst, s.src, s.dstPort, s.srcPort, s.v6}
	c := hp.known[key]
	if c == nil {
		c = hp.add(key)
	}
	if beyond := int32(s.ack - c.next); s.flags&flagACK != 0 && c.began && beyond <= 1 && int32(s.ack-c.unacked) > 0 {
		c.unacked = s.ack - uint32(max(beyond, 0)) // a FIN is no byte
	}
	hp.touch(c, nic)
}

func (hp *hostProbe) add(key segmentKey) *probed {
	c := &probed{of: hp, key: key}
	hp.known[key] = c
	return c
}

func (hp *hostProbe) touch(c *probed, nic tcpip.NICID) {
	if !c.touched && !c.over {
		c.touched, c.nic = true, nic
		hp.probe.touched = append(hp.probe.touched, c)
	}
}

// Look reports the connections that have received or sent something since the last call. Those that are new are begun in the order of
// hosts and addresses. In virtual time the engine's loop may call it between events only, when every goroutine is blocked. A nil
// probe does nothing.
func (p *Probe) Look() {
	if p == nil {
		return
	}
	p.mu.Lock()
	if len(p.touched) == 0 {
		p.mu.Unlock()
		return
	}
	list := p.touched
	p.touched, p.looked = p.looked[:0], list
	p.mu.Unlock()
	if len(list) > 1 {
		slices.SortStableFunc(list, func(a, b *probed) int {
			return cmp.Or(cmp.Compare(a.of.host.node, b.of.host.node), a.key.compare(&b.key))
		})
	}
	for i, c := range list {
		c.look()
		list[i] = nil
	}
}

// look asks the stack for the connection's state and reports it.
func (c *probed) look() {
	p := c.of.probe
	p.mu.Lock()
	c.touched = false
	s := TCPState{InFlight: int(c.next - c.unacked), MSS: c.mss}
	p.mu.Unlock()
	if !c.of.host.Alive() {
		c.end()
	}
	if c.over || !c.find() {
		return
	}
	var info tcpip.TCPInfoOption
	if err := c.endpoint.(tcpip.Endpoint).GetSockOpt(&info); err != nil {
		return
	}
	state := tcp.EndpointState(info.State)
	s.State = state.String()
	if info.SndCwnd > 0 {
		s.Congestion = congestionStates[info.CcState]
		s.Cwnd, s.Ssthresh = int(info.SndCwnd), int(int32(info.SndSsthresh))
		s.RTT, s.RTTVar, s.RTO = info.RTT, info.RTTVar, info.RTO
	} else {
		s.InFlight = 0
	}
	c.report(s)
	if state == tcp.StateClose || state == tcp.StateTimeWait {
		c.end()
	}
}

// congestionStates are the names of tcpip.CongestionControlState.
var congestionStates = map[tcpip.CongestionControlState]string{
	tcpip.Open: "open", tcpip.RTORecovery: "rto-recovery", tcpip.FastRecovery: "fast-recovery", tcpip.SACKRecovery: "sack-recovery",
	tcpip.Disorder: "disorder",
}

// find looks the connection's endpoint up and says whether somebody wants to see it. A segment for which there is no connection is
// forgotten.
func (c *probed) find() bool {
	if c.begun {
		return true
	}
	id := stack.TransportEndpointID{
		LocalPort: c.key.localPort, LocalAddress: fromNetip(c.key.address(c.key.local)),
		RemotePort: c.key.remotePort, RemoteAddress: fromNetip(c.key.address(c.key.remote)),
	}
	protocol := ipv4.ProtocolNumber
	if c.key.v6 {
		protocol = ipv6.ProtocolNumber
	}
	h := c.of.host
	e := h.stack.FindTransportEndpoint(protocol, tcp.ProtocolNumber, id, c.nic)
	if t, ok := e.(*tcp.Endpoint); !ok || t.EndpointState() == tcp.StateListen {
		c.of.probe.mu.Lock()
		if c.of.known[c.key] == c && !c.touched { // in real time more may have come meanwhile
			delete(c.of.known, c.key)
		}
		c.of.probe.mu.Unlock()
		return false
	}
	c.endpoint, c.begun = e, true
	c.report = c.of.probe.begin(h, netip.AddrPortFrom(c.key.address(c.key.local), c.key.localPort),
		netip.AddrPortFrom(c.key.address(c.key.remote), c.key.remotePort))
	if c.report == nil {
		c.end()
		return false
	}
	return true
}

// end lets go of the endpoint.
func (c *probed) end() {
	c.of.probe.mu.Lock()
	c.over = true
	c.of.probe.mu.Unlock()
	c.endpoint, c.report = nil, nil
}
