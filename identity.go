package netlab

import (
	"slices"
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
		r.hostNames[n.name] = []string{n.name}
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
	for node, names := range r.hostNames {
		slices.Sort(names[1:])
		r.hostNames[node] = slices.Compact(names)
	}
	return nil
}

// keyLog puts the secrets of TLS connections into captures.
type keyLog struct {
	captures *captures.Set
	nodes    []string
}

// Write takes a line of a key log.
func (k keyLog) Write(line []byte) (int, error) {
	for _, n := range k.nodes {
		k.captures.Secrets(n, line)
	}
	return len(line), nil
}
