package dns

import (
	"net/netip"

	wire "github.com/miekg/dns"
)

// maxAliases is how many aliases an answer follows.
const maxAliases = 8

// serverSize is the largest datagram that a server sends, so that it is not fragmented: the value that the makers of name
// servers agreed upon on DNS flag day 2020. It is also what servers and resolvers offer to take.
const serverSize = 1232

// Answer returns the reply to a query of a client. The rotation of what is asked for goes on by one.
func (z *Zone) Answer(query *wire.Msg, client netip.Addr) *wire.Msg {
	reply := new(wire.Msg)
	reply.SetReply(query)
	reply.Compress = true
	switch {
	case query.Opcode != wire.OpcodeQuery:
		reply.Rcode = wire.RcodeNotImplemented
		return reply
	case len(query.Question) != 1:
		reply.Rcode = wire.RcodeFormatError
		return reply
	}
	if opt := query.IsEdns0(); opt != nil {
		reply.SetEdns0(serverSize, false)
		if opt.Version() != 0 {
			reply.Rcode = wire.RcodeBadVers
			return reply
		}
	}
	q := query.Question[0]
	switch {
	case q.Qclass != wire.ClassINET && q.Qclass != wire.ClassANY, !wire.IsSubDomain(z.origin, wire.CanonicalName(q.Name)),
		q.Qtype == wire.TypeAXFR, q.Qtype == wire.TypeIXFR:
		reply.Rcode = wire.RcodeRefused
		return reply
	}
	reply.Authoritative = true
	z.mu.Lock()
	defer z.mu.Unlock()
	z.resolve(reply, q.Name, q.Qtype, client)
	return reply
}

// resolve fills the reply to a question, following aliases within the zone (RFC 1034, section 4.3.2).
func (z *Zone) resolve(reply *wire.Msg, name string, qtype uint16, client netip.Addr) {
	for range maxAliases {
		e, exists := z.find(wire.CanonicalName(name))
		if !exists {
			reply.Rcode = wire.RcodeNameError // of the last name (RFC 6604)
			z.nothing(reply)
			return
		}
		if e != nil && e.cname != "" && qtype != wire.TypeCNAME && qtype != wire.TypeANY {
			reply.Answer = append(reply.Answer, &wire.CNAME{Hdr: header(name, wire.TypeCNAME, e.ttl), Target: e.cname})
			name = e.cname
			if !wire.IsSubDomain(z.origin, name) {
				return
			}
			continue
		}
		records := e.records(name, qtype, client)
		if len(records) == 0 {
			z.nothing(reply)
			return
		}
		reply.Answer = append(reply.Answer, records...)
		z.additional(reply, records, client)
		return
	}
}

// find returns what there is for a name. It exists without an entry when only names below it do. A name that doesn't exist
// gets what the wildcard of the closest name above it has (RFC 4592, section 3.3.1).
func (z *Zone) find(name string) (e *entry, exists bool) {
	if e, exists = z.names[name]; exists {
		return e, true
	}
	for above := parent(name); wire.IsSubDomain(z.origin, above); above = parent(above) {
		if _, known := z.names[above]; known {
			e, exists = z.names["*."+above]
			return e, exists
		}
	}
	return nil, false
}

// nothing adds what lets a client remember that there is nothing (RFC 2308, section 3).
func (z *Zone) nothing(reply *wire.Msg) {
	soa := *z.soa
	soa.Hdr.Ttl = min(soa.Hdr.Ttl, soa.Minttl)
	reply.Ns = append(reply.Ns, &soa)
}

// additional adds the addresses of the servers that records name, where the zone has them.
func (z *Zone) additional(reply *wire.Msg, records []wire.RR, client netip.Addr) {
	seen := map[string]bool{}
	for _, rr := range records {
		target := ""
		switch rr := rr.(type) {
		case *wire.SRV:
			target = rr.Target
		case *wire.NS:
			target = rr.Ns
		default:
			continue
		}
		if e := z.names[target]; e != nil && e.cname == "" && !seen[target] {
			seen[target] = true
			reply.Extra = append(reply.Extra, e.addresses(target, wire.TypeANY, client)...)
		}
	}
	// The pseudo-record of EDNS stays last.
	for i, rr := range reply.Extra {
		if _, ok := rr.(*wire.OPT); ok {
			reply.Extra = append(append(reply.Extra[:i:i], reply.Extra[i+1:]...), rr)
			break
		}
	}
}

// records returns those of a type under the name that was asked for. ANY is all of them.
func (e *entry) records(name string, qtype uint16, client netip.Addr) []wire.RR {
	if e == nil {
		return nil
	}
	all := qtype == wire.TypeANY
	var list []wire.RR
	if e.cname != "" && (all || qtype == wire.TypeCNAME) {
		list = append(list, &wire.CNAME{Hdr: header(name, wire.TypeCNAME, e.ttl), Target: e.cname})
	}
	list = append(list, e.addresses(name, qtype, client)...)
	for _, rr := range e.other {
		if all || rr.Header().Rrtype == qtype {
			rr = wire.Copy(rr)
			rr.Header().Name = name
			list = append(list, rr)
		}
	}
	return list
}

// addresses returns the A or AAAA records for a client, in their next order.
func (e *entry) addresses(name string, qtype uint16, client netip.Addr) []wire.RR {
	var list []wire.RR
	for _, v := range e.views {
		if v.match != nil && !v.match(client) {
			continue
		}
		if qtype == wire.TypeA || qtype == wire.TypeANY {
			for _, a := range v.v4.turn() {
				list = append(list, &wire.A{Hdr: header(name, wire.TypeA, e.ttl), A: a.AsSlice()})
			}
		}
		if qtype == wire.TypeAAAA || qtype == wire.TypeANY {
			for _, a := range v.v6.turn() {
				list = append(list, &wire.AAAA{Hdr: header(name, wire.TypeAAAA, e.ttl), AAAA: a.AsSlice()})
			}
		}
		break
	}
	return list
}
