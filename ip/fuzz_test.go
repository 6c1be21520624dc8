package ip

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"

	"netlab/netem"
)

// seeds adds frames of all kinds to a corpus.
func seeds(f *testing.F) {
	for _, v6 := range []bool{false, true} {
		syn := make([]byte, header.TCPMinimumSize)
		header.TCP(syn).Encode(&header.TCPFields{SrcPort: 1000, DstPort: 80, DataOffset: 20, Flags: header.TCPFlagSyn, WindowSize: 1000})
		ping, mistake := []byte{8, 0, 0, 0, 0, 1, 0, 1}, []byte{3, 1, 0, 0, 0, 0, 0, 0}
		protocol := uint8(1)
		if v6 {
			protocol, ping[0], mistake[0] = 58, 128, 1
		}
		for _, dst := range []netip.Addr{own(v6, 0), far(v6, 1), far(v6, 2)} {
			for _, d := range []datagram{{protocol: 6, payload: syn}, {protocol: protocol, payload: ping}, {protocol: protocol, payload: mistake},
				{protocol: udpProtocol, payload: udpData(far(v6, 0), dst, 1400)}, {protocol: udpProtocol, ttl: 1, payload: udpData(far(v6, 0), dst, 20)},
				{protocol: 44, payload: make([]byte, 24)}, {protocol: 0, payload: make([]byte, 24)}} {
				d.src, d.dst = far(v6, 0), dst
				f.Add(d.frame(), true)
			}
		}
		f.Add(asking(0, far(v6, 0), own(v6, 0)), true)
		f.Add(answering(0, far(v6, 0), own(v6, 0)), true)
	}
	// "Address unreachable" about a segment of the host's.
	quoted := datagram{src: own6(0), dst: far6(1), protocol: 6, payload: make([]byte, header.TCPMinimumSize)}.frame()[header.EthernetMinimumSize:]
	f.Add(datagram{src: far6(0), dst: own6(0), protocol: 58, payload: append([]byte{1, 3, 0, 0, 0, 0, 0, 0}, quoted...)}.frame(), true)
	f.Add([]byte{}, false)
}

// repair makes a frame one that isn't refused at once: it has the right MAC address and header checksum.
func repair(data []byte, mac [6]byte) {
	if len(data) < header.EthernetMinimumSize {
		return
	}
	if data[0]&1 == 0 {
		copy(data, mac[:])
	}
	if h := header.IPv4(data[14:]); binary.BigEndian.Uint16(data[12:]) == netem.EtherTypeIPv4 && len(h) >= header.IPv4MinimumSize {
		if n := int(h.HeaderLength()); n >= header.IPv4MinimumSize && n <= len(h) {
			h.SetChecksum(0)
			h.SetChecksum(^h.CalculateChecksum())
		}
	}
}

// Whatever arrives at a router, it doesn't fall over, loses no frame's memory, and what it sends makes sense.
func FuzzRouter(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte, mend bool) {
		if len(data) > netem.DefaultMTU {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			e := netem.NewEngine(netem.Config{Limit: time.Minute})
			b := newBench(t, e, 3, 576, 2)
			require.NoError(t, b.router.SetRoutes([]Route{
				{netip.PrefixFrom(netip.IPv4Unspecified(), 0), far4(2)}, {netip.PrefixFrom(netip.IPv6Unspecified(), 0), far6(2)}}))
			check := stock(t, e)
			for i := range 3 { // it comes by each kind of interface
				frame := append([]byte{}, data...)
				if mend {
					repair(frame, routerMAC(i))
				}
				b.send(time.Duration(10*i)*time.Second, i, frame)
			}
			b.run(t)
			require.Zero(t, b.InFlight())
			check()
			for _, r := range b.got {
				require.LessOrEqual(t, len(r.data), 576+header.EthernetMinimumSize)
				if h := header.IPv4(r.data[14:]); binary.BigEndian.Uint16(r.data[12:]) == netem.EtherTypeIPv4 {
					require.True(t, h.IsValid(len(h)) && h.IsChecksumValid())
				}
			}
			s := b.router.Stats().IP
			require.LessOrEqual(t, s.Malformed+s.Delivered+s.Forwarded+s.NoRoute+s.TTLExceeded+s.TooBig, s.Received+s.ICMPSent)
		})
	})
}

// Whatever arrives at a host that listens, its stack doesn't fall over.
func FuzzHost(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte, mend bool) {
		// The engine never runs: what the host sends waits, and its timers don't fire.
		n := netem.NewNetwork(netem.NewEngine(netem.Config{}), 1)
		h, err := NewHost(n, HostConfig{Name: "h", IPv4: true, IPv6: true, Names: new(Names)})
		require.NoError(t, err)
		defer h.Destroy()
		for i, switched := range []bool{false, true} {
			near := routerMAC(i)
			p := n.NewPort(netem.PortConfig{MAC: near[:]})
			_, err := n.Connect("link", p, n.NewPort(netem.PortConfig{}), netem.Params{MTU: 1500}, netem.Params{MTU: 1500})
			require.NoError(t, err)
			h.AddInterface(Interface{Port: p, Switched: switched, Addresses: []netip.Prefix{netip.PrefixFrom(own4(i), 24), netip.PrefixFrom(own6(i), 64)}})
		}
		require.NoError(t, h.Start([]Route{{netip.PrefixFrom(netip.IPv4Unspecified(), 0), far4(0)}, {netip.PrefixFrom(netip.IPv6Unspecified(), 0), far6(0)}}))
		l, err := h.NewSocket(tcp.ProtocolNumber, true) // for both versions
		require.NoError(t, err)
		require.Nil(t, l.Endpoint.Bind(tcpip.FullAddress{Port: 80}))
		require.Nil(t, l.Endpoint.Listen(10))
		u, err := h.NewSocket(udp.ProtocolNumber, true)
		require.NoError(t, err)
		require.Nil(t, u.Endpoint.Bind(tcpip.FullAddress{Port: 2000}))
		for i, nic := range h.nics {
			if mend {
				repair(data, routerMAC(i))
			}
			for range 2 {
				frame := n.NewFrame(len(data))
				copy(frame.Data, data)
				nic.receive(0, frame)
			}
		}
	})
}
