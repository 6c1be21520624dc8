package netlab

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"netlab/services"
	"netlab/topology"
	"netlab/topology/plan"
	"netlab/units"
)

// checkForwards checks the forwards of a run against the lab and fills in what they leave out. With served, nothing but the
// lab's services will listen, so that a port on which none of them does is a mistake.
func (l *Lab) checkForwards(o *RunOptions, served bool) ([]*forward, error) {
	if len(o.Forward) > 0 && !o.RealTime {
		return nil, &ForwardError{o.Forward[0], errors.New("only in real time: virtual time can't wait for programs outside the lab")}
	}
	var list []*forward
	taken := map[string]bool{}
	for _, given := range o.Forward {
		f, err := l.checkForward(given, served)
		if err == nil && f.listen.Port() != 0 {
			place := f.network + " " + f.listen.String()
			if taken[place] {
				err = fmt.Errorf("%s is forwarded twice", f.listen)
			}
			taken[place] = true
		}
		if err != nil {
			return nil, &ForwardError{given, err}
		}
		list = append(list, f)
	}
	return list, nil
}

func (l *Lab) checkForward(given Forward, served bool) (*forward, error) {
	parts, err := given.read()
	if err != nil {
		return nil, err
	}
	f := &forward{Forward: given, forwardParts: parts}
	f.Network = parts.network
	if f.to, err = l.hostIndex(parts.host); err != nil {
		return nil, err
	}
	if err := l.checkFrom(f); err != nil {
		return nil, err
	}
	if served {
		return f, l.checkListens(f.to, parts)
	}
	return f, nil
}

// checkFrom finds the host that takes the part of programs outside.
func (l *Lab) checkFrom(f *forward) (err error) {
	if f.From != "" {
		if f.from, err = l.hostIndex(f.From); err == nil && !l.reach(f) {
			err = fmt.Errorf("%s doesn't reach %s: there is no way in the lab for an IP version that both speak", f.From, f.host)
		}
		return err
	}
	i := 0
	for name, n := range l.topology.Nodes.All() {
		if isHost(n) && i != f.to {
			f.From, f.from = name, i
			if l.reach(f) {
				return nil
			}
		}
		i++
	}
	return fmt.Errorf("no other host of the lab reaches %s: say which one is to connect to it, such as %q for itself", f.host,
		Forward{Network: f.Network, Listen: f.Listen, From: f.host, To: f.To})
}

// reach finds the IP versions by which the host that connects reaches the target, and says whether there is one.
func (l *Lab) reach(f *forward) bool {
	for _, family := range []plan.Family{plan.IPv4, plan.IPv6} {
		f.families[family] = l.plan.Reachable(f.from, f.to, family)
	}
	return f.families != [2]bool{}
}

func isHost(n topology.Node) bool { return n.Kind != topology.Switch && n.Kind != topology.Router }

// hostIndex returns the index of the node that is the host with that name.
func (l *Lab) hostIndex(name string) (int, error) {
	var hosts []string
	i := 0
	for other, n := range l.topology.Nodes.All() {
		switch {
		case isHost(n) && other == name:
			return i, nil
		case isHost(n):
			hosts = append(hosts, other)
		case other == name:
			return 0, fmt.Errorf("%s is a %s, wanted a host", name, n.Kind)
		}
		i++
	}
	err := fmt.Errorf("no host is called %q", name)
	if better := units.Suggest(name, hosts); better != "" {
		err = fmt.Errorf("%w; did you mean %q?", err, better)
	}
	return 0, err
}

// checkListens refuses a port of a host on which none of its services listens.
func (l *Lab) checkListens(node int, p forwardParts) error {
	wanted := listening{services.Protocol(strings.ToUpper(p.network)), strconv.Itoa(int(p.port))}
	var there []string
	for name, s := range l.topology.Nodes.Entries()[node].Value.Services.All() {
		for _, port := range listeningPorts(s.Config) {
			if port == wanted {
				return nil
			}
			there = append(there, fmt.Sprintf("%s port %s (%s)", port.protocol, port.port, name))
		}
	}
	if there == nil {
		return fmt.Errorf("nothing listens on %s port %s of %s; it has no services that do", wanted.protocol, wanted.port, p.host)
	}
	return fmt.Errorf("nothing listens on %s port %s of %s; its services listen on %s", wanted.protocol, wanted.port, p.host,
		strings.Join(there, ", "))
}

// listening is a port that a service listens on.
type listening struct {
	protocol services.Protocol
	port     string
}

// listeningPorts returns the ports that a service's configuration names.
func listeningPorts(config services.Config) []listening {
	var list []listening
	v := reflect.Indirect(reflect.ValueOf(config))
	if v.Kind() != reflect.Struct {
		return nil
	}
	for _, field := range reflect.VisibleFields(v.Type()) {
		var protocols []services.Protocol
		switch field.Type {
		case reflect.TypeFor[services.ListenTCP]():
			protocols = []services.Protocol{services.TCP}
		case reflect.TypeFor[services.ListenUDP]():
			protocols = []services.Protocol{services.UDP}
		case reflect.TypeFor[services.ListenBoth]():
			protocols = []services.Protocol{services.TCP, services.UDP}
		}
		for _, p := range protocols {
			list = append(list, listening{p, strings.TrimPrefix(v.FieldByIndex(field.Index).String(), ":")})
		}
	}
	return list
}
