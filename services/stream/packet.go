package stream

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"time"
)

// The dynamic payload type and the clock rate that video uses (RFC 3551).
const (
	payloadType = 96
	clockRate   = 90_000
)

// magic begins the payload of a packet of a udp-stream.
const magic = "netlabs1" // 8 bytes

// minSize is the smallest packet: an RTP header and what the sink needs to know.
const minSize = headerSize + 8 + 5*8

// maxPackets is the largest number of packets in a stream.
const maxPackets = 1 << 32

// errForeign is what the payload of another program's RTP packet gives.
var errForeign = errors.New("not a packet of a udp-stream")

// mark is what the payload of each packet says about it and its stream.
type mark struct {
	index uint64        // of the packet, from 0
	sent  time.Duration // when it left
	plan  plan
}

// plan says when which packet of a stream leaves.
type plan struct {
	start   time.Duration
	packets uint64 // in the whole stream, if it comes to its end
	size    uint64 // of a packet in bytes
	rate    uint64 // in bits per second
}

// offset is when packet i leaves, from the start of the stream: i × size / rate, rounded down.
func (p plan) offset(i uint64) time.Duration {
	high, low := bits.Mul64(i*p.size*8, uint64(time.Second))
	if high >= p.rate {
		return 1<<63 - 1
	}
	d, _ := bits.Div64(high, low, p.rate)
	return time.Duration(min(d, 1<<63-1))
}

// due is the number of packets that left before a time.
func (p plan) due(at time.Duration) uint64 {
	// Search the first packet that did not.
	low, high := uint64(0), p.packets
	for low < high {
		middle := low + (high-low)/2
		if p.offset(middle) < at-p.start {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// encode writes the mark to a payload.
func (m mark) encode(b []byte) {
	n := copy(b, magic)
	for _, v := range []uint64{m.index, uint64(m.sent), uint64(m.plan.start), m.plan.packets, m.plan.rate} {
		binary.BigEndian.PutUint64(b[n:], v)
		n += 8
	}
}

// decodeMark reads the mark in the payload of a packet with that size.
func decodeMark(payload []byte, size int) (m mark, err error) {
	if size < minSize || len(payload) < minSize-headerSize || string(payload[:len(magic)]) != magic {
		return m, errForeign
	}
	var v [5]uint64
	for i := range v {
		v[i] = binary.BigEndian.Uint64(payload[len(magic)+8*i:])
	}
	m = mark{index: v[0], sent: time.Duration(v[1]), plan: plan{start: time.Duration(v[2]), packets: v[3], size: uint64(size), rate: v[4]}}
	if m.plan.packets > maxPackets || m.index >= m.plan.packets || m.plan.rate == 0 || m.plan.start < 0 || m.sent < m.plan.start {
		return mark{}, errForeign
	}
	return m, nil
}
