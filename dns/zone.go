package dns

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"time"

	wire "github.com/miekg/dns"
)

// Rotation is the order in which a name's addresses are given.
type Rotation string

// The ways to order addresses.
const (
	// RoundRobin begins each answer one address further on than the one before.
	RoundRobin Rotation = "round-robin"
	// Fixed keeps the order of the record.
	Fixed Rotation = "fixed"
	// Shuffled is another order in each answer.
	Shuffled Rotation = "random"
)

// DefaultTTL is the time to live of records that don't give one, and of negative answers.
const DefaultTTL = time.Minute

// MaxTTL is the longest time to live (RFC 2181, section 8).
const MaxTTL = math.MaxInt32 * time.Second

// ZoneConfig describes a zone.
type ZoneConfig struct {
	// Origin is the zone's name, such as "lab".
	Origin string
	// TTL is the time to live of records that don't give one, in whole seconds; 0 means that nobody keeps them.
	TTL time.Duration
	// NegativeTTL is how long clients may remember that there is nothing (RFC 2308), in whole seconds.
	NegativeTTL time.Duration
	// Rotation of records that don't say otherwise; "" means RoundRobin.
	Rotation Rotation
	// Servers are the names of the zone's name servers, for its NS and SOA records. None means "ns".
	Servers []string
	Records []Record
	// Stream returns the random stream by which the addresses of a name are shuffled. It may be nil when no rotation is random.
	Stream func(name string) *rand.Rand
}

// Record is all that a zone knows of a name.
type Record struct {
	// Name is relative to the zone ([Absolute]); "*" below a name stands for all names there that have no record.
	Name string
	// Addresses are given to clients for which no view is made.
	Addresses []netip.Addr
	// Views give some clients other addresses. The first that is for the client counts.
	Views []View
	// CNAME makes the name an alias. An alias has nothing else.
	CNAME string
	SRV   []SRV
	// TXT are texts, a record each.
	TXT []string
	// TTL is the time to live, in whole seconds; nil means that of the zone.
	TTL *time.Duration
	// Rotation of the addresses; "" means that of the zone.
	Rotation Rotation
}

// View is what some clients are told.
type View struct {
	// For says whether the view is for a client.
	For       func(client netip.Addr) bool
	Addresses []netip.Addr
}

// SRV says where a service is (RFC 2782).
type SRV struct {
	Priority, Weight, Port uint16
	Target                 string
}

// Zone answers questions about the names in it. Several goroutines may ask.
type Zone struct {
	origin string
	soa    *wire.SOA
	names  map[string]*entry // absolute, in lower case; nil for names that only have others below them

	mu sync.Mutex // guards the rotations
}

// entry is a name with something.
type entry struct {
	ttl   uint32
	views []view // the last is for everybody
	cname string
	other []wire.RR // SRV, TXT, NS, SOA
}

// view are the addresses for some clients.
type view struct {
	match  func(client netip.Addr) bool
	v4, v6 *rotation
}

// NewZone makes a zone. The error says which record is wrong.
func NewZone(c ZoneConfig) (*Zone, error) {
	if err := CheckName(c.Origin); err != nil {
		return nil, err
	}
	if c.Rotation == "" {
		c.Rotation = RoundRobin
	}
	z := &Zone{origin: wire.CanonicalName(c.Origin), names: map[string]*entry{}}
	ttl, err := seconds(c.TTL)
	if err != nil {
		return nil, err
	}
	negative, err := seconds(c.NegativeTTL)
	if err != nil {
		return nil, err
	}
	if len(c.Servers) == 0 {
		c.Servers = []string{"ns"}
	}
	z.soa = &wire.SOA{Hdr: header(z.origin, wire.TypeSOA, ttl), Ns: Absolute(c.Servers[0], z.origin),
		Mbox: "hostmaster." + z.origin, Serial: 1, Refresh: 3600, Retry: 600, Expire: 86400, Minttl: negative}
	apex := &entry{ttl: ttl, other: []wire.RR{z.soa}}
	for _, s := range c.Servers {
		apex.other = append(apex.other, &wire.NS{Hdr: header(z.origin, wire.TypeNS, ttl), Ns: Absolute(s, z.origin)})
	}
	z.names[z.origin] = apex
	seen := map[string]bool{}
	for i := range c.Records {
		r := &c.Records[i]
		name := Absolute(r.Name, z.origin)
		e, err := z.newEntry(name, r, ttl, &c)
		switch {
		case err != nil:
			return nil, fmt.Errorf("record %q: %w", r.Name, err)
		case seen[name]:
			return nil, fmt.Errorf("record %q: the name has a record already", r.Name)
		}
		seen[name] = true
		if name == z.origin {
			e.other = append(e.other, apex.other...)
		}
		z.names[name] = e
	}
	for _, r := range c.Records {
		for name := parent(Absolute(r.Name, z.origin)); wire.IsSubDomain(z.origin, name); name = parent(name) {
			if _, known := z.names[name]; !known {
				z.names[name] = nil
			}
		}
	}
	return z, nil
}

func (z *Zone) newEntry(name string, r *Record, ttl uint32, c *ZoneConfig) (*entry, error) {
	e := &entry{ttl: ttl}
	if name != z.origin || r.Name != "@" && r.Name != "" {
		if err := CheckName(r.Name); err != nil {
			return nil, err
		}
	}
	if !wire.IsSubDomain(z.origin, name) {
		return nil, fmt.Errorf("the name is outside of the zone %s", z.Origin())
	}
	if r.TTL != nil {
		var err error
		if e.ttl, err = seconds(*r.TTL); err != nil {
			return nil, err
		}
	}
	if r.CNAME != "" {
		if len(r.Addresses)+len(r.Views)+len(r.SRV)+len(r.TXT) > 0 {
			return nil, errors.New("an alias has nothing else (RFC 1034, section 3.6.2)")
		}
		if name == z.origin {
			return nil, errors.New("the zone itself can't be an alias: it has name servers")
		}
		if err := CheckName(r.CNAME); err != nil {
			return nil, err
		}
		e.cname = Absolute(r.CNAME, z.origin)
		return e, nil
	}
	way := r.Rotation
	if way == "" {
		way = c.Rotation
	}
	for i, v := range append(r.Views[:len(r.Views):len(r.Views)], View{Addresses: r.Addresses}) {
		var v4, v6 []netip.Addr
		for _, a := range v.Addresses {
			if a.Is4() {
				v4 = append(v4, a)
			} else {
				v6 = append(v6, a)
			}
		}
		made := view{match: v.For}
		var err error
		if made.v4, err = newRotation(v4, way, c.Stream, fmt.Sprintf("%s%d.a", name, i)); err != nil {
			return nil, err
		}
		if made.v6, err = newRotation(v6, way, c.Stream, fmt.Sprintf("%s%d.aaaa", name, i)); err != nil {
			return nil, err
		}
		e.views = append(e.views, made)
	}
	for _, s := range r.SRV {
		if err := CheckName(s.Target); err != nil {
			return nil, err
		}
		e.other = append(e.other, &wire.SRV{Hdr: header(name, wire.TypeSRV, e.ttl), Priority: s.Priority, Weight: s.Weight,
			Port: s.Port, Target: Absolute(s.Target, z.origin)})
	}
	for _, text := range r.TXT {
		e.other = append(e.other, &wire.TXT{Hdr: header(name, wire.TypeTXT, e.ttl), Txt: pieces(text)})
	}
	return e, nil
}

// Origin returns the zone's name without the final dot.
func (z *Zone) Origin() string { return strings.TrimSuffix(z.origin, ".") }

// CheckTTL returns an error that says what is wrong with a time to live.
func CheckTTL(d time.Duration) error {
	if d < 0 || d > MaxTTL || d%time.Second != 0 {
		return fmt.Errorf("found a time to live of %s, wanted whole seconds from 0s to %s", d, MaxTTL)
	}
	return nil
}

func seconds(d time.Duration) (uint32, error) { return uint32(d / time.Second), CheckTTL(d) }

func header(name string, t uint16, ttl uint32) wire.RR_Header {
	return wire.RR_Header{Name: name, Rrtype: t, Class: wire.ClassINET, Ttl: ttl}
}

// pieces cuts a text into the strings of a TXT record, which have at most 255 bytes each (RFC 1035, section 3.3.14). What means
// something to the library's presentation format is escaped.
func pieces(text string) []string {
	const most = 255
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	var list []string
	for len(text) > most {
		list = append(list, escape.Replace(text[:most]))
		text = text[most:]
	}
	return append(list, escape.Replace(text))
}
