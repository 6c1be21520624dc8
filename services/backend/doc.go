// Package backend is the pool of backends behind a balancer or a proxy: which there are, which of them may be used now, and how
// busy each is. The algorithm that chooses among those that may be used is package netlab/services/balance's.
//
// A service embeds [Config], makes a [Pool] in its Run and asks it for a [Lease] for each request or connection. The lease says
// where to connect to, and is told what came of it.
//
// What takes a backend out, and brings it back:
//
//   - Active health checks ([Health]) connect, or ask for a page, every interval over the host's own network stack. After Fall
//     failed checks in a row a backend is down, after Rise passed ones it is up again. A check that gets no answer has failed when
//     its timeout is over. So a backend that vanishes is noticed between (Fall-1)·interval + timeout and Fall·interval + timeout
//     after it, and one that comes back between (Rise-1)·interval and Rise·interval, plus the time that a check takes. The words
//     are HAProxy's.
//   - Outlier ejection ([Outlier]) looks at the requests themselves, after Envoy's outlier detection: so many errors in a row, and
//     the backend is ejected for a time that is longer with each ejection.
//   - A circuit breaker ([Breaker]) for each backend (Nygard, "Release It!", 2nd edition 2018, chapter 5): closed it lets requests
//     through, after too many failures it is open and lets none, and after a while it is half-open and lets a few try.
//   - Draining ([Drain]): no new requests, and what is under way may end within a time.
//
// A backend that comes back may be given more and more to do ([SlowStart]). Backups are used when no other backend may be. When too
// few are left ([Config].PanicThreshold) the pool doesn't trust its checks and uses all of them. MaxConnections limits what each is
// given at a time; what is more waits in a [Queue] or is refused.
//
// Times are exact: what is to happen after a time happens at that time in an event of its own, whether or not there are requests.
// A crash of the host forgets the state of all backends; what was counted in [Counters] goes on.
//
// Left out: Envoy's success-rate and failure-percentage ejection and its sweep (backends are looked at when they answer, and come
// back at the very time when their ejection ends), weights that backends report themselves, health checks with gRPC or scripts.
package backend
