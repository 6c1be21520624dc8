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

// AfterFunc implements tcpip.Clock.
func (c clock) AfterFunc(d time.Duration, fn func()) tcpip.Timer {
	return c.host.net.AfterFunc(c.host.owner, netem.KindTimer, d, func() { c.host.awake(fn) })
}
