package tls

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	stdtls "crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"netlab/internal/random"
)

// Validity is how long certificates are valid, beginning an hour before they are issued. It is what public authorities gave
// until March 2026 (CA/Browser Forum, Baseline Requirements, 6.3.2).
const Validity = 398 * 24 * time.Hour

// backdate is how long before its issue a certificate becomes valid.
const backdate = time.Hour

// Fault is what is wrong with a certificate.
type Fault string

// The faults of certificates.
const (
	NoFault     Fault = "valid"         // nothing
	Expired     Fault = "expired"       // it was valid until an hour before its issue
	NotYetValid Fault = "not-yet-valid" // it will be valid a day after its issue
	WrongName   Fault = "wrong-name"    // it is for wrong-name.invalid
	Untrusted   Fault = "untrusted"     // an authority issued it that nobody trusts
	SelfSigned  Fault = "self-signed"   // it is its own issuer
)

// wrongName is a name that nobody has (RFC 6761, section 6.4).
const wrongName = "wrong-name.invalid"

// AuthorityOptions describe an [Authority].
type AuthorityOptions struct {
	// Seed is that of the run; keys and serial numbers follow from it.
	Seed uint64
	// Random takes keys from crypto/rand instead. It is for labs that the machine's own programs can talk to.
	Random bool
	// Now is the date at which certificates are issued. Nil means time.Now.
	Now func() time.Time
}

// Authority is the certificate authority of a lab, with another one that nobody trusts. It issues certificates when they are
// first asked for. Its methods may be called by several goroutines.
type Authority struct {
	options AuthorityOptions
	trusted issuer
	other   issuer

	mu     sync.Mutex
	issued map[string]*stdtls.Certificate
}

// issuer is a root certificate and its key.
type issuer struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// NewAuthority returns an authority with its root certificate.
func NewAuthority(o AuthorityOptions) (*Authority, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	a := &Authority{options: o, issued: map[string]*stdtls.Certificate{}}
	var err error
	if a.trusted, err = a.root("netlab CA"); err != nil {
		return nil, err
	}
	a.other, err = a.root("netlab CA that nobody trusts")
	return a, err
}

// Pool returns the certificates that clients and servers of the lab trust.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.trusted.certificate)
	return pool
}

// PEM returns the root certificate for programs outside the lab, such as curl's --cacert.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.trusted.certificate.Raw})
}

// Subject says whom a certificate is for.
type Subject struct {
	// Names are the DNS names, at least one. The first is the common name.
	Names []string
	// Addresses are the IP addresses.
	Addresses []netip.Addr
	// Client makes a certificate for a client instead of a server.
	Client bool
	// Fault is what is wrong with it; empty means nothing.
	Fault Fault
}

// String names the subject for key generation and errors. Equal subjects have equal strings.
func (s Subject) String() string {
	return fmt.Sprintf("%s %v client=%t %s", strings.Join(s.Names, " "), s.Addresses, s.Client, s.Fault)
}

// Certificate returns the certificate of a subject with its key and chain, the same for the same subject.
func (a *Authority) Certificate(s Subject) (*stdtls.Certificate, error) {
	if len(s.Names) == 0 {
		return nil, fmt.Errorf("tls: a certificate for nobody")
	}
	if s.Fault == "" {
		s.Fault = NoFault
	}
	key := s.String()
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.issued[key]; c != nil {
		return c, nil
	}
	c, err := a.issue(s)
	if err != nil {
		return nil, fmt.Errorf("tls: certificate for %s: %w", s.Names[0], err)
	}
	a.issued[key] = c
	return c, nil
}

func (a *Authority) issue(s Subject) (*stdtls.Certificate, error) {
	now := a.options.Now().Truncate(time.Second)
	template := &x509.Certificate{
		SerialNumber: serial(a.options.Seed, s.String()),
		Subject:      pkix.Name{CommonName: s.Names[0]},
		DNSNames:     s.Names,
		NotBefore:    now.Add(-backdate),
		NotAfter:     now.Add(Validity - backdate),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if s.Client {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	for _, addr := range s.Addresses {
		template.IPAddresses = append(template.IPAddresses, net.IP(addr.AsSlice()))
	}
	key, err := a.key("certificate " + s.String())
	if err != nil {
		return nil, err
	}
	by := a.trusted
	switch s.Fault {
	case NoFault:
	case Expired:
		template.NotBefore, template.NotAfter = now.Add(-Validity), now.Add(-backdate)
	case NotYetValid:
		template.NotBefore = now.Add(24 * time.Hour)
	case WrongName:
		template.Subject.CommonName, template.DNSNames, template.IPAddresses = wrongName, []string{wrongName}, nil
	case Untrusted:
		by = a.other
	case SelfSigned:
		by = issuer{template, key}
	default:
		return nil, fmt.Errorf("unknown fault %q", s.Fault)
	}
	raw, err := x509.CreateCertificate(a.entropy("signature "+s.String()), template, by.certificate, key.Public(), by.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(raw)
	if err != nil {
		return nil, err
	}
	return &stdtls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key, Leaf: leaf}, nil
}

// root makes a root certificate.
func (a *Authority) root(name string) (issuer, error) {
	now := a.options.Now().Truncate(time.Second)
	key, err := a.key(name)
	if err != nil {
		return issuer{}, err
	}
	const years = 10
	template := &x509.Certificate{
		SerialNumber:          serial(a.options.Seed, name),
		Subject:               pkix.Name{CommonName: name, Organization: []string{"netlab"}},
		NotBefore:             now.Add(-Validity - backdate), // before everything that it issues, expired ones included
		NotAfter:              now.AddDate(years, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	raw, err := x509.CreateCertificate(a.entropy("signature "+name), template, template, key.Public(), key)
	if err != nil {
		return issuer{}, fmt.Errorf("tls: %s: %w", name, err)
	}
	certificate, err := x509.ParseCertificate(raw)
	return issuer{certificate, key}, err
}

// key makes a key: Ed25519, which signs without randomness, from the seed; ECDSA on P-256, which browsers want, at random.
func (a *Authority) key(name string) (crypto.Signer, error) {
	if a.options.Random {
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(a.entropy("key "+name), seed); err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// entropy returns the source of randomness of something.
func (a *Authority) entropy(name string) io.Reader {
	if a.options.Random {
		return rand.Reader
	}
	return random.NewCrypto(a.options.Seed, "tls."+name)
}

// serial is a serial number of 64 bits (RFC 5280, section 4.1.2.2: positive, at most 20 octets).
func serial(seed uint64, name string) *big.Int {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", seed, name))
	sum[0] = sum[0]&0x7f | 0x40
	return new(big.Int).SetBytes(sum[:8])
}
