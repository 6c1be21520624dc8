// Package upstream forwards HTTP requests to a pool of backends. The layer 7 balancer, the reverse proxy and the CDN share it.
//
// A [Forwarder] is an http.RoundTripper: it asks the pool (package netlab/services/backend) for a backend, sends the request there
// over a connection of its own host, and returns the response. Connections are kept for the next request; the balancer has one
// pool of them for each backend, which clients share. What it does about trouble:
//
//   - Timeouts: for a connection, for the header of the response, for the whole.
//   - Retries ([Retry]): the next try goes to a backend that has not been tried, as long as there is one. A request whose connection
//     couldn't be made was never sent, so any request is tried again. One that may have reached a backend is tried again only if
//     its method is idempotent (RFC 9110, section 9.2.2): a POST is never sent twice unless any_method says so.
//   - Hedging ([Hedge]): an idempotent request that takes too long is sent to another backend as well, the first answer is taken and
//     the other request cancelled (Dean and Barroso, "The Tail at Scale", Communications of the ACM 56(2), 2013).
//
// A body streams through as it comes, both ways. To be able to send it again the forwarder keeps up to request_buffer of it; a
// request whose body is larger is sent once.
//
// A [Handler] makes a request that a server received into one that may be forwarded, after RFC 9110, section 7.6: fields that
// belong to one connection (Connection and what it lists, Keep-Alive, TE, Transfer-Encoding, Upgrade, Proxy-Connection) go no
// further, Via is added, and the backend is told of the client in X-Forwarded-For, -Proto and -Host, or in Forwarded (RFC 7239).
// What a client itself says in these fields is dropped unless the client is a trusted proxy. An upgrade, WebSocket's, becomes a tunnel.
// A request that can't be forwarded is answered with 502 (no backend gave a proper answer), 503 (no backend may be used) or 504 (none
// answered in time) and a line that says why. The framework of this is net/http/httputil's ReverseProxy.
//
// net/http's client sends a request again by itself in one case: it went out on a kept connection that turns out to be closed by the
// server. It does so when nothing was written yet, or when the method is idempotent. These are counted as Reconnects.
//
// Left out: HTTP/3 and upgrades to h2c towards backends; CONNECT (package netlab/services/proxy has it); the extended CONNECT of
// WebSocket over HTTP/2; retries after a response has begun. With HTTP/2 towards backends the order of header fields, not
// their number or size, differs from run to run.
package upstream
