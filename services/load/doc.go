// Package load makes requests the way that load generators do, and counts what comes of them. What a request is, a workload says
// ([Client]); package netlab/services/load/clients has those over HTTP, TCP, UDP and DNS.
//
// # When requests are made
//
// In a closed loop there are so many users ([Config.Users]). Each makes a request, waits for its answer, thinks, and makes the
// next one. When the server gets slower, so do the users: N users who think for Z and wait for R make N/(R+Z) requests a second
// (the interactive response time law, Denning and Buzen 1978), and no queue is ever longer than N.
//
// In an open loop requests come at a rate, whatever became of those before: evenly, or as a Poisson process, which is what many
// independent people look like from afar. That rate may follow a schedule of steps and ramps. Arrivals are exact: they come out
// of the inverse of the integrated rate, to the nanosecond. When the server can't keep up, the queue grows without end.
//
// Schroeder, Wierman and Harchol-Balter, "Open Versus Closed: A Cautionary Tale" (NSDI 2006), tell what the choice does to results.
//
// # How long they take
//
// The latency of a request counts from when it was due, not from when it was made. If a client has to wait until an earlier
// request is over, that wait is part of what a user sees; a measurement that leaves it out omits exactly the requests that a stall
// hit (coordinated omission: Gil Tene, "How NOT to Measure Latency", 2013). The time from when it was made is there as well, as
// the service latency, so that the difference shows. In a closed loop they are equal: nothing is due before the user
// has had the last answer, and so a stall of a second is one slow request for each user.
//
// # What it leaves out
//
// A host's processor takes no time, on either side. A user is one goroutine, and thinks between requests, not between pages. A
// user whose request is over without any time having passed waits 1 µs before the next one, and 1 s if it failed.
package load
