package traceroute

import (
	"testing"

	"gvisor.dev/gvisor/pkg/tcpip/header"
)

func FuzzParse(f *testing.F) {
	message := make([]byte, header.IPv4MinimumSize+header.ICMPv4MinimumSize+header.IPv4MinimumSize+header.UDPMinimumSize)
	message[0], message[20], message[28], message[37] = 0x45, byte(header.ICMPv4TimeExceeded), 0x45, byte(header.UDPProtocolNumber)
	f.Add(message)
	f.Add(message[:40])
	message[28] = 0x4f
	f.Add(message)
	message6 := make([]byte, header.ICMPv6ErrorHeaderSize+header.IPv6MinimumSize+header.UDPMinimumSize)
	message6[0], message6[14] = byte(header.ICMPv6TimeExceeded), byte(header.UDPProtocolNumber)
	f.Add(message6)
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, parse := range []func([]byte) (icmpError, bool){parse4, parse6} {
			if e, ok := parse(data); ok && (e.answer == 0 || !e.destination.IsValid() || (e.answer == unreachable) != (e.reason != "")) {
				t.Errorf("incomplete: %+v", e)
			}
		}
	})
}
