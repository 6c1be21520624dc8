package ip

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"netlab/netem"
	"netlab/units"
)

// bench is a router with some interfaces, driven by events alone. At the far end of each is a plain port that keeps what it
// receives. Interface i has the addresses 10.0.i.1/24 and fd00:0:0:i::1/64, and the MAC address 02:…:i.
type bench struct {
	*netem.Network
	router *Router
	far    []*netem.Port
	got    []reception
}

type reception struct {
	port int
	at   time.Duration
	data []byte
}

func routerMAC(i int) [6]byte { return [6]byte{2, 0, 0, 0, byte(i >> 8), byte(i)} }
func farMAC(i int) [6]byte    { return [6]byte{2, 1, 0, 0, byte(i >> 8), byte(i)} }

// own4 and far4 are the router's and its neighbour's addresses at interface i.
func own4(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 1}) }
func far4(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 2}) }
func own6(i int) netip.Addr {
	return netip.AddrFrom16([16]byte{0: 0xfd, 6: byte(i >> 8), 7: byte(i), 15: 1})
}
func far6(i int) netip.Addr {
	return netip.AddrFrom16([16]byte{0: 0xfd, 6: byte(i >> 8), 7: byte(i), 15: 2})
}

// own and far choose by version.
func own(v6 bool, i int) netip.Addr {
	if v6 {
		return own6(i)
	}
	return own4(i)
}

func far(v6 bool, i int) netip.Addr {
	if v6 {
		return far6(i)
	}
	return far4(i)
}

// newBench makes a router with n interfaces, of which those that switched names are behind a switch. mtu is that of each link
// away from the router; 0 means 1500.
func newBench(t testing.TB, e *netem.Engine, n, mtu int, switched ...int) *bench {
	b := &bench{Network: netem.NewNetwork(e, 1)}
	b.router = NewRouter(b.Network, "r", 0)
	if mtu == 0 {
		mtu = netem.DefaultMTU
	}
	for i := range n {
		near, peer := routerMAC(i), farMAC(i)
		p := b.NewPort(netem.PortConfig{Host: "r", Name: fmt.Sprintf("r-eth%d", i), MAC: near[:], Passive: true})
		q := b.NewPort(netem.PortConfig{Node: 1, Host: "x", Name: fmt.Sprintf("x-eth%d", i), MAC: peer[:], Passive: true,
			Receive: func(at time.Duration, f *netem.Frame) {
				b.got = append(b.got, reception{i, at, slices.Clone(f.Data)})
				f.Release()
			}})
		out := netem.Params{Latency: units.Constant(time.Millisecond), MTU: mtu}
		in := netem.Params{Latency: units.Constant(time.Millisecond), MTU: 65535}
		_, err := b.Connect(p.Name()+"--"+q.Name(), p, q, out, in)
		require.NoError(t, err)
		b.router.AddInterface(Interface{Port: p, Switched: slices.Contains(switched, i), Addresses: []netip.Prefix{
			netip.PrefixFrom(own4(i), 24), netip.PrefixFrom(own6(i), 64)}})
		b.far = append(b.far, q)
	}
	return b
}

// inBench runs a scenario on a bench in a bubble of virtual time until nothing is left to do, and checks that no frame is lost.
func inBench(t *testing.T, interfaces, mtu int, switched []int, scenario func(b *bench)) *bench {
	t.Helper()
	var b *bench
	synctest.Test(t, func(t *testing.T) {
		e := netem.NewEngine(netem.Config{Limit: time.Hour})
		b = newBench(t, e, interfaces, mtu, switched...)
		check := stock(t, e)
		scenario(b)
		b.run(t)
		require.Zero(t, b.InFlight())
		check()
	})
	return b
}

func (b *bench) run(t *testing.T) {
	require.ErrorIs(t, b.Run(context.Background()), netem.ErrStandstill)
}

// send makes the far end of an interface send a frame at a time.
func (b *bench) send(at time.Duration, i int, data []byte) {
	b.At(0, netem.KindControl, at, func() {
		f := b.NewFrame(len(data))
		copy(f.Data, data)
		b.far[i].Forward(b.Elapsed(), f)
	})
}

// stock fills the pool of frames and returns a check that all of them are back, each once.
func stock(t *testing.T, e *netem.Engine) (check func()) {
	const size = 128
	all := map[*netem.Frame]bool{}
	for range size {
		all[e.NewFrame(100)] = true
	}
	for f := range all {
		f.Release()
	}
	return func() {
		t.Helper()
		for range size {
			f := e.NewFrame(100)
			require.True(t, all[f], "a frame was lost, or released twice")
			delete(all, f)
		}
	}
}

// datagram is an IP packet in a frame to the router's interface 0.
type datagram struct {
	src, dst netip.Addr
	protocol uint8
	ttl      uint8 // 0 means 64
	df       bool
	payload  []byte
}

func (d datagram) frame() []byte {
	if d.ttl == 0 {
		d.ttl = 64
	}
	near, peer := routerMAC(0), farMAC(0)
	out := append(append([]byte{}, near[:]...), peer[:]...)
	if d.dst.Is6() {
		out = binary.BigEndian.AppendUint16(out, netem.EtherTypeIPv6)
		h := header.IPv6(make([]byte, header.IPv6MinimumSize))
		h.Encode(&header.IPv6Fields{PayloadLength: uint16(len(d.payload)), HopLimit: d.ttl, SrcAddr: fromNetip(d.src), DstAddr: fromNetip(d.dst)})
		h[6] = d.protocol
		return slices.Concat(out, h, d.payload)
	}
	out = binary.BigEndian.AppendUint16(out, netem.EtherTypeIPv4)
	h := header.IPv4(make([]byte, header.IPv4MinimumSize))
	fields := header.IPv4Fields{TotalLength: uint16(len(h) + len(d.payload)), ID: 4711, TTL: d.ttl, Protocol: d.protocol,
		SrcAddr: fromNetip(d.src), DstAddr: fromNetip(d.dst)}
	if d.df {
		fields.Flags = header.IPv4FlagDontFragment
	}
	h.Encode(&fields)
	h.SetChecksum(^h.CalculateChecksum())
	return slices.Concat(out, h, d.payload)
}

// udpData is a UDP datagram of n bytes.
func udpData(src, dst netip.Addr, n int) []byte {
	u := header.UDP(make([]byte, n))
	u.Encode(&header.UDPFields{SrcPort: 1000, DstPort: 2000, Length: uint16(n)})
	for i := header.UDPMinimumSize; i < n; i++ {
		u[i] = byte(i)
	}
	u.SetChecksum(^u.CalculateChecksum(header.PseudoHeaderChecksum(header.UDPProtocolNumber, fromNetip(src), fromNetip(dst), uint16(n))))
	return u
}
