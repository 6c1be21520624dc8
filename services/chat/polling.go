package chat

import (
	"errors"
	"io"
	nethttp "net/http"
	"slices"
	"strconv"
)

// waiter is a long poll that waits.
type waiter struct{ wake chan struct{} }

// serveMessages answers polls and takes messages.
func (r *Room) serveMessages(w nethttp.ResponseWriter, req *nethttp.Request) {
	switch req.Method {
	case nethttp.MethodGet:
		r.poll(w, req)
	case nethttp.MethodPost:
		r.take(w, req)
	default:
		w.Header().Set("Allow", "GET, POST")
		nethttp.Error(w, nethttp.StatusText(nethttp.StatusMethodNotAllowed), nethttp.StatusMethodNotAllowed)
	}
}

// take takes a message.
func (r *Room) take(w nethttp.ResponseWriter, req *nethttp.Request) {
	text, err := io.ReadAll(nethttp.MaxBytesReader(w, req.Body, int64(r.config.MaxMessage)))
	if err != nil {
		if large := new(nethttp.MaxBytesError); errors.As(err, &large) {
			r.reject()
			nethttp.Error(w, "message too big", nethttp.StatusRequestEntityTooLarge)
		}
		return // or the client has gone
	}
	d, err := decodeDraft(text)
	if err != nil {
		r.reject()
		nethttp.Error(w, err.Error(), nethttp.StatusBadRequest)
		return
	}
	number := strconv.FormatInt(r.post(d), 10)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(nethttp.StatusCreated)
	io.WriteString(w, `{"number":`+number+"}")
}

// poll answers with the messages after a number, at once or when there are some.
func (r *Room) poll(w nethttp.ResponseWriter, req *nethttp.Request) {
	q, err := parseQuery(req.URL.RawQuery, true, r.config.MaxWait.Std())
	if err != nil {
		nethttp.Error(w, err.Error(), nethttp.StatusBadRequest)
		return
	}
	if q.wait > 0 && !r.await(req, q) {
		r.mu.Lock()
		r.result.Cut++
		r.mu.Unlock()
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	body := r.page(q.after)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body)
}

// await returns when there is a message after a number or the wait is over, and says whether there is still somebody to answer.
func (r *Room) await(req *nethttp.Request, q query) bool {
	me := &waiter{make(chan struct{}, 1)}
	r.mu.Lock()
	if len(r.afterLocked(q.after)) > 0 {
		r.mu.Unlock()
		return true
	}
	r.waiting = append(r.waiting, me)
	r.mu.Unlock()
	ctx, cancel := r.env.WithTimeout(req.Context(), q.wait)
	defer cancel()
	select {
	case <-me.wake:
	case <-ctx.Done():
		r.mu.Lock()
		if i := slices.Index(r.waiting, me); i >= 0 {
			r.waiting = slices.Delete(r.waiting, i, i+1)
		}
		r.mu.Unlock()
	}
	return req.Context().Err() == nil
}

// page returns the messages after a number as JSON.
func (r *Room) page(after int64) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.afterLocked(after)
	body := append([]byte(`{"last":`), strconv.FormatInt(r.last, 10)...)
	body = append(body, `,"messages":[`...)
	for i, text := range list {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, text...)
	}
	r.result.Polls++
	r.result.Polled += uint64(len(list))
	if len(list) == 0 {
		r.result.EmptyPolls++
	}
	return append(body, "]}\n"...)
}
