// Package balancer has the service "balancer": one address in front of many servers.
//
// Layer 4 (package netlab/services/balancer/l4) gives connections to backends without looking at what they carry. Layer 7, which this
// package is about, ends the client's HTTP connection, reads each request, and sends it to a backend over a connection of its
// own (package netlab/services/upstream): a client's requests may go to different backends, and requests of many clients
// share the connections to a backend. It can
//
//   - terminate TLS, and use TLS again towards backends;
//   - route by content ([Route]): host, path, method, header fields and cookies choose one of several pools, rewrite the path, or
//     redirect. The first route that fits counts; what none fits goes to the backends of the balancer itself;
//   - keep a client with its backend ([Sticky]): by a cookie that it adds to the first response, by a cookie that the application
//     sets, or by the client's address;
//   - retry, hedge, and give up in time (the object "upstream");
//   - refuse what is no proper request: framing that two programs may read differently is answered with 400, headers that are too
//     large or too slow with 431 or the end of the connection.
//
// With tls_passthrough it is neither: it reads the client's first message, the ClientHello of TLS, which says in the clear which name
// the client wants (SNI, RFC 6066, section 3), chooses a pool by that, and carries the bytes from then on. It has no key and sees
// nothing of what is inside.
//
// A balancer may stand behind another one: proxy_protocol_from names nodes whose connections begin with a header of the PROXY
// protocol, which says who the client is.
//
// Left out: routing by the content of bodies, by weights between pools or by time; changing header fields but for those of
// package upstream; buffering responses (a client that reads slowly holds up its backend, after what the socket buffers take, up to
// 4 MiB in the balancer); TLS pass-through for clients without SNI but to the balancer's own backends; Encrypted Client Hello.
// The check of framing is made where the balancer has no TLS; with TLS net/http's own reading applies, which drops a
// Content-Length beside a Transfer-Encoding.
package balancer
