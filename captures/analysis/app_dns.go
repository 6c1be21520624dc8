package analysis

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// maxUnanswered is how many queries without a response are remembered; beyond, the oldest is given up.
const maxUnanswered = 1 << 16

// dnsKey is what a response has in common with its query.
type dnsKey struct {
	client, server netip.AddrPort
	tcp            bool
	id             uint16
	name           string
	kind, class    uint16
}

// dnsQuery is a query that is not answered yet.
type dnsQuery struct {
	key      dnsKey
	packet   uint64 // captures.Packet.ID
	at       time.Duration
	exchange *DNSExchange
}

// dnsExchanges joins queries and responses.
type dnsExchanges struct {
	open map[dnsKey]*dnsQuery
	// order holds the queries as they came, also those that were answered since.
	order []*dnsQuery
}

// udpPayload reads the payload of a datagram from or to port 53. Fragments are not joined: a message that was cut is told as far as
// it goes.
func (a *Analyzer) udpPayload(f *Frame, b []byte) {
	source, destination, _ := f.Headers.Ports()
	from := netip.AddrPortFrom(f.Headers.Src(), source)
	to := netip.AddrPortFrom(f.Headers.Dst(), destination)
	a.apps.dnsMessage(f, from, to, false, f.Number, b)
}

// dnsMessage reads a message of RFC 1035.
func (p *applications) dnsMessage(f *Frame, from, to netip.AddrPort, tcp bool, first int, b []byte) {
	var m dns.Msg
	broken := m.Unpack(b)
	if broken != nil && len(m.Question) == 0 {
		return
	}
	p.says(f, "dns", first, len(b), func() string {
		if text := p.describe.DNS(b); text != "" {
			return text
		}
		return "DNS " + strings.ToLower(dns.OpcodeToString[m.Opcode])
	})
	key := dnsKey{client: from, server: to, tcp: tcp, id: m.Id}
	if m.Response {
		key.client, key.server = to, from
	}
	if len(m.Question) > 0 {
		q := m.Question[0]
		key.name, key.kind, key.class = strings.ToLower(q.Name), q.Qtype, q.Qclass
	}
	if m.Response {
		p.dnsResponse(f, key, &m)
	} else {
		p.dnsQuery(f, key, &m)
	}
}

func (p *applications) dnsQuery(f *Frame, key dnsKey, m *dns.Msg) {
	d := &p.analysis.DNS
	d.Queries++
	var packet uint64
	if f.Packet != nil {
		packet = f.Packet.ID
	}
	if q := p.dns.open[key]; q != nil {
		// A router's capture has the same packet twice, as it comes and as it goes.
		if packet == 0 || packet != q.packet {
			d.Repeated++
			q.exchange.Repeats++
		}
		return
	}
	e := &DNSExchange{
		Client: p.endpoint(key.client), Server: p.endpoint(key.server), Query: f.Number, QueryAt: f.At, TCP: key.tcp,
	}
	if len(m.Question) > 0 {
		e.Name, e.Type = strings.TrimSuffix(m.Question[0].Name, "."), dns.Type(m.Question[0].Qtype).String()
	}
	d.Unanswered++
	if p.analyzer.room(len(d.Exchanges)) {
		d.Exchanges = append(d.Exchanges, e)
	}
	p.dns.add(&dnsQuery{key: key, packet: packet, at: f.At, exchange: e})
}

func (p *applications) dnsResponse(f *Frame, key dnsKey, m *dns.Msg) {
	d := &p.analysis.DNS
	d.Responses++
	code := dns.RcodeToString[m.Rcode]
	if code == "" {
		code = "RCODE " + itoa(uint16(m.Rcode))
	}
	d.Codes[code]++
	q := p.dns.open[key]
	if q == nil {
		return
	}
	delete(p.dns.open, key)
	d.Unanswered--
	e := q.exchange
	e.Response, e.Took, e.Code = f.Number, f.At-q.at, code
	for _, record := range m.Answer[:min(len(m.Answer), maxAnswers)] {
		e.Answers = append(e.Answers, p.dnsAnswer(record))
	}
}

// maxAnswers is how many records of a response are kept.
const maxAnswers = 100

// dnsAnswer says what a record holds: its data as in a zone file, with the name of an address if it has one.
func (p *applications) dnsAnswer(record dns.RR) string {
	var ip []byte
	switch r := record.(type) {
	case *dns.A:
		ip = r.A
	case *dns.AAAA:
		ip = r.AAAA
	}
	if addr, ok := netip.AddrFromSlice(ip); ok {
		return p.name(addr.Unmap())
	}
	data := strings.TrimPrefix(record.String(), record.Header().String())
	return strings.TrimSuffix(data, ".")
}

// name returns the name of an address, or the address.
func (p *applications) name(a netip.Addr) string {
	if name := p.analyzer.name(a); name != "" {
		return name
	}
	return a.String()
}

func (p *applications) endpoint(a netip.AddrPort) string {
	if name := p.name(a.Addr()); name != a.Addr().String() {
		return name + ":" + itoa(a.Port())
	}
	return a.String()
}

// add remembers a query and gives the oldest up where there are too many.
func (x *dnsExchanges) add(q *dnsQuery) {
	if x.open == nil {
		x.open = map[dnsKey]*dnsQuery{}
	}
	x.open[q.key] = q
	x.order = append(x.order, q)
	if len(x.order) < 2*maxUnanswered {
		return
	}
	left := x.order[:0]
	for _, q := range x.order {
		if x.open[q.key] == q {
			left = append(left, q)
		}
	}
	old := max(0, len(left)-maxUnanswered)
	for _, q := range left[:old] {
		delete(x.open, q.key)
	}
	x.order = slices.Clone(left[old:])
}

// dnsStream reads DNS over TCP, where a message has its length before it (RFC 1035, section 4.2.2). After a gap a side is given
// up.
type dnsStream struct {
	apps   *applications
	stream *TCPStream
	sides  [2]struct {
		partial []byte
		first   int
		lost    bool
	}
}

func (d *dnsStream) data(f *Frame, side int, b []byte) {
	s := &d.sides[side]
	if s.lost {
		return
	}
	d.stream.Protocol = "dns"
	for len(b) > 0 {
		if len(s.partial) == 0 {
			s.first = f.Number
		}
		need := 2
		if len(s.partial) >= 2 {
			need += int(binary.BigEndian.Uint16(s.partial))
		}
		n := min(len(b), need-len(s.partial))
		s.partial, b = append(s.partial, b[:n]...), b[n:]
		if len(s.partial) < 2 || len(s.partial) < 2+int(binary.BigEndian.Uint16(s.partial)) {
			continue
		}
		from, to := d.stream.Ends[side], d.stream.Ends[1-side]
		d.apps.dnsMessage(f, netip.AddrPortFrom(from.Addr, from.Port), netip.AddrPortFrom(to.Addr, to.Port), true, s.first, s.partial[2:])
		s.partial = nil
	}
}

func (d *dnsStream) gap(_ *Frame, side int, _ uint64) {
	d.sides[side].lost, d.sides[side].partial = true, nil
}

func (d *dnsStream) end(*Frame, int) {}
