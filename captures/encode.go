package captures

import (
	"encoding/binary"
	"net/netip"
	"time"

	"netlab/netem"
)

// The functions here append one block each to a slice. They allocate only when the slice is too short.

var le = binary.LittleEndian

// pad returns n rounded up to 32 bits.
func pad(n int) int { return (n + 3) &^ 3 }

func appendPadding(b []byte, n int) []byte {
	switch n & 3 {
	case 1:
		return append(b, 0, 0, 0)
	case 2:
		return append(b, 0, 0)
	case 3:
		return append(b, 0)
	}
	return b
}

// beginBlock appends a block's head. The length is set by endBlock.
func beginBlock(b []byte, kind uint32) []byte {
	return le.AppendUint32(le.AppendUint32(b, kind), 0)
}

// endBlock completes the block that begins at start.
func endBlock(b []byte, start int) []byte {
	total := uint32(len(b) - start + 4)
	le.PutUint32(b[start+4:], total)
	return le.AppendUint32(b, total)
}

func appendOption[T string | []byte](b []byte, code uint16, value T) []byte {
	b = le.AppendUint16(b, code)
	b = le.AppendUint16(b, uint16(len(value)))
	b = append(b, value...)
	return appendPadding(b, len(value))
}

func appendText(b []byte, code uint16, text string) []byte {
	if text == "" {
		return b
	}
	return appendOption(b, code, text)
}

func appendUint64Option(b []byte, code uint16, value uint64) []byte {
	b = le.AppendUint16(b, code)
	b = le.AppendUint16(b, 8)
	return le.AppendUint64(b, value)
}

func appendOptionsEnd(b []byte) []byte { return le.AppendUint32(b, optionEnd) }

// appendTime appends a time stamp, whose upper half comes first in either byte order.
func appendTime(b []byte, ns uint64) []byte {
	return le.AppendUint32(le.AppendUint32(b, uint32(ns>>32)), uint32(ns))
}

func appendTimeOption(b []byte, code uint16, at time.Time) []byte {
	if at.IsZero() {
		return b
	}
	b = le.AppendUint16(b, code)
	b = le.AppendUint16(b, 8)
	return appendTime(b, uint64(at.UnixNano()))
}

func appendSection(b []byte, s *Section) []byte {
	start := len(b)
	b = beginBlock(b, blockSection)
	b = le.AppendUint32(b, byteOrderMagic)
	b = le.AppendUint16(b, 1)          // major version
	b = le.AppendUint16(b, 0)          // minor version
	b = le.AppendUint64(b, ^uint64(0)) // the section's length is not known
	for _, c := range s.Comments {
		b = appendText(b, optionComment, c)
	}
	b = appendText(b, optionSectionApplication, s.Application)
	b = appendOptionsEnd(b)
	return endBlock(b, start)
}

func appendInterface(b []byte, d *InterfaceDescription) []byte {
	start := len(b)
	b = beginBlock(b, blockInterface)
	linkType := d.LinkType
	if linkType == 0 {
		linkType = LinkEthernet
	}
	b = le.AppendUint16(b, linkType)
	b = le.AppendUint16(b, 0)
	b = le.AppendUint32(b, uint32(d.SnapLength))
	b = appendText(b, optionInterfaceName, d.Name)
	b = appendText(b, optionInterfaceDescription, d.Description)
	if len(d.MAC) == 6 {
		b = appendOption(b, optionInterfaceMAC, []byte(d.MAC))
	}
	if d.Speed > 0 {
		b = appendUint64Option(b, optionInterfaceSpeed, uint64(d.Speed))
	}
	b = appendOption(b, optionInterfaceResolution, "\x09") // 10^-9 s
	if d.Filter != "" {
		b = appendOption(b, optionInterfaceFilter, "\x00"+d.Filter) // 0: the filter is text
	}
	b = appendOptionsEnd(b)
	return endBlock(b, start)
}

// packetHead is what an enhanced packet block says beside the frame. The comment must fit into an option.
type packetHead struct {
	iface    uint32
	ns       uint64
	length   int    // of the frame on the wire
	id       uint64 // 0 is none
	directed bool
	dir      netem.Direction
	comment  string
}

// size is how many bytes appendPacket appends if that much of the frame is kept.
func (h *packetHead) size(captured int) int {
	n := 8 + 20 + pad(captured) + 4
	if h.directed {
		n += 8
	}
	if h.id != 0 {
		n += 12
	}
	if h.comment != "" {
		n += 4 + pad(len(h.comment))
	}
	if h.options() {
		n += 4
	}
	return n
}

// options says whether the block has any.
func (h *packetHead) options() bool { return h.directed || h.id != 0 || h.comment != "" }

// appendPacket appends an enhanced packet block.
func appendPacket(b []byte, h *packetHead, data []byte) []byte {
	start := len(b)
	b = beginBlock(b, blockPacket)
	b = le.AppendUint32(b, h.iface)
	b = appendTime(b, h.ns)
	b = le.AppendUint32(b, uint32(len(data)))
	b = le.AppendUint32(b, uint32(h.length))
	b = append(b, data...)
	b = appendPadding(b, len(data))
	if h.directed {
		flags := uint32(flagsOutbound)
		if h.dir == netem.Inbound {
			flags = flagsInbound
		}
		b = le.AppendUint16(b, optionPacketFlags)
		b = le.AppendUint16(b, 4)
		b = le.AppendUint32(b, flags)
	}
	if h.id != 0 {
		b = appendUint64Option(b, optionPacketID, h.id)
	}
	b = appendText(b, optionComment, h.comment)
	if h.options() {
		b = appendOptionsEnd(b)
	}
	return endBlock(b, start)
}

// namesPerBlock keeps name blocks far below the size that readers refuse.
const namesPerBlock = 1000

// appendNames appends one or more name resolution blocks.
func appendNames(b []byte, names []Name) []byte {
	for len(names) > 0 {
		part := names[:min(len(names), namesPerBlock)]
		names = names[len(part):]
		start := len(b)
		b = beginBlock(b, blockNames)
		for _, n := range part {
			b = appendName(b, n.Addr.Unmap(), n.Name)
		}
		b = le.AppendUint32(b, nameEnd)
		b = endBlock(b, start)
	}
	return b
}

func appendName(b []byte, addr netip.Addr, name string) []byte {
	kind, size := uint16(nameIPv4), 4
	if addr.Is6() {
		kind, size = nameIPv6, 16
	}
	length := size + len(name) + 1
	b = le.AppendUint16(b, kind)
	b = le.AppendUint16(b, uint16(length))
	if addr.Is6() {
		raw := addr.As16()
		b = append(b, raw[:]...)
	} else {
		raw := addr.As4()
		b = append(b, raw[:]...)
	}
	b = append(b, name...)
	b = append(b, 0)
	return appendPadding(b, length)
}

func appendSecrets(b []byte, kind uint32, data []byte) []byte {
	start := len(b)
	b = beginBlock(b, blockSecrets)
	b = le.AppendUint32(b, kind)
	b = le.AppendUint32(b, uint32(len(data)))
	b = append(b, data...)
	b = appendPadding(b, len(data))
	return endBlock(b, start)
}

func appendStatistics(b []byte, s *Statistics) []byte {
	start := len(b)
	b = beginBlock(b, blockStatistics)
	b = le.AppendUint32(b, uint32(s.Interface))
	b = appendTime(b, uint64(s.Time.UnixNano()))
	b = appendTimeOption(b, optionStatisticsStart, s.Start)
	b = appendTimeOption(b, optionStatisticsEnd, s.End)
	b = appendUint64Option(b, optionStatisticsReceived, s.Received)
	b = appendUint64Option(b, optionStatisticsDropped, s.Dropped)
	b = appendUint64Option(b, optionStatisticsAccepted, s.Accepted)
	b = appendOptionsEnd(b)
	return endBlock(b, start)
}
