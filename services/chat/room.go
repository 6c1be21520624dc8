package chat

import (
	"maps"
	nethttp "net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"netlab/services"
	"netlab/units"
	"netlab/ws"
)

// Room is a chat room. It is an HTTP handler. It keeps its messages and members in memory: after a crash of its host there is
// another room.
type Room struct {
	env    *services.Env
	config RoomConfig

	mu      sync.Mutex
	kept    [][]byte // the latest messages as JSON
	last    int64    // number of the latest message
	members []*member
	waiting []*waiter
	result  RoomResult
	closes  map[string]uint64
}

// RoomResult is what a room reports.
type RoomResult struct {
	// Joined counts members over WebSocket, Peak how many there were at once.
	Joined uint64 `json:"joined"`
	Peak   uint64 `json:"peak"`
	// Messages counts what was sent to the room, and Bytes its JSON.
	Messages uint64      `json:"messages"`
	Bytes    units.Bytes `json:"bytes"`
	// Rejected counts messages that made no sense or were too large.
	Rejected uint64 `json:"rejected"`
	// Pushed counts messages that were written to members over WebSocket, Polled those in answers to polls.
	Pushed uint64 `json:"pushed"`
	Polled uint64 `json:"polled"`
	// Slow counts members whose connections were closed because they were too slow, Skipped messages that were left out for
	// that reason.
	Slow    uint64 `json:"slow"`
	Skipped uint64 `json:"skipped"`
	// Polls counts polls, long or not, that were answered, EmptyPolls those of them that were answered with no messages. Cut
	// counts long polls whose client went before the answer.
	Polls      uint64 `json:"polls"`
	EmptyPolls uint64 `json:"empty_polls"`
	Cut        uint64 `json:"cut"`
	// CloseCodes counts how WebSocket connections ended, by close code; 1006 means without a close frame.
	CloseCodes map[string]uint64 `json:"close_codes"`
}

// NewRoom returns a room on a host for a valid configuration. What it serves depends on the last element of a request's path
// alone: "ws" or "messages".
//
// before, when not nil, is the room that was lost with the host's incarnation before: what it counted goes on. The numbers of
// messages begin at the host's incarnation times 2^32, as the transaction numbers of ZooKeeper begin with an epoch, so that members
// who ask for what came after the last message that they know get all of the new ones.
func NewRoom(env *services.Env, c RoomConfig, before *Room) *Room {
	const epoch = 32 // bits of a number below the incarnation
	r := &Room{env: env, config: c.withDefaults(), last: int64(env.Host.Incarnation() << epoch), closes: map[string]uint64{}}
	if before != nil {
		result := before.Result()
		r.result, r.closes = *result, result.CloseCodes
	}
	return r
}

// Result returns what the room has to report until now.
func (r *Room) Result() *RoomResult {
	r.mu.Lock()
	defer r.mu.Unlock()
	result := r.result
	result.CloseCodes = maps.Clone(r.closes)
	return &result
}

// ServeHTTP implements net/http's Handler.
func (r *Room) ServeHTTP(w nethttp.ResponseWriter, req *nethttp.Request) {
	switch path := req.URL.Path; path[strings.LastIndexByte(path, '/')+1:] {
	case "ws":
		r.serveSocket(w, req)
	case "messages":
		r.serveMessages(w, req)
	default:
		nethttp.NotFound(w, req)
	}
}

// post takes a message, numbers it, and wakes those who wait for it: members in the order in which they joined, then polls.
func (r *Room) post(d Draft) int64 {
	if d.Sent == 0 {
		d.Sent = int64(r.env.Host.Now().Sub(r.env.Host.Network().Epoch()))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	text := encode(Message{Number: r.last, Draft: d})
	if len(r.kept) == r.config.History {
		r.kept[0] = nil
		r.kept = r.kept[1:]
	}
	r.kept = append(r.kept, text)
	r.result.Messages++
	r.result.Bytes += units.Bytes(len(text))
	network := r.env.Host.Network()
	for _, m := range r.members {
		r.limitLocked(m)
		network.Wake(m.wake)
	}
	for _, w := range r.waiting {
		network.Wake(w.wake)
	}
	r.waiting = nil
	return r.last
}

func (r *Room) reject() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.Rejected++
}

// afterLocked returns the messages with numbers above n that the room still has.
func (r *Room) afterLocked(n int64) [][]byte {
	missing := r.last - n
	if missing <= 0 {
		return nil
	}
	return r.kept[max(0, int64(len(r.kept))-missing):]
}

// join adds a member that has seen the messages up to a number.
func (r *Room) join(conn *ws.Conn, q query) *member {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := &member{conn: conn, wake: make(chan struct{}, 1), gone: make(chan struct{}), seen: r.last, joined: r.last}
	if q.given {
		m.seen = min(q.after, r.last)
	}
	r.members = append(r.members, m)
	r.result.Joined++
	r.result.Peak = max(r.result.Peak, uint64(len(r.members)))
	return m
}

// leave removes a member whose connection is closed.
func (r *Room) leave(m *member) {
	close(m.gone)
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.Index(r.members, m)
	r.members = slices.Delete(r.members, i, i+1)
	r.closes[strconv.Itoa(int(m.conn.Status()))]++
}
