// Package cdn is the service "cdn-edge", a server of a content delivery network, and the workload "cdn-publish", which puts objects on
// edges and removes them.
//
// An edge stands near users and answers for an origin that is far away. What it has it serves at once; what it doesn't have it asks the
// origin for, once for all who wait, and keeps (pull). Its store is an HTTP cache after RFC 9111 and 5861 (package
// netlab/services/httpcache), its way to the origin that of all proxies here (package netlab/services/upstream). One edge service answers
// for one origin, whatever name its users know it by; objects go by the origin's URL.
//
//   - Tiers: with parents an edge asks another edge and not the origin. When all edges share one, the shield, the origin is asked once for
//     what the whole world asks for.
//   - Clusters: several servers at one place divide objects among themselves by consistent hashing of the URL (package
//     netlab/services/balance), so that the place holds each once. A server that is asked for another one's object fetches it there
//     and doesn't keep it. A server that doesn't answer is left out for [PeerPause]: its objects belong to the next ones on the ring.
//   - Push: PUT /.cdn/objects/path, with the object's content and header fields, stores the object /path before anybody asks.
//   - Purge: POST /.cdn/purge/path removes the object /path, /.cdn/purge/path* all that begin so, and /.cdn/purge/ with a field
//     Surrogate-Key those that have one of the tags that it lists (in Surrogate-Key or Cache-Tag of the origin's response). In a
//     cluster an object that is pushed goes on to its owner and a purge to all servers. Both need the token of the edge
//     (Authorization: Bearer, RFC 6750). Other caches have methods PURGE for this, which most programs that read captures don't know.
//   - Signed URLs: an edge with a key serves only paths that the key's owner has signed, until the time that the URL says ([Sign]).
//
// Responses say in X-Cache, Cache-Status (RFC 9211), Age and Via which server did what. CDN-Loop (RFC 8586) stops requests that come back.
//
// How users find the nearest edge is no matter of this package: name servers know the nearest of several nodes ("geo"), and an
// anycast address leads to the nearest host that has it.
//
// Left out: several origins behind one edge, health checks of parents, pushing through tiers (a publisher names all edges itself), queues
// for purges that an edge missed while it was down (an edge that was down comes back empty, but one that was cut off keeps what it
// had), programs that run on edges, prefetching, compression and images made smaller.
package cdn
