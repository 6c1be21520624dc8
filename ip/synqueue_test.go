package ip

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"netlab/netem"
)

// tcpFrame is a frame with a TCP segment.
func tcpFrame(from, to netip.AddrPort, flags header.TCPFlags) []byte {
	const size = header.EthernetMinimumSize + header.IPv4MinimumSize + header.TCPMinimumSize
	f := make([]byte, size)
	f[12], f[13] = byte(netem.EtherTypeIPv4>>8), byte(netem.EtherTypeIPv4&0xff)
	header.IPv4(f[header.EthernetMinimumSize:]).Encode(&header.IPv4Fields{
		TotalLength: header.IPv4MinimumSize + header.TCPMinimumSize, TTL: 64, Protocol: uint8(header.TCPProtocolNumber),
		SrcAddr: fromNetip(from.Addr()), DstAddr: fromNetip(to.Addr())})
	header.TCP(f[header.EthernetMinimumSize+header.IPv4MinimumSize:]).Encode(&header.TCPFields{
		SrcPort: from.Port(), DstPort: to.Port(), Flags: flags, DataOffset: header.TCPMinimumSize})
	return f
}

// A queue with two places for each port drops the third SYN, and no other segment. A place becomes free when the peer acknowledges or
// resets, when the host resets, and 127 s after the SYN-ACK.
func TestSYNQueue(t *testing.T) {
	const syn, ack, rst = header.TCPFlagSyn, header.TCPFlagAck, header.TCPFlagRst
	server, other := netip.MustParseAddrPort("10.0.0.1:80"), netip.MustParseAddrPort("10.0.0.1:443")
	peer := func(n byte) netip.AddrPort { return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 1, n}), 5000) }
	full := func() *synQueue {
		q := TCPConfig{Backlog: 2, SYNCookies: CookiesNever}.newSYNQueue()
		for n := byte(1); n <= 2; n++ {
			require.False(t, q.received(0, tcpFrame(peer(n), server, syn)))
			q.sent(0, tcpFrame(server, peer(n), syn|ack))
			q.sent(time.Second, tcpFrame(server, peer(n), syn|ack)) // the same one again, later
		}
		return q
	}
	asks := func(q *synQueue, at time.Duration) bool { return !q.received(at, tcpFrame(peer(3), server, syn)) }

	q := full()
	require.False(t, asks(q, time.Second))
	require.False(t, asks(q, halfOpenTime-1))
	require.EqualValues(t, 2, q.drops())
	require.False(t, q.received(time.Second, tcpFrame(peer(1), server, syn)), "a SYN that is sent again has its place")
	require.False(t, q.received(time.Second, tcpFrame(peer(3), other, syn)), "another port")
	require.False(t, q.received(time.Second, tcpFrame(peer(3), server, ack)), "no SYN")
	require.True(t, asks(q, halfOpenTime), "the stack has given up")
	require.Empty(t, q.open)

	for name, free := range map[string]func(q *synQueue){
		"acknowledged":      func(q *synQueue) { q.received(2, tcpFrame(peer(2), server, ack)) },
		"reset by the peer": func(q *synQueue) { q.received(2, tcpFrame(peer(2), server, rst)) },
		"reset by the host": func(q *synQueue) { q.sent(2, tcpFrame(server, peer(2), rst|ack)) },
	} {
		q := full()
		free(q)
		require.True(t, asks(q, 3), name)
		q.sent(3, tcpFrame(server, peer(3), syn|ack))
		require.False(t, q.received(4, tcpFrame(peer(3), server, syn)), name)
		require.True(t, q.received(4, tcpFrame(peer(4), server, syn)), "%s: there was one place", name)
		require.EqualValues(t, 1, q.drops(), name)
	}

	require.Nil(t, TCPConfig{}.newSYNQueue(), "with cookies there is no such queue")
	var none *synQueue
	require.False(t, none.received(0, tcpFrame(peer(1), server, syn)))
	require.Zero(t, none.drops())
	for _, frame := range [][]byte{nil, make([]byte, 13), make([]byte, 60), tcpFrame(peer(1), server, syn)[:50]} {
		require.False(t, full().received(0, frame))
	}
}
