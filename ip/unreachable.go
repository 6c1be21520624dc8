package ip

import (
	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// addressUnreachable says that the destination's network was reached, but that nobody there answers (RFC 4443, section 3.1,
// code 3). The stack knows the like in ICMP, but passes this one over, so that connections would wait for their timeout.
type addressUnreachable struct{}

var _ stack.TransportError = addressUnreachable{}

func (addressUnreachable) Origin() tcpip.SockErrOrigin { return tcpip.SockExtErrorOriginICMP6 }
func (addressUnreachable) Type() uint8                 { return uint8(header.ICMPv6DstUnreachable) }
func (addressUnreachable) Code() uint8                 { return uint8(header.ICMPv6AddressUnreachable) }
func (addressUnreachable) Info() uint32                { return 0 }
func (addressUnreachable) Kind() stack.TransportErrorKind {
	return stack.DestinationHostUnreachableTransportError
}

// tellUnreachable tells the socket that sent the packet which an "address unreachable" in a frame quotes.
func (n *nic) tellUnreachable(frame []byte) {
	h := header.IPv6(frame[header.EthernetMinimumSize:])
	if !h.IsValid(len(h)) || h.TransportProtocol() != header.ICMPv6ProtocolNumber {
		return
	}
	m := header.ICMPv6(h.Payload())
	if len(m) < header.ICMPv6ErrorHeaderSize+header.IPv6MinimumSize || m.Type() != header.ICMPv6DstUnreachable || m.Code() != header.ICMPv6AddressUnreachable {
		return
	}
	quoted := header.IPv6(m[header.ICMPv6ErrorHeaderSize:])
	protocol, segment := skipExtensions(quoted.NextHeader(), quoted[header.IPv6MinimumSize:])
	sockets, ok := n.dispatcher.(stack.TransportDispatcher)
	if !ok || segment == nil || !n.host.owns(toNetip(quoted.SourceAddress())) {
		return
	}
	pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(segment)})
	defer pkt.DecRef()
	pkt.NetworkProtocolNumber = header.IPv6ProtocolNumber
	sockets.DeliverTransportError(quoted.SourceAddress(), quoted.DestinationAddress(), header.IPv6ProtocolNumber,
		tcpip.TransportProtocolNumber(protocol), addressUnreachable{}, pkt)
}
