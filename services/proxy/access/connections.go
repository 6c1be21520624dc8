package access

import (
	"errors"
	"net"
	"sync"

	"netlab/services"
)

// Limits say how many connections clients have to a proxy. The zero value is no limit.
type Limits struct {
	MaxConnections int `json:"max_connections,omitempty" zero:"refused" jsonschema_description:"How many connections clients have at most; what is asked for on further ones is refused. Default: no limit."`
	MaxPerClient   int `json:"max_per_client,omitempty" zero:"refused" jsonschema_description:"How many of them one client's address has at most. Default: no limit."`
}

// maxConnections is the largest limit.
const maxConnections = 1 << 20

// Validate returns errors about the fields.
func (l *Limits) Validate() error {
	var list []error
	for _, f := range []struct {
		name string
		n    int
	}{{"max_connections", l.MaxConnections}, {"max_per_client", l.MaxPerClient}} {
		if f.n < 0 || f.n > maxConnections {
			list = append(list, services.Fieldf(f.name, "found %d, wanted 1 to %d", f.n, maxConnections))
		}
	}
	return errors.Join(list...)
}

// Connections are those of clients to a proxy, by the client's address and port.
type Connections struct {
	limits Limits

	mu   sync.Mutex
	open map[string]bool // whether it is one too many
	by   map[string]int  // the others, by the client's address
	used int             // the others
}

// NewConnections returns connections of which there are none.
func NewConnections(limits Limits) *Connections {
	return &Connections{limits: limits, open: map[string]bool{}, by: map[string]int{}}
}

// Came notes a new connection and returns how many there are, and whether it is one too many.
func (c *Connections) Came(address net.Addr) (open int, over bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := address.String()
	from := host(key)
	over = c.limits.MaxConnections > 0 && c.used >= c.limits.MaxConnections ||
		c.limits.MaxPerClient > 0 && c.by[from] >= c.limits.MaxPerClient
	c.open[key] = over
	if !over {
		c.used++
		c.by[from]++
	}
	return len(c.open), over
}

// Left notes that a connection has ended. Saying so twice does nothing.
func (c *Connections) Left(address string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	over, known := c.open[address]
	if !known {
		return
	}
	delete(c.open, address)
	if over {
		return
	}
	from := host(address)
	c.used--
	if c.by[from]--; c.by[from] == 0 {
		delete(c.by, from)
	}
}

// TooMany says whether a connection is more than there may be.
func (c *Connections) TooMany(address string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open[address]
}

func host(address string) string {
	h, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return h
}
