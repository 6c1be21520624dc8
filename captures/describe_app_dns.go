package captures

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/miekg/dns"
)

// dns says what a DNS message asks or answers, "" if b is none:
//
//	DNS query A www.lab
//	DNS answer A www.lab: 10.0.0.1, 10.0.0.2
//	DNS answer A wwww.lab: NXDOMAIN
//
// Of a message that was cut, whose rest is elsewhere, it tells what b has.
func (d *Describer) dns(b []byte, whole bool) string {
	var m dns.Msg
	problem := m.Unpack(b)
	if len(m.Question) != 1 || dns.ClassToString[m.Question[0].Qclass] == "" {
		return ""
	}
	q := m.Question[0]
	kind := "query"
	switch {
	case m.Opcode != dns.OpcodeQuery:
		if kind = strings.ToLower(dns.OpcodeToString[m.Opcode]); kind == "" {
			return ""
		}
		if m.Response {
			kind += " answer"
		}
	case m.Response:
		kind = "answer"
	}
	var s strings.Builder
	fmt.Fprintf(&s, "DNS %s %s %s", kind, dns.Type(q.Qtype), domainName(q.Name))
	if !m.Response {
		return s.String()
	}
	separator := ": "
	say := func(text string) {
		s.WriteString(separator + text)
		separator = ", "
	}
	if m.Rcode != dns.RcodeSuccess {
		if code := dns.RcodeToString[m.Rcode]; code != "" {
			say(code)
		} else {
			say(fmt.Sprintf("RCODE %d", m.Rcode))
		}
	}
	for _, record := range m.Answer {
		if s.Len() > appLimit {
			break
		}
		say(d.record(record))
	}
	switch {
	case m.Truncated:
		say("truncated")
	case problem != nil && whole:
		say("malformed")
	case problem != nil:
		say("cut short")
	case m.Rcode == dns.RcodeSuccess && len(m.Answer) == 0:
		say("none")
	}
	return s.String()
}

// record says what a record of an answer holds.
func (d *Describer) record(record dns.RR) string {
	switch r := record.(type) {
	case *dns.A:
		return d.address(r.A)
	case *dns.AAAA:
		return d.address(r.AAAA)
	case *dns.CNAME:
		return "CNAME " + domainName(r.Target)
	case *dns.NS:
		return domainName(r.Ns)
	case *dns.PTR:
		return domainName(r.Ptr)
	case *dns.MX:
		return domainName(r.Mx)
	case *dns.SRV:
		return fmt.Sprintf("%s:%d", domainName(r.Target), r.Port)
	case *dns.TXT:
		return `"` + printable([]byte(strings.Join(r.Txt, ""))) + `"`
	}
	return dns.Type(record.Header().Rrtype).String()
}

func (d *Describer) address(ip []byte) string {
	addr, ok := netip.AddrFromSlice(ip)
	if !ok {
		return "no address"
	}
	return d.addr(addr.Unmap())
}

// domainName returns a domain name without the dot at its end.
func domainName(name string) string {
	if name != "." {
		name = strings.TrimSuffix(name, ".")
	}
	return printable([]byte(name))
}
