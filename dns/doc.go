// Package dns is the domain name system of a lab (RFC 1034, RFC 1035): servers that are authoritative for a zone, and the stub
// resolver of a host that asks them over the network.
//
// A [Zone] is made of [Record]s and answers questions: addresses (A, AAAA), aliases (CNAME), services (SRV, RFC 2782) and text
// (TXT), each with a time to live. A name with several addresses gives them in rotation, and may give other addresses to other
// clients. Names that don't exist are told from names that have nothing of the wanted type (RFC 2308), wildcards are expanded
// (RFC 4592), and everything outside the zone is refused. A [Server] puts a zone on port 53 of a host, over UDP and TCP: an
// answer that doesn't fit into 512 bytes, or into what the client offers by EDNS (RFC 6891), is truncated, and the client asks
// again over TCP (RFC 7766).
//
// A server can be made to fail ([Server.Fail]): every query then gets SERVFAIL, REFUSED, NXDOMAIN or no answer at all.
//
// A [Resolver] is what the C library of a host is: it has a list of servers, asks them one after the other, for IPv4 and IPv6
// addresses at once, with a timeout and a number of attempts as in resolv.conf, completes short names by its search domains,
// and keeps answers until their time to live is over. So the first connection to a name costs one round trip more than one to an
// address, and later ones do not; a server that is cut off is noticed when the time to live is over, by everybody who then
// waits for the timeouts.
//
// Left out: recursive servers and delegation (each server answers for its own zone and no other), zone transfers, dynamic
// updates, DNSSEC, DNS over TLS or HTTPS, and client subnets in questions (RFC 7871): the client is the host that asks. A
// server answers at once; what it would take to compute is not modelled.
package dns
