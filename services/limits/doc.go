// Package limits protects a server from more work than it can do, and from clients that want more than their share.
//
// There are three kinds of limits, which are checked in this order.
//
// Connections: a server accepts so many connections, in all and of one client; those beyond are reset at once, before a TLS handshake
// costs anything.
//
// Rate: each client has a token bucket (Turner, "New Directions in Communications (or Which Way to the Information Age?)", 1986; RFC
// 2697 calls it a single rate meter). It holds up to Burst tokens and gets Rate new ones a second; a request takes one. Without a
// token it is answered with status 429 and Retry-After (RFC 6585, section 4). A client is an address, a network of addresses, or a
// value of a header field. There is one more bucket for all clients together, whose status is 503.
//
// Load: requests that are under way at once. Of a queue that grows without end nobody has anything: its requests are answered when their
// clients have given up, so a server that is asked for twice of what it can do may do nothing useful at all ("Site Reliability
// Engineering", 2016, chapter 21 and 22). Shedding answers what is too much with status 503 and Retry-After, which costs next to
// nothing, and keeps the rest fast. The limit is a number, or it is found by measuring: with a target latency it grows by one for every
// limit's worth of requests that were in time and shrinks by a tenth when one was late, once per latency at most (additive increase,
// multiplicative decrease: Chiu and Jain, 1989).
//
// What it leaves out: priorities among clients, waiting in a queue (package netlab/services/capacity has one), and limits that
// several servers share.
package limits
