package limits

import (
	"errors"
	"strings"

	"netlab/services"
	"netlab/units"
)

// The defaults of a [Config].
const (
	DefaultPrefix4   = 32
	DefaultPrefix6   = 64
	DefaultClients   = 100_000
	DefaultRetry     = units.Duration(1e9)
	maxCount         = 1 << 30
	firstAdaptive    = 20 // requests under way at once, until there are measurements
	mostAdaptive     = 1 << 20
	decrease         = 0.9
	headerPrefix     = "header:"
	address          = "address"
	forwarded        = "forwarded"
	forwardedForName = "X-Forwarded-For"
)

// Config says what is limited. The zero value limits nothing. Configurations of servers have it as "limits".
type Config struct {
	MaxConnections    int            `json:"max_connections,omitempty" zero:"refused" jsonschema_description:"How many connections there are at once; one more is reset. Default: any number."`
	ClientConnections int            `json:"client_connections,omitempty" zero:"refused" jsonschema_description:"How many connections one client address has at once; one more is reset. Default: any number."`
	Rate              units.Rate     `json:"rate,omitempty" zero:"refused" jsonschema_description:"Requests of one client in a time, on average: a token bucket. Those beyond get status 429. Default: no limit."`
	Burst             int            `json:"burst,omitempty" zero:"refused" jsonschema_description:"Size of a client's bucket: how many requests may come at once after a pause. Default: those of one second, at least 1."`
	TotalRate         units.Rate     `json:"total_rate,omitempty" zero:"refused" jsonschema_description:"Requests of all clients in a time, on average. Those beyond get status 503. Default: no limit."`
	TotalBurst        int            `json:"total_burst,omitempty" zero:"refused" jsonschema_description:"Size of the bucket of all clients. Default: the requests of one second, at least 1."`
	Client            string         `json:"client,omitempty" jsonschema_description:"What makes a client: address is where its connection comes from; forwarded the last address in X-Forwarded-For, which the proxy in front has added; header:NAME a value of a header field. Default address." jsonschema:"example=address,example=forwarded,example=header:X-API-Key"`
	Prefix4           int            `json:"prefix4,omitempty" zero:"refused" jsonschema_description:"IPv4 addresses that have so many leading bits in common are one client. Default 32."`
	Prefix6           int            `json:"prefix6,omitempty" zero:"refused" jsonschema_description:"IPv6 addresses that have so many leading bits in common are one client. Default 64."`
	MaxClients        int            `json:"max_clients,omitempty" zero:"refused" jsonschema_description:"How many clients have a bucket; one more takes that of the client that has asked for nothing for longest. Default 100000."`
	MaxInFlight       int            `json:"max_in_flight,omitempty" zero:"refused" jsonschema_description:"Load shedding: how many requests are under way at once; those beyond get status 503. Default: any number."`
	TargetLatency     units.Duration `json:"target_latency,omitempty" zero:"refused" jsonschema_description:"Load shedding that finds the number of requests under way by itself: it grows as long as requests take less than this and shrinks when they take longer. Default: off."`
	RetryAfter        units.Duration `json:"retry_after,omitempty" zero:"refused" jsonschema_description:"What Retry-After says to those who are refused because of the load or of the rate of all, in whole seconds. Default 1s."`
	Exempt            []string       `json:"exempt,omitempty" jsonschema_description:"Paths whose requests are neither limited nor counted, such as /health. One that ends with a slash stands for all below it."`
}

// Empty says that nothing is limited.
func (c *Config) Empty() bool {
	return c.MaxConnections == 0 && c.ClientConnections == 0 && c.Rate == 0 && c.TotalRate == 0 && c.MaxInFlight == 0 && c.TargetLatency == 0
}

// Validate returns errors about the fields below field, which is the name of the whole.
func (c *Config) Validate(field string) error {
	var list []error
	add := func(name, format string, args ...any) {
		list = append(list, services.Fieldf(field+"."+name, format, args...))
	}
	for _, n := range []struct {
		name  string
		value int
	}{
		{"max_connections", c.MaxConnections}, {"client_connections", c.ClientConnections}, {"burst", c.Burst}, {"total_burst", c.TotalBurst},
		{"max_clients", c.MaxClients}, {"max_in_flight", c.MaxInFlight},
	} {
		if n.value < 0 || n.value > maxCount {
			add(n.name, "found %d, wanted 1 to %d", n.value, maxCount)
		}
	}
	if c.Burst > 0 && c.Rate == 0 {
		add("burst", "found %d, but without rate clients have no bucket", c.Burst)
	}
	if c.MaxClients > 0 && c.Rate == 0 {
		add("max_clients", "found %d, but without rate clients have no bucket", c.MaxClients)
	}
	if c.TotalBurst > 0 && c.TotalRate == 0 {
		add("total_burst", "found %d, but without total_rate there is no bucket of all clients", c.TotalBurst)
	}
	switch name, isHeader := strings.CutPrefix(c.Client, headerPrefix); {
	case c.Client != "" && c.Rate == 0:
		add("client", "found %q, but without rate clients are not told apart by it", c.Client)
	case isHeader && name == "":
		add("client", "%q names no header field: want one such as \"header:X-API-Key\"", c.Client)
	case isHeader, c.Client == "", c.Client == address, c.Client == forwarded:
	default:
		add("client", "%q is none: want address, forwarded or a header field such as \"header:X-API-Key\"", c.Client)
	}
	if c.Prefix4 < 0 || c.Prefix4 > 32 {
		add("prefix4", "found %d, wanted 1 to 32", c.Prefix4)
	}
	if c.Prefix6 < 0 || c.Prefix6 > 128 {
		add("prefix6", "found %d, wanted 1 to 128", c.Prefix6)
	}
	if (c.Prefix4 > 0 || c.Prefix6 > 0) && c.Rate == 0 && c.ClientConnections == 0 {
		add("client", "prefix4 and prefix6 say which addresses are one client, but nothing limits a client: want rate or client_connections")
	}
	if c.MaxInFlight > 0 && c.TargetLatency > 0 {
		add("target_latency", "found %s, but max_in_flight already says how many requests are under way: want one of them", c.TargetLatency)
	}
	if c.TargetLatency < 0 {
		add("target_latency", "found %s, wanted more than 0s", c.TargetLatency)
	}
	if c.RetryAfter < 0 {
		add("retry_after", "found %s, wanted 0s or more", c.RetryAfter)
	}
	if len(c.Exempt) > 0 && c.Empty() {
		add("exempt", "nothing is limited that a path could be exempt from")
	}
	for _, path := range c.Exempt {
		if !strings.HasPrefix(path, "/") {
			add("exempt", "%q is not a path: want one such as \"/health\"", path)
		}
	}
	return errors.Join(list...)
}

// or returns a value, or another one if it is zero.
func or[T comparable](value, other T) T {
	var zero T
	if value == zero {
		return other
	}
	return value
}
