package ip

import (
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/header"

	"netlab/netem"
)

// synQueue is the queue of half-open connections of a host that sends no SYN cookies: a SYN for which there is no room is dropped, as
// Linux does with tcp_syncookies=0. The stack's own listener falls back on cookies instead, and never drops one for that reason.
//
// It looks at the wire, as a connection tracker does: a connection is half-open from the SYN-ACK until the peer acknowledges or
// resets it, or until the stack gives up, 127 s after the first SYN-ACK.
type synQueue struct {
	limit   int // of each port
	open    map[halfOpen]time.Duration
	ports   map[uint16]int
	order   []halfOpen // by age; some may be gone
	dropped uint64
}

// halfOpen is a connection: the peer and the host's port.
type halfOpen struct {
	peer netip.AddrPort
	port uint16
}

// halfOpenTime is how long the stack waits for the last step of a handshake: SYN-ACKs at 0, 1, 3, 7, 15, 31 and 63 s.
const halfOpenTime = 127 * time.Second

// newSYNQueue returns the queue of a host, nil if it sends cookies.
func (c TCPConfig) newSYNQueue() *synQueue {
	if c.SYNCookies != CookiesNever {
		return nil
	}
	return &synQueue{limit: c.ListenBacklog(), open: map[halfOpen]time.Duration{}, ports: map[uint16]int{}}
}

// segmentOf returns the TCP segment in a frame, and the packet's addresses. Segments behind extension headers, and fragments, aren't seen.
func segmentOf(frame []byte) (src, dst netip.Addr, t header.TCP, ok bool) {
	if len(frame) < header.EthernetMinimumSize {
		return
	}
	d := frame[header.EthernetMinimumSize:]
	switch uint16(frame[12])<<8 | uint16(frame[13]) {
	case netem.EtherTypeIPv4:
		h := header.IPv4(d)
		if len(d) < header.IPv4MinimumSize || h.TransportProtocol() != header.TCPProtocolNumber || isFragment(frame) || int(h.HeaderLength()) > len(d) {
			return
		}
		src, dst, t = toNetip(h.SourceAddress()), toNetip(h.DestinationAddress()), header.TCP(d[h.HeaderLength():])
	case netem.EtherTypeIPv6:
		h := header.IPv6(d)
		if len(d) < header.IPv6MinimumSize || h.TransportProtocol() != header.TCPProtocolNumber {
			return
		}
		src, dst, t = toNetip(h.SourceAddress()), toNetip(h.DestinationAddress()), header.TCP(d[header.IPv6MinimumSize:])
	default:
		return
	}
	return src, dst, t, len(t) >= header.TCPMinimumSize
}

// received looks at a frame that arrived and says whether it is to be dropped. The engine's loop calls it. A nil queue drops nothing.
func (q *synQueue) received(at time.Duration, frame []byte) (drop bool) {
	if q == nil {
		return false
	}
	src, _, t, ok := segmentOf(frame)
	if !ok {
		return false
	}
	k := halfOpen{netip.AddrPortFrom(src, t.SourcePort()), t.DestinationPort()}
	flags := t.Flags()
	if flags&(header.TCPFlagAck|header.TCPFlagRst) != 0 {
		q.remove(k)
		return false
	}
	if flags&header.TCPFlagSyn == 0 {
		return false
	}
	q.expire(at)
	if _, known := q.open[k]; known || q.ports[k.port] < q.limit {
		return false
	}
	q.dropped++
	return true
}

// sent looks at a frame that the stack sends. The engine's loop calls it.
func (q *synQueue) sent(at time.Duration, frame []byte) {
	if q == nil {
		return
	}
	_, dst, t, ok := segmentOf(frame)
	if !ok {
		return
	}
	k := halfOpen{netip.AddrPortFrom(dst, t.DestinationPort()), t.SourcePort()}
	switch flags := t.Flags(); {
	case flags&header.TCPFlagRst != 0:
		q.remove(k)
	case flags&(header.TCPFlagSyn|header.TCPFlagAck) == header.TCPFlagSyn|header.TCPFlagAck:
		if _, known := q.open[k]; !known {
			q.open[k] = at + halfOpenTime
			q.ports[k.port]++
			q.order = append(q.order, k)
		}
	}
}

func (q *synQueue) remove(k halfOpen) {
	if _, known := q.open[k]; known {
		delete(q.open, k)
		q.ports[k.port]--
	}
}

// expire removes what the stack has given up. What was opened again since stands further behind.
func (q *synQueue) expire(at time.Duration) {
	for len(q.order) > 0 {
		k := q.order[0]
		if end, known := q.open[k]; known && end > at {
			return
		}
		q.remove(k)
		q.order = q.order[1:]
	}
}

// drops counts the SYNs that were dropped.
func (q *synQueue) drops() uint64 {
	if q == nil {
		return 0
	}
	return q.dropped
}
