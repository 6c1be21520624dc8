package ip

import (
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"netlab/netem"
)

// loopback is a host's lo: what is sent there comes back in an event of its own, so that a host talks to itself in the
// same order in every run. It is no port of the network and isn't captured.
type loopback struct {
	host       *Host
	dispatcher stack.NetworkDispatcher
}

const loopbackMTU = 65536

var _ stack.LinkEndpoint = (*loopback)(nil)

func (l *loopback) MTU() uint32                               { return loopbackMTU }
func (l *loopback) SetMTU(uint32)                             {}
func (l *loopback) MaxHeaderLength() uint16                   { return 0 }
func (l *loopback) LinkAddress() tcpip.LinkAddress            { return "" }
func (l *loopback) SetLinkAddress(tcpip.LinkAddress)          {}
func (l *loopback) Attach(dispatcher stack.NetworkDispatcher) { l.dispatcher = dispatcher }
func (l *loopback) IsAttached() bool                          { return l.dispatcher != nil }
func (l *loopback) Wait()                                     {}
func (l *loopback) ARPHardwareType() header.ARPHardwareType   { return header.ARPHardwareLoopback }
func (l *loopback) AddHeader(*stack.PacketBuffer)             {}
func (l *loopback) ParseHeader(*stack.PacketBuffer) bool      { return true }
func (l *loopback) Close()                                    {}
func (l *loopback) SetOnCloseAction(func())                   {}

func (l *loopback) Capabilities() stack.LinkEndpointCapabilities {
	return stack.CapabilityRXChecksumOffload | stack.CapabilityTXChecksumOffload | stack.CapabilityLoopback
}

func (l *loopback) WritePackets(list stack.PacketBufferList) (int, tcpip.Error) {
	packets := list.AsSlice()
	for _, pkt := range packets {
		back := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: pkt.ToBuffer()})
		proto := pkt.NetworkProtocolNumber
		l.host.net.AfterFunc(l.host.owner, netem.KindArrival, 0, func() {
			l.host.awake(func() {
				if l.dispatcher != nil {
					l.dispatcher.DeliverNetworkPacket(proto, back)
				}
			})
			back.DecRef()
		})
	}
	return len(packets), nil
}
