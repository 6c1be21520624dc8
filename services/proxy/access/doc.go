// Package access is what forward proxies have in common, those that speak HTTP and those that speak SOCKS: who may use them
// ([Users]), what they lead to ([Filter]) and the record of who asked for what ([Ledger]).
//
// A filter looks at what a client asks for: the name of the host as the client wrote it, the port, and the path where the proxy can
// see it. It doesn't look at addresses behind a name, so a client that knows the address of a host gets around a list of denied
// names; a list of allowed ones has no such hole. Of a tunnel (CONNECT, or SOCKS) the proxy sees no path: what is inside may be
// encrypted.
package access
