// Package ws is WebSocket (RFC 6455) on simulated hosts: messages in both directions over one connection that begins as an
// HTTP/1.1 request.
//
// [Dial] sends that request, with the upgrade header fields and a random key; the server's handler calls [Accept], which
// answers 101 Switching Protocols, and from then on the connection carries frames. Text and binary messages may be compressed
// (permessage-deflate, RFC 7692). Pings tell a silent peer from a dead one: a host that has lost its way to the other side
// hears nothing of that from TCP for many minutes unless it sends something, see [Options.PingInterval]. The end is a
// handshake too: each side sends a close frame with a code that says why, see [StatusCode].
//
// What travels is what github.com/coder/websocket makes of it. Frames of clients are masked with random keys, so that no cache
// on the way takes them for HTTP; the keys come from crypto/rand, which is seeded in virtual time. WebSocket over HTTP/2 (RFC
// 8441) is left out, and so are proxies.
//
// In virtual time a goroutine that holds a mutex while it waits for the network would stop time for good. The library doesn't do
// so, with one exception that this package avoids: a TLS connection whose peer reads nothing says good-bye under a mutex. So
// a connection that is given up is reset below TLS first.
package ws
