package netem

import "encoding/binary"

// IP protocol numbers.
const (
	protocolICMP     = 1
	protocolTCP      = 6
	protocolUDP      = 17
	protocolFragment = 44
	protocolICMPv6   = 58
)

// flow tells the flow that a frame belongs to from others. All fragments of a datagram are of one flow, which only the first
// of them names in full.
type flow struct {
	// key is made of source, destination, ports and protocol. ICMP has type, code and, for echoes, identifier in place of
	// the ports. It is zero for what isn't IP.
	key [37]byte
	// fragment says that the frame carries a part of a datagram with this id; portless, that it isn't the first part.
	fragment, portless bool
	id                 uint32
}

// Where the parts of flow.key begin.
const (
	flowDestination = 16
	flowPorts       = 32
	flowProtocol    = 36
)

// sameDatagram says whether both are fragments of one datagram.
func (a *flow) sameDatagram(b *flow) bool {
	return a.fragment && b.fragment && a.id == b.id && a.key[flowProtocol] == b.key[flowProtocol] &&
		[flowPorts]byte(a.key[:flowPorts]) == [flowPorts]byte(b.key[:flowPorts])
}

func (f *Frame) flow() (w flow) {
	const (
		moreFragments = 0x2000
		offset        = 0x1fff
	)
	d := f.Data
	switch f.EtherType() {
	case EtherTypeIPv4:
		if len(d) < etherHeader+20 {
			return w
		}
		copy(w.key[:], d[26:30])
		copy(w.key[flowDestination:], d[30:34])
		w.key[flowProtocol] = d[23]
		bits := binary.BigEndian.Uint16(d[20:])
		w.fragment, w.portless = bits&(moreFragments|offset) != 0, bits&offset != 0
		w.id = uint32(binary.BigEndian.Uint16(d[18:]))
		w.addPorts(d[min(len(d), etherHeader+int(d[etherHeader]&15)*4):])
	case EtherTypeIPv6:
		if len(d) < etherHeader+40 {
			return w
		}
		copy(w.key[:], d[22:38])
		copy(w.key[flowDestination:], d[38:54])
		w.key[flowProtocol] = d[20]
		rest := d[54:]
		if w.key[flowProtocol] == protocolFragment && len(rest) >= 8 {
			w.key[flowProtocol] = rest[0]
			w.fragment, w.portless = true, binary.BigEndian.Uint16(rest[2:])>>3 != 0
			w.id = binary.BigEndian.Uint32(rest[4:])
			rest = rest[8:]
		}
		w.addPorts(rest)
	}
	return w
}

// addPorts takes the ports from the transport header that a packet begins with.
func (w *flow) addPorts(header []byte) {
	if w.portless {
		return
	}
	ports := w.key[flowPorts:flowProtocol]
	switch protocol := w.key[flowProtocol]; protocol {
	case protocolTCP, protocolUDP:
		if len(header) >= 4 {
			copy(ports, header)
		}
	case protocolICMP, protocolICMPv6:
		if len(header) < 8 {
			return
		}
		copy(ports, header[:2])
		switch kind := header[0]; {
		case protocol == protocolICMP && (kind == 0 || kind == 8), protocol == protocolICMPv6 && (kind == 128 || kind == 129):
			copy(ports[2:], header[4:6])
		}
	}
}
