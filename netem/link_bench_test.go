package netem

import (
	"testing"
	"time"

	"netlab/units"
)

// benchLink sends b.N frames of 1500 bytes over a wire, one each gap of virtual time in bursts, until each has arrived. ns/op is
// all that a frame costs: from the pool, over the link and through the event queue, and back to the pool.
func benchLink(b *testing.B, p Params, gap time.Duration, burst int) {
	b.Helper()
	p.MTU = DefaultMTU
	e := NewEngine(Config{})
	n := NewNetwork(e, 1)
	arrived := 0
	c := PortConfig{Host: "x", Passive: true, Receive: func(_ time.Duration, f *Frame) {
		arrived++
		f.Release()
	}}
	from, to := n.NewPort(c), n.NewPort(c)
	l, err := n.Connect("link", from, to, p, p)
	if err != nil {
		b.Fatal(err)
	}
	// The loop of Engine.Run without the clock and the bubble.
	run := func(until time.Duration) {
		for top := e.topLocked(); top != nil && top.at <= until; top = e.topLocked() {
			ev := e.queue.pop()
			if t, ok := ev.h.(*Timer); ok {
				t.queued, t.armed = false, false
			}
			e.nominal = ev.at
			ev.h.handle(ev.at, ev.frame)
		}
	}
	at := time.Hour // later than the machine's clock, which timers ask too
	b.ReportAllocs()
	b.ResetTimer()
	for sent := 0; sent < b.N; {
		for range min(burst, b.N-sent) {
			f := n.NewFrame(1500)
			f.ID = 1
			from.transmit(at, f)
			sent++
		}
		at += gap * time.Duration(burst)
		run(at)
	}
	run(maxTime)
	b.StopTimer()
	s := l.Stats(Forward)
	if s.InFlight() != 0 || uint64(arrived) != s.Delivered.Frames {
		b.Fatalf("%d frames are in flight, %d have arrived: %+v", s.InFlight(), arrived, s)
	}
}

// BenchmarkLink is the way over a link that does nothing but delay frames.
func BenchmarkLink(b *testing.B) {
	plain := Params{Latency: units.Constant(time.Millisecond)}
	fixed := plain
	fixed.Rate = units.FixedRate(1e9)
	b.Run("unlimited", func(b *testing.B) { benchLink(b, plain, 12*time.Microsecond, 1) })
	b.Run("fixed", func(b *testing.B) { benchLink(b, fixed, 13*time.Microsecond, 1) })
	b.Run("queued", func(b *testing.B) { benchLink(b, fixed, 13*time.Microsecond, 10) })
}
