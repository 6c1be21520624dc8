// Package flood holds the workloads of attackers who want a server not to serve others (denial of service).
//
// A SYN flood (RFC 4987) begins TCP connections and never goes on. Each takes a place among the half-open connections of the listener,
// and if the addresses that it claims to come from answer nothing, the place is taken until the server gives up, two minutes later.
// What helps is a longer queue, which costs memory, or SYN cookies, which need no queue (the host's "tcp": backlog and syn_cookies).
//
// Slowloris (Hansen, 2009) opens HTTP connections and sends the header of a request so slowly that it is never complete. It needs
// next to no bandwidth: a server that gives each connection a place of a limited number has none left for others. What helps is
// a time limit for headers (header_timeout), and a limit for the connections of one client.
//
// A flood of whole requests needs no workload of its own: it is an "http-load" with a high rate. What helps is a limit for the
// requests of one client, and shedding (package netlab/services/limits).
//
// Attackers here are hosts of a lab, and what they send never leaves it.
package flood
