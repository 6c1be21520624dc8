package web

import (
	"context"
	"fmt"
	nethttp "net/http"
	"reflect"
	"strings"

	"netlab/services"
	"netlab/services/capacity"
	"netlab/services/chat"
	"netlab/units"
)

// options are the handlers that there are and the options that each of them has.
var options = map[string][]string{
	"static":         {"size", "count", "content_type", "cache_control", "expires", "vary", "headers", "changes", "conditional"},
	"echo":           {},
	"request":        {},
	"delay":          {"cores", "service_time", "queue", "abandoned", "size"},
	"status":         {"status", "error_rate", "error_status", "size"},
	"redirect":       {"location", "status"},
	"stream":         {"size", "piece", "interval", "rate", "content_type"},
	"events":         {"count", "interval", "size"},
	"collection":     {"items", "page_size", "max_page_size", "versions", "stateful"},
	"files":          {"sync", "max_size"},
	"chat":           {"room"},
	"websocket-echo": {},
}

// handlerNames are the names of handlers in the order in which errors list them.
var handlerNames = []string{"static", "echo", "request", "delay", "status", "redirect", "stream", "events", "collection", "files", "chat", "websocket-echo"}

// Handler is what answers at a path. Each kind of handler has its own options; an option that isn't given has its default.
type Handler struct {
	Handler string `json:"handler" jsonschema_description:"What it does: static serves objects, echo sends back what it gets, request what it saw of the request (the client's address, the header), delay answers after some work, status with a status, redirect with another place; stream sends piece by piece and events one event after the other; collection is a REST collection in pages; files keeps what is PUT on the host's disk; chat is a chat room and websocket-echo sends WebSocket messages back." jsonschema:"required,enum=static,enum=echo,enum=request,enum=delay,enum=status,enum=redirect,enum=stream,enum=events,enum=collection,enum=files,enum=chat,enum=websocket-echo"`

	Size         *units.Bytes      `json:"size,omitempty" jsonschema_description:"static: size of each object, default 10kB. delay, status: size of the content, default 0B. stream: size of all pieces, default 100kB. events: size of the data of each event, default 100B."`
	Count        int               `json:"count,omitempty" jsonschema_description:"static: objects 1 to this number are below the path, which ends with a slash; default any name. events: how many events there are; default: until the client goes."`
	ContentType  string            `json:"content_type,omitempty" jsonschema_description:"static, stream: media type. Default application/octet-stream."`
	CacheControl string            `json:"cache_control,omitempty" jsonschema_description:"static: the header field Cache-Control, such as max-age=60. Default: none."`
	Expires      *units.Duration   `json:"expires,omitempty" jsonschema_description:"static: the header field Expires is this long after the response's date; 0s or less is in the past. Default: none."`
	Vary         []string          `json:"vary,omitempty" jsonschema_description:"static: header fields of requests that the content depends on, such as Accept-Language; responses name them in Vary. Default: none."`
	Headers      map[string]string `json:"headers,omitempty" jsonschema_description:"static: further header fields of responses, such as Surrogate-Key or CDN-Cache-Control. Default: none."`
	Changes      units.Duration    `json:"changes,omitempty" jsonschema_description:"static: how often the content changes, in whole seconds by the host's date since the server's start, and with it ETag and Last-Modified. Default: never."`
	Conditional  *bool             `json:"conditional,omitempty" jsonschema_description:"static: whether objects have an ETag and a Last-Modified, so that clients may ask whether they have changed, and for parts of them. Default true."`

	Capacity

	Status      int               `json:"status,omitempty" jsonschema_description:"status: the status, default 200. redirect: one of 301, 302, 303, 307, 308; default 302."`
	ErrorRate   units.Probability `json:"error_rate,omitempty" jsonschema_description:"status: share of requests that get error_status instead. Default 0%."`
	ErrorStatus int               `json:"error_status,omitempty" jsonschema_description:"status: what they get. Default 500."`

	Location string `json:"location,omitempty" jsonschema_description:"redirect: where to, a path or a URL."`

	Piece    units.Bytes    `json:"piece,omitempty" jsonschema_description:"stream: size of a piece. Default 1kB."`
	Interval units.Duration `json:"interval,omitempty" jsonschema_description:"stream, events: time from the start of one to that of the next. Default 100ms for stream, 1s for events."`
	Rate     units.BitRate  `json:"rate,omitempty" jsonschema_description:"stream: how fast pieces are sent, instead of interval."`

	Items       int      `json:"items,omitempty" jsonschema_description:"collection: how many items there are. Default 100."`
	PageSize    int      `json:"page_size,omitempty" jsonschema_description:"collection: how many items a page has if the client doesn't say. Default 20."`
	MaxPageSize int      `json:"max_page_size,omitempty" jsonschema_description:"collection: how many a client may ask for. Default 100."`
	Versions    []string `json:"versions,omitempty" jsonschema_description:"collection: versions of the interface side by side, v1 and v2, whose items look different; they are at /v1 and /v2 before the path. Default: v1 at the path itself."`
	Stateful    bool     `json:"stateful,omitempty" jsonschema_description:"collection: keeps the position of each client in the memory of this server and ignores what the client says, which goes wrong as soon as there is another server. Default false."`

	Sync    *bool       `json:"sync,omitempty" jsonschema_description:"files: whether a PUT is answered when what it stores would outlive a crash. Otherwise it is when the disk has it in its cache, which a crash takes away. Default true."`
	MaxSize units.Bytes `json:"max_size,omitempty" jsonschema_description:"files: how much a PUT may store; more gets status 413. Default 64MiB."`

	Room chat.RoomConfig `json:"room,omitzero" jsonschema_description:"chat: the room."`
}

// given returns the names of the options that a handler has been given.
func (h *Handler) given() []string {
	var names []string
	v := reflect.ValueOf(h).Elem()
	for _, f := range reflect.VisibleFields(v.Type()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" && name != "handler" && !v.FieldByIndex(f.Index).IsZero() && len(f.Index) <= 2 {
			names = append(names, name)
		}
	}
	return names
}

// size returns the option size.
func (h *Handler) size(other units.Bytes) units.Bytes {
	if h.Size == nil {
		return other
	}
	return *h.Size
}

// or returns a value, or another one if it is zero.
func or[T comparable](value, other T) T {
	var zero T
	if value == zero {
		return other
	}
	return value
}

// patterns are those of net/http's ServeMux at which a handler answers.
func (h *Handler) patterns(path string) []string {
	switch h.Handler {
	case "collection":
		path = strings.TrimSuffix(path, "/")
		var list []string
		for _, v := range h.Versions {
			list = append(list, "/"+v+path, "/"+v+path+"/{id}")
		}
		if list == nil {
			list = []string{path, path + "/{id}"}
		}
		return list
	case "chat":
		return []string{strings.TrimSuffix(path, "/") + "/"}
	}
	return []string{path}
}

// place is a handler at a path. What it counts outlives a crash of the host; the handler is made anew.
type place struct {
	path    string
	config  Handler
	handler nethttp.Handler
	cores   *capacity.Cores // of the handler, or nil
	count   counters
}

// start makes the handler, and the model of its cores if it has one.
func (p *place) start(ctx context.Context, env *services.Env) (err error) {
	switch before := p.handler.(type) {
	case *chat.Room:
		p.handler = chat.NewRoom(env, p.config.Room, before)
		return nil
	case *files:
		p.handler, err = before.again(ctx, env)
		return err
	}
	if p.handler, err = p.config.build(env, p.path); err != nil {
		return err
	}
	if p.config.Handler == "delay" {
		p.cores = startCores(p.cores, env, &p.config.Capacity, "handlers."+p.path+".service_time")
	}
	return nil
}

// ServeHTTP implements net/http's Handler.
func (p *place) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	p.count.mu.Lock()
	p.count.result.Requests++
	p.count.mu.Unlock()
	if p.cores != nil && !work(p.cores, w.(*recorder), r) {
		return
	}
	p.handler.ServeHTTP(w, r)
}

func (p *place) result() HandlerResult {
	p.count.mu.Lock()
	defer p.count.mu.Unlock()
	r := HandlerResult{Requests: p.count.result.Requests}
	if p.cores != nil {
		r.Capacity = p.cores.Result()
	}
	switch h := p.handler.(type) {
	case *chat.Room:
		r.Room = h.Result()
	case *files:
		r.Files = h.result()
	}
	return r
}

// build makes the handler.
func (h *Handler) build(env *services.Env, path string) (nethttp.Handler, error) {
	switch h.Handler {
	case "static":
		return h.static(env, path), nil
	case "echo":
		return nethttp.HandlerFunc(echo), nil
	case "request":
		return nethttp.HandlerFunc(request), nil
	case "delay":
		return h.fixed(nethttp.StatusOK), nil
	case "status":
		return h.statuses(env, path), nil
	case "redirect":
		return nethttp.RedirectHandler(h.Location, or(h.Status, nethttp.StatusFound)), nil
	case "stream":
		return h.stream(env), nil
	case "events":
		return h.events(env), nil
	case "collection":
		return h.collection(env, path), nil
	case "files":
		return h.files(env), nil
	case "chat":
		return chat.NewRoom(env, h.Room, nil), nil
	case "websocket-echo":
		return chat.NewEcho(env), nil
	}
	return nil, fmt.Errorf("handler %q: want one of %s", h.Handler, strings.Join(handlerNames, ", "))
}
