package netlab

import (
	stdtls "crypto/tls"
	"fmt"
	"hash/fnv"
	"slices"
	"sync"
	"time"

	"netlab/captures"
	"netlab/services"
	"netlab/tls"
)

// openAuthority makes the lab's certificate authority and finds the names that certificates of hosts are for.
func (r *Run) openAuthority() error {
	var err error
	r.authority, err = tls.NewAuthority(tls.AuthorityOptions{
		Seed: r.lab.topology.Seed, Random: r.options.RealTime, Now: func() time.Time { return r.engine.Epoch().Add(r.engine.Elapsed()) },
	})
	if err != nil {
		return err
	}
	r.hostNames = map[string][]string{}
	for _, n := range r.nodes {
		r.hostNames[n.name] = append([]string{n.name}, r.lab.addressNames(n.name)...)
	}
	for _, n := range r.nodes {
		for _, s := range n.config.Services.All() {
			zone, ok := s.Config.(services.Zone)
			if !ok {
				continue
			}
			for name, nodes := range zone.ZoneNames() {
				for _, node := range nodes {
					r.hostNames[node] = append(r.hostNames[node], name)
				}
			}
		}
	}
	for _, f := range r.forwards { // programs outside call the target so
		name := r.nodes[f.to].name
		r.hostNames[name] = append(r.hostNames[name], "localhost")
	}
	for node, names := range r.hostNames {
		slices.Sort(names[1:])
		r.hostNames[node] = slices.Compact(names)
	}
	return nil
}

// ServerTLS returns a configuration for a TLS server on the host: its certificate is from the lab's authority, for the names
// that the lab knows the host by and its addresses, and the secrets of its connections go into the captures. protocols are
// accepted by ALPN. What is to be equal in every run must ask in the same order in every run.
func (h *Host) ServerTLS(protocols ...string) (*stdtls.Config, error) {
	return h.run.authority.Server(tls.Server{
		Party:   h.party(protocols),
		Subject: tls.Subject{Names: h.run.hostNames[h.Name()], Addresses: h.Addresses()},
	})
}

// ClientTLS returns a configuration for a TLS client on the host, which trusts the lab's authority. It has no server's name:
// net/http adds it, with crypto/tls it is to be set. See [Host.ServerTLS] for protocols.
func (h *Host) ClientTLS(protocols ...string) (*stdtls.Config, error) {
	return h.run.authority.Client(tls.Client{Party: h.party(protocols)})
}

func (h *Host) party(protocols []string) tls.Party {
	n := h.run.parties.Add(1)
	return tls.Party{Name: fmt.Sprintf("%s.go.%d", h.Name(), n), Now: h.Now, KeyLog: h.run.keyLog, Protocols: protocols}
}

// Authority returns the lab's certificate authority, for servers and clients of the function given to [Lab.Run].
func (r *Run) Authority() *tls.Authority { return r.authority }

// keyLog puts the secrets of TLS connections into captures. Both ends of a connection log them: each line that comes a second
// time is dropped.
type keyLog struct {
	captures *captures.Set
	nodes    []string

	mu   sync.Mutex
	once map[uint64]bool // hashes of lines that came once
}

// Write takes a line of a key log.
func (k *keyLog) Write(line []byte) (int, error) {
	h := fnv.New64a()
	h.Write(line)
	sum := h.Sum64()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.once[sum] {
		delete(k.once, sum)
		return len(line), nil
	}
	k.once[sum] = true
	for _, n := range k.nodes {
		k.captures.Secrets(n, line)
	}
	return len(line), nil
}
