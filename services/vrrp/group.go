package vrrp

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"time"

	"netlab/ip"
	"netlab/services"
	"netlab/units"
)

// group is a host's part in a group of one IP version. One goroutine runs it.
type group struct {
	env     *services.Env
	config  *Config
	address netip.Addr
	number  int // of the interface
	source  netip.Addr
	group   netip.Addr
	mac     [6]byte
	conn    *ip.RawConn
	weight  *weight

	state State
	due   time.Duration // of the timer
	// interval is that of the active host, as its advertisements say.
	interval time.Duration
	heard    time.Duration // when the latest advertisement came, or the start
	since    time.Duration // when the host became active

	mu     *sync.Mutex // for result, which the end of the run reads
	result *GroupResult
}

// weight is a host's priority now.
type weight struct {
	mu       sync.Mutex
	priority int
	patient  time.Duration // until when a lower priority is left alone
}

func (w *weight) now() (priority int, patient time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.priority, w.patient
}

// newGroup prepares the part of a host, or returns nil if the host or the address doesn't have the IP version.
func newGroup(env *services.Env, c *Config, v6 bool, w *weight, mu *sync.Mutex) (*group, error) {
	v4, six := env.Host.Speaks()
	if v6 && !six || !v6 && !v4 {
		return nil, nil
	}
	g := &group{env: env, config: c, weight: w, mu: mu, state: Initialize, group: Group4, mac: [6]byte{0, 0, 0x5e, 0, 1, byte(c.VRID)}}
	for _, a := range env.Host.Names().Lookup(c.Address) {
		if a.Is6() == v6 {
			g.address = a
		}
	}
	if !g.address.IsValid() {
		return nil, nil
	}
	var ok bool
	if g.number, ok = env.Host.InterfaceFor(g.address); !ok {
		return nil, fmt.Errorf("address %s: %s is on no network of the host", c.Address, g.address)
	}
	i := env.Host.Interfaces()[g.number]
	if v6 {
		g.group, g.mac[4] = Group6, 2
		g.source = linkLocal(i.Port.MAC())
	} else {
		for _, p := range i.Addresses {
			if p.Addr().Is4() {
				g.source = p.Addr()
			}
		}
	}
	return g, nil
}

// linkLocal returns the link-local address of an interface (RFC 4291, appendix A).
func linkLocal(mac [6]byte) netip.Addr {
	return netip.AddrFrom16([16]byte{0: 0xfe, 1: 0x80, 8: mac[0] ^ 2, 9: mac[1], 10: mac[2], 11: 0xff, 12: 0xfe, 13: mac[3], 14: mac[4], 15: mac[5]})
}

// run is the state machine.
func (g *group) run(ctx context.Context) error {
	var err error
	g.conn, err = ip.ListenIP(g.env.Host, ip.RawConfig{Interface: g.number, Protocol: Protocol, IPv6: g.address.Is6(), Groups: []netip.Addr{g.group}})
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { g.conn.Close() })()
	defer g.conn.Close()
	now := g.env.Elapsed()
	g.heard, g.interval = now, g.config.Interval.Std()
	if priority, _ := g.weight.now(); priority == owner {
		err = g.activate(now, "it owns the address")
	} else {
		g.enter(now, Backup, "start")
		g.due = now + g.downInterval()
	}
	for err == nil {
		var p ip.RawPacket
		p, err = g.conn.Receive(g.due)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			err = g.timer(g.due)
		case err == nil:
			err = g.receive(p)
		}
	}
	if g.state == Active {
		g.record(func(r *GroupResult) { r.ActiveTime += units.Duration(g.env.Elapsed() - g.since) })
	}
	if g.env.Over(ctx) {
		return nil
	}
	return err
}

// skew is Skew_Time, by which backups with a higher priority are faster (RFC 9568, section 6.1).
func skew(priority int, interval time.Duration) time.Duration {
	return time.Duration(256-priority) * interval / 256
}

// downInterval is Active_Down_Interval: how long a backup hears nothing before it becomes active.
func (g *group) downInterval() time.Duration {
	priority, _ := g.weight.now()
	return 3*g.interval + skew(priority, g.interval)
}

// timer is Active_Down_Timer of a backup and Adver_Timer of an active host.
func (g *group) timer(at time.Duration) error {
	if g.state == Backup {
		return g.activate(at, fmt.Sprintf("nothing heard for %s", units.Duration(at-g.heard)))
	}
	g.due = at + g.config.Interval.Std()
	return g.advertise()
}

// activate takes the address.
func (g *group) activate(at time.Duration, reason string) error {
	g.record(func(r *GroupResult) {
		r.Takeovers++
		r.LastSilence = units.Duration(at - g.heard)
	})
	g.since = at
	g.enter(at, Active, reason)
	if err := g.env.Host.AddAddress(g.number, ip.VirtualAddress{Address: g.address, MAC: g.mac}); err != nil {
		return err
	}
	g.due = at + g.config.Interval.Std()
	if err := g.advertise(); err != nil {
		return err
	}
	if err := g.env.Host.Announce(g.address); err != nil {
		return err
	}
	g.record(func(r *GroupResult) { r.Announcements++ })
	return nil
}

// advertise sends an advertisement.
func (g *group) advertise() error {
	priority, _ := g.weight.now()
	a := Advertisement{VRID: uint8(g.config.VRID), Priority: uint8(priority), Interval: g.config.Interval.Std(), Addresses: []netip.Addr{g.address}}
	if g.address.Is6() {
		a.Addresses = []netip.Addr{linkLocal(g.mac), g.address}
	}
	g.record(func(r *GroupResult) { r.Sent++ })
	return g.conn.Send(ip.RawPacket{Source: g.source, Destination: g.group, TTL: ttl, SourceMAC: g.mac, Payload: a.Marshal(g.source, g.group)})
}

// receive takes a packet in.
func (g *group) receive(p ip.RawPacket) error {
	a, err := parse(p.Payload, p.Source, p.Destination, p.TTL)
	switch {
	case err != nil:
		g.record(func(r *GroupResult) { r.Dropped.count(err) })
		g.env.WarnOnce("advertisement", "dropped an advertisement", "from", p.Source, "reason", err)
		return nil
	case int(a.VRID) != g.config.VRID:
		return nil
	}
	g.record(func(r *GroupResult) { r.Received++ })
	if g.state == Active {
		return g.receiveActive(&a, p)
	}
	g.receiveBackup(&a, p)
	return nil
}

func (g *group) receiveBackup(a *Advertisement, p ip.RawPacket) {
	priority, patient := g.weight.now()
	switch {
	case a.Priority == 0:
		g.heard, g.due = p.At, p.At+skew(priority, g.interval)
	case int(a.Priority) >= priority, !g.config.Preempt, p.At < patient:
		g.heard, g.interval = p.At, a.Interval
		g.due = p.At + g.downInterval()
	}
}

func (g *group) receiveActive(a *Advertisement, p ip.RawPacket) error {
	priority, _ := g.weight.now()
	if a.Priority != 0 && (int(a.Priority) > priority || int(a.Priority) == priority && p.Source.Compare(g.source) > 0) {
		g.heard, g.interval = p.At, a.Interval
		g.due = p.At + g.downInterval()
		g.record(func(r *GroupResult) { r.ActiveTime += units.Duration(p.At - g.since) })
		g.enter(p.At, Backup, fmt.Sprintf("%s advertises priority %d", p.Source, a.Priority))
		return g.env.Host.RemoveAddress(g.address)
	}
	// The other one gives up, or has to be told that there is somebody with a higher priority.
	if a.Priority == 0 {
		g.due = p.At + g.config.Interval.Std()
	}
	return g.advertise()
}

// enter changes the state.
func (g *group) enter(at time.Duration, to State, reason string) {
	g.state = to
	g.env.Log.Debug("vrrp", "address", g.address, "state", to, "reason", reason)
	g.record(func(r *GroupResult) {
		r.State = to
		r.Transitions = append(r.Transitions, Transition{At: units.Duration(at), To: to, Reason: reason})
	})
}

func (g *group) record(change func(r *GroupResult)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change(g.result)
}
