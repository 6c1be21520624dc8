package captures

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"net"
	"net/netip"
	"time"

	"netlab/netem"
	"netlab/units"
)

var errShort = errors.New("block is too short for its fields")

// decode turns p.body into a block. It returns nil for a block that is of no interest.
func (p *Reader) decode(kind uint32) (Block, error) {
	switch kind {
	case blockSection:
		return p.decodeSection()
	case blockInterface:
		return p.decodeInterface()
	case blockPacket:
		return p.decodePacket()
	case blockSimple:
		return p.decodeSimple()
	case blockNames:
		return p.decodeNames()
	case blockSecrets:
		return p.decodeSecrets()
	case blockStatistics:
		return p.decodeStatistics()
	}
	return nil, nil
}

// length reads a 32-bit length, which an int may not hold on a 32-bit machine.
func (p *Reader) length(b []byte) int { return int(min(p.order.Uint32(b), math.MaxInt32)) }

// options calls f for each option in b.
func (p *Reader) options(b []byte, f func(code uint16, value []byte) error) error {
	for len(b) >= 4 {
		code, n := p.order.Uint16(b), int(p.order.Uint16(b[2:]))
		if code == optionEnd {
			return nil
		}
		b = b[4:]
		if n > len(b) {
			return fmt.Errorf("option %d of %d bytes reaches beyond its block", code, n)
		}
		if err := f(code, b[:n]); err != nil {
			return err
		}
		b = b[min(pad(n), len(b)):]
	}
	return nil
}

func (p *Reader) decodeSection() (Block, error) {
	b := p.body
	if len(b) < 16 {
		return nil, errShort
	}
	if major := p.order.Uint16(b[4:]); major != 1 {
		return nil, fmt.Errorf("pcapng version %d: want 1", major)
	}
	p.base = len(p.resolutions)
	s := &Section{}
	err := p.options(b[16:], func(code uint16, value []byte) error {
		switch code {
		case optionComment:
			s.Comments = append(s.Comments, string(value))
		case optionSectionApplication:
			s.Application = string(value)
		}
		return nil
	})
	return s, err
}

func (p *Reader) decodeInterface() (Block, error) {
	b := p.body
	if len(b) < 8 {
		return nil, errShort
	}
	d := &InterfaceDescription{
		LinkType:   p.order.Uint16(b),
		SnapLength: p.length(b[4:]),
	}
	res := resolution{perSecond: 1e6} // microseconds, unless an option says otherwise
	err := p.options(b[8:], func(code uint16, value []byte) error {
		switch {
		case code == optionInterfaceName:
			d.Name = string(value)
		case code == optionInterfaceDescription:
			d.Description = string(value)
		case code == optionInterfaceMAC && len(value) == 6:
			d.MAC = net.HardwareAddr(bytes.Clone(value))
		case code == optionInterfaceSpeed && len(value) == 8:
			d.Speed = units.BitRate(min(p.order.Uint64(value), 1<<63-1))
		case code == optionInterfaceFilter && len(value) > 0 && value[0] == 0:
			d.Filter = string(value[1:])
		case code == optionInterfaceResolution && len(value) == 1:
			return res.set(value[0])
		case code == optionInterfaceTimeOffset && len(value) == 8:
			res.offset = int64(p.order.Uint64(value))
		}
		return nil
	})
	p.resolutions = append(p.resolutions, res)
	return d, err
}

func (p *Reader) decodePacket() (Block, error) {
	b := p.body
	if len(b) < 20 {
		return nil, errShort
	}
	iface, res, err := p.iface(p.order.Uint32(b))
	if err != nil {
		return nil, err
	}
	captured := p.order.Uint32(b[12:])
	if uint64(captured) > uint64(len(b)-20) {
		return nil, fmt.Errorf("packet of %d bytes reaches beyond its block", captured)
	}
	n := int(captured)
	packet := p.packet()
	*packet = Packet{
		Interface: iface,
		Time:      res.time(p.order, b[4:]),
		Length:    p.length(b[16:]),
		Data:      p.keep(b[20 : 20+n]),
	}
	err = p.options(b[min(20+pad(n), len(b)):], func(code uint16, value []byte) error {
		switch {
		case code == optionComment && packet.Comment == "":
			packet.Comment = string(value)
		case code == optionComment:
			packet.Comment += "\n" + string(value)
		case code == optionPacketFlags && len(value) == 4:
			switch p.order.Uint32(value) & 3 {
			case flagsInbound:
				packet.Directed, packet.Direction = true, netem.Inbound
			case flagsOutbound:
				packet.Directed, packet.Direction = true, netem.Outbound
			}
		case code == optionPacketID && len(value) == 8:
			packet.ID = p.order.Uint64(value)
		}
		return nil
	})
	return packet, err
}

// packet returns where a packet is to be put, and keep returns its bytes: both are the reader's own if it may use them again.
func (p *Reader) packet() *Packet {
	if p.reuse {
		return &p.last
	}
	return &Packet{}
}

func (p *Reader) keep(data []byte) []byte {
	if p.reuse {
		return data
	}
	return bytes.Clone(data)
}

// decodeSimple reads a packet without time stamp, which belongs to the first interface of its section.
func (p *Reader) decodeSimple() (Block, error) {
	if len(p.body) < 4 {
		return nil, errShort
	}
	iface, _, err := p.iface(0)
	if err != nil {
		return nil, err
	}
	length := p.length(p.body)
	data := p.body[4:]
	packet := p.packet()
	*packet = Packet{Interface: iface, Length: length, Data: p.keep(data[:min(length, len(data))])}
	return packet, nil
}

func (p *Reader) decodeNames() (Block, error) {
	b := p.body
	names := &Names{}
	for len(b) >= 4 {
		kind, n := p.order.Uint16(b), int(p.order.Uint16(b[2:]))
		if kind == nameEnd {
			break
		}
		b = b[4:]
		if n > len(b) {
			return nil, fmt.Errorf("name record of %d bytes reaches beyond its block", n)
		}
		size := 4
		if kind == nameIPv6 {
			size = 16
		}
		if n >= size && (kind == nameIPv4 || kind == nameIPv6) {
			addr, _ := netip.AddrFromSlice(b[:size])
			for _, name := range bytes.Split(b[size:n], []byte{0}) {
				if len(name) > 0 {
					names.Names = append(names.Names, Name{addr, string(name)})
				}
			}
		}
		b = b[min(pad(n), len(b)):]
	}
	return names, nil
}

func (p *Reader) decodeSecrets() (Block, error) {
	b := p.body
	if len(b) < 8 {
		return nil, errShort
	}
	n := p.order.Uint32(b[4:])
	if uint64(n) > uint64(len(b)-8) {
		return nil, fmt.Errorf("secrets of %d bytes reach beyond their block", n)
	}
	return &Secrets{Type: p.order.Uint32(b), Data: bytes.Clone(b[8 : 8+n])}, nil
}

func (p *Reader) decodeStatistics() (Block, error) {
	b := p.body
	if len(b) < 12 {
		return nil, errShort
	}
	iface, res, err := p.iface(p.order.Uint32(b))
	if err != nil {
		return nil, err
	}
	s := &Statistics{Interface: iface, Time: res.time(p.order, b[4:])}
	err = p.options(b[12:], func(code uint16, value []byte) error {
		if len(value) != 8 {
			return nil
		}
		switch code {
		case optionStatisticsStart:
			s.Start = res.time(p.order, value)
		case optionStatisticsEnd:
			s.End = res.time(p.order, value)
		case optionStatisticsReceived:
			s.Received = p.order.Uint64(value)
		case optionStatisticsDropped:
			s.Dropped = p.order.Uint64(value)
		case optionStatisticsAccepted:
			s.Accepted = p.order.Uint64(value)
		}
		return nil
	})
	return s, err
}

// iface turns a section's interface number into the file's.
func (p *Reader) iface(n uint32) (int, resolution, error) {
	have := len(p.resolutions) - p.base
	if uint64(n) >= uint64(have) {
		return 0, resolution{}, fmt.Errorf("interface %d: the section has described %d", n, have)
	}
	i := p.base + int(n)
	return i, p.resolutions[i], nil
}

// resolution is the unit of an interface's time stamps.
type resolution struct {
	perSecond uint64 // units in a second
	offset    int64  // seconds that are added
}

// set takes the value of the option: a unit is 10^-value seconds, or 2^-value without the highest bit if that is set.
func (r *resolution) set(value byte) error {
	digits := value & 0x7f
	switch {
	case value&0x80 != 0 && digits <= 63:
		r.perSecond = 1 << digits
	case value&0x80 == 0 && digits <= 19:
		r.perSecond = 1
		for range digits {
			r.perSecond *= 10
		}
	default:
		return fmt.Errorf("time resolution %#02x is finer than 64 bits can hold", value)
	}
	return nil
}

// time reads a time stamp of two 32-bit halves, the upper one first.
func (r resolution) time(order binary.ByteOrder, b []byte) time.Time {
	ticks := uint64(order.Uint32(b))<<32 | uint64(order.Uint32(b[4:]))
	seconds, rest := ticks/r.perSecond, ticks%r.perSecond
	hi, lo := bits.Mul64(rest, 1e9)
	ns, _ := bits.Div64(hi, lo, r.perSecond)
	return time.Unix(int64(seconds)+r.offset, int64(ns)).UTC()
}
