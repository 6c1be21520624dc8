package ip

import (
	"bytes"
	"fmt"
	"math"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"netlab/netem"
)

// rawQueue is how many packets wait for Receive; further ones are lost.
const rawQueue = 256

// RawConfig says which packets a [RawConn] receives.
type RawConfig struct {
	// Interface is the number of the host's interface, from 0.
	Interface int
	// Protocol is the number of the protocol above IP, and IPv6 says which version.
	Protocol uint8
	IPv6     bool
	// Groups are multicast addresses whose packets are received too.
	Groups []netip.Addr
}

// RawPacket is an IP packet without its header.
type RawPacket struct {
	Source, Destination netip.Addr
	// TTL is the time to live or the hop limit, as received or to be sent.
	TTL uint8
	// SourceMAC is the MAC address from which it comes or is sent; zero means that of the interface.
	SourceMAC [6]byte
	Payload   []byte
	// At is when it was received, since the start of the run.
	At time.Duration
}

// RawConn sends and receives the packets of a protocol above IP that the host's stack doesn't know, on one interface. Where it
// receives a packet, the stack does not. Packets with IP options or extension headers and fragments aren't received, and none is sent in
// fragments.
type RawConn struct {
	host   *Host
	nic    *nic
	config RawConfig
	next   Deadline

	mu     sync.Mutex
	queue  []RawPacket
	lost   uint64
	ready  chan struct{}
	closed chan struct{}
	once   sync.Once
}

// ListenIP opens a RawConn.
func ListenIP(h *Host, c RawConfig) (*RawConn, error) {
	if err := h.Err(); err != nil {
		return nil, err
	}
	if c.Interface < 0 || c.Interface >= len(h.nics) {
		return nil, fmt.Errorf("host %s: there is no interface %d: the host has %d, counted from 0", h.name, c.Interface, len(h.nics))
	}
	r := &RawConn{host: h, nic: h.nics[c.Interface], config: c, ready: make(chan struct{}, 1), closed: make(chan struct{})}
	r.next.init(h)
	h.virtualMu.Lock()
	defer h.virtualMu.Unlock()
	list := append(slices.Clone(h.raw()), r)
	h.raws.Store(&list)
	return r, nil
}

func (h *Host) raw() []*RawConn {
	if list := h.raws.Load(); list != nil {
		return *list
	}
	return nil
}

// Close ends a Receive that waits with net.ErrClosed.
func (r *RawConn) Close() error {
	r.once.Do(func() {
		close(r.closed)
		r.next.stop()
		r.host.virtualMu.Lock()
		defer r.host.virtualMu.Unlock()
		list := slices.DeleteFunc(slices.Clone(r.host.raw()), func(o *RawConn) bool { return o == r })
		if len(list) == 0 {
			r.host.raws.Store(nil)
			return
		}
		r.host.raws.Store(&list)
	})
	return nil
}

// Send sends a packet. Its source must be given, and need not be an address of the host; the destination is a multicast address or
// that of a neighbour whose MAC address is known without asking.
func (r *RawConn) Send(p RawPacket) error {
	if err := r.err(); err != nil {
		return err
	}
	if p.Source.Is6() != r.config.IPv6 || p.Destination.Is6() != r.config.IPv6 || !p.Source.IsValid() || !p.Destination.IsValid() {
		return fmt.Errorf("packet from %s to %s: want addresses of the connection's IP version", p.Source, p.Destination)
	}
	size := header.IPv4MinimumSize
	if r.config.IPv6 {
		size = header.IPv6MinimumSize
	}
	if size+len(p.Payload) > r.nic.port.MTU() {
		return fmt.Errorf("packet of %d bytes: the interface's MTU is %d", size+len(p.Payload), r.nic.port.MTU())
	}
	to, ok := r.nic.linkAddressOf(p.Destination)
	if !ok {
		return fmt.Errorf("packet to %s: its MAC address isn't known", p.Destination)
	}
	from := p.SourceMAC
	if from == ([6]byte{}) {
		from = r.nic.port.MAC()
	}
	etherType := uint16(netem.EtherTypeIPv4)
	if r.config.IPv6 {
		etherType = netem.EtherTypeIPv6
	}
	f := r.nic.newFrame(to, from, etherType, size+len(p.Payload))
	d := f.Data[header.EthernetMinimumSize:]
	if r.config.IPv6 {
		header.IPv6(d).Encode(&header.IPv6Fields{PayloadLength: uint16(len(p.Payload)), HopLimit: p.TTL,
			TransportProtocol: tcpip.TransportProtocolNumber(r.config.Protocol), SrcAddr: fromNetip(p.Source), DstAddr: fromNetip(p.Destination)})
	} else {
		h := header.IPv4(d)
		h.Encode(&header.IPv4Fields{TotalLength: uint16(len(d)), TTL: p.TTL, Protocol: r.config.Protocol,
			SrcAddr: fromNetip(p.Source), DstAddr: fromNetip(p.Destination)})
		h.SetChecksum(^h.CalculateChecksum())
	}
	copy(d[size:], p.Payload)
	r.nic.port.Send(f)
	return nil
}

// linkAddressOf returns the MAC address of a destination if nobody has to be asked for it.
func (n *nic) linkAddressOf(a netip.Addr) (tcpip.LinkAddress, bool) {
	switch {
	case n.peer != "":
		return n.peer, true
	case a.Is4() && a.IsMulticast():
		return header.EthernetAddressFromMulticastIPv4Address(fromNetip(a)), true
	case a.IsMulticast():
		return header.EthernetAddressFromMulticastIPv6Address(fromNetip(a)), true
	case n.neighbors != nil:
		mac, ok := n.neighbors.lookup(a)
		return tcpip.LinkAddress(mac[:]), ok
	}
	return "", false
}

// Receive waits for a packet until a time since the start of the run; math.MaxInt64 means for ever. The error is
// os.ErrDeadlineExceeded at that time, net.ErrClosed after Close, [Host.Err] when the host is gone. One goroutine at a time may wait.
func (r *RawConn) Receive(until time.Duration) (RawPacket, error) {
	if until == math.MaxInt64 {
		r.next.Set(time.Time{})
	} else {
		r.next.Set(r.host.net.Epoch().Add(until))
	}
	for {
		if err := r.err(); err != nil {
			return RawPacket{}, err
		}
		r.mu.Lock()
		if len(r.queue) > 0 {
			p := r.queue[0]
			r.queue = r.queue[1:]
			r.mu.Unlock()
			return p, nil
		}
		r.mu.Unlock()
		select {
		case <-r.ready:
		case <-r.next.Done():
			return RawPacket{}, os.ErrDeadlineExceeded
		case <-r.closed:
		case <-r.host.gone:
		}
	}
}

// Lost counts packets that came while too many waited.
func (r *RawConn) Lost() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lost
}

func (r *RawConn) err() error {
	select {
	case <-r.closed:
		return net.ErrClosed
	default:
		return r.host.Err()
	}
}

// receiveRaw hands a frame to the RawConns that want it, and says whether there is one.
func (n *nic) receiveRaw(f *netem.Frame) (taken bool) {
	var p RawPacket
	var protocol uint8
	switch d := f.Data[header.EthernetMinimumSize:]; f.EtherType() {
	case netem.EtherTypeIPv4:
		h := header.IPv4(d)
		if !h.IsValid(len(d)) || !h.IsChecksumValid() || h.HeaderLength() != header.IPv4MinimumSize || isFragment(f.Data) {
			return false
		}
		p = RawPacket{Source: toNetip(h.SourceAddress()), Destination: toNetip(h.DestinationAddress()), TTL: h.TTL(), Payload: h.Payload()}
		protocol = h.Protocol()
	case netem.EtherTypeIPv6:
		h := header.IPv6(d)
		if !h.IsValid(len(d)) {
			return false
		}
		p = RawPacket{Source: toNetip(h.SourceAddress()), Destination: toNetip(h.DestinationAddress()), TTL: h.HopLimit(), Payload: h.Payload()}
		protocol = h.NextHeader()
	default:
		return false
	}
	for _, r := range n.host.raw() {
		if r.nic != n || r.config.Protocol != protocol || r.config.IPv6 != p.Source.Is6() ||
			!n.host.owns(p.Destination) && !slices.Contains(r.config.Groups, p.Destination) {
			continue
		}
		taken = true
		r.take(p, f)
	}
	return taken
}

// take queues a packet.
func (r *RawConn) take(p RawPacket, f *netem.Frame) {
	p.Payload = bytes.Clone(p.Payload)
	p.SourceMAC = [6]byte(f.Data[6:12])
	p.At = r.host.net.Elapsed()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == rawQueue {
		r.lost++
		return
	}
	r.queue = append(r.queue, p)
	r.host.net.Wake(r.ready)
}
