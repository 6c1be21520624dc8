package ip

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/netem"
)

// shared returns routes to one network by the neighbours at some interfaces.
func shared(v6 bool, interfaces ...int) (routes []Route) {
	to := netip.MustParsePrefix("192.0.2.0/24")
	if v6 {
		to = netip.MustParsePrefix("2001:db8::/64")
	}
	for _, i := range interfaces {
		routes = append(routes, Route{To: to, Via: far(v6, i)})
	}
	return routes
}

// flowTo is a UDP packet to the shared network from a port.
func flowTo(v6 bool, port uint16) []byte {
	dst := netip.MustParseAddr("192.0.2.1")
	if v6 {
		dst = netip.MustParseAddr("2001:db8::1")
	}
	payload := udpData(far(v6, 0), dst, 20)
	binary.BigEndian.PutUint16(payload, port)
	return datagram{src: far(v6, 0), dst: dst, protocol: udpProtocol, payload: payload}.frame()
}

// Flows are spread evenly: with 3,000 flows over three routes the standard deviation of a count is √(3000·1/3·2/3) = 25.8, and each is within
// three of them. All packets of a flow take the same way, and two routers choose independently of each other.
func TestEqualRoutesShareFlows(t *testing.T) {
	const flows, ways = 3000, 3
	for _, v6 := range []bool{false, true} {
		b := inBench(t, 4, 0, nil, func(b *bench) {
			require.NoError(t, b.router.SetRoutes(shared(v6, 1, 2, 3)))
			for i := range 2 * flows {
				b.send(time.Duration(i)*time.Millisecond, 0, flowTo(v6, uint16(1000+i%flows)))
			}
		})
		header := 14 + 20
		if v6 {
			header = 14 + 40
		}
		counts, way := map[int]int{}, map[uint16]int{}
		for _, r := range b.got {
			port := binary.BigEndian.Uint16(r.data[header:])
			if before, known := way[port]; known {
				require.Equal(t, before, r.port, "flow %d", port)
			} else {
				counts[r.port]++
			}
			way[port] = r.port
		}
		require.Len(t, way, flows)
		for i := 1; i <= ways; i++ {
			require.InDelta(t, flows/ways, counts[i], 3*math.Sqrt(flows*2.0/9), "v6=%v %v", v6, counts)
		}
	}
}

// With one of two routes gone the flows of the other keep their way.
func TestWithdrawnRouteLeavesOthers(t *testing.T) {
	b := inBench(t, 3, 0, nil, func(b *bench) {
		require.NoError(t, b.router.SetRoutes(shared(false, 1, 2)))
		for i := range 50 {
			b.send(time.Duration(i)*time.Millisecond, 0, flowTo(false, uint16(i)))
			b.send(time.Second+time.Duration(i)*time.Millisecond, 0, flowTo(false, uint16(i)))
		}
		b.AfterFunc(0, netem.KindControl, 500*time.Millisecond, func() {
			require.NoError(t, b.router.ReplaceRoutes(shared(false, 2)))
		})
	})
	require.Len(t, b.got, 100)
	for _, r := range b.got {
		if r.at > 500*time.Millisecond {
			require.Equal(t, 2, r.port)
		}
	}
}

// An error about a flow takes the flow's own way, and a fragment goes by its addresses alone.
func TestFlowKeys(t *testing.T) {
	d := flowTo(false, 4711)[14:]
	k := keyOf(d, false)
	require.Equal(t, uint32(4711)<<16, k.ports&0xffff0000)
	require.Equal(t, k, k.inverse().inverse())

	quoted := append([]byte(nil), d...)
	copy(quoted[12:16], d[16:20]) // what the flow's server sent back
	copy(quoted[16:20], d[12:16])
	quoted[20], quoted[21], quoted[22], quoted[23] = d[22], d[23], d[20], d[21]
	dst := netip.MustParseAddr("192.0.2.1")
	message := append([]byte{3, 4, 0, 0, 0, 0, 5, 0}, quoted...)
	failure := datagram{src: far(false, 1), dst: dst, protocol: 1, payload: message}.frame()[14:]
	require.Equal(t, k, keyOf(failure, false))

	piece := append([]byte(nil), d...)
	piece[6] |= 0x20
	require.Zero(t, keyOf(piece, false).ports)
	require.Equal(t, k.src, keyOf(piece, false).src)
}

// FuzzFlowKey reads keys of all packets with a valid header without a panic.
func FuzzFlowKey(f *testing.F) {
	f.Add(flowTo(false, 1)[14:], false)
	f.Add(flowTo(true, 1)[14:], true)
	f.Add(datagram{src: far(false, 1), dst: far(false, 0), protocol: 1, payload: []byte{3, 4, 0, 0, 0, 0, 5, 0, 0x4f}}.frame()[14:], false)
	f.Fuzz(func(t *testing.T, d []byte, v6 bool) {
		if v6 && len(d) < 40 || len(d) < 20 {
			return
		}
		k := keyOf(d, v6)
		require.Equal(t, k.hash(1), k.hash(1))
	})
}

// BenchmarkECMP forwards packets by one route and by one of four equal ones. Measured: 1.35 times.
func BenchmarkECMP(b *testing.B) {
	for _, v6 := range []bool{false, true} {
		for _, ways := range []int{1, 4} {
			b.Run(fmt.Sprintf("v6=%v/ways=%d", v6, ways), func(b *testing.B) {
				r := newBench(b, netem.NewEngine(netem.Config{}), 5, 0)
				if err := r.router.SetRoutes(shared(v6, []int{1, 2, 3, 4}[:ways]...)); err != nil {
					b.Fatal(err)
				}
				for _, l := range r.Links() { // they take frames and do no more
					if err := l.Set(netem.Forward, netem.Params{MTU: netem.DefaultMTU, Down: true}); err != nil {
						b.Fatal(err)
					}
				}
				data, headerLength := flowTo(v6, 1), 20
				if v6 {
					headerLength = 40
				}
				sink := 0
				b.ReportAllocs()
				for b.Loop() {
					sink++
					binary.BigEndian.PutUint16(data[14+headerLength:], uint16(sink))
					f := r.NewFrame(len(data))
					copy(f.Data, data)
					r.router.interfaces[0].receive(time.Duration(sink), f)
				}
			})
		}
	}
}
