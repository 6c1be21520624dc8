package httpclient

import (
	"time"

	"netlab/services/httpcache"
)

// Outcome is what came of one request, with the attempts and redirects that it took. Durations are of the lab's time.
//
// The phases add up over all attempts and redirects. A phase counts only if the request itself went through it: a connection
// that was there already, or that another request had dialled, has none of the first three.
type Outcome struct {
	// Status is the status code of the last response, 0 without one.
	Status int
	// Bytes is the content of the last response, as far as it came.
	Bytes int64
	// Err is why there is no complete response; a status of 400 or above is none. Package failures tells its kind.
	Err error
	// Cut says that the end of the context, which is that of the run, or of the host broke the request off. It is no failure.
	Cut bool
	// Target is the address that the last connection led to, "10.0.1.2:80", "" without one.
	Target string
	// Protocol is "HTTP/1.1" or "HTTP/2.0", "" without a response.
	Protocol string
	// Attempts is how often the request was made, Hops how many requests that were with redirects.
	Attempts, Hops int

	// Cache is what the client's cache did with the last hop; FromCache says that it answered without a packet, in no time. Then
	// Target is empty and Answered false.
	Cache     httpcache.Status
	FromCache bool

	// Dialed says that a connection was made for the request, Secured that TLS was.
	Dialed, Secured bool
	// DNS is how long it took to find the server's addresses, Connect to connect to one of them, TLS the handshake.
	DNS, Connect, TLS time.Duration
	// Wait is the time from the request's last byte to the response's first one, Transfer from there to its last one.
	Wait, Transfer time.Duration
	// Answered says that the last hop has a first byte of a response; FirstByte is when, since the start.
	Answered  bool
	FirstByte time.Duration
	// Total is the time from start to end.
	Total time.Duration
}

// firstError is the lowest status that says that a request failed.
const firstError = 400

// OK says that the response came in full and that its status is below 400.
func (o *Outcome) OK() bool { return o.Err == nil && !o.Cut && o.Status > 0 && o.Status < firstError }
