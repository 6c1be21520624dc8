package ws

import (
	"context"
	"time"
)

// keepAlive sends a ping at every multiple of the interval since now and gives the connection up when a pong takes too long. A
// pong that takes longer than the interval is allowed to can't be: the timeout is no longer.
func (c *Conn) keepAlive(interval, timeout time.Duration) {
	for next := c.host.Network().Elapsed() + interval; c.host.SleepUntil(c.life, next) == nil; next += interval {
		if !c.alive(timeout) {
			return
		}
	}
}

// alive sends a ping and says whether it was answered in time.
func (c *Conn) alive(timeout time.Duration) bool {
	ctx, cancel := context.WithCancel(c.life)
	defer cancel()
	c.pinging.Add(1)
	c.run(func() {
		defer c.pinging.Done()
		if c.host.Sleep(ctx, timeout) == nil {
			c.note(Abnormal)
			c.abort(ErrPingTimeout)
		}
	})
	if c.lib.Ping(ctx) != nil {
		<-c.life.Done() // if the peer just takes nothing more, so that the ping could not be sent, the time goes on
		return false
	}
	c.mu.Lock()
	c.pings++
	c.mu.Unlock()
	return true
}
