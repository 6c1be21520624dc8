package ip

import (
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"

	"netlab/netem"
)

// clock is a host's clock for its network stack. Readings are strictly increasing and timers are events of the engine.
type clock struct{ host *Host }

var _ tcpip.Clock = clock{}

// Now implements tcpip.Clock.
func (c clock) Now() time.Time {
	e := c.host.net.Engine
	return e.Epoch().Add(e.Reading())
}

// NowMonotonic implements tcpip.Clock.
func (c clock) NowMonotonic() tcpip.MonotonicTime {
	return tcpip.MonotonicTime{}.Add(c.host.net.Reading())
}

// AfterFunc implements tcpip.Clock. On a host that has crashed the timer is not set.
func (c clock) AfterFunc(d time.Duration, fn func()) tcpip.Timer {
	t := c.host.net.NewTimer(c.host.owner, netem.KindTimer, func() {
		c.host.awake(fn)
		c.host.net.Calm()
	})
	if !c.host.crashed() {
		t.Reset(d)
	}
	return t
}
