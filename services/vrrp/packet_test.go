package vrrp

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	sender4 = netip.MustParseAddr("10.0.0.1")
	sender6 = netip.MustParseAddr("fe80::1")
)

func TestAdvertisementsReadBack(t *testing.T) {
	for _, want := range []struct {
		from, to netip.Addr
		a        Advertisement
	}{
		{sender4, Group4, Advertisement{1, 100, time.Second, []netip.Addr{netip.MustParseAddr("10.0.0.100")}}},
		{sender4, Group4, Advertisement{255, 0, 40950 * time.Millisecond, []netip.Addr{sender4, Group4}}},
		{sender6, Group6, Advertisement{7, 255, 10 * time.Millisecond, []netip.Addr{sender6, netip.MustParseAddr("fd00::64")}}},
	} {
		b := want.a.Marshal(want.from, want.to)
		got, err := parse(b, want.from, want.to, ttl)
		require.NoError(t, err)
		require.Equal(t, want.a, got)
	}
}

// The checksum of RFC 9568 for IPv4 is that of the message alone; it is accepted too.
func TestAMessageWithoutPseudoHeaderIsAccepted(t *testing.T) {
	a := Advertisement{1, 100, time.Second, []netip.Addr{netip.MustParseAddr("10.0.0.100")}}
	b := a.Marshal(sender4, Group4)
	b[6], b[7] = 0, 0
	sum := ^sum(b, 0)
	b[6], b[7] = byte(sum>>8), byte(sum)
	_, err := parse(b, sender4, Group4, ttl)
	require.NoError(t, err)
}

func TestBadAdvertisementsAreDropped(t *testing.T) {
	good := Advertisement{1, 100, time.Second, []netip.Addr{netip.MustParseAddr("10.0.0.100")}}
	change := func(at int, to byte) []byte {
		b := good.Marshal(sender4, Group4)
		b[at] = to
		return b
	}
	for name, c := range map[string]struct {
		b    []byte
		hops uint8
		err  error
	}{
		"ttl":       {change(0, 0x31), 254, errTTL},
		"version 2": {change(0, 0x21), ttl, errVersion},
		"type":      {change(0, 0x32), ttl, errType},
		"count":     {change(3, 2), ttl, errLength},
		"none":      {change(3, 0)[:8], ttl, errLength},
		"short":     {change(0, 0x31)[:7], ttl, errLength},
		"checksum":  {change(2, 101), ttl, errChecksum},
	} {
		_, err := parse(c.b, sender4, Group4, c.hops)
		require.Equal(t, c.err, err, name)
		var d Dropped
		d.count(err)
		require.NotEqual(t, Dropped{}, d, name)
	}
}

// What is read is written as the same bytes, but for reserved bits and the other form of the checksum.
func FuzzParse(f *testing.F) {
	a := Advertisement{1, 100, time.Second, []netip.Addr{netip.MustParseAddr("10.0.0.100")}}
	f.Add(a.Marshal(sender4, Group4), false)
	f.Add(a.Marshal(sender4, Group4)[:9], false)
	a.Addresses = []netip.Addr{sender6}
	f.Add(a.Marshal(sender6, Group6), true)
	f.Fuzz(func(t *testing.T, b []byte, v6 bool) {
		from, to := sender4, Group4
		if v6 {
			from, to = sender6, Group6
		}
		a, err := parse(b, from, to, ttl)
		if err != nil {
			var d Dropped
			d.count(err)
			return
		}
		again, err := parse(a.Marshal(from, to), from, to, ttl)
		require.NoError(t, err)
		require.Equal(t, a, again)
	})
}

// Figures of RFC 9568, section 6.1.
func TestSkew(t *testing.T) {
	require.Equal(t, 609375*time.Microsecond, skew(100, time.Second))
	require.Equal(t, 7812500*time.Nanosecond, skew(254, time.Second))
	require.Equal(t, 99609375*time.Nanosecond, skew(1, 100*time.Millisecond))
}
