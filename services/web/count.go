package web

import (
	"bufio"
	"maps"
	"math/rand/v2"
	"net"
	nethttp "net/http"
	"strconv"
	"sync"

	"netlab/ip"
	"netlab/services"
	"netlab/services/capacity"
	"netlab/services/chat"
	"netlab/services/limits"
	"netlab/units"
)

// ServerResult is what a server reports.
type ServerResult struct {
	Connections uint64 `json:"connections"`
	// Malformed counts connections without the header of the PROXY protocol that they should have begun with.
	Malformed uint64 `json:"malformed,omitempty"`
	Requests  uint64 `json:"requests"`
	// Aborted counts responses that broke off because the client went or the run ended.
	Aborted uint64 `json:"aborted"`
	// Bytes is the content of responses, as handed to the stack.
	Bytes units.Bytes `json:"bytes"`
	// Status counts responses by status code, Protocols requests by version of HTTP, http1 or
	// http2.
	Status    map[string]uint64 `json:"status"`
	Protocols map[string]uint64 `json:"protocols"`
	// Capacity is what the model of the server's cores found, nil without one.
	Capacity *capacity.Result `json:"capacity"`
	// Limits is what was refused, nil without limits.
	Limits *limits.Result `json:"limits,omitempty"`
	// Handlers is what the handlers did, by path.
	Handlers map[string]HandlerResult `json:"handlers,omitempty"`
}

// HandlerResult is what a handler reports.
type HandlerResult struct {
	Requests uint64 `json:"requests"`
	// Capacity is what the model of its cores found, nil without one.
	Capacity *capacity.Result `json:"capacity,omitempty"`
	// Room is what a chat room found, nil for another handler.
	Room *chat.RoomResult `json:"room,omitempty"`
	// Files is what was stored and read, nil for a handler that keeps nothing.
	Files *FilesResult `json:"files,omitempty"`
}

// counters count what a server does.
type counters struct {
	mu        sync.Mutex
	result    ServerResult
	status    map[int]uint64
	protocols map[string]uint64
}

func newCounters() *counters {
	return &counters{status: map[int]uint64{}, protocols: map[string]uint64{}}
}

func (c *counters) connection() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.result.Connections++
}

func (c *counters) malformed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.result.Malformed++
}

// request counts a request that is over.
func (c *counters) request(r *nethttp.Request, w *recorder) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.result.Requests++
	c.result.Bytes += units.Bytes(w.bytes)
	c.protocols[protocolName(r.Proto)]++
	if w.err != nil {
		c.result.Aborted++
	}
	switch {
	case w.status > 0:
		c.status[w.status]++
	case w.err == nil:
		c.status[nethttp.StatusOK]++ // net/http says so when a handler says nothing
	}
}

// Result implements services.Runner.
func (s *server) Result() any {
	c := s.count
	c.mu.Lock()
	defer c.mu.Unlock()
	result := c.result
	result.Protocols = maps.Clone(c.protocols)
	result.Status = map[string]uint64{}
	for code, n := range c.status {
		result.Status[strconv.Itoa(code)] = n
	}
	if s.cores != nil {
		result.Capacity = s.cores.Result()
	}
	result.Limits = s.limiter.Result()
	for _, p := range s.places {
		if result.Handlers == nil {
			result.Handlers = map[string]HandlerResult{}
		}
		result.Handlers[p.path] = p.result()
	}
	return &result
}

// recorder sees what a handler answers.
type recorder struct {
	nethttp.ResponseWriter
	host   *ip.Host
	status int
	bytes  int64
	err    error // why it broke off
}

// WriteHeader implements net/http's ResponseWriter.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && (status >= nethttp.StatusOK || status == nethttp.StatusSwitchingProtocols) {
		w.date()
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements net/http's ResponseWriter.
func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.date()
		w.status = nethttp.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	if err != nil && w.err == nil {
		w.err = err
	}
	return n, err
}

// date sets the header field Date (RFC 9110, section 6.6.1) when the host believes in another date than the lab's, which net/http
// takes otherwise.
func (w *recorder) date() {
	if w.status != 0 {
		return
	}
	n := w.host.Network()
	if now := w.host.Now(); !now.Equal(n.Epoch().Add(n.Elapsed())) {
		w.Header().Set("Date", now.UTC().Format(nethttp.TimeFormat))
	}
}

// Unwrap is for net/http's ResponseController.
func (w *recorder) Unwrap() nethttp.ResponseWriter { return w.ResponseWriter }

// Flush implements net/http's Flusher.
func (w *recorder) Flush() {
	if err := nethttp.NewResponseController(w.ResponseWriter).Flush(); err != nil && w.err == nil {
		w.err = err
	}
}

// Hijack implements net/http's Hijacker.
func (w *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := nethttp.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil && w.status == 0 {
		w.status = nethttp.StatusSwitchingProtocols
	}
	return conn, rw, err
}

// chance makes some requests fail.
type chance struct {
	rate   float64
	status int

	mu     sync.Mutex
	random *rand.Rand
}

// newChance returns what makes requests fail with a status, 500 if that is 0. part names its stream of random numbers.
func newChance(env *services.Env, part string, rate units.Probability, status int) *chance {
	if status == 0 {
		status = nethttp.StatusInternalServerError
	}
	return &chance{rate: rate.Float(), status: status, random: env.Stream(part)}
}

// hit says whether the next request fails.
func (c *chance) hit() bool {
	if c.rate == 0 {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.random.Float64() < c.rate
}
