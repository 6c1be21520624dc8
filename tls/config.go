package tls

import (
	stdtls "crypto/tls"
	"io"
	"time"
)

// Version is a version of the protocol, as crypto/tls numbers it; 0 means no limit of one's own.
type Version = uint16

// The versions that there are: older ones are deprecated (RFC 8996).
const (
	Version12 Version = stdtls.VersionTLS12 // RFC 5246
	Version13 Version = stdtls.VersionTLS13 // RFC 8446
)

// ClientCertificates says what a server wants of its clients.
type ClientCertificates string

// What servers want of their clients.
const (
	NoCertificate      ClientCertificates = "none"    // nothing
	RequestCertificate ClientCertificates = "request" // a certificate, which must be good if there is one
	RequireCertificate ClientCertificates = "require" // a good certificate (mutual TLS)
)

// Party is what servers and clients have in common. The zero value of a field is its default.
type Party struct {
	// Name is that of the host, with a service's or a workload's name behind it. Randomness follows from it, so two
	// parties must not have the same.
	Name string
	// Now is the host's date, by which certificates are checked. Nil means that of the authority.
	Now func() time.Time
	// MinVersion and MaxVersion limit the versions; 0 means 1.2 and 1.3.
	MinVersion, MaxVersion Version
	// Protocols are offered by a client, or accepted by a server, in the order of preference (ALPN, RFC 7301).
	Protocols []string
	// NoResumption makes every handshake a full one: servers give no tickets (RFC 5077, RFC 8446 section 2.2), clients keep
	// none.
	NoResumption bool
	// KeyLog receives the secrets of all connections in NSS key log format, before records need them.
	KeyLog io.Writer
}

// config returns what both sides have in common.
func (a *Authority) config(p *Party) *stdtls.Config {
	c := &stdtls.Config{
		Time: p.Now, MinVersion: p.MinVersion, MaxVersion: p.MaxVersion, NextProtos: p.Protocols, KeyLogWriter: p.KeyLog,
		SessionTicketsDisabled: p.NoResumption,
	}
	if c.Time == nil {
		c.Time = a.options.Now
	}
	if c.MinVersion == 0 {
		c.MinVersion = Version12
	}
	if !a.options.Random {
		c.Rand = a.entropy("party " + p.Name)
		c.CurvePreferences = []stdtls.CurveID{stdtls.X25519} // ML-KEM takes no source of randomness
	}
	return c
}

// Server describes a server.
type Server struct {
	Party
	// Subject is whom the server says it is.
	Subject Subject
	// ClientCertificates says what it wants of clients. Empty means nothing.
	ClientCertificates ClientCertificates
}

// Server returns the configuration of a server. It has one certificate for all of its names, which is issued here.
func (a *Authority) Server(s Server) (*stdtls.Config, error) {
	certificate, err := a.Certificate(s.Subject)
	if err != nil {
		return nil, err
	}
	c := a.config(&s.Party)
	c.Certificates = []stdtls.Certificate{*certificate}
	switch s.ClientCertificates {
	case RequestCertificate:
		c.ClientAuth, c.ClientCAs = stdtls.VerifyClientCertIfGiven, a.Pool()
	case RequireCertificate:
		c.ClientAuth, c.ClientCAs = stdtls.RequireAndVerifyClientCert, a.Pool()
	}
	return c, nil
}

// Client describes a client.
type Client struct {
	Party
	// ServerName is the name that the server's certificate must be for, and which is sent to it (SNI, RFC 6066). Empty means
	// that whoever dials says so; net/http does.
	ServerName string
	// Unverified accepts every certificate.
	Unverified bool
	// Subject is whom the client says it is, if a server asks; nil means that it has no certificate.
	Subject *Subject
}

// sessions is how many servers a client remembers sessions of.
const sessions = 64

// Client returns the configuration of a client.
func (a *Authority) Client(cl Client) (*stdtls.Config, error) {
	c := a.config(&cl.Party)
	c.RootCAs, c.ServerName, c.InsecureSkipVerify = a.Pool(), cl.ServerName, cl.Unverified
	if !cl.NoResumption {
		c.ClientSessionCache = stdtls.NewLRUClientSessionCache(sessions)
	}
	if cl.Subject != nil {
		subject := *cl.Subject
		subject.Client = true
		certificate, err := a.Certificate(subject)
		if err != nil {
			return nil, err
		}
		// The server's list of authorities is not looked at, so that a wrong certificate is sent too.
		c.GetClientCertificate = func(*stdtls.CertificateRequestInfo) (*stdtls.Certificate, error) { return certificate, nil }
	}
	return c, nil
}
