package web

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	nethttp "net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"netlab/services"
)

const maxItems = 10_000_000

// The defaults of a collection.
const (
	defaultItems       = 100
	defaultPageSize    = 20
	defaultMaxPageSize = 100
)

// sessionCookie tells a stateful collection who asks.
const sessionCookie = "session"

// collection is a REST collection of items that are numbered from 1. A page of it is
//
//	{"items": […], "total": 100, "offset": 20, "limit": 20, "next": "/items?limit=20&offset=40", "next_page_token": "…"}
//
// without the last two if it is the last one. A client asks for the next one by either: offset and limit, or page_token.
type collection struct {
	path                string
	versioned           bool
	items               int
	pageSize, maxOfPage int
	sessions            *sessions // nil without state
}

// itemV1 and itemV2 are what versions make of an item: the second one's id is a text and its price has a currency.
type (
	itemV1 struct {
		ID    int    `json:"id"`
		Name  string `json:"name"`
		Price int    `json:"price"`
	}
	itemV2 struct {
		ID    string `json:"id"`
		Title string `json:"title"`
		Price price  `json:"price"`
	}
	price struct {
		Amount   string `json:"amount"`
		Currency string `json:"currency"`
	}
)

// page is what a request for a page gets.
type page struct {
	Items  []any  `json:"items"`
	Total  int    `json:"total"`
	Offset int    `json:"offset"`
	Limit  int    `json:"limit"`
	Next   string `json:"next,omitempty"`
	Token  string `json:"next_page_token,omitempty"`
}

// collection returns the handler "collection".
func (h *Handler) collection(env *services.Env, path string) nethttp.Handler {
	c := &collection{path: strings.TrimSuffix(path, "/"), versioned: h.Versions != nil, items: or(h.Items, defaultItems),
		maxOfPage: or(h.MaxPageSize, defaultMaxPageSize)}
	c.pageSize = or(h.PageSize, min(defaultPageSize, c.maxOfPage))
	if h.Stateful {
		c.sessions = &sessions{random: env.Stream("handlers." + path + ".sessions"), byAddress: map[string]string{}, position: map[string]int{}}
	}
	return c
}

// ServeHTTP implements net/http's Handler.
func (c *collection) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	if r.Method != nethttp.MethodGet && r.Method != nethttp.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		problem(w, nethttp.StatusMethodNotAllowed, "the collection can only be read")
		return
	}
	prefix, shape := c.version(r.URL.Path)
	if id := r.PathValue("id"); id != "" {
		n, ok := c.number(id, shape)
		if !ok {
			problem(w, nethttp.StatusNotFound, fmt.Sprintf("there is no item %q", id))
			return
		}
		answer(w, nethttp.StatusOK, shape(n))
		return
	}
	at, err := readWindow(r.URL.RawQuery, c.items, c.pageSize, c.maxOfPage)
	if err != nil {
		problem(w, nethttp.StatusBadRequest, err.Error())
		return
	}
	if c.sessions != nil {
		at.offset = c.sessions.next(w, r, at.limit, c.items)
	}
	answer(w, nethttp.StatusOK, c.page(prefix+c.path, at, shape))
}

// version returns the prefix of a path's version and what items look like there.
func (c *collection) version(path string) (prefix string, shape func(n int) any) {
	if c.versioned {
		prefix = path[:len("/v1")]
	}
	if prefix == "/v2" {
		return prefix, newItemV2
	}
	return prefix, newItemV1
}

func newItemV1(n int) any { return itemV1{n, "item " + strconv.Itoa(n), cents(n)} }

func newItemV2(n int) any {
	c := cents(n)
	return itemV2{"item-" + strconv.Itoa(n), "Item " + strconv.Itoa(n), price{fmt.Sprintf("%d.%02d", c/100, c%100), "EUR"}}
}

// cents is what an item costs.
func cents(n int) int {
	const step, span, least = 7919, 9000, 1000
	return n*step%span + least
}

// number returns the number of the item with an id.
func (c *collection) number(id string, shape func(int) any) (int, bool) {
	if _, ok := shape(1).(itemV2); ok {
		var found bool
		if id, found = strings.CutPrefix(id, "item-"); !found {
			return 0, false
		}
	}
	n, err := readNumber("id", id, 1, c.items)
	return n, err == nil
}

// page returns the part of the collection at path that a client asks for.
func (c *collection) page(path string, at window, shape func(int) any) page {
	p := page{Items: []any{}, Total: c.items, Offset: at.offset, Limit: at.limit}
	end := min(at.offset+at.limit, c.items)
	for n := at.offset + 1; n <= end; n++ {
		p.Items = append(p.Items, shape(n))
	}
	if end < c.items && end > at.offset {
		p.Next = fmt.Sprintf("%s?limit=%d&offset=%d", path, at.limit, end)
		p.Token = pageToken(end)
	}
	return p
}

// answer sends a value as JSON.
func answer(w nethttp.ResponseWriter, status int, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("web: %T can't be JSON: %v", value, err))
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	w.Write(text)
}

// problem answers with an error: {"error": {"status": 400, "message": "…"}}.
func problem(w nethttp.ResponseWriter, status int, message string) {
	type body struct {
		Status  int    `json:"status"`
		Message string `json:"message"`
	}
	answer(w, status, map[string]body{"error": {status, message}})
}

// sessions are where clients are in a stateful collection. They are known by a cookie, or by their address if they keep none.
// Nothing of this reaches another server, which is the point.
type sessions struct {
	mu        sync.Mutex
	random    *rand.Rand
	byAddress map[string]string // address to session
	position  map[string]int    // by session
	order     []string          // of the sessions, the oldest first
}

// maxSessions is how many a server remembers; then it forgets the oldest.
const maxSessions = 100_000

// next returns where the page of a client begins, and moves on by so many items. After the last one it begins anew.
func (s *sessions) next(w nethttp.ResponseWriter, r *nethttp.Request, limit, items int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.session(r)
	nethttp.SetCookie(w, &nethttp.Cookie{Name: sessionCookie, Value: id, Path: "/"})
	at, known := s.position[id]
	if !known {
		if s.order = append(s.order, id); len(s.order) > maxSessions {
			delete(s.position, s.order[0])
			s.order = slices.Delete(s.order, 0, 1)
		}
	}
	s.position[id] = at + limit
	if at+limit >= items {
		s.position[id] = 0
	}
	return at
}

// session returns the session of a client.
func (s *sessions) session(r *nethttp.Request) string {
	if c, err := r.Cookie(sessionCookie); err == nil && c.Value != "" {
		return c.Value
	}
	address, _, _ := net.SplitHostPort(r.RemoteAddr)
	id, ok := s.byAddress[address]
	if !ok {
		id = fmt.Sprintf("%016x", s.random.Uint64())
		s.byAddress[address] = id
	}
	return id
}
