package plan

import (
	"fmt"
	"net"
)

// MAC is an Ethernet address.
type MAC [6]byte

// String returns the address as 02:00:00:00:00:01.
func (m MAC) String() string { return net.HardwareAddr(m[:]).String() }

// hashMAC returns 02 (a unicast address that no vendor gave, IEEE 802) and a hash of an interface's name.
func hashMAC(name string) MAC {
	n := slot(name, spread, 1<<40)
	return MAC{2, byte(n >> 32), byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
}

// parseMAC reads a pinned MAC address; message says what is wrong with it, or "".
func parseMAC(text string) (mac MAC, message string) {
	parsed, err := net.ParseMAC(text)
	if err != nil || len(parsed) != len(mac) {
		return mac, fmt.Sprintf("%q is not a MAC address: want six bytes such as 02:00:00:00:00:01", text)
	}
	copy(mac[:], parsed)
	switch {
	case mac == MAC{}:
		return mac, fmt.Sprintf("%q means no address: want one such as 02:00:00:00:00:01", text)
	case mac[0]&1 != 0:
		return mac, fmt.Sprintf("%q is a multicast address, as its first byte is odd: want one such as 02:00:00:00:00:01", text)
	}
	return mac, ""
}

// hardware names the interfaces and gives them MAC addresses.
func (p *planner) hardware() {
	p.plan.Interfaces = make([][2]Interface, len(p.lab.Links))
	owners := make(map[MAC]Port, 2*len(p.lab.Links))
	for n, ports := range p.plan.Ports {
		for i, port := range ports {
			itf := &p.plan.Interfaces[port.Link][port.End]
			itf.Name = fmt.Sprintf("%s-eth%d", p.lab.Nodes[n].Name, i)
			itf.MAC = hashMAC(itf.Name)
			if text := p.lab.Links[port.Link].Ends[port.End].MAC; text != "" {
				var message string
				if itf.MAC, message = parseMAC(text); message != "" {
					p.linkError(port.Link, "macs."+p.lab.Nodes[n].Name, "%s", message)
					continue
				}
			}
			other, taken := owners[itf.MAC]
			if !taken {
				owners[itf.MAC] = port
				continue
			}
			verb := "have"
			if p.lab.Links[port.Link].Ends[port.End].MAC == "" && p.lab.Links[other.Link].Ends[other.End].MAC == "" {
				verb = "hash to"
			}
			p.linkError(port.Link, "macs."+p.lab.Nodes[n].Name, "%s and %s %s the same MAC address %s: give one of them another one",
				p.plan.Interfaces[other.Link][other.End].Name, itf.Name, verb, itf.MAC)
		}
	}
}
