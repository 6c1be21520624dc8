package topology

import (
	"errors"
	"net"
	"strconv"

	"netlab/services"
	"netlab/services/lookup"
	"netlab/services/nameserver"
	"netlab/services/secure"
	"netlab/units"
)

// testCatalog is a catalog of a few services and workloads.
type testCatalog []services.Type

func (c testCatalog) Types() []services.Type { return c }

func (c testCatalog) Lookup(role services.Role, name string) (services.Type, bool) {
	for _, t := range c {
		if t.Role == role && t.Name == name {
			return t, true
		}
	}
	return services.Type{}, false
}

// noConfig lets a configuration embed what it has nothing to say about.
type noChecks struct{}

func (noChecks) Validate() error { return nil }
func (noChecks) Endless() bool   { return false }

type sinkConfig struct {
	noChecks
	Listen services.ListenTCP `json:"listen" jsonschema_description:"Where it listens." jsonschema:"required"`
}

// Stores lets it have faults of disks.
func (*sinkConfig) Stores() bool { return true }

type proxyConfig struct {
	noChecks
	Listen      services.ListenTCP `json:"listen" jsonschema_description:"Where it listens."`
	Control     services.ListenUDP `json:"control,omitempty" jsonschema_description:"Where it takes orders."`
	Algorithm   string             `json:"algorithm" jsonschema_description:"Who gets the next request." jsonschema:"enum=round-robin,enum=least-connections"`
	Backends    []services.Target  `json:"backends" jsonschema_description:"Who answers."`
	ServiceTime units.Distribution `json:"service_time" jsonschema_description:"How long a request takes."`
	Weight      float64            `json:"weight,omitempty"`
	Limits      map[string]uint8   `json:"limits,omitempty"`
	Retry       struct {
		Max int8 `json:"max"`
	} `json:"retry"`
	TLS secure.Server `json:"tls,omitzero" jsonschema_description:"Whether clients speak TLS."`
}

func (c *proxyConfig) Validate() error { return c.TLS.Validate("tls") }

type transferConfig struct {
	noChecks
	To    services.Target `json:"to" jsonschema_description:"Where it sends." jsonschema:"required"`
	Bytes units.Bytes     `json:"bytes" jsonschema_description:"How much it sends."`
	Check bool            `json:"check" jsonschema_description:"Whether it compares what arrives."`
}

func (c *transferConfig) Validate() error {
	if c.Bytes == 0 {
		return services.Fieldf("bytes", "found 0B, wanted more than that")
	}
	return nil
}

// Calls says that the host of to listens on the port that it gives, or on 5001.
func (c *transferConfig) Calls() []services.Call {
	call := services.Call{Field: "to", Host: c.To.Host(), Protocol: services.TCP, Port: 5001}
	if _, port, err := net.SplitHostPort(string(c.To)); err == nil {
		n, _ := strconv.ParseUint(port, 10, 16)
		call.Port = uint16(n)
	}
	return []services.Call{call}
}

type fetchConfig struct {
	noChecks
	URL services.URL `json:"url" jsonschema_description:"What it gets." jsonschema:"required"`
}

func (c *fetchConfig) Calls() []services.Call {
	return []services.Call{{Field: "url", Host: c.URL.Host(), Protocol: services.TCP, Port: c.URL.Port()}}
}

type loadConfig struct {
	To       services.Target    `json:"to" jsonschema_description:"Where it sends." jsonschema:"required"`
	Rate     units.Rate         `json:"rate" jsonschema_description:"Requests per second of each host."`
	Errors   *units.Probability `json:"errors,omitempty" jsonschema_description:"Share of broken requests."`
	Requests int                `json:"requests,omitempty" jsonschema_description:"How many requests; 0 goes on until the end."`
	Timeout  units.Duration     `json:"timeout" jsonschema_description:"How long it waits."`
}

func (c *loadConfig) Endless() bool { return c.Requests == 0 }

func (c *loadConfig) Validate() error {
	var list []error
	if c.Requests < 0 {
		list = append(list, services.Fieldf("requests", "found %d, wanted 0 or more", c.Requests))
	}
	if c.Timeout == 0 {
		list = append(list, services.Fieldf("timeout", "found 0s, wanted more than that"))
	}
	if c.Requests > 0 && c.Timeout > units.Duration(1e12) {
		list = append(list, errors.New("requests and a long timeout don't go together"))
	}
	return errors.Join(list...)
}

var catalog = testCatalog{
	{Name: "tcp-sink", Role: services.Service, Doc: "Takes all bytes.", Config: func() services.Config { return &sinkConfig{} }},
	{Name: "proxy", Role: services.Service, Doc: "Hands requests on.", Config: func() services.Config {
		return &proxyConfig{Listen: ":80", Algorithm: "round-robin"}
	}},
	nameserver.Server,
	lookup.Type,
	{Name: "tcp-transfer", Role: services.Workload, Doc: "Sends bytes.", Config: func() services.Config {
		return &transferConfig{Bytes: 1000, Check: true}
	}},
	{Name: "fetch", Role: services.Workload, Doc: "Gets something.", Config: func() services.Config { return &fetchConfig{} }},
	{Name: "load", Role: services.Workload, Doc: "Sends requests.", Config: func() services.Config {
		return &loadConfig{Rate: 10, Timeout: units.Duration(1e9)}
	}},
}
