// Package http runs the standard library's HTTP client and server on simulated hosts.
//
// [NewTransport] makes an http.RoundTripper that dials through a host's stack: names are those of the lab, and neither
// proxies nor anything else of the machine's environment plays a part. [Serve] serves a handler on a listener of a host
// until a context ends, and waits until nothing of it is left.
//
// What travels is what net/http makes of it, HTTP/1.1 (RFC 9112) with persistent connections. The one thing that differs
// from net/http's defaults is compression: a client here does not ask for it by itself, so a body has the same bytes on the
// wire as in the program.
package http
