// Package ip holds what has IP addresses: hosts and routers.
//
// A [Host] is a whole network stack, gVisor's netstack, with NICs on the ports of the network, addresses, a routing table
// and a table of names. It speaks IPv4 (RFC 791), IPv6 (RFC 8200), ARP (RFC 826), neighbour discovery (RFC 4861) and ICMP
// (RFC 792, RFC 4443). Sockets on it are in packages tcp and udp; [DialEcho] sends pings, and [ListenErrors] hears what became
// of packets.
//
// A [Router] forwards packets; it may have a stateful [Firewall] and translate addresses ([NAT]). It is netlab's own, because gVisor's
// forwarding walks all NICs for each packet.
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
// A host that has crashed ([Host.Crash]) is silent, and all that waits on it ends with [ErrHostDown]; [Host.Reborn] starts it again, as the
// next incarnation, at the same addresses. What outlives a crash is its [Disk], as far as it was synced, its clock and its counters.
// A host may also stand still for a time ([Host.Pause]), work slowly ([Host.SetSlowdown]), or believe in a wrong date ([Host.SetSkew],
// [Host.SetDrift]); timers keep to the lab's time all the same.
//
// A frame whose bits were changed on the way ([netem.Frame.Damaged]) has its checksums verified by the host that receives it, and the
// counters of [Stats] show by which protocol it was refused. All other frames are known to be whole, so that checksums
// are not computed a second time.
//
// Left out: duplicate address detection, router advertisements and autoconfiguration (addresses come from the file),
// link-local addresses, multicast listener discovery and IGMP (switches flood group addresses), ICMP rate limits, and
// explicit congestion notification, which gVisor's TCP lacks.
package ip
