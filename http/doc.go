// Package http runs the standard library's HTTP client and server on simulated hosts.
//
// [NewTransport] makes an http.RoundTripper that dials through a host's stack: names are those of the lab, and neither
// proxies nor anything else of the machine's environment plays a part. [Serve] serves a handler on a listener of a host
// until a context ends, and waits until nothing of it is left.
//
// What travels is what net/http makes of it: HTTP/1.1 (RFC 9112) with persistent connections; HTTP/2 (RFC 9113) over TLS
// where both sides agree on it (ALPN, RFC 7301); HTTP/2 without TLS (h2c) where the client knows beforehand that the server
// speaks it. HTTP/3 and the upgrade of a connection to h2c are left out.
//
// Two things differ from net/http's defaults. A client here does not ask for compression by itself, so a body has the same
// bytes on the wire as in the program. And a client that knows that it will speak HTTP/2 opens one connection to a server, where
// net/http's opens one for each of the requests that start together and then closes all but one.
//
// Frames are the same in every run with the same seed, with one exception: net/http's HTTP/2 client writes the header fields
// of a request in the order of a map, so a request with two or more fields of its own, beside User-Agent, has the same length
// in every run but not the same bytes. HTTP/1.1 sorts them.
package http
