package netlab

import (
	"fmt"
	"net/netip"
	"slices"

	"netlab/ip"
	"netlab/topology"
)

// configureRouter gives a router its firewall and its NAT, once all nodes have their interfaces and addresses.
func (w *world) configureRouter(n *worldNode) error {
	if f := n.config.Firewall; f != nil {
		config, err := w.firewall(n, f)
		if err != nil {
			return err
		}
		if _, err := n.router.SetFirewall(config); err != nil {
			return err
		}
	}
	if nat := n.config.NAT; nat != nil {
		config, err := w.nat(n, nat)
		if err != nil {
			return err
		}
		if _, err := n.router.SetNAT(config); err != nil {
			return err
		}
	}
	return nil
}

// firewall converts the firewall of a resolved topology.
func (w *world) firewall(n *worldNode, f *topology.Firewall) (ip.FirewallConfig, error) {
	config := ip.FirewallConfig{Default: ip.Action(f.Default), Input: f.Input, Tracking: tracking(f.Tracking)}
	for i := range f.Rules {
		r := &f.Rules[i]
		rule := ip.FirewallRule{Name: r.Name, Action: ip.Action(r.Action), Protocol: ip.Protocol(r.Protocol),
			SourcePorts: portRanges(r.SourcePorts), DestinationPorts: portRanges(r.Ports)}
		var err error
		if rule.Sources, err = w.networks(r.From); err != nil {
			return config, err
		}
		if rule.Destinations, err = w.networks(r.To); err != nil {
			return config, err
		}
		if rule.In, err = w.interfacesOf(n, r.In); err != nil {
			return config, err
		}
		if rule.Out, err = w.interfacesOf(n, r.Out); err != nil {
			return config, err
		}
		config.Rules = append(config.Rules, rule)
	}
	return config, nil
}

// nat converts the NAT of a resolved topology.
func (w *world) nat(n *worldNode, c *topology.NAT) (ip.NATConfig, error) {
	config := ip.NATConfig{Kind: ip.NATKind(c.Kind), Ports: ip.PortRange(c.Ports), RandomPorts: c.RandomPorts, Hairpin: c.Hairpin,
		RejectExhausted: c.RejectWhenFull, Tracking: tracking(c.Tracking)}
	outside, err := w.interfacesOf(n, []string{c.Outside})
	if err != nil {
		return config, err
	}
	config.Outside = outside[0]
	if config.Inside, err = w.interfacesOf(n, c.Inside); err != nil {
		return config, err
	}
	for _, f := range c.Forward {
		to, err := w.forwardTarget(f)
		if err != nil {
			return config, err
		}
		config.Forwards = append(config.Forwards, ip.PortForward{Protocol: ip.Protocol(f.Protocol), External: f.Port, To: to})
	}
	return config, nil
}

func tracking(t topology.Tracking) ip.Tracking {
	return ip.Tracking{
		UDP: t.Timeouts.UDP.Std(), TCPEstablished: t.Timeouts.TCPEstablished.Std(), TCPTransitory: t.Timeouts.TCPTransitory.Std(),
		ICMP: t.Timeouts.ICMP.Std(), MaxEntries: t.MaxConnections, OutOfState: ip.Action(t.OutOfState),
	}
}

func portRanges(list []topology.PortRange) []ip.PortRange {
	var out []ip.PortRange
	for _, r := range list {
		out = append(out, ip.PortRange(r))
	}
	return out
}

// networks returns what places in a rule stand for: networks, the addresses of nodes, and what is behind switches.
func (w *world) networks(places []string) ([]netip.Prefix, error) {
	var list []netip.Prefix
	for _, place := range places {
		if network, err := netip.ParsePrefix(place); err == nil {
			list = append(list, network)
			continue
		}
		if a, err := netip.ParseAddr(place); err == nil {
			list = append(list, single(a))
			continue
		}
		n, ok := w.byName[place]
		if !ok {
			return nil, fmt.Errorf("no node is called %q", place)
		}
		if w.nodes[n].sw != nil {
			list = append(list, w.nodes[n].config.Subnets...)
			continue
		}
		for _, a := range w.names.Lookup(place) {
			list = append(list, single(a))
		}
	}
	if len(places) > 0 && len(list) == 0 { // no network at all would mean any
		return nil, fmt.Errorf("a rule names %v, which have no addresses", places)
	}
	return list, nil
}

// single returns the network that holds just one address.
func single(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

// interfacesOf returns the numbers of a router's interfaces that are named by neighbours or links. A neighbour's name goes before
// a link's, as when the file is checked.
func (w *world) interfacesOf(n *worldNode, names []string) ([]int, error) {
	var list []int
	for _, name := range names {
		var byPeer, byLink []int
		for i, at := range w.lab.plan.Ports[w.byName[n.name]] {
			if w.nodes[w.lab.ends[at.Link][1-at.End]].name == name {
				byPeer = append(byPeer, i)
			}
			if w.lab.topology.Links[at.Link].Name == name {
				byLink = append(byLink, i)
			}
		}
		switch {
		case byPeer != nil:
			list = append(list, byPeer...)
		case byLink != nil:
			list = append(list, byLink...)
		default:
			return nil, fmt.Errorf("%s has no neighbour and no link called %q", n.name, name)
		}
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// forwardTarget returns the address and port to which a port map leads: a host's first IPv4 address.
func (w *world) forwardTarget(f topology.PortForward) (netip.AddrPort, error) {
	host, port, err := ip.SplitHostPort(string(f.Protocol), string(f.To))
	if err != nil {
		return netip.AddrPort{}, err
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return netip.AddrPortFrom(a, port), nil
	}
	for _, a := range w.names.Lookup(host) {
		if a.Is4() {
			return netip.AddrPortFrom(a, port), nil
		}
	}
	return netip.AddrPort{}, fmt.Errorf("%s, to which %s port %d is mapped, has no IPv4 address", host, f.Protocol, f.Port)
}
