package load

import (
	"context"
	"math/rand/v2"
	"time"

	"netlab/services"
	"netlab/services/failures"
)

// Client makes the requests of one user. One goroutine at a time uses it.
type Client interface {
	// Do makes one request and waits until it is over, also because ctx ended or it took too long.
	Do(ctx context.Context) Outcome
	// Close lets go of what the client holds. Nothing is under way then.
	Close()
}

// Connect makes the client of a user. ctx ends with the run. The error ends the workload on its host.
type Connect func(ctx context.Context, user *User) (Client, error)

// User is who makes requests: a user of a closed loop, or one of those who make the requests of an open loop, of whom there are as
// many as have ever been needed at once.
type User struct {
	// Env is that of the workload on the user's host.
	Env *services.Env
	// Index numbers the users of a host from 0.
	Index int

	part   string
	random *rand.Rand
}

// Random is the user's own stream of random numbers.
func (u *User) Random() *rand.Rand {
	if u.random == nil {
		u.random = u.Env.Stream(u.part)
	}
	return u.random
}

// Phase is a part of a request's time.
type Phase int

// The phases of a request, in order. A request on a connection that was there already has no phases before Wait.
const (
	DNS      Phase = iota // lookup of the name
	Dial                  // TCP handshake
	TLS                   // TLS handshake
	Wait                  // from the request's sending to the first byte of the answer
	Transfer              // from the first to the last byte of the answer
	phases
)

// Outcome is what came of a request.
type Outcome struct {
	// Failure is why the request failed, empty when it succeeded.
	Failure failures.Kind
	// Status is what the answer says of itself, such as "200" or "NOERROR"; empty when there is no such thing.
	Status string
	// Target is who answered, or who was asked; empty when that is not known.
	Target string
	// Bytes is the size of the answer's content.
	Bytes int64

	took     [phases]time.Duration
	measured uint8
}

// Fail notes that the request failed with an error.
func (o *Outcome) Fail(err error) { o.Failure = failures.Of(err) }

// OK says whether the request succeeded.
func (o *Outcome) OK() bool { return o.Failure == "" }

// Set notes how long a phase took.
func (o *Outcome) Set(p Phase, took time.Duration) {
	o.took[p] = took
	o.measured |= 1 << p
}

// Took returns how long a phase took, and whether there was one.
func (o *Outcome) Took(p Phase) (took time.Duration, ok bool) {
	return o.took[p], o.measured&(1<<p) != 0
}
