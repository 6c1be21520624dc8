package chat

import (
	"context"
	nethttp "net/http"
	"sync"

	"netlab/ws"
)

// member is somebody in the room over WebSocket.
type member struct {
	conn *ws.Conn
	wake chan struct{} // there may be something to send
	gone chan struct{} // closed when the connection is

	// Guarded by the room.
	seen   int64 // number of the last message that was sent, or left out
	joined int64 // number of the room's last message then
	slow   bool  // it is being closed

	closing sync.WaitGroup
}

// serveSocket keeps a member until it goes or the server stops. This goroutine reads what the member sends, another one writes.
func (r *Room) serveSocket(w nethttp.ResponseWriter, req *nethttp.Request) {
	q, err := parseQuery(req.URL.RawQuery, false, 0)
	if err != nil {
		nethttp.Error(w, err.Error(), nethttp.StatusBadRequest)
		return
	}
	conn, err := ws.Accept(r.env.Host, w, req, &ws.AcceptOptions{Options: ws.Options{
		Compression: r.config.Compression, ReadLimit: int64(r.config.MaxMessage), Go: r.env.Go,
		PingInterval: r.config.PingInterval.Std(), PingTimeout: r.config.PingTimeout.Std(),
	}})
	if err != nil {
		return
	}
	defer closeAtEnd(req.Context(), conn)()
	m := r.join(conn, q)
	written := make(chan struct{})
	r.env.Go(func() {
		defer close(written)
		r.write(m)
	})
	r.read(conn)
	conn.CloseNow()
	r.leave(m)
	<-written
	m.closing.Wait()
}

// closeAtEnd has a connection closed when the server stops, unless stop is called before.
func closeAtEnd(ctx context.Context, conn *ws.Conn) (stop func()) {
	closed := make(chan struct{})
	unset := context.AfterFunc(ctx, func() {
		defer close(closed)
		conn.Close(ws.GoingAway, "the server stops")
	})
	return func() {
		if !unset() {
			<-closed
		}
	}
}

// read takes what a member sends, until its connection is closed.
func (r *Room) read(conn *ws.Conn) {
	for {
		kind, text, err := conn.Read(context.Background())
		if err != nil {
			if conn.Status() == ws.MessageTooBig {
				r.reject()
			}
			return
		}
		if kind != ws.Text {
			r.reject()
			conn.Close(ws.UnsupportedData, "want text messages")
			return
		}
		d, err := decodeDraft(text)
		if err != nil {
			r.reject()
			conn.Close(ws.InvalidPayload, "not a chat message")
			return
		}
		r.post(d)
	}
}

// write sends a member what it hasn't seen, until its connection is closed.
func (r *Room) write(m *member) {
	for {
		if text := r.next(m); text != nil {
			if m.conn.Write(context.Background(), ws.Text, text) != nil {
				return
			}
			continue
		}
		select {
		case <-m.wake:
		case <-m.gone:
			return
		}
	}
}

// next returns the next message for a member, or nil.
func (r *Room) next(m *member) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.afterLocked(m.seen)
	if m.slow || len(list) == 0 {
		return nil
	}
	m.seen = r.last - int64(len(list)) + 1
	r.result.Pushed++
	return list[0]
}

// limitLocked sees to it that not too much waits for a member.
func (r *Room) limitLocked(m *member) {
	// What the member asked for when it joined doesn't make it slow.
	waiting := r.last - max(m.seen, m.joined)
	if waiting <= int64(r.config.Queue) || m.slow {
		return
	}
	if r.config.Slow == SkipSlow {
		m.seen = max(m.seen, m.joined) + 1
		r.result.Skipped++
		return
	}
	m.slow = true
	r.result.Slow++
	m.closing.Add(1)
	r.env.Go(func() { // the goroutine that writes may be held up
		defer m.closing.Done()
		m.conn.Close(ws.PolicyViolation, "too slow")
	})
}
