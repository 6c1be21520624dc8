package l4

import (
	"context"
	"fmt"
	"net/netip"

	"netlab/ip"
	"netlab/services"
	"netlab/services/backend"
)

// member is a backend as packets need it.
type member struct {
	name     string
	counters *Backend
	v4, v6   netip.AddrPort
	own4     netip.Addr // the host's own address towards the backend
	own6     netip.Addr
}

func (m *member) address(v6 bool) (netip.AddrPort, bool) {
	if v6 {
		return m.v6, m.v6.IsValid()
	}
	return m.v4, m.v4.IsValid()
}

func (m *member) near(v6 bool) (netip.Addr, bool) {
	if v6 {
		return m.own6, m.own6.IsValid()
	}
	return m.own4, m.own4.IsValid()
}

// members finds out where the backends of a pool are.
func (b *Balancer) members(ctx context.Context, env *services.Env, pool *backend.Pool) ([]*member, error) {
	var list []*member
	for _, one := range pool.Members() {
		m := &member{name: one.Name}
		if b.options.Config.Rewrites() {
			var err error
			if m, err = b.resolve(ctx, env, one); err != nil {
				return nil, fmt.Errorf("backend %s: %w", one.Name, err)
			}
		}
		b.counters.mu.Lock()
		m.counters = b.counters.backend(one.Name)
		b.counters.mu.Unlock()
		list = append(list, m)
	}
	return list, nil
}

// resolve finds the addresses of a backend, which in the mode direct must be on a segment of the host.
func (b *Balancer) resolve(ctx context.Context, env *services.Env, one backend.Member) (*member, error) {
	direct := b.options.Config.mode() == Direct
	if port, err := b.port(); direct && err == nil && one.Port != port {
		return nil, fmt.Errorf("it listens on port %d and the balancer on %d: the mode direct changes no ports, so they must be the same", one.Port, port)
	}
	addrs, err := env.Host.Resolve(ctx, one.Host)
	if err != nil {
		return nil, err
	}
	m := &member{name: one.Name}
	for _, a := range addrs {
		at := netip.AddrPortFrom(a, one.Port)
		own, near := ownAddress(env.Host, a)
		switch {
		case direct && !near:
			return nil, fmt.Errorf("its address %s is on no segment of %s: the mode direct reaches it by its MAC address, so there can't be a router between them",
				a, env.Host.Name())
		case a.Is4() && !m.v4.IsValid():
			m.v4, m.own4 = at, own
		case a.Is6() && !m.v6.IsValid():
			m.v6, m.own6 = at, own
		}
	}
	return m, nil
}

// ownAddress returns the address of the host's interface whose network an address is on, or else the host's first one of the IP
// version. near says which.
func ownAddress(h *ip.Host, a netip.Addr) (own netip.Addr, near bool) {
	for _, i := range h.Interfaces() {
		for _, p := range i.Addresses {
			if p.Addr().Is4() != a.Is4() {
				continue
			}
			if p.Contains(a) {
				return p.Addr(), true
			}
			if !own.IsValid() {
				own = p.Addr()
			}
		}
	}
	return own, false
}
