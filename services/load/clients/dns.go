package clients

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/miekg/dns"

	"netlab/services"
	"netlab/services/failures"
	"netlab/services/load"
	"netlab/services/target"
	"netlab/udp"
	"netlab/units"
)

const dnsPort = 53

// Without EDNS(0) an answer over UDP has 512 bytes at most (RFC 1035, section 4.2.1).
const plainSize = dns.MinMsgSize

// queryTypes are the kinds of records that can be asked for.
var queryTypes = map[string]uint16{"A": dns.TypeA, "AAAA": dns.TypeAAAA, "CNAME": dns.TypeCNAME, "SRV": dns.TypeSRV, "TXT": dns.TypeTXT}

// DNSConfig configures the workload "dns-load".
type DNSConfig struct {
	load.Config
	To      services.Target `json:"to,omitempty" jsonschema_description:"The name server. The port is 53 when it is left out."`
	Cache   bool            `json:"cache,omitempty" jsonschema_description:"Looks names up as programs on the host do, by its resolver with its cache, instead of asking a server. Default false."`
	Names   []string        `json:"names" jsonschema_description:"Names that are asked for, in rotation; each user begins at another one." jsonschema:"required"`
	Query   string          `json:"query,omitempty" jsonschema_description:"Kind of record that is asked for. Default A." jsonschema:"enum=A,enum=AAAA,enum=CNAME,enum=SRV,enum=TXT"`
	Random  bool            `json:"random_prefix,omitempty" jsonschema_description:"Whether a random label is put before each name, so that no cache knows it. Default false."`
	UDPSize units.Bytes     `json:"udp_size,omitempty" jsonschema_description:"Largest answer over UDP that is asked for by EDNS(0), 512B to 65507B; 512B asks without. A truncated answer is asked for again over TCP. Default 1232B."`
	Timeout units.Duration  `json:"timeout" jsonschema_description:"A query has failed when its answer takes so long." jsonschema:"default=2s"`
}

// NewDNSConfig returns the defaults.
func NewDNSConfig() *DNSConfig { return &DNSConfig{Timeout: units.Duration(2 * time.Second)} }

func (c *DNSConfig) udpSize() int {
	if c.UDPSize == 0 {
		const flagDay = 1232 // DNS flag day 2020: fits into any path's packets
		return flagDay
	}
	return int(c.UDPSize)
}

// Validate implements services.Config.
func (c *DNSConfig) Validate() error {
	list := []error{c.Config.Validate(), checkTimeout(c.Timeout)}
	add := func(field, format string, args ...any) { list = append(list, services.Fieldf(field, format, args...)) }
	if c.Cache {
		for _, f := range []struct {
			name  string
			given bool
		}{{"to", c.To != ""}, {"query", c.Query != ""}, {"udp_size", c.UDPSize != 0}} {
			if f.given {
				add(f.name, "means nothing with cache: the host's resolver decides")
			}
		}
	} else {
		list = append(list, target.CheckPort("to", c.To))
	}
	if _, ok := queryTypes[c.Query]; !ok && c.Query != "" {
		add("query", "%q is not one of A, AAAA, CNAME, SRV, TXT", c.Query)
	}
	if c.UDPSize != 0 && (c.UDPSize < plainSize || c.UDPSize > maxDatagram) {
		add("udp_size", "found %s, wanted %dB to %dB", c.UDPSize, plainSize, maxDatagram)
	}
	if len(c.Names) == 0 {
		add("names", "missing: want at least one, such as [\"www.lab\"]")
	}
	for _, name := range c.Names {
		if _, ok := dns.IsDomainName(c.full(name, 0)); !ok || name == "" || strings.Contains(name, "..") {
			add("names", "%q is not a name that could be asked for", name)
		}
	}
	return errors.Join(list...)
}

// full returns a name as it is asked for, absolute and perhaps with a random label.
func (c *DNSConfig) full(name string, random uint32) string {
	name = dns.Fqdn(name)
	if c.Random {
		return fmt.Sprintf("%08x.%s", random, name)
	}
	return name
}

// Calls implements services.Caller.
func (c *DNSConfig) Calls() []services.Call {
	if c.To == "" {
		return nil
	}
	return []services.Call{target.Call("to", c.To, services.UDP, dnsPort)}
}

// AsksServers implements services.Asker: the resolver of a host without a name server is a table, which takes no time.
func (c *DNSConfig) AsksServers() bool { return c.Cache }

// DNS describes the workload.
var DNS = services.Type{
	Name: "dns-load", Role: services.Workload, Outcomes: true,
	Doc: "Loads a name server with queries over UDP, and over TCP where an answer is truncated: users who take turns with " +
		"thinking, or queries at a rate. An answer that there is no such name is an answer.",
	Config: func() services.Config { return NewDNSConfig() },
	Result: func() any { return new(load.Result) },
	New: func(config services.Config, info services.Info) (services.Runner, error) {
		c := *config.(*DNSConfig)
		return &dnsRunner{config: c, Runner: load.NewRunner(c.Config, info)}, nil
	},
}

type dnsRunner struct {
	*load.Runner
	config DNSConfig
}

// Run implements services.Runner.
func (r *dnsRunner) Run(ctx context.Context, env *services.Env) error {
	call := target.Call("to", r.config.To, services.UDP, dnsPort)
	return r.Load(ctx, env, func(_ context.Context, u *load.User) (load.Client, error) {
		return &dnsClient{config: &r.config, env: env, call: call, random: u.Random(), turn: u.Index}, nil
	})
}

// dnsClient is one user, who has a socket of its own.
type dnsClient struct {
	config *DNSConfig
	env    *services.Env
	call   services.Call
	random *rand.Rand
	turn   int
	conn   *udp.Conn
	server string
	in     []byte
	unhook func() bool
}

// Do implements load.Client.
func (c *dnsClient) Do(ctx context.Context) (o load.Outcome) {
	name := c.config.Names[c.turn%len(c.config.Names)]
	c.turn++
	var random uint32
	if c.config.Random {
		random = c.random.Uint32()
	}
	name = c.config.full(name, random)
	if c.config.Cache {
		c.lookup(ctx, name, &o)
	} else if err := c.query(ctx, name, &o); err != nil {
		o.Fail(err)
	}
	return o
}

// lookup asks the host's resolver.
func (c *dnsClient) lookup(ctx context.Context, name string, o *load.Outcome) {
	ctx, cancel := c.env.WithTimeout(ctx, c.config.Timeout.Std())
	defer cancel()
	start := c.env.Elapsed()
	_, err := c.env.Host.Resolve(ctx, strings.TrimSuffix(name, "."))
	o.Set(load.DNS, c.env.Elapsed()-start)
	var unknown *net.DNSError
	switch {
	case err == nil:
		o.Status = dns.RcodeToString[dns.RcodeSuccess]
	case errors.As(err, &unknown) && unknown.IsNotFound:
		o.Status = dns.RcodeToString[dns.RcodeNameError]
	default:
		o.Fail(err)
	}
}

// query asks the server over UDP, and over TCP if the answer is truncated.
func (c *dnsClient) query(ctx context.Context, name string, o *load.Outcome) error {
	o.Target = c.call.Host
	start := c.env.Elapsed()
	deadline := start + c.config.Timeout.Std()
	if c.conn == nil {
		var err error
		if c.conn, c.unhook, err = openUDP(ctx, c.env, c.call, c.config.Timeout.Std(), o); err != nil {
			return err
		}
		c.server = nameOf(c.env, c.conn.RemoteAddr())
		c.in = make([]byte, c.config.udpSize()+1)
	}
	o.Target = c.server
	query := c.message(name)
	out, err := query.Pack()
	if err != nil {
		return err
	}
	var answer dns.Msg
	sent := c.env.Elapsed()
	err = ask(c.conn, in(c.env, deadline-sent), out, c.in, func(b []byte) bool {
		if answer.Unpack(b) != nil || !answers(&answer, query) {
			return false
		}
		o.Bytes = int64(len(b))
		return true
	})
	if err != nil {
		return err
	}
	if answer.Truncated {
		return c.overTCP(ctx, query, deadline, o)
	}
	o.Set(load.Wait, c.env.Elapsed()-sent)
	judge(&answer, o)
	return nil
}

// message makes a query.
func (c *dnsClient) message(name string) *dns.Msg {
	kind := dns.TypeA
	if c.config.Query != "" {
		kind = queryTypes[c.config.Query]
	}
	m := new(dns.Msg)
	m.Id = uint16(c.random.Uint32())
	m.RecursionDesired = true
	m.Question = []dns.Question{{Name: name, Qtype: kind, Qclass: dns.ClassINET}}
	if size := c.config.udpSize(); size > plainSize {
		m.SetEdns0(uint16(size), false)
	}
	return m
}

// overTCP asks again on a connection of its own.
func (c *dnsClient) overTCP(ctx context.Context, query *dns.Msg, deadline time.Duration, o *load.Outcome) error {
	conn, err := dial(ctx, c.env, c.call.Host, c.call.Port, deadline-c.env.Elapsed(), o)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { conn.Abort() })()
	defer conn.Close()
	if err := conn.SetDeadline(in(c.env, deadline-c.env.Elapsed())); err != nil {
		return err
	}
	sent := c.env.Elapsed()
	framed := dns.Conn{Conn: conn}
	if err := framed.WriteMsg(query); err != nil {
		return err
	}
	answer, err := framed.ReadMsg()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	if !answers(answer, query) {
		return errWrongAnswer
	}
	o.Bytes = int64(answer.Len())
	o.Set(load.Wait, c.env.Elapsed()-sent)
	judge(answer, o)
	return nil
}

// answers says whether a message is the answer to a query (RFC 5452, section 9.1).
func answers(answer, query *dns.Msg) bool {
	return answer.Response && answer.Id == query.Id && len(answer.Question) == 1 &&
		answer.Question[0].Qtype == query.Question[0].Qtype && answer.Question[0].Qclass == query.Question[0].Qclass &&
		strings.EqualFold(answer.Question[0].Name, query.Question[0].Name)
}

var errWrongAnswer = errors.New("the answer is to another question")

// judge notes the status of an answer. That there is no such name is an answer too.
func judge(answer *dns.Msg, o *load.Outcome) {
	o.Status = dns.RcodeToString[answer.Rcode]
	if o.Status == "" {
		o.Status = fmt.Sprintf("RCODE%d", answer.Rcode)
	}
	if answer.Rcode != dns.RcodeSuccess && answer.Rcode != dns.RcodeNameError {
		o.Failure = failures.Status
	}
}

// Close implements load.Client.
func (c *dnsClient) Close() {
	if c.conn != nil {
		c.unhook()
		c.conn.Close()
	}
}
