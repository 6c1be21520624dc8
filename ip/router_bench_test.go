package ip

import (
	"fmt"
	"testing"
	"time"

	"netlab/netem"
)

// A router's work for a packet doesn't grow with its ports: ns/op with 1000 of them is that with 2, apart from what the larger
// routing table costs in cache misses. Measured: 1.1 times.
func BenchmarkRouter(b *testing.B) {
	for _, v6 := range []bool{false, true} {
		for _, ports := range []int{2, 1000} {
			b.Run(fmt.Sprintf("v6=%v/ports=%d", v6, ports), func(b *testing.B) {
				r := newBench(b, netem.NewEngine(netem.Config{}), ports, 0)
				in := r.router.interfaces[0]
				var frames [][]byte
				for i := range ports - 1 {
					frames = append(frames, udpTo(v6, far(v6, i+1)))
				}
				sink := 0
				for _, l := range r.Links() { // they take frames and do no more
					if err := l.Set(netem.Forward, netem.Params{MTU: netem.DefaultMTU, Down: true}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportAllocs()
				for b.Loop() {
					data := frames[sink%len(frames)]
					sink++
					f := r.NewFrame(len(data))
					copy(f.Data, data)
					in.receive(time.Duration(sink), f)
				}
			})
		}
	}
}
