package ip_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/ip"
	"netlab/netem"
	"netlab/udp"
)

// damage flips a bit of some frames that reach a port: of frame bytes from on, chosen by random numbers.
func damage(p *netem.Port, from int, share float64, seed uint64) (damaged *uint64) {
	r := rand.New(rand.NewPCG(seed, 0))
	damaged = new(uint64)
	p.Intercept(func(_ time.Duration, f *netem.Frame) bool {
		if len(f.Data) > from && r.Float64() < share {
			bit := r.IntN((len(f.Data) - from) * 8)
			f.Data[from+bit/8] ^= 1 << (bit % 8)
			f.Damaged = true
			*damaged++
		}
		return true
	})
	return damaged
}

// refused is how many packets a host took for damaged.
func refused(s ip.Stats) uint64 {
	return s.IP.Malformed + s.IP.Foreign + s.IP.UnknownType + s.IP.Unclaimed + s.IP.ICMPInvalid + s.TCP.ChecksumErrors + s.TCP.Malformed +
		s.UDP.ChecksumErrors + s.UDP.Malformed
}

// TCP delivers what was sent although one frame in twenty is damaged, and every damaged one is found: the checksums cover all of IPv4's
// packets, and of IPv6's what is behind the header.
func TestDamagedSegments(t *testing.T) {
	const size = 300_000
	data := make([]byte, size)
	rand.NewChaCha8([32]byte{}).Read(data)
	for _, c := range []struct {
		name string
		v6   bool
		from int // the first byte of a frame that may be damaged
	}{
		{"IPv4 packets", false, 14},
		{"TCP over IPv4", false, 34},
		{"TCP over IPv6", true, 54},
	} {
		for seed := range uint64(10) {
			t.Run(fmt.Sprintf("%s, seed %d", c.name, seed), func(t *testing.T) {
				testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 100e6), PreferIPv6: c.v6}, func(t *testing.T, l *testlab.Lab) {
					pa, pb := l.Links[0].Ports()
					forward, backward := damage(pb, c.from, 0.05, seed), damage(pa, c.from, 0.05, seed+100)
					a, b := pair(t, l)
					l.A.Go(func() {
						a.Write(data)
						a.CloseWrite()
					})
					got, err := io.ReadAll(b)
					require.NoError(t, err)
					require.True(t, bytes.Equal(data, got))
					b.Close()
					_, err = a.Read(make([]byte, 1))
					require.Equal(t, io.EOF, err)
					a.Close()
					l.Sleep(time.Minute)
					require.NotZero(t, *forward+*backward)
					for _, side := range []struct {
						damaged uint64
						s       ip.Stats
					}{{*forward, l.B.Stats()}, {*backward, l.A.Stats()}} {
						require.Equal(t, side.damaged, refused(side.s), "%+v", side.s)
						if c.from > 14 {
							require.Equal(t, side.damaged, side.s.TCP.ChecksumErrors+side.s.TCP.Malformed+side.s.IP.Unclaimed)
						}
					}
				})
			})
		}
	}
}

// Datagrams with a wrong checksum are not received, also when only a part of one that came in fragments was damaged.
func TestDamagedDatagrams(t *testing.T) {
	const ethernetAndIP = 34
	for _, v6 := range []bool{false, true} {
		for _, size := range []int{100, 4000} {
			t.Run(fmt.Sprintf("%d bytes, IPv6 %v", size, v6), func(t *testing.T) {
				testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0), PreferIPv6: v6}, func(t *testing.T, l *testlab.Lab) {
					_, pb := l.Links[0].Ports()
					from := ethernetAndIP + 8
					if v6 {
						from += 20 + 8 // behind the fragment header
					}
					frames, damagedOnes := 0, 0
					pb.Intercept(func(_ time.Duration, f *netem.Frame) bool {
						frames++
						if frames%7 == 0 && len(f.Data) > from+10 {
							f.Data[len(f.Data)-1] ^= 1
							f.Damaged = true
							damagedOnes++
						}
						return true
					})
					a, err := udp.Listen(l.A, ":9")
					require.NoError(t, err)
					defer a.Close()
					b, err := udp.Listen(l.B, ":9")
					require.NoError(t, err)
					const count = 70
					l.A.Go(func() {
						to := &net.UDPAddr{IP: l.B.Addresses()[0].AsSlice(), Port: 9}
						if v6 {
							to.IP = l.B.Addresses()[1].AsSlice()
						}
						for range count {
							a.WriteTo(bytes.Repeat([]byte{7}, size), to)
							l.A.Sleep(l.Context(), ms)
						}
						l.A.Sleep(l.Context(), 100*ms)
						b.Close()
					})
					received, buffer := 0, make([]byte, 10000)
					for {
						n, _, err := b.ReadFrom(buffer)
						if err != nil {
							break
						}
						require.Equal(t, bytes.Repeat([]byte{7}, size), buffer[:n])
						received++
					}
					require.NotZero(t, damagedOnes)
					require.EqualValues(t, count-received, l.B.Stats().UDP.ChecksumErrors)
					if size == 100 {
						require.Equal(t, damagedOnes, count-received)
					}
				})
			})
		}
	}
}

// Whatever becomes of frames on the way, a host survives it. Pings that were damaged aren't answered.
func TestGarbageIsHarmless(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 100e6)}, func(t *testing.T, l *testlab.Lab) {
		pa, pb := l.Links[0].Ports()
		r := rand.New(rand.NewPCG(3, 3))
		for _, p := range []*netem.Port{pa, pb} {
			p.Intercept(func(_ time.Duration, f *netem.Frame) bool {
				switch {
				case r.IntN(3) == 0:
					f.Data = f.Data[:r.IntN(len(f.Data)+1)]
				case r.IntN(3) == 0:
					for range 1 + r.IntN(5) {
						f.Data[r.IntN(len(f.Data))] ^= 1 << r.IntN(8)
					}
				default:
					return true
				}
				f.Damaged = true
				return true
			})
		}
		for i := range 300 {
			address := l.B.Addresses()[i%2]
			c, err := ip.DialEcho(l.A, address)
			require.NoError(t, err)
			c.Send(uint16(i), make([]byte, r.IntN(3000)))
			c.Close()
			u, err := udp.Dial(l.Context(), l.A, net.JoinHostPort(address.String(), "9")) // nobody listens: ICMP errors
			require.NoError(t, err)
			u.Write(make([]byte, r.IntN(3000)))
			u.Close()
			l.Sleep(50 * ms)
		}
		s := l.B.Stats()
		require.NotZero(t, s.IP.Malformed)
		require.NotZero(t, s.IP.ICMPInvalid)
		require.NotZero(t, s.UDP.ChecksumErrors)
	})
}
