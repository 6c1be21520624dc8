package chat

import (
	"errors"
	"strconv"
	"sync"
	"time"

	"netlab/services/failures"
	"netlab/services/figures"
	"netlab/services/load"
	"netlab/units"
	"netlab/ws"
)

// Result is what the workload "chat" reports, over all hosts that it ran on.
type Result struct {
	Watchers uint64 `json:"watchers"`
	// Sent counts messages that senders wrote to a connection or sent as requests.
	Sent uint64 `json:"sent"`
	// Expected is what had to arrive: Sent times Watchers. Received of these did, and Lost did not until the end.
	Expected uint64 `json:"expected"`
	Received uint64 `json:"received"`
	Lost     uint64 `json:"lost"`
	// Duplicates counts messages that a watcher got again, OutOfOrder those that came after a later one of the same sender.
	Duplicates uint64 `json:"duplicates"`
	OutOfOrder uint64 `json:"out_of_order"`
	// Complete says that every sender sent all its messages and every watcher got them.
	Complete bool `json:"complete"`
	// Delay is the time from when a message was due to be sent until a watcher had it.
	Delay *figures.Percentiles `json:"delay"`
	// Connections counts connections that were opened: TCP connections, over which WebSocket was agreed if that is the
	// transport. Reconnects counts attempts to open another one after a WebSocket connection broke or could not be opened.
	Connections uint64 `json:"connections"`
	Reconnects  uint64 `json:"reconnects"`
	// Requests counts polls that were answered, EmptyPolls those of them that brought no message.
	Requests   uint64 `json:"requests"`
	EmptyPolls uint64 `json:"empty_polls"`
	// Pings counts pings that were answered.
	Pings uint64 `json:"pings"`
	// BytesSent and BytesReceived are the messages' JSON and the answers to polls, without headers, frames and compression.
	BytesSent     units.Bytes `json:"bytes_sent"`
	BytesReceived units.Bytes `json:"bytes_received"`
	// Errors counts connections that could not be opened or broke, and requests that failed, by kind.
	Errors failures.Counts `json:"errors"`
	// CloseCodes counts how WebSocket connections ended, by close code; 1006 means without a close frame. Those that the end
	// cuts off don't count.
	CloseCodes map[string]uint64 `json:"close_codes"`
	// Seconds is what happened over time, in parts of length Bucket: Started counts messages that were sent, Succeeded those
	// that watchers got, with their delays.
	Bucket  units.Duration `json:"bucket_ns"`
	Seconds []load.Second  `json:"seconds"`
}

// tally is what the users of a host have to report.
type tally struct {
	mu     sync.Mutex
	result Result // without what is computed in the end
	delay  figures.Histogram
}

func (t *tally) init() { t.result.CloseCodes = map[string]uint64{} }

// count changes the figures.
func (t *tally) count(change func(r *Result)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.result)
}

// received counts a message for a watcher.
func (t *tally) received(delay time.Duration, late bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.result.Received++
	if late {
		t.result.OutOfOrder++
	}
	t.delay.Add(delay)
}

// closed counts a WebSocket connection that ended.
func (t *tally) closed(conn *ws.Conn, cut bool) {
	t.count(func(r *Result) {
		r.Pings += conn.Pings()
		if !cut {
			r.CloseCodes[strconv.Itoa(int(conn.Status()))]++
		}
	})
}

// failed counts an error.
func (t *tally) failed(err error) {
	t.count(func(r *Result) { r.Errors.CountKind(kind(err)) })
}

// statusError is the status of a response that is not what was wanted.
type statusError int

// Error implements error.
func (e statusError) Error() string { return "status " + strconv.Itoa(int(e)) }

// kind returns the kind of an error of a WebSocket connection or a request.
func kind(err error) failures.Kind {
	var refused *ws.HandshakeError
	switch {
	case errors.As(err, &refused), errors.As(err, new(statusError)):
		return failures.Status
	case errors.As(err, new(ws.CloseError)):
		return failures.Closed
	}
	return failures.Of(err)
}

// Result implements services.Runner.
func (r *runner) Result() any {
	all := &Result{Watchers: uint64(r.config.Users * len(r.hosts)), CloseCodes: map[string]uint64{}}
	var delay figures.Histogram
	for i := range r.hosts {
		t := &r.hosts[i]
		t.mu.Lock()
		all.add(&t.result)
		delay.Merge(&t.delay)
		t.mu.Unlock()
	}
	all.Expected = all.Sent * all.Watchers
	all.Lost = all.Expected - min(all.Received, all.Expected)
	all.Complete = all.Received == uint64(r.total())*all.Watchers
	all.Delay = delay.Percentiles()
	all.Seconds, all.Bucket = r.timeline.Seconds()
	return all
}

func (r *Result) add(o *Result) {
	r.Sent += o.Sent
	r.Received += o.Received
	r.Duplicates += o.Duplicates
	r.OutOfOrder += o.OutOfOrder
	r.Connections += o.Connections
	r.Reconnects += o.Reconnects
	r.Requests += o.Requests
	r.EmptyPolls += o.EmptyPolls
	r.Pings += o.Pings
	r.BytesSent += o.BytesSent
	r.BytesReceived += o.BytesReceived
	r.Errors.Add(o.Errors)
	for code, n := range o.CloseCodes {
		r.CloseCodes[code] += n
	}
}
