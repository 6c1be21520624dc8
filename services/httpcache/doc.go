// Package httpcache is an HTTP cache after RFC 9111 (HTTP Caching) and RFC 5861 (stale-while-revalidate, stale-if-error). The same
// cache is a browser's when it is private, and a proxy's or a CDN edge's when it is shared.
//
// A [Cache] is an http.RoundTripper in front of another one. It answers what it may from its store, asks the other one for the rest,
// and keeps what may be kept:
//
//   - Freshness (section 4.2): s-maxage (shared), max-age, Expires, and a tenth of the time since Last-Modified where nothing is said.
//     The age of a response (4.2.3) counts what its way here took and what caches before this one say of it.
//   - Validation (4.3): a stale response with an ETag or a Last-Modified is asked for with If-None-Match or If-Modified-Since, and a
//     304 makes it fresh. A client's own conditions are answered from the store, as are its ranges.
//   - Vary (4.1): responses that depend on fields of the request are kept side by side.
//   - Invalidation (4.4): after an unsafe request the responses of its URL, and of Location and Content-Location of the same origin,
//     are not used again.
//   - Stale responses (4.2.4): while a validation runs in the background, when the origin fails, or when the client takes them.
//   - Requests for one thing that is on its way already wait for it and share it (collapsed forwarding).
//
// What it did is in a [Status], which a shared cache also says in the field Cache-Status (RFC 9211). A response goes on to the client
// while it is being stored; one that breaks off isn't kept. The store is bounded in bytes and package eviction chooses what goes.
//
// The cache asks no clock but the one it is given: the host's date, which skew and drift change. It lives in memory, so that a
// crash of the host empties it; what it counts is in [Counters], which go on.
//
// # What it leaves out
//
// Partial responses are neither stored nor combined (3.3, 3.4): a range is served from a complete response or passed on. HEAD
// responses aren't stored, but bring a stored GET up to date (4.3.5) or invalidate it. Only GET requests are answered from the store, and
// HEAD from what GET left. Responses to POST aren't stored, though 9110, section 9.3.3, would let one with explicit freshness be.
// Trailers aren't kept. Fields of Vary are compared after whitespace and the division into lines are normalised, not by their meaning.
// The size of an entry is that of its content and its header and an allowance for what surrounds them, not measured memory. There is no
// disk.
package httpcache
