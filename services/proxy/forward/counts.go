package forward

import (
	"net"
	nethttp "net/http"
	"strconv"
	"sync"

	"netlab/services/proxy/access"
)

// counts are what the proxy counts.
type counts struct {
	ledger access.Ledger

	mu                                       sync.Mutex
	denied, unauthorized, limited, malformed uint64
	connections                              uint64
	most                                     int
	status                                   map[int]uint64
}

// add counts an exchange.
func (c *counts) add(x *exchange) {
	c.mu.Lock()
	if x.part != nil {
		*x.part++
	}
	if x.status > 0 {
		if c.status == nil {
			c.status = map[int]uint64{}
		}
		c.status[x.status]++
	}
	c.mu.Unlock()
	c.ledger.Add(x.client, x.host, x.usage)
}

func (c *counts) result() *Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := &Result{Record: c.ledger.Record(), Denied: c.denied, Unauthorized: c.unauthorized, Limited: c.limited, Malformed: c.malformed,
		Connections: c.connections, MaxConnections: c.most, Status: map[string]uint64{}}
	for code, n := range c.status {
		r.Status[strconv.Itoa(code)] = n
	}
	return r
}

// state is called when a client's connection changes its state. Of the end of a tunnel net/http doesn't know.
func (p *proxy) state(c net.Conn, state nethttp.ConnState) {
	switch state {
	case nethttp.StateNew:
		p.came(c)
	case nethttp.StateClosed:
		p.clients.Left(c.RemoteAddr().String())
	}
}

func (p *proxy) came(c net.Conn) {
	open, _ := p.clients.Came(c.RemoteAddr())
	p.counts.mu.Lock()
	defer p.counts.mu.Unlock()
	p.counts.connections++
	p.counts.most = max(p.counts.most, open)
}
