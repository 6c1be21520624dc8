package access

import (
	"maps"
	"net/netip"
	"sync"

	"netlab/ip"
	"netlab/units"
)

// Usage counts what was asked of a proxy.
type Usage struct {
	// Requests counts all that was asked for: requests that the proxy sent on or refused, and tunnels.
	Requests uint64 `json:"requests"`
	// Tunnels counts those of them that became tunnels.
	Tunnels uint64 `json:"tunnels"`
	// Refused counts what the proxy refused: for the filter, for want of a name and a password, or because of a limit.
	Refused uint64 `json:"refused"`
	// Failed counts what was allowed but came to nothing: no connection to the host, or one that broke.
	Failed uint64 `json:"failed"`
	// Sent is the content that went to hosts, Received that which came from them.
	Sent     units.Bytes `json:"sent"`
	Received units.Bytes `json:"received"`
}

func (u *Usage) add(more Usage) {
	u.Requests += more.Requests
	u.Tunnels += more.Tunnels
	u.Refused += more.Refused
	u.Failed += more.Failed
	u.Sent += more.Sent
	u.Received += more.Received
}

// Record is what a proxy reports of its use.
type Record struct {
	Usage
	// Clients tells clients apart, by the name of the node or the address. Hosts are those that were asked for, as the clients wrote
	// them. From the 1000th on all others are counted as "others".
	Clients map[string]Usage `json:"clients"`
	Hosts   map[string]Usage `json:"hosts"`
}

const (
	maxNames = 1000
	others   = "others"
)

// Ledger counts who asked for what. Any number of goroutines may use it; the zero value is empty.
type Ledger struct {
	mu  sync.Mutex
	all Record
}

// Add counts something for a client and a host. A host of "" is none: the client's request made no sense.
func (l *Ledger) Add(client, host string, u Usage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all.add(u)
	add(&l.all.Clients, client, u)
	if host != "" {
		add(&l.all.Hosts, canonical(host), u)
	}
}

func add(to *map[string]Usage, name string, u Usage) {
	if *to == nil {
		*to = map[string]Usage{}
	}
	found, ok := (*to)[name]
	if !ok && len(*to) >= maxNames-1 {
		name = others
		found = (*to)[name]
	}
	found.add(u)
	(*to)[name] = found
}

// Record returns what was counted until now.
func (l *Ledger) Record() Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.all
	r.Clients, r.Hosts = maps.Clone(r.Clients), maps.Clone(r.Hosts)
	if r.Clients == nil {
		r.Clients = map[string]Usage{}
	}
	if r.Hosts == nil {
		r.Hosts = map[string]Usage{}
	}
	return r
}

// Client returns what a ledger calls the client at an address with a port: the name of its node, or the address.
func Client(h *ip.Host, address string) string {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return address
	}
	addr := at.Addr().Unmap()
	if name := h.Names().Name(addr); name != "" {
		return name
	}
	return addr.String()
}
