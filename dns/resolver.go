package dns

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"time"

	wire "github.com/miekg/dns"

	"netlab/internal/random"
	"netlab/ip"
)

// The defaults of resolv.conf(5), and how many answers a resolver keeps.
const (
	DefaultTimeout   = 5 * time.Second
	DefaultAttempts  = 2
	DefaultCacheSize = 10_000
)

// ResolverConfig says how a host finds names, as resolv.conf does.
type ResolverConfig struct {
	// Servers are asked in this order. Port 0 means 53.
	Servers []netip.AddrPort
	// Search are the domains that complete a name. One without a dot is looked up below each of them and not by itself, as the
	// top of the tree holds no hosts (RFC 7085); one with a dot is looked up as it is first (ndots is 1). A final dot switches
	// the search off.
	Search []string
	// Timeout is how long a server has for an answer; 0 means DefaultTimeout.
	Timeout time.Duration
	// Attempts is how often all servers are asked; 0 means DefaultAttempts.
	Attempts int
	// NoCache forgets answers at once. Equal questions at one time are still asked once.
	NoCache bool
	// CacheSize is how many answers are kept, the least recently used being dropped; 0 means DefaultCacheSize.
	CacheSize int
	// UDPSize is the size of datagrams that is offered by EDNS, 512 and more; 0 asks without EDNS, as resolv.conf's default is.
	UDPSize uint16
}

// Resolver asks servers for a host. Any number of goroutines may use it.
type Resolver struct {
	host   *ip.Host
	config ResolverConfig
	types  []uint16 // of the addresses that the host can use

	mu      sync.Mutex // never held while something is waited for
	random  *rand.Rand
	cache   *cache // nil without
	flights map[string]*flight
	stats   ResolverStats
}

var _ ip.Resolver = (*Resolver)(nil)

// ResolverStats is what a resolver has counted.
type ResolverStats struct {
	// Lookups counts names that somebody wanted to know, Hits those of them that needed no packet, Joined those that waited for
	// the answer to somebody else's equal question.
	Lookups uint64 `json:"lookups"`
	Hits    uint64 `json:"hits"`
	Joined  uint64 `json:"joined"`
	// Queries counts questions sent, also those sent again, and TCP those of them over TCP.
	Queries uint64 `json:"queries"`
	TCP     uint64 `json:"tcp"`
	// Timeouts counts questions without an answer in time, Errors those that a server could not or would not answer.
	Timeouts uint64 `json:"timeouts"`
	Errors   uint64 `json:"errors"`
}

// NewResolver makes a host's resolver. It must have a server.
func NewResolver(h *ip.Host, c ResolverConfig) (*Resolver, error) {
	switch {
	case len(c.Servers) == 0:
		return nil, errors.New("a resolver needs a server")
	case c.Timeout < 0 || c.Attempts < 0 || c.CacheSize < 0:
		return nil, fmt.Errorf("timeout %s, attempts %d, cache size %d: want more than 0", c.Timeout, c.Attempts, c.CacheSize)
	case c.UDPSize > 0 && c.UDPSize < wire.MinMsgSize:
		return nil, fmt.Errorf("UDP size %d: want 0 or %d and more", c.UDPSize, wire.MinMsgSize)
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Attempts == 0 {
		c.Attempts = DefaultAttempts
	}
	if c.CacheSize == 0 {
		c.CacheSize = DefaultCacheSize
	}
	servers := make([]netip.AddrPort, len(c.Servers))
	for i, s := range c.Servers {
		if s.Port() == 0 {
			s = netip.AddrPortFrom(s.Addr(), Port)
		}
		servers[i] = s
	}
	c.Servers = servers
	for _, domain := range c.Search {
		if err := CheckName(domain); err != nil {
			return nil, err
		}
	}
	r := &Resolver{host: h, config: c, random: random.Stream(h.Network().Seed(), "nodes."+h.Name()+".resolver", h.Incarnation()), flights: map[string]*flight{}}
	if !c.NoCache {
		r.cache = newCache(c.CacheSize)
	}
	v4, v6 := h.Speaks()
	if v4 {
		r.types = append(r.types, wire.TypeA)
	}
	if v6 {
		r.types = append(r.types, wire.TypeAAAA)
	}
	return r, nil
}

// Config returns the configuration, with its defaults filled in.
func (r *Resolver) Config() ResolverConfig { return r.config }

// Stats returns what was counted so far.
func (r *Resolver) Stats() ResolverStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats
}

// Lookup implements ip.Resolver: IPv4 addresses and then IPv6 addresses, each in the order in which the server gave them. The
// host asks for those that it can use, for both at the same time.
func (r *Resolver) Lookup(ctx context.Context, name string) ([]netip.Addr, error) {
	answers, err := r.Query(ctx, name)
	var list []netip.Addr
	for _, a := range answers {
		list = append(list, a.Addresses()...)
	}
	switch {
	case len(list) > 0:
		return list, nil
	case err == nil:
		err = notFound(name, answers)
	}
	return nil, err
}

// Query looks a name up as [Resolver.Lookup] does, for records of some types; none means addresses that the host can use. That
// there are no records is no error, but answers without records; their Rcode says whether the name exists. When some types
// were answered and others were not, there are answers and an error, which is a *net.DNSError.
func (r *Resolver) Query(ctx context.Context, name string, types ...uint16) ([]*Answer, error) {
	if len(types) == 0 {
		types = r.types
	}
	return r.search(ctx, name, types)
}

// search looks a name up under all the full names that it may stand for, until one of them has something. It returns the
// answers for the types that were answered, and an error when the last of the names had none.
func (r *Resolver) search(ctx context.Context, name string, types []uint16) ([]*Answer, error) {
	if err := CheckName(name); err != nil {
		return nil, dnsError(name, netip.AddrPort{}, err)
	}
	r.mu.Lock()
	r.stats.Lookups++
	r.mu.Unlock()
	var none []*Answer
	var refused error
	for _, full := range r.candidates(name) {
		answers, err := r.ask(ctx, full, types)
		for _, a := range answers {
			if !a.Found() {
				continue
			}
			if err != nil {
				err = dnsError(name, netip.AddrPort{}, err)
			}
			return answers, err
		}
		switch {
		case IsRefused(err):
			// It lies in none of the servers' zones, but it may with another domain.
			refused = err
		case err != nil:
			return nil, dnsError(name, netip.AddrPort{}, err)
		case none == nil:
			none = answers
		}
	}
	if none == nil && refused != nil {
		return nil, dnsError(name, netip.AddrPort{}, refused)
	}
	return none, nil
}

// candidates returns the absolute names that a name may stand for.
func (r *Resolver) candidates(name string) []string {
	full := wire.CanonicalName(name)
	if strings.HasSuffix(name, ".") {
		return []string{full}
	}
	var list []string
	if strings.Contains(name, ".") || len(r.config.Search) == 0 {
		list = append(list, full)
	}
	for _, domain := range r.config.Search {
		if longer := full + wire.CanonicalName(domain); len(longer) <= maxName+1 {
			list = append(list, longer)
		}
	}
	return list
}
