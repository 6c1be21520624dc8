package ip

import (
	"testing"

	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// What a NIC reads of frames that may be damaged, before the stack sees them, never goes beyond their end.
func FuzzDamagedFrame(f *testing.F) {
	ethernet := make([]byte, header.EthernetMinimumSize, 100)
	for _, etherType := range []byte{0x00, 0x06, 0xdd} {
		frame := append(ethernet[:12], 0x08, etherType)
		if etherType == 0xdd {
			frame[12] = 0x86
		}
		f.Add(append([]byte(nil), frame...))
		packet := make([]byte, header.IPv6MinimumSize+header.ICMPv6MinimumSize)
		packet[0], packet[5], packet[6] = 6<<4, header.ICMPv6MinimumSize, uint8(header.ICMPv6ProtocolNumber)
		f.Add(append(append([]byte(nil), frame...), packet...))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		if len(frame) < header.EthernetMinimumSize {
			return // dropped before
		}
		isFragment(frame)
		validICMPv6(frame)
	})
}
