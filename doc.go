// Package netlab plays a whole distributed system inside one process: simulated hosts with real network stacks, joined by
// links whose loss, latency, rate and partitions are declared. It runs in virtual time: an hour passes in seconds, and the
// same seed gives the same packets, byte for byte.
//
// A lab comes from a file or from Go values:
//
//	lab, err := netlab.Load("retransmission.json", nil)
//	lab, err := netlab.New(&topology.Topology{…}, nil)
//
// [Lab.Run] plays it. The function that it is given runs inside the lab, on the lab's time: time.Now, time.Sleep and contexts
// with timeouts mean virtual time there. It dials and listens through hosts, injects faults and may start goroutines with
// [Run.Go]:
//
//	results, err := lab.Run(ctx, func(run *netlab.Run) error {
//		client := http.Client{Transport: &http.Transport{DialContext: run.Host("client").DialContext}}
//		_, err := client.Get("http://server/")
//		return err
//	})
//
// # What determinism needs
//
// Some settings belong to the process and not to a lab. [CheckSettings] says which are missing: a module that wants equal bytes
// in every run has these lines in its go.mod, because a dependency's don't count:
//
//	godebug (
//		cryptocustomrand=1
//		randautoseed=0
//		randseednop=0
//	)
//
// While a lab runs in virtual time it has the process to itself: GOMAXPROCS is 1 and crypto/rand is seeded, so a second lab
// in the same process has to wait for its turn, and [Lab.Run] refuses it.
package netlab
