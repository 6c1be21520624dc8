// Package ip holds what has IP addresses: hosts and routers.
//
// A [Host] is a whole network stack, gVisor's netstack, with NICs on the ports of the network, addresses, a routing table
// and a table of names. It speaks IPv4 (RFC 791), IPv6 (RFC 8200), ARP (RFC 826), neighbour discovery (RFC 4861) and ICMP
// (RFC 792, RFC 4443). Sockets on it are in packages tcp and udp; [DialEcho] sends pings, and [ListenErrors] hears what became
// of packets.
//
// A [Router] forwards packets and does nothing else. It is netlab's own, because gVisor's forwarding walks all NICs for each
// packet.
//
// NICs on a point-to-point link know the other end's MAC address from the start. NICs behind a switch ask for it, unless
// they are told to know it.
//
// A host with several NICs sends by the one that its routes lead to, answers at the addresses of all of them (the weak end system
// model of RFC 1122, section 3.3.4.2), and forwards nothing.
//
// The stack learns the path's MTU for TCP only. UDP datagrams over IPv4 go without DF, so that routers may fragment them; over IPv6
// one that doesn't fit on a link further on is lost each time, and the router there says so.
//
// Left out: duplicate address detection, router advertisements and autoconfiguration (addresses come from the file),
// link-local addresses, multicast listener discovery and IGMP (switches flood group addresses), ICMP rate limits, and
// explicit congestion notification, which gVisor's TCP lacks.
package ip
