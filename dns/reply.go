package dns

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	wire "github.com/miekg/dns"
)

// Answer is what is known about a question.
type Answer struct {
	// Name is the full name that was asked for, without the final dot, and Type the kind of records.
	Name string
	Type uint16
	// Rcode is the response code (RFC 1035, section 4.1.1).
	Rcode int
	// Records are the aliases that lead from the name to others, and then the records of the wanted type, in the order of the
	// answer. They belong to the resolver.
	Records []wire.RR
	// TTL is how long the answer holds from now on.
	TTL time.Duration
	// Server is who answered, TCP says that it took TCP.
	Server netip.AddrPort
	TCP    bool
	// Hit says that the answer was known already, Joined that it is that to somebody else's question.
	Hit, Joined bool
}

// Found says whether there is a record of the wanted type, and not just an alias that leads nowhere.
func (a *Answer) Found() bool {
	return slices.ContainsFunc(a.Records, func(rr wire.RR) bool { return a.Type == wire.TypeANY || rr.Header().Rrtype == a.Type })
}

// Addresses returns the addresses among the records.
func (a *Answer) Addresses() []netip.Addr {
	var list []netip.Addr
	for _, rr := range a.Records {
		switch rr := rr.(type) {
		case *wire.A:
			if addr, ok := netip.AddrFromSlice(rr.A.To4()); ok {
				list = append(list, addr)
			}
		case *wire.AAAA:
			if addr, ok := netip.AddrFromSlice(rr.AAAA.To16()); ok {
				list = append(list, addr)
			}
		}
	}
	return list
}

// Texts returns the data of the records as a zone's file would have them, such as "10.0.0.1" or "0 5 80 web1.lab.".
func (a *Answer) Texts() []string {
	list := make([]string, len(a.Records))
	for i, rr := range a.Records {
		list[i] = strings.TrimPrefix(rr.String(), rr.Header().String())
	}
	return list
}

// RcodeName returns the name of the response code, such as "NXDOMAIN".
func (a *Answer) RcodeName() string { return rcodeName(a.Rcode) }

// reply is a server's answer to one question.
type reply struct {
	rcode   int
	records []wire.RR
	ttl     time.Duration // 0 means that it may not be kept
	server  netip.AddrPort
	tcp     bool
	err     error // that there is none
}

// read takes from a message what it says about a question: the aliases from the name on, and the records at their end. next is
// the alias that the message leads to without saying anything about it, "" if there is none.
func read(m *wire.Msg, name string, qtype uint16) (r reply, next string) {
	r.rcode = m.Rcode
	least := uint32(MaxTTL / time.Second)
	found := false
	for range maxAliases {
		target := ""
		for _, rr := range m.Answer {
			h := rr.Header()
			if wire.CanonicalName(h.Name) != name || h.Class != wire.ClassINET {
				continue
			}
			alias, isAlias := rr.(*wire.CNAME)
			switch {
			case h.Rrtype == qtype || qtype == wire.TypeANY:
				found = true
			case isAlias && target == "":
				target = wire.CanonicalName(alias.Target)
			default:
				continue
			}
			r.records = append(r.records, rr)
			least = min(least, h.Ttl)
		}
		if found || target == "" {
			break
		}
		name, next = target, target
	}
	if !found {
		for _, rr := range m.Ns {
			if soa, ok := rr.(*wire.SOA); ok {
				r.ttl = time.Duration(min(least, soa.Hdr.Ttl, soa.Minttl)) * time.Second
				next = "" // the server knows that there is nothing
			}
		}
		if m.Rcode != wire.RcodeSuccess {
			next = ""
		}
		return r, next
	}
	r.ttl = time.Duration(least) * time.Second
	return r, ""
}

// extend adds what another message said about the alias that a reply ends with.
func (r *reply) extend(more reply) {
	if len(r.records) > 0 {
		least := r.records[0].Header().Ttl
		for _, rr := range r.records {
			least = min(least, rr.Header().Ttl)
		}
		more.ttl = min(more.ttl, time.Duration(least)*time.Second)
	}
	more.records = append(r.records, more.records...)
	*r = more
}
