package failures

import "fmt"

// Counts counts failed requests by kind.
type Counts struct {
	Name        uint64 `json:"name"`        // the server's name is unknown
	DNSTimeout  uint64 `json:"dns_timeout"` // no name server answered
	Refused     uint64 `json:"refused"`     // nobody listens there
	Unreachable uint64 `json:"unreachable"` // there is no way to the server
	Denied      uint64 `json:"denied"`      // a SOCKS proxy's rules forbid it, or it doesn't know the user
	Timeout     uint64 `json:"timeout"`     // it took too long
	Reset       uint64 `json:"reset"`       // the server reset the connection or the stream
	Closed      uint64 `json:"closed"`      // the response broke off, or none came
	TLS         uint64 `json:"tls"`         // the handshake failed, such as for a wrong certificate
	Digest      uint64 `json:"digest"`      // the content is not what was promised
	Redirects   uint64 `json:"redirects"`   // there were too many redirects
	Status      uint64 `json:"status"`      // the status was 400 or above
	Other       uint64 `json:"other"`
}

// counter returns the counter of a kind. An unknown kind panics.
func (c *Counts) counter(k Kind) *uint64 {
	switch k {
	case Name:
		return &c.Name
	case DNSTimeout:
		return &c.DNSTimeout
	case Refused:
		return &c.Refused
	case Unreachable:
		return &c.Unreachable
	case Denied:
		return &c.Denied
	case Timeout:
		return &c.Timeout
	case Reset:
		return &c.Reset
	case Closed:
		return &c.Closed
	case TLS:
		return &c.TLS
	case Digest:
		return &c.Digest
	case Redirects:
		return &c.Redirects
	case Status:
		return &c.Status
	case Other:
		return &c.Other
	}
	panic(fmt.Sprintf("failures: kind %q: want one of the constants", k))
}

// Kinds are all kinds, in the order of [Counts].
var Kinds = []Kind{Name, DNSTimeout, Refused, Unreachable, Denied, Timeout, Reset, Closed, TLS, Digest, Redirects, Status, Other}

// Count counts an error; nil stands for a response with a status of 400 or above.
func (c *Counts) Count(err error) { *c.counter(Of(err))++ }

// CountKind counts a failure of a kind.
func (c *Counts) CountKind(k Kind) { *c.counter(k)++ }

// Of returns how many failures of a kind there were.
func (c Counts) Of(k Kind) uint64 { return *c.counter(k) }

// Add adds what another one has counted.
func (c *Counts) Add(o Counts) {
	for _, k := range Kinds {
		*c.counter(k) += *o.counter(k)
	}
}

// Total is the number of failures of all kinds.
func (c Counts) Total() (n uint64) {
	for _, k := range Kinds {
		n += *c.counter(k)
	}
	return n
}
