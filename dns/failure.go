package dns

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	wire "github.com/miekg/dns"
)

// FailureKind is what a server that fails does with every query.
type FailureKind string

// The kinds of failures.
const (
	ServFail FailureKind = "servfail" // SERVFAIL: it is not able to answer
	Refused  FailureKind = "refused"  // REFUSED: it does not want to
	NXDomain FailureKind = "nxdomain" // NXDOMAIN: it says that no name exists, with authority
	Silent   FailureKind = "silence"  // no answer, over UDP and over TCP
)

// FailureKinds are all of them.
var FailureKinds = []FailureKind{ServFail, Refused, NXDomain, Silent}

// Failure is a failure of a server that is in force.
type Failure struct {
	server *Server
	kind   FailureKind
}

// Fail makes the server treat every query in the same way until the failure is removed, whatever its zone says. Of several that
// are in force the one that came last counts. What is no query is answered as ever.
func (s *Server) Fail(kind FailureKind) (*Failure, error) {
	if !slices.Contains(FailureKinds, kind) {
		names := make([]string, len(FailureKinds))
		for i, k := range FailureKinds {
			names[i] = string(k)
		}
		return nil, fmt.Errorf("%q is no answer of a name server that fails: want one of %s", kind, strings.Join(names, ", "))
	}
	f := &Failure{s, kind}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = append(s.failures, f)
	return f, nil
}

// Remove ends the failure. Once is enough.
func (f *Failure) Remove() {
	s := f.server
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = slices.DeleteFunc(s.failures, func(other *Failure) bool { return other == f })
}

// failing returns the kind of the failure that counts, "" if there is none.
func (s *Server) failing() FailureKind {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.failures) == 0 {
		return ""
	}
	return s.failures[len(s.failures)-1].kind
}

// respond is [Zone.respond] of a server that may fail.
func (s *Server) respond(packet []byte, client netip.Addr, udp bool) (reply []byte, n note) {
	kind := s.failing()
	if kind == "" {
		return s.Zone.respond(packet, client, udp)
	}
	query := new(wire.Msg)
	if query.Unpack(packet) != nil || query.Response {
		return s.Zone.respond(packet, client, udp)
	}
	if kind == Silent {
		if len(query.Question) == 1 {
			n.qtype = typeName(query.Question[0].Qtype)
		}
		n.failed, n.silent = true, true
		return nil, n
	}
	reply, n = pack(query, s.Zone.failed(query, kind), udp)
	n.failed = true
	return reply, n
}

// failed returns the reply of a server that fails. With NXDOMAIN goes the zone's SOA, so that clients remember it as they
// remember other names that don't exist (RFC 2308, section 5).
func (z *Zone) failed(query *wire.Msg, kind FailureKind) *wire.Msg {
	reply := new(wire.Msg)
	reply.SetReply(query)
	if query.IsEdns0() != nil {
		reply.SetEdns0(serverSize, false)
	}
	switch kind {
	case ServFail:
		reply.Rcode = wire.RcodeServerFailure
	case Refused:
		reply.Rcode = wire.RcodeRefused
	case NXDomain:
		reply.Rcode, reply.Authoritative = wire.RcodeNameError, true
		z.nothing(reply)
	}
	return reply
}
