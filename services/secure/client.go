package secure

import (
	stdtls "crypto/tls"
	"errors"
	"slices"

	"netlab/services"
	"netlab/tls"
)

// noCertificate is what a client has by default.
const noCertificate tls.Fault = "none"

var clientFaults = []tls.Fault{"", noCertificate, tls.NoFault, tls.Expired, tls.NotYetValid, tls.Untrusted, tls.SelfSigned}

// Client says how a client uses TLS when a URL asks for it. The zero value is the default.
type Client struct {
	Versions
	Verify      *bool     `json:"verify,omitempty" jsonschema_description:"Whether the server's certificate is checked. Default true."`
	Certificate tls.Fault `json:"certificate,omitempty" jsonschema_description:"The client's own certificate, for servers that ask for one (mutual TLS): none, a valid one, or what is wrong with it. Default none." jsonschema:"enum=none,enum=valid,enum=expired,enum=not-yet-valid,enum=untrusted,enum=self-signed"`
	Resumption  *bool     `json:"resumption,omitempty" jsonschema_description:"Whether sessions are resumed. Default true."`
}

// Validate returns errors about the fields below field, which is the name of the whole.
func (c *Client) Validate(field string) error {
	list := []error{c.validate(field + ".")}
	if !slices.Contains(clientFaults, c.Certificate) {
		list = append(list, services.Fieldf(field+".certificate", "%q is no kind of certificate: want one of %v", c.Certificate, clientFaults[1:]))
	}
	return errors.Join(list...)
}

// Config returns what crypto/tls needs on a host, without a server's name: net/http adds it. protocols are offered by ALPN;
// net/http adds its own. part tells several clients of one workload on one host apart; it may be empty.
func (c *Client) Config(env *services.Env, part string, protocols ...string) (*stdtls.Config, error) {
	p := party(env, c.Versions, c.Resumption, protocols)
	p.Name += ".client" + part
	client := tls.Client{Party: p, Unverified: c.Verify != nil && !*c.Verify}
	if c.Certificate != "" && c.Certificate != noCertificate {
		client.Subject = &tls.Subject{Names: env.HostNames[:1], Addresses: env.Host.Addresses(), Fault: c.Certificate}
	}
	return env.Authority.Client(client)
}
