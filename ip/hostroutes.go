package ip

import (
	"fmt"
	"slices"

	"gvisor.dev/gvisor/pkg/tcpip"
)

// ReplaceRoutes makes these the host's routes beyond its own networks, all at once. down names interfaces by their numbers, from 0
// in the order of AddInterface, whose networks are withdrawn too; every other interface's networks are there. Connections and
// connected sockets that exist keep the interface and the next hop that they were made with; the stack doesn't move them. A host that
// is started again after a crash has the routes that were given to Start. After an error the routes are as before. The host must have
// been started. Only the engine's loop may call it.
func (h *Host) ReplaceRoutes(routes []Route, down ...int) error {
	for _, i := range down {
		if i < 0 || i >= len(h.interfaces) {
			return fmt.Errorf("host %s: down: there is no interface %d: the host has %d, counted from 0", h.name, i, len(h.interfaces))
		}
	}
	for _, r := range routes {
		if err := r.validate(); err != nil {
			return fmt.Errorf("host %s: %w", h.name, err)
		}
		if nic, ok := h.nicFor(r.Via); !ok || slices.Contains(down, int(nic)-2) {
			return fmt.Errorf("host %s: %w", h.name, r.noInterface(len(down) > 0))
		}
	}
	table, err := h.routes(routes)
	if err != nil {
		return fmt.Errorf("host %s: %w", h.name, err)
	}
	if err := h.setForwardingRoutes(slices.Clone(routes), slices.Clone(down)); err != nil {
		return fmt.Errorf("host %s: %w", h.name, err)
	}
	table = slices.DeleteFunc(table, func(r tcpip.Route) bool { return slices.Contains(down, int(r.NIC)-2) })
	// What leads to the host itself comes first and stays.
	own := slices.DeleteFunc(h.stack.GetRouteTable(), func(r tcpip.Route) bool { return r.NIC != loopbackID })
	h.awake(func() { h.stack.SetRouteTable(append(own, table...)) })
	return nil
}
