// Package vrrp is the service "vrrp": an address that moves from a host that fails to one that stands by, by the Virtual Router
// Redundancy Protocol version 3 (RFC 9568). A pair of balancers that shares an address is the usual case; in that role keepalived runs
// it on Linux.
//
// The hosts of a group have the same virtual router identifier (VRID) and each a priority. One is active: it has the address and
// sends an advertisement each interval, IP protocol 112, from the group's virtual MAC address 00-00-5e-00-01-VRID (00-00-5e-00-02-VRID
// for IPv6) to 224.0.0.18 (ff02::12), with TTL 255. The others are backups and listen:
//
//	            own priority is 255                                  Skew_Time = (256 − priority) · interval / 256
//	initialize ─────────────────────▶ active                        Active_Down_Interval = 3 · interval + Skew_Time
//	    │                            ▲      │
//	    │ otherwise                  │      │ advertisement with a higher priority, or with
//	    ▼        Active_Down_Interval│      │ the same and a higher address of its sender
//	  backup ────without a word──────┘      │
//	    ▲                                   │
//	    └───────────────────────────────────┘
//
// Who becomes active takes the address, sends an advertisement at once, and announces the address by a gratuitous ARP packet or an
// unsolicited neighbour advertisement, by which switches learn where the virtual MAC address is now; the neighbours' tables stay
// right, because that address is the same. The skew makes the backup with the highest priority the first. A backup that hears a lower
// priority than its own doesn't count it as a word, and so becomes active after its Active_Down_Interval (preemption), unless "preempt"
// is false. An active host that hears a lower priority sends an advertisement at once, so that the other steps back: this is what ends a
// split brain when a cut between the two heals.
//
// Connections don't move with the address: the new host's stack knows nothing of them and answers their segments with RST.
//
// Deviations, and what is left out. The IPv4 checksum covers a pseudo-header as that of IPv6 does, which is what RFC 5798 was read to
// say, what keepalived sends and what Wireshark expects; RFC 9568, section 5.2.8, leaves it out for IPv4, and such advertisements are accepted
// too. The first IPv6 address of an advertisement is the link-local one that belongs to the virtual MAC address, as section 5.2.9 wants, but
// the host doesn't have it, as hosts of a lab have no link-local addresses. The neighbour advertisement has no R flag, as a balancer is no
// router. The active host always accepts packets for the address (Accept_Mode). A group has one address of each IP version. A host whose
// priority is 255 has no other claim to the address than that. A host that stops on purpose would send priority 0; a crash sends nothing,
// and nothing else stops a host here, but such advertisements are understood. A "partition" fault doesn't cut multicast; to split a pair,
// cut a link between two switches, or drop what the filter "ip proto 112" matches.
package vrrp
