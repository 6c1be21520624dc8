package vrrp

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"time"
)

// What all advertisements have (RFC 9568, sections 5.1 and 5.2).
const (
	// Protocol is VRRP's number above IP.
	Protocol   = 112
	version    = 3
	typeAdvert = 1
	headerSize = 8
	ttl        = 255
	centi      = 10 * time.Millisecond
)

// The groups that advertisements are sent to.
var (
	Group4 = netip.MustParseAddr("224.0.0.18")
	Group6 = netip.MustParseAddr("ff02::12")
)

// Advertisement is what an active host says of itself.
type Advertisement struct {
	VRID     uint8
	Priority uint8 // 0 means that it gives up
	// Interval is the time to the next one: whole centiseconds up to 40.95 s.
	Interval  time.Duration
	Addresses []netip.Addr
}

// Why an advertisement is dropped.
var (
	errTTL      = errors.New("its TTL isn't 255")
	errVersion  = errors.New("its version isn't 3")
	errType     = errors.New("it is no advertisement")
	errLength   = errors.New("its length doesn't fit its addresses")
	errChecksum = errors.New("its checksum is wrong")
)

// Marshal writes the message, with the checksum for an IP packet between these addresses.
func (a *Advertisement) Marshal(source, destination netip.Addr) []byte {
	b := []byte{version<<4 | typeAdvert, a.VRID, a.Priority, byte(len(a.Addresses)), 0, 0, 0, 0}
	binary.BigEndian.PutUint16(b[4:], uint16(a.Interval/centi))
	for _, address := range a.Addresses {
		b = append(b, address.AsSlice()...)
	}
	binary.BigEndian.PutUint16(b[6:], ^sum(b, pseudoHeader(source, destination, len(b))))
	return b
}

// parse reads the message of an IP packet and checks it (RFC 9568, section 7.1).
func parse(b []byte, source, destination netip.Addr, hops uint8) (a Advertisement, err error) {
	switch {
	case hops != ttl:
		return a, errTTL
	case len(b) < headerSize:
		return a, errLength
	case b[0]>>4 != version:
		return a, errVersion
	case b[0]&15 != typeAdvert:
		return a, errType
	}
	size := 4
	if source.Is6() {
		size = 16
	}
	if b[3] == 0 || len(b) != headerSize+int(b[3])*size {
		return a, errLength
	}
	const right = 0xffff
	if sum(b, pseudoHeader(source, destination, len(b))) != right && (source.Is6() || sum(b, 0) != right) {
		return a, errChecksum
	}
	a = Advertisement{VRID: b[1], Priority: b[2], Interval: time.Duration(binary.BigEndian.Uint16(b[4:])&0xfff) * centi}
	for rest := b[headerSize:]; len(rest) > 0; rest = rest[size:] {
		address, _ := netip.AddrFromSlice(rest[:size])
		a.Addresses = append(a.Addresses, address)
	}
	return a, nil
}

// sum adds 16-bit words in ones' complement (RFC 1071). The message has an even number of bytes.
func sum(b []byte, start uint32) uint16 {
	s := start
	for ; len(b) >= 2; b = b[2:] {
		s += uint32(binary.BigEndian.Uint16(b))
	}
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}

// pseudoHeader is the sum of the pseudo-header (RFC 8200, section 8.1, and its like for IPv4).
func pseudoHeader(source, destination netip.Addr, length int) uint32 {
	words := append(source.AsSlice(), destination.AsSlice()...)
	return uint32(sum(words, uint32(length)+Protocol))
}
