package lookup

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	wire "github.com/miekg/dns"

	"netlab/dns"
	"netlab/ip"
	"netlab/services/figures"
	"netlab/units"
)

// maxAnswers is how many answers of each host are kept one by one.
const maxAnswers = 100

// Result is what the workload reports, over all hosts that it ran on.
type Result struct {
	// Lookups counts names that were asked for, also those that had no answer yet when the run ended.
	Lookups uint64 `json:"lookups"`
	// Answered counts lookups that found records of the wanted type; SuccessRate is their share of those that came to an end.
	Answered    uint64             `json:"answered"`
	SuccessRate *units.Probability `json:"success_rate"`
	// Hits counts lookups that were answered from the cache, Joined those that waited for the answer to an equal question.
	Hits   uint64 `json:"hits"`
	Joined uint64 `json:"joined"`
	// Failures by kind.
	Failures Failures `json:"failures"`
	// Rcodes counts answers by response code.
	Rcodes map[string]uint64 `json:"rcodes"`
	// First counts which address came first in an answer, by the name of the node that has it, or else the address.
	First map[string]uint64 `json:"first"`
	// Distinct is how many different addresses came first: more than one if they rotate.
	Distinct uint64 `json:"distinct"`
	// Latency is how long the lookups took that were answered, by records or by there being none.
	Latency *figures.Latency `json:"latency"`
	// Answers are the first answers of each host, in the order of the questions.
	Answers []Answer `json:"answers"`

	latencies figures.Latencies
	ended     uint64
}

// Failures counts lookups that found nothing.
type Failures struct {
	// NotFound is that the name does not exist or has no such record.
	NotFound uint64 `json:"not_found"`
	// Timeout is that no server answered.
	Timeout uint64 `json:"timeout"`
	// Refused is that the servers could or would not answer.
	Refused uint64 `json:"refused"`
	// Other is that the question could not be sent or the connection to the server failed.
	Other uint64 `json:"other"`
}

// Answer is one answer.
type Answer struct {
	At      units.Duration `json:"at_ns"`
	Latency units.Duration `json:"latency_ns"`
	// Name is the full name; empty when there was no answer.
	Name  string `json:"name"`
	Rcode string `json:"rcode"`
	// Records are the data of the records in the order of the answer.
	Records []string `json:"records"`
	Hit     bool     `json:"hit"`
	// Error is why there was no answer.
	Error string `json:"error,omitempty"`
}

func newResult() *Result {
	return &Result{Rcodes: map[string]uint64{}, First: map[string]uint64{}, Answers: []Answer{}}
}

func (r *Result) finish() *Result {
	r.Distinct = uint64(len(r.First))
	r.Latency = r.latencies.Latency()
	r.SuccessRate = figures.Share(r.Answered, r.ended)
	return r
}

// tally counts the lookups of one host.
type tally struct {
	names *ip.Names

	mu     sync.Mutex
	result *Result
}

// begin notes a lookup and returns its number.
func (t *tally) begin(at time.Duration) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.result == nil {
		t.result = newResult()
	}
	n := t.result.Lookups
	t.result.Lookups++
	if n < maxAnswers {
		t.result.Answers = append(t.result.Answers, Answer{At: units.Duration(at)})
	}
	return n
}

// end notes what a lookup found.
func (t *tally) end(n uint64, took time.Duration, answers []*dns.Answer, err error) (found bool) {
	one := Answer{Latency: units.Duration(took), Hit: len(answers) > 0}
	joined := false
	var first netip.Addr
	for _, a := range answers {
		one.Records = append(one.Records, a.Texts()...)
		one.Hit = one.Hit && a.Hit
		joined = joined || a.Joined
		if list := a.Addresses(); len(list) > 0 && !first.IsValid() {
			first = list[0]
		}
		// Of several answers, that of the one with records.
		found = found || a.Found()
		if one.Name == "" || a.Found() {
			one.Name, one.Rcode = a.Name, a.RcodeName()
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.result
	r.ended++
	switch {
	case found:
		r.Answered++
	case err != nil:
		one.Error = err.Error()
		r.Failures.count(err)
	default:
		r.Failures.NotFound++
	}
	if one.Rcode != "" {
		r.Rcodes[one.Rcode]++
		r.latencies.Add(took)
	}
	if first.IsValid() {
		name := t.names.Name(first)
		if name == "" {
			name = first.String()
		}
		r.First[name]++
	}
	if one.Hit {
		r.Hits++
	}
	if joined {
		r.Joined++
	}
	if n < maxAnswers {
		one.At = r.Answers[n].At
		r.Answers[n] = one
	}
	return found
}

func (f *Failures) count(err error) {
	var failed *net.DNSError
	switch {
	case !errors.As(err, &failed):
		f.Other++
	case failed.IsNotFound:
		f.NotFound++
	case failed.IsTimeout:
		f.Timeout++
	case dns.IsRefused(err):
		f.Refused++
	default:
		f.Other++
	}
}

// addTo adds what a host found to the sum of all.
func (t *tally) addTo(all *Result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.result
	if r == nil {
		return
	}
	all.Lookups += r.Lookups
	all.Answered += r.Answered
	all.Hits += r.Hits
	all.Joined += r.Joined
	all.Failures.NotFound += r.Failures.NotFound
	all.Failures.Timeout += r.Failures.Timeout
	all.Failures.Refused += r.Failures.Refused
	all.Failures.Other += r.Failures.Other
	all.ended += r.ended
	for name, n := range r.Rcodes {
		all.Rcodes[name] += n
	}
	for name, n := range r.First {
		all.First[name] += n
	}
	all.latencies.Merge(&r.latencies)
	all.Answers = append(all.Answers, r.Answers...)
}

// fromTable makes an answer of what the hosts table has.
func fromTable(name string, addrs []netip.Addr) []*dns.Answer {
	if len(addrs) == 0 {
		return nil
	}
	a := &dns.Answer{Name: name, Type: wire.TypeANY, Rcode: wire.RcodeSuccess}
	for _, addr := range addrs {
		if addr.Is4() {
			a.Records = append(a.Records, &wire.A{Hdr: wire.RR_Header{Name: name, Rrtype: wire.TypeA}, A: addr.AsSlice()})
		} else {
			a.Records = append(a.Records, &wire.AAAA{Hdr: wire.RR_Header{Name: name, Rrtype: wire.TypeAAAA}, AAAA: addr.AsSlice()})
		}
	}
	return []*dns.Answer{a}
}
