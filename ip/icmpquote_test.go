package ip

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// join makes a message of its parts.
func join(parts ...[]byte) []byte {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// The parts of messages. An IPv4 header has no options where it begins with 0x45.
var (
	head4    = []byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, 1, 0, 0, 10, 0, 0, 9, 10, 0, 0, 1}
	quote4   = []byte{0x45, 0, 0, 0, 0, 0, 0, 0, 1, 17, 0, 0, 10, 0, 0, 1, 192, 0, 2, 1}
	options4 = []byte{0x46, 0, 0, 0, 0, 0, 0, 0, 1, 6, 0, 0, 10, 0, 0, 1, 192, 0, 2, 1, 1, 1, 1, 1}
	later4   = []byte{0x45, 0, 0, 0, 0, 0, 0x20, 1, 1, 17, 0, 0, 10, 0, 0, 1, 192, 0, 2, 1}
	ports    = []byte{0x30, 0x39, 0, 53, 0, 0, 0, 0}
	here4    = netip.MustParseAddr("10.0.0.1")
	there4   = netip.MustParseAddr("192.0.2.1")
	here6    = netip.MustParseAddr("fd00::1")
	there6   = netip.MustParseAddr("2001:db8::1")
)

// quote6 is an IPv6 header with that next header.
func quote6(next byte) []byte {
	a, b := here6.As16(), there6.As16()
	return join([]byte{0x60, 0, 0, 0, 0, 0, next, 1}, a[:], b[:])
}

func TestParseError4(t *testing.T) {
	at := netip.AddrPortFrom
	for name, c := range map[string]struct {
		packet []byte
		want   ICMPError
	}{
		"TTL": {join(head4, []byte{11, 0, 0, 0, 0, 0, 0, 0}, quote4, ports),
			ICMPError{Type: 11, Protocol: 17, Source: at(here4, 12345), Destination: at(there4, 53)}},
		"TCP with options": {join(head4, []byte{3, 13, 0, 0, 0, 0, 0, 0}, options4, ports),
			ICMPError{Type: 3, Code: 13, Protocol: 6, Source: at(here4, 12345), Destination: at(there4, 53)}},
		"too big": {join(head4, []byte{3, 4, 0, 0, 0, 0, 5, 0}, quote4, ports),
			ICMPError{Type: 3, Code: 4, MTU: 1280, Protocol: 17, Source: at(here4, 12345), Destination: at(there4, 53)}},
		"a header that makes no sense": {join(head4, []byte{12, 0, 0, 0, 20, 0, 0, 0}, quote4),
			ICMPError{Type: 12, Protocol: 17, Source: at(here4, 0), Destination: at(there4, 0)}},
		"later fragment": {join(head4, []byte{11, 1, 0, 0, 0, 0, 0, 0}, later4, ports),
			ICMPError{Type: 11, Code: 1, Protocol: 17, Source: at(here4, 0), Destination: at(there4, 0)}},
	} {
		e, ok := parseError4(c.packet)
		require.True(t, ok, name)
		require.Equal(t, c.want, e, name)
	}
	for name, packet := range map[string][]byte{
		"nothing":       nil,
		"echo reply":    join(head4, []byte{0, 0, 0, 0, 0, 1, 0, 1}, quote4, ports),
		"redirect":      join(head4, []byte{5, 0, 0, 0, 10, 0, 0, 9}, quote4, ports),
		"no quotation":  join(head4, []byte{3, 3, 0, 0, 0, 0, 0, 0}),
		"half a header": join(head4, []byte{3, 3, 0, 0, 0, 0, 0, 0}, quote4[:19]),
		"half options":  join(head4, []byte{3, 3, 0, 0, 0, 0, 0, 0}, options4[:22]),
		"IPv6 inside":   join(head4, []byte{3, 3, 0, 0, 0, 0, 0, 0}, quote6(17), ports),
		"half an error": join(head4, []byte{3, 3, 0, 0}),
	} {
		_, ok := parseError4(packet)
		require.False(t, ok, name)
	}
}

func TestParseError6(t *testing.T) {
	at := netip.AddrPortFrom
	hopByHop := []byte{44, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	first, later := []byte{17, 0, 0, 1, 0, 0, 0, 7}, []byte{17, 0, 0, 8, 0, 0, 0, 7}
	for name, c := range map[string]struct {
		packet []byte
		want   ICMPError
	}{
		"hop limit": {join([]byte{3, 0, 0, 0, 0, 0, 0, 0}, quote6(6), ports),
			ICMPError{Type: 3, Protocol: 6, Source: at(here6, 12345), Destination: at(there6, 53)}},
		"too big": {join([]byte{2, 0, 0, 0, 0, 0, 5, 0}, quote6(17), ports),
			ICMPError{Type: 2, MTU: 1280, Protocol: 17, Source: at(here6, 12345), Destination: at(there6, 53)}},
		"ICMP": {join([]byte{1, 3, 0, 0, 0, 0, 0, 0}, quote6(58), ports),
			ICMPError{Type: 1, Code: 3, Protocol: 58, Source: at(here6, 0), Destination: at(there6, 0)}},
		"first fragment behind options": {join([]byte{1, 4, 0, 0, 0, 0, 0, 0}, quote6(0), hopByHop, first, ports),
			ICMPError{Type: 1, Code: 4, Protocol: 17, Source: at(here6, 12345), Destination: at(there6, 53)}},
		"later fragment": {join([]byte{1, 4, 0, 0, 0, 0, 0, 0}, quote6(44), later, ports),
			ICMPError{Type: 1, Code: 4, Protocol: 17, Source: at(here6, 0), Destination: at(there6, 0)}},
		"half an extension": {join([]byte{4, 0, 0, 0, 0, 0, 0, 40}, quote6(0), hopByHop[:9]),
			ICMPError{Type: 4, Protocol: 0, Source: at(here6, 0), Destination: at(there6, 0)}},
	} {
		e, ok := parseError6(c.packet)
		require.True(t, ok, name)
		require.Equal(t, c.want, e, name)
	}
	for name, packet := range map[string][]byte{
		"nothing":       nil,
		"advertisement": join([]byte{136, 0, 0, 0, 0, 0, 0, 0}, quote6(17), ports),
		"half a header": join([]byte{1, 4, 0, 0, 0, 0, 0, 0}, quote6(17)[:39]),
		"IPv4 inside":   join([]byte{1, 4, 0, 0, 0, 0, 0, 0}, quote4, ports, ports, ports, ports),
	} {
		_, ok := parseError6(packet)
		require.False(t, ok, name)
	}
}

func TestErrorKinds(t *testing.T) {
	for _, c := range []struct {
		from       netip.Addr
		kind, code uint8
		want       ErrorKind
	}{
		{there4, 11, 0, TTLExceeded}, {there4, 11, 1, OtherError}, {there4, 12, 0, OtherError},
		{there4, 3, 0, NetworkUnreachable}, {there4, 3, 1, HostUnreachable}, {there4, 3, 2, OtherUnreachable},
		{there4, 3, 3, PortUnreachable}, {there4, 3, 4, PacketTooBig}, {there4, 3, 6, NetworkUnreachable},
		{there4, 3, 7, HostUnreachable}, {there4, 3, 9, Prohibited}, {there4, 3, 10, Prohibited}, {there4, 3, 13, Prohibited},
		{there6, 3, 0, TTLExceeded}, {there6, 3, 1, OtherError}, {there6, 4, 0, OtherError}, {there6, 2, 0, PacketTooBig},
		{there6, 1, 0, NetworkUnreachable}, {there6, 1, 1, Prohibited}, {there6, 1, 2, OtherUnreachable},
		{there6, 1, 3, HostUnreachable}, {there6, 1, 4, PortUnreachable}, {there6, 1, 5, Prohibited}, {there6, 1, 6, Prohibited},
	} {
		e := ICMPError{From: c.from, Type: c.kind, Code: c.code}
		require.Equal(t, c.want, e.Kind(), e.String())
	}
}

func FuzzParseError(f *testing.F) {
	message4 := join(head4, []byte{11, 0, 0, 0, 0, 0, 0, 0}, quote4, ports)
	f.Add(message4)
	f.Add(message4[:40])
	f.Add(join(head4, []byte{3, 13, 0, 0, 0, 0, 0, 0}, options4, ports))
	f.Add(join([]byte{3, 0, 0, 0, 0, 0, 0, 0}, quote6(17), ports))
	f.Add(join([]byte{1, 4, 0, 0, 0, 0, 0, 0}, quote6(0), []byte{44, 0, 0, 0, 0, 0, 0, 0}, []byte{17, 0, 0, 1, 0, 0, 0, 7}, ports))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, parse := range []func([]byte) (ICMPError, bool){parseError4, parseError6} {
			e, ok := parse(data)
			if ok != (e.Source.IsValid() && e.Destination.IsValid()) {
				t.Errorf("incomplete: %s", e)
			}
			if e.Source.Addr().Is4() != e.Destination.Addr().Is4() {
				t.Errorf("two IP versions: %s", e)
			}
		}
	})
}
