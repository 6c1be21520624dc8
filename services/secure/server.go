package secure

import (
	stdtls "crypto/tls"
	"encoding/json"
	"errors"
	"slices"
	"strconv"

	"github.com/invopop/jsonschema"

	"netlab/services"
	"netlab/tls"
)

// serverFaults are what can be wrong with a server's certificate.
var serverFaults = []tls.Fault{"", tls.NoFault, tls.Expired, tls.NotYetValid, tls.WrongName, tls.Untrusted, tls.SelfSigned}

// Server says how a server uses TLS. The zero value means that it doesn't.
type Server struct {
	On bool `json:"-"`
	Versions
	Names              []services.HostName    `json:"names,omitempty" jsonschema_description:"Names in the certificate. Default: the host's name and those that the lab's name servers give it."`
	Certificate        tls.Fault              `json:"certificate,omitempty" jsonschema_description:"What is wrong with the certificate, to see clients fail. Default: valid, nothing." jsonschema:"enum=valid,enum=expired,enum=not-yet-valid,enum=wrong-name,enum=untrusted,enum=self-signed"`
	ClientCertificates tls.ClientCertificates `json:"client_certificates,omitempty" jsonschema_description:"Whether clients need a certificate (mutual TLS). Default none." jsonschema:"enum=none,enum=request,enum=require"`
	Resumption         *bool                  `json:"resumption,omitempty" jsonschema_description:"Whether sessions can be resumed by ticket. Default true."`
}

var _ services.Toggle = (*Server)(nil)

// SetBool implements services.Toggle.
func (s *Server) SetBool(on bool) { s.On = on }

// JSONSchemaExtend describes the two ways to write it.
func (Server) JSONSchemaExtend(schema *jsonschema.Schema) { services.ToggleSchema(schema) }

// MarshalJSON writes true or false where there is nothing more to say.
func (s Server) MarshalJSON() ([]byte, error) {
	type object Server
	return toggle(s.On, object(s))
}

// toggle writes an object, or whether it is on if the object is empty.
func toggle(on bool, object any) ([]byte, error) {
	text, err := json.Marshal(object)
	if err == nil && (!on || string(text) == "{}") {
		return json.Marshal(on)
	}
	return text, err
}

// Validate returns errors about the fields below field, which is the name of the whole.
func (s *Server) Validate(field string) error {
	list := []error{s.validate(field + ".")}
	if !slices.Contains(serverFaults, s.Certificate) {
		list = append(list, services.Fieldf(field+".certificate", "%q is no kind of certificate: want one of %v", s.Certificate, serverFaults[1:]))
	}
	switch s.ClientCertificates {
	case "", tls.NoCertificate, tls.RequestCertificate, tls.RequireCertificate:
	default:
		list = append(list, services.Fieldf(field+".client_certificates", "%q is not one of none, request, require", s.ClientCertificates))
	}
	return errors.Join(list...)
}

// Config returns what crypto/tls needs on a host. protocols are accepted by ALPN.
func (s *Server) Config(env *services.Env, protocols ...string) (*stdtls.Config, error) {
	names := make([]string, len(s.Names))
	for i, n := range s.Names {
		names[i] = string(n)
	}
	if len(names) == 0 {
		names = env.HostNames
	}
	return env.Authority.Server(tls.Server{
		Party:              party(env, s.Versions, s.Resumption, protocols),
		Subject:            tls.Subject{Names: names, Addresses: env.Host.Addresses(), Fault: s.Certificate},
		ClientCertificates: s.ClientCertificates,
	})
}

// party fills what both sides have in common. The randomness of a host that was restarted is another one, that of the keys of
// tickets too: a server doesn't know the sessions of its incarnations before.
func party(env *services.Env, v Versions, resumption *bool, protocols []string) tls.Party {
	name := env.Host.Name() + "." + env.Name
	if n := env.Host.Incarnation(); n > 0 {
		name += ".incarnation." + strconv.FormatUint(n, 10)
	}
	return tls.Party{
		Name: name, Now: env.Host.Now, KeyLog: env.KeyLog, Protocols: protocols,
		MinVersion: versions[v.MinVersion], MaxVersion: versions[v.MaxVersion],
		NoResumption: resumption != nil && !*resumption,
	}
}
