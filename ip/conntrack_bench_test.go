package ip

import (
	"fmt"
	"testing"
	"time"

	"netlab/netem"
)

// What tracking costs a packet of a connection that is known, among many: nothing is allocated. A rule costs only the first
// packet of a connection. "plain" is the router without firewall and NAT.
func BenchmarkTracking(b *testing.B) {
	for _, c := range []struct {
		name          string
		v6            bool
		firewall, nat bool
	}{{"plain", false, false, false}, {"firewall", false, true, false}, {"nat", false, false, true}, {"both", false, true, true},
		{"plain", true, false, false}, {"firewall", true, true, false}} {
		for _, connections := range []int{1, 1000} {
			b.Run(fmt.Sprintf("%s/v6=%v/connections=%d", c.name, c.v6, connections), func(b *testing.B) {
				r := newBench(b, newEngine(), 3, 0)
				if c.firewall {
					if _, err := r.router.SetFirewall(FirewallConfig{Rules: []FirewallRule{{Action: Accept}}}); err != nil {
						b.Fatal(err)
					}
				}
				if c.nat {
					r.nat(b, NATConfig{})
				}
				var frames [][]byte
				for i := range connections {
					frames = append(frames, udpFrom(port(far(c.v6, 0), uint16(2000+i)), port(far(c.v6, 1), 53), "01234567890123456789").frame())
				}
				r.deaf(b)
				at := time.Duration(0)
				work := func() {
					data := frames[int(at)%len(frames)]
					at++
					f := r.NewFrame(len(data))
					copy(f.Data, data)
					r.router.interfaces[0].receive(at, f)
				}
				for range frames {
					work() // opens the connections
				}
				b.ReportAllocs()
				for b.Loop() {
					work()
				}
			})
		}
	}
}

// What a packet costs that opens a connection, while as many others end.
func BenchmarkTrackingOpens(b *testing.B) {
	r := newBench(b, newEngine(), 3, 0)
	r.nat(b, NATConfig{Tracking: Tracking{UDP: 1000}})
	frame := udpFrom(port(hostA, 0), port(remoteX, 53), "").frame()
	r.deaf(b)
	at := time.Duration(0)
	b.ReportAllocs()
	for b.Loop() {
		at++
		f := r.NewFrame(len(frame))
		copy(f.Data, frame)
		f.Data[34], f.Data[35] = byte(at>>8), byte(at)
		r.router.interfaces[0].receive(at, f)
	}
}

// deaf makes the links take frames and do no more.
func (b *bench) deaf(tb testing.TB) {
	for _, l := range b.Links() {
		if err := l.Set(netem.Forward, netem.Params{MTU: netem.DefaultMTU, Down: true}); err != nil {
			tb.Fatal(err)
		}
	}
}
