package backend

import (
	"strconv"
	"time"
)

// passive draws the conclusions from what came of a request.
func (p *Pool) passive(l *Lease, o *Outcome, now time.Duration) {
	m := l.member
	if b := p.config.Breaker; b != nil {
		if to := m.breaker.end(b, l.epoch, l.began, now, o.failed()); to != m.breaker.state {
			if m.breaker.state == closed {
				p.count.detected(m, now-m.breaker.since)
			}
			p.turn(m, to, now, why(o))
		}
	}
	if p.config.Outlier == nil || m.ejected {
		return
	}
	status := o.Status
	switch {
	case o.Failed:
		status = noResponse
	case status == 0:
		status = 200 // a connection that came about
	}
	if reason := m.outlier.answered(p.config.Outlier, l.began, status); reason != "" {
		p.eject(m, now, reason)
	}
}

// why says what came of a request.
func why(o *Outcome) string {
	switch {
	case o.Failed:
		return "a request failed"
	case o.failed():
		return "status " + strconv.Itoa(o.Status)
	}
	return "a request succeeded"
}

// turn changes the state of a breaker.
func (p *Pool) turn(m *member, to circuit, now time.Duration, reason string) {
	m.breaker.enter(to)
	if to == open {
		p.count.opened(m)
		epoch, until := m.breaker.epoch, now+p.config.Breaker.OpenTime.Std()
		p.at(until, func(now time.Duration) {
			if m.breaker.epoch == epoch {
				p.turn(m, halfOpen, now, "open for "+p.config.Breaker.OpenTime.String())
			}
		})
	}
	p.settle(m, now, reason)
}

// eject ejects a member, unless too many are.
func (p *Pool) eject(m *member, now time.Duration, reason string) {
	ejected := 0
	for _, other := range p.members {
		if other.ejected {
			ejected++
		}
	}
	if ejected > 0 && float64(ejected+1) > p.config.Outlier.MaxEjected.Float()*float64(len(p.members)) {
		p.count.spared(m)
		return
	}
	since := m.outlier.since
	d := m.outlier.eject(p.config.Outlier, now)
	m.ejected = true
	p.count.ejected(m, d)
	p.count.detected(m, now-since)
	p.at(now+d, func(now time.Duration) {
		m.ejected = false
		m.outlier.returned = now
		p.settle(m, now, "ejected for "+d.String())
	})
	p.settle(m, now, reason)
}
