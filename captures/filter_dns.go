package captures

import (
	"strings"

	"github.com/miekg/dns"
)

// Kinds of DNS messages.
const (
	dnsAny = iota
	dnsQuery
	dnsResponse
)

// readDNS reads what may come after "dns".
func readDNS(p *filterParser, t token) (node, error) {
	i, err := p.kind(t, []string{"query", "response", "name"})
	switch {
	case err != nil || i < 0:
		return node{op: opDNS, value: dnsAny}, err
	case i == 0:
		return node{op: opDNS, value: dnsQuery}, nil
	case i == 1:
		return node{op: opDNS, value: dnsResponse}, nil
	}
	name, err := p.domainName()
	return node{op: opDNSName, text: name}, err
}

// domainName reads a name, with or without quotes and a dot at the end, and returns it as it is on the wire.
func (p *filterParser) domainName() ([]byte, error) {
	t := p.next()
	name := t.text
	if t.isQuoted() {
		var err error
		if name, err = t.unquote(); err != nil {
			return nil, err
		}
	} else if !t.isWord() || t.joins() {
		return nil, fault(t, `found %s after "name": want the name that is asked for, such as "web.lab"`, t)
	}
	if strings.Contains(name, "*") {
		return nil, fault(t, "%s: a * stands for nothing here: write the whole name", t)
	}
	wire := make([]byte, maxDomainName)
	n, err := dns.PackDomainName(dns.Fqdn(name), wire, 0, nil, false)
	if err != nil || name == "" {
		return nil, fault(t, "%s is not a domain name: want labels of 1 to 63 characters with dots between them", t)
	}
	wire = wire[:n]
	for i, c := range wire {
		wire[i] = lower(c)
	}
	return wire, nil
}

// maxDomainName is the longest domain name on the wire, in bytes (RFC 1035, section 2.3.4).
const maxDomainName = 255

// lower folds the case of ASCII letters. It leaves the lengths of labels, which are less than 64, as they are.
func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// matchDNS looks at a datagram, or at the messages that begin in a TCP segment, where each has its length before it (RFC
// 1035, section 4.2.2).
func (n *node) matchDNS(data []byte, tcp bool) bool {
	if !tcp {
		matched, _ := n.matchDNSMessage(data)
		return matched
	}
	for len(data) >= 2 {
		length := int(be.Uint16(data))
		message := data[2:min(len(data), 2+length)]
		matched, ok := n.matchDNSMessage(message)
		if matched || !ok {
			return matched
		}
		data = data[2+len(message):]
	}
	return false
}

// matchDNSMessage also says whether b is a DNS message.
func (n *node) matchDNSMessage(b []byte) (matched, ok bool) {
	response, name, ok := dnsHead(b)
	switch {
	case !ok:
		return false, false
	case n.op == opDNS:
		return n.value == dnsAny || response == (n.value == dnsResponse), true
	case len(name) != len(n.text):
		return false, true
	}
	for i, c := range name {
		if lower(c) != n.text[i] {
			return false, true
		}
	}
	return true, true
}

// dnsHead reads the header and the question of a message (RFC 1035, section 4.1). The question's name is as on the wire,
// nil where there is no question, as in some answers to what could not be read. ok is false if b is no message.
func dnsHead(b []byte) (response bool, name []byte, ok bool) {
	if len(b) < 12 {
		return false, nil, false
	}
	response = b[2]&0x80 != 0
	reserved := b[3]&0x40 != 0
	questions := be.Uint16(b[4:])
	if reserved || questions > 1 || questions == 0 && !response {
		return false, nil, false
	}
	if questions == 0 {
		return response, nil, true
	}
	b = b[12:]
	end := 0
	for {
		if end >= len(b) || b[end] > 63 || end+int(b[end])+1 > maxDomainName {
			return false, nil, false
		}
		size := int(b[end]) + 1
		end += size
		if size == 1 {
			break
		}
	}
	if len(b) < end+4 {
		return false, nil, false
	}
	switch be.Uint16(b[end+2:]) {
	case dns.ClassINET, dns.ClassCHAOS, dns.ClassHESIOD, dns.ClassNONE, dns.ClassANY:
		return response, b[:end], true
	}
	return false, nil, false
}
