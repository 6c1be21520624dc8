package dns

import (
	"net/netip"
	"testing"
	"time"

	wire "github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

// bigZone has a name with more addresses than fit into 512 bytes, and one with more than fit into any datagram.
func bigZone(t testing.TB) *Zone {
	addresses := func(n int) []netip.Addr {
		var list []netip.Addr
		for i := range n {
			list = append(list, netip.AddrFrom4([4]byte{10, 9, byte(i >> 8), byte(i)}))
		}
		return list
	}
	z, err := NewZone(ZoneConfig{Origin: "lab", TTL: time.Minute, NegativeTTL: time.Minute, Rotation: Fixed, Records: []Record{
		{Name: "forty", Addresses: addresses(40)}, {Name: "many", Addresses: addresses(1000)}, {Name: "web", CNAME: "forty"}, {Name: "*.any", TXT: []string{"x"}},
		{Name: "_s._tcp", SRV: []SRV{{Port: 1, Target: "forty"}}},
	}})
	require.NoError(t, err)
	return z
}

func TestTruncation(t *testing.T) {
	z := bigZone(t)
	// A header of 12, a question of 15 and 16 for each compressed A record; EDNS takes 11 more.
	for _, c := range []struct {
		name      string
		offer     int // by EDNS, 0 without
		udp       bool
		truncated bool
		size      int
	}{
		{"forty.lab.", 0, true, true, 512}, {"forty.lab.", 0, false, false, 667}, {"forty.lab.", 700, true, false, 678},
		{"forty.lab.", 600, true, true, 600}, {"forty.lab.", 100, true, true, 512}, {"many.lab.", 65535, true, true, 1232},
		{"many.lab.", 0, false, false, 16026},
	} {
		q := new(wire.Msg)
		q.SetQuestion(c.name, wire.TypeA)
		if c.offer > 0 {
			q.SetEdns0(uint16(c.offer), false)
		}
		packet, err := q.Pack()
		require.NoError(t, err)
		reply, note := z.respond(packet, netip.Addr{}, c.udp)
		require.Equal(t, c.truncated, note.truncated, c.name)
		m := new(wire.Msg)
		require.NoError(t, m.Unpack(reply))
		require.Equal(t, c.truncated, m.Truncated)
		if c.truncated {
			require.LessOrEqual(t, len(reply), c.size)
			require.Greater(t, len(reply), c.size-32, "as much as fits")
		} else {
			require.Len(t, reply, c.size)
		}
	}
}

func TestWhatIsNoQuery(t *testing.T) {
	z := bigZone(t)
	for _, c := range []struct {
		name, packet, reply string
	}{
		{"nothing", "", ""},
		{"half a header", "\x12\x34\x01\x00\x00\x01", ""},
		{"half a question", "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x05www", "\x12\x34\x80\x01\x00\x00\x00\x00\x00\x00\x00\x00"},
		{"a response", "\x12\x34\x81\x00\x00\x00\x00\x00\x00\x00\x00\x00", ""},
		{"a broken response", "\x12\x34\x81\x00\x00\x01\x00\x00\x00\x00\x00\x00", ""},
	} {
		reply, note := z.respond([]byte(c.packet), netip.Addr{}, true)
		require.Equal(t, c.reply, string(reply), c.name)
		require.Empty(t, note.rcode, c.name)
	}
	require.Equal(t, "RCODE4000", rcodeName(4000))
}

// Whatever a server is sent, what it sends back is a message that answers it and fits.
func FuzzRespond(f *testing.F) {
	z := bigZone(f)
	for _, name := range []string{"forty.lab.", "web.lab.", "no.lab.", "x.any.lab.", "example.", "_s._tcp.lab.", "lab."} {
		for _, qtype := range []uint16{wire.TypeA, wire.TypeANY, wire.TypeSRV, wire.TypeNS, wire.TypeSOA} {
			q := new(wire.Msg)
			q.SetQuestion(name, qtype)
			q.Id = 7
			packet, err := q.Pack()
			require.NoError(f, err)
			f.Add(packet, true)
			q.SetEdns0(4096, true)
			packet, err = q.Pack()
			require.NoError(f, err)
			f.Add(packet, false)
		}
	}
	f.Fuzz(func(t *testing.T, packet []byte, udp bool) {
		reply, note := z.respond(packet, netip.MustParseAddr("10.0.0.1"), udp)
		if reply == nil {
			require.Empty(t, note.rcode)
			return
		}
		require.GreaterOrEqual(t, len(packet), headerSize)
		require.Equal(t, packet[:2], reply[:2])
		m := new(wire.Msg)
		require.NoError(t, m.Unpack(reply), "%x", reply)
		require.True(t, m.Response)
		if udp {
			require.LessOrEqual(t, len(reply), serverSize)
		}
	})
}

// Whatever a server says, it is read without harm, and nothing but what belongs to the question is believed.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"forty.lab.", "web.lab.", "no.lab."} {
		q := new(wire.Msg)
		q.SetQuestion(name, wire.TypeA)
		packet, err := bigZone(f).Answer(q, netip.Addr{}).Pack()
		require.NoError(f, err)
		f.Add(packet, name)
	}
	f.Fuzz(func(t *testing.T, packet []byte, name string) {
		q := newAsked(0, wire.CanonicalName(name), wire.TypeA, 1)
		if len(packet) >= 2 {
			q.id = uint16(packet[0])<<8 | uint16(packet[1])
		}
		m, _ := match(packet, []*asked{q})
		if m == nil {
			return
		}
		r, _ := read(m, q.name, q.qtype)
		require.GreaterOrEqual(t, r.ttl, time.Duration(0))
		for _, rr := range r.records {
			require.Contains(t, []uint16{wire.TypeA, wire.TypeCNAME}, rr.Header().Rrtype)
		}
		newAnswer(q.name, q.qtype, r).Texts()
	})
}
