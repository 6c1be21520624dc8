// Package tier is the service "app-server": an application tier, which answers HTTP requests for keys from a store that is slow, with a
// cache beside it.
//
// GET of a path reads the key of that name and PUT writes it. The store is a "slow-store", asked over HTTP; the cache is a "kv-cache", asked
// over RESP; both over the network from this server's own host. How the three work together is the strategy:
//
//   - none: there is no cache.
//   - cache-aside: a read asks the cache, on a miss the store, and puts what it found into the cache (lazy loading). A write goes to the
//     store, and then the key is deleted from the cache.
//   - write-around: reads as before; a write goes to the store alone, and the cache goes on answering with what it had until its time to
//     live is over.
//   - write-through: reads as before; a write goes to the store and then into the cache, and is acknowledged after both.
//   - write-back (write-behind): reads as before; a write goes into the cache and into a buffer in this server's memory, and is
//     acknowledged. The buffer is flushed to the store later: every flush_interval, when it holds flush_batch keys, and, if it is full, its oldest
//     key, for which the write that needs the room has to wait (eviction of a dirty key). Writes of a key that is still in
//     the buffer become one. A crash of this server's host loses what the buffer holds.
//
// With reads "read-through" the cache layer loads what is missing, each key once at a time, and whoever else asks for it meanwhile
// waits for that; which is what cache-aside with stampede "single-flight" does, under the name that it has in caching libraries.
//
// When a popular key's time to live is over, everybody who asks finds it missing and asks the store: a stampede. Against it there
// are single-flight (one request of this server loads, the others wait for it), lock (one request of all servers that share the cache loads,
// the others look again every lock_wait: SET lock:<key> NX PX), and early-refresh, where a request refreshes a key that is still in the
// cache, the more probably the nearer its end is and the longer it took to load: when now - delta·beta·ln(rand) ≥ expiry (XFetch: Vattani,
// Chierichetti and Lowenstein, "Optimal probabilistic cache stampede prevention", VLDB 2015).
//
// A cache that doesn't answer counts as a miss: the store is asked. A store that doesn't is status 502, or 504 when it takes longer than
// store_timeout.
//
// Each write gets a version, the lab's time in nanoseconds and larger than the last one, which the store and the cache keep with the value. A read
// is stale if its version is lower than that of a write of the same key that this server had acknowledged before the read came. What
// other servers have acknowledged it cannot know.
//
// Left out: transactions, write-ahead logs for the buffer, invalidation by messages.
package tier
