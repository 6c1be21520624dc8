package web

import (
	"errors"
	"fmt"
	"maps"
	nethttp "net/http"
	"reflect"
	"slices"
	"strings"

	"netlab/services"
	"netlab/services/capacity"
	"netlab/services/chat"
	"netlab/units"
)

// options are the handlers that there are and the options that each of them has.
var options = map[string][]string{
	"static":         {"size", "count", "content_type", "cache_control", "conditional"},
	"echo":           {},
	"delay":          {"cores", "service_time", "queue", "size"},
	"status":         {"status", "error_rate", "error_status", "size"},
	"redirect":       {"location", "status"},
	"stream":         {"size", "piece", "interval", "rate", "content_type"},
	"events":         {"count", "interval", "size"},
	"collection":     {"items", "page_size", "max_page_size", "versions", "stateful"},
	"chat":           {"room"},
	"websocket-echo": {},
}

// handlerNames are the names of handlers in the order in which errors list them.
var handlerNames = []string{"static", "echo", "delay", "status", "redirect", "stream", "events", "collection", "chat", "websocket-echo"}

// Handler is what answers at a path. Each kind of handler has its own options; an option that isn't given has its default.
type Handler struct {
	Handler string `json:"handler" jsonschema_description:"What it does: static serves objects, echo sends back what it gets, delay answers after some work, status with a status, redirect with another place; stream sends piece by piece and events one event after the other; collection is a REST collection in pages; chat is a chat room and websocket-echo sends WebSocket messages back." jsonschema:"required,enum=static,enum=echo,enum=delay,enum=status,enum=redirect,enum=stream,enum=events,enum=collection,enum=chat,enum=websocket-echo"`

	Size         *units.Bytes `json:"size,omitempty" jsonschema_description:"static: size of each object, default 10kB. delay, status: size of the content, default 0B. stream: size of all pieces, default 100kB. events: size of the data of each event, default 100B."`
	Count        int          `json:"count,omitempty" jsonschema_description:"static: objects 1 to this number are below the path, which ends with a slash; default any name. events: how many events there are; default: until the client goes."`
	ContentType  string       `json:"content_type,omitempty" jsonschema_description:"static, stream: media type. Default application/octet-stream."`
	CacheControl string       `json:"cache_control,omitempty" jsonschema_description:"static: the header field Cache-Control, such as max-age=60. Default: none."`
	Conditional  *bool        `json:"conditional,omitempty" jsonschema_description:"static: whether objects have an ETag and a Last-Modified, so that clients may ask whether they have changed, and for parts of them. Default true."`

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

// validateHandlers checks the handlers and that their paths don't collide.
func (c *ServerConfig) validateHandlers() error {
	var list []error
	mux := nethttp.NewServeMux()
	for _, path := range slices.Sorted(maps.Keys(c.Handlers)) {
		h := c.Handlers[path]
		at := []string{"handlers", path}
		if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " \t?#") {
			list = append(list, services.FieldPathf(at, "%q is not a path: want one such as \"/api/\"", path))
			continue
		}
		if err := h.validate(at); err != nil {
			list = append(list, err)
			continue
		}
		for _, pattern := range h.patterns(path) {
			if err := register(mux, pattern); err != nil {
				list = append(list, services.FieldPathf(at, "%s", err))
			}
		}
	}
	return errors.Join(list...)
}

// register adds a pattern to a mux, which panics if it makes no sense or is there already.
func register(mux *nethttp.ServeMux, pattern string) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%q can't be a path beside the others: %v", pattern, v)
		}
	}()
	mux.Handle(pattern, nethttp.NotFoundHandler())
	return nil
}

// validate returns errors about the fields below at.
func (h *Handler) validate(at []string) error {
	var list []error
	add := func(field, format string, args ...any) {
		list = append(list, services.FieldPathf(append(slices.Clip(at), field), format, args...))
	}
	allowed, ok := options[h.Handler]
	if !ok {
		hint := "want one of " + strings.Join(handlerNames, ", ")
		if s := units.Suggest(h.Handler, handlerNames); s != "" {
			hint = fmt.Sprintf("did you mean %s?", s)
		}
		add("handler", "%q is not a handler: %s", h.Handler, hint)
		return errors.Join(list...)
	}
	for _, name := range h.given() {
		if !slices.Contains(allowed, name) {
			add(name, "%s has no such option; it belongs to %s", h.Handler, strings.Join(owners(name), ", "))
		}
	}
	if list != nil {
		return errors.Join(list...)
	}
	for _, f := range []struct {
		name  string
		wrong bool
		found any
		want  string
	}{
		{"size", h.Size != nil && (*h.Size < 0 || *h.Size > maxObject), h.size(0), "0B to " + maxObject.String()},
		{"count", h.Count < 0, h.Count, "1 or more"},
		{"piece", h.Piece < 0 || h.Piece > maxPiece, h.Piece, "1B to " + maxPiece.String()},
		{"interval", h.Interval < 0, h.Interval, "more than 0s"},
		{"rate", h.Rate < 0, h.Rate, "more than 0bit/s"},
		{"items", h.Items < 0 || h.Items > maxItems, h.Items, fmt.Sprintf("1 to %d", maxItems)},
		{"page_size", h.PageSize < 0 || h.PageSize > maxItems, h.PageSize, fmt.Sprintf("1 to %d", maxItems)},
		{"max_page_size", h.MaxPageSize < 0 || h.MaxPageSize > maxItems, h.MaxPageSize, fmt.Sprintf("1 to %d", maxItems)},
	} {
		if f.wrong {
			add(f.name, "found %v, wanted %s", f.found, f.want)
		}
	}
	if h.ContentType != "" && !mediaType(h.ContentType) {
		add("content_type", "%q is not a media type: want one such as \"text/html\"", h.ContentType)
	}
	return errors.Join(append(list, h.validateKind(at, add))...)
}

// owners are the handlers that have an option.
func owners(option string) []string {
	var list []string
	for _, name := range handlerNames {
		if slices.Contains(options[name], option) {
			list = append(list, name)
		}
	}
	return list
}

// validateKind checks what belongs to one kind of handler.
func (h *Handler) validateKind(at []string, add func(field, format string, args ...any)) error {
	path := at[len(at)-1]
	switch h.Handler {
	case "static":
		if h.Count > 0 && !strings.HasSuffix(path, "/") {
			add("count", "found %d, but %q is one object: objects below it need a path that ends with a slash", h.Count, path)
		}
		if strings.ContainsFunc(h.CacheControl, func(r rune) bool { return r < ' ' || r > '~' }) {
			add("cache_control", "%q is not a header field's value", h.CacheControl)
		}
	case "delay":
		if h.ServiceTime.IsZero() {
			add("service_time", "missing: want how long it takes, such as \"exponential(8ms)\"")
		}
		return relocate(at, h.Capacity.Validate())
	case "status":
		if h.Status != 0 && (h.Status < 200 || h.Status > 599) {
			add("status", "found %d, wanted 200 to 599", h.Status)
		}
		return checkErrors(at, h.ErrorRate, h.ErrorStatus)
	case "redirect":
		if h.Location == "" || strings.ContainsFunc(h.Location, func(r rune) bool { return r <= ' ' || r > '~' }) {
			add("location", "%q is no place: want a path or a URL, such as \"/new\"", h.Location)
		}
		if h.Status != 0 && !slices.Contains([]int{301, 302, 303, 307, 308}, h.Status) {
			add("status", "found %d, wanted one of 301, 302, 303, 307, 308", h.Status)
		}
	case "stream":
		if h.Interval != 0 && h.Rate != 0 {
			add("rate", "found interval and rate, wanted one of them")
		}
	case "events":
		if h.size(0) > maxPiece {
			add("size", "found %s, wanted 0B to %s", h.size(0), maxPiece)
		}
	case "collection":
		if m := or(h.MaxPageSize, defaultMaxPageSize); h.PageSize > m {
			add("page_size", "found %d, wanted no more than max_page_size, %d", h.PageSize, m)
		}
		seen := map[string]bool{}
		for _, v := range h.Versions {
			if v != "v1" && v != "v2" || seen[v] {
				add("versions", "found %q, wanted v1 and v2, each once", h.Versions)
				break
			}
			seen[v] = true
		}
	case "chat":
		return relocate(at, h.Room.Validate("room"))
	}
	return nil
}

// checkErrors checks how many requests fail, and how. at is where the fields are, nil for the whole configuration.
func checkErrors(at []string, rate units.Probability, status int) error {
	switch {
	case rate < 0 || rate > 1:
		return services.FieldPathf(append(slices.Clip(at), "error_rate"), "found %s, wanted 0%% to 100%%", rate)
	case status != 0 && (status < 400 || status > 599):
		return services.FieldPathf(append(slices.Clip(at), "error_status"), "found %d, wanted 400 to 599", status)
	case status != 0 && rate == 0:
		return services.FieldPathf(append(slices.Clip(at), "error_status"), "found %d, but error_rate says that nothing fails", status)
	}
	return nil
}

// relocate puts errors about fields below a path.
func relocate(at []string, err error) error {
	if err == nil {
		return nil
	}
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		var list []error
		for _, e := range joined.Unwrap() {
			list = append(list, relocate(at, e))
		}
		return errors.Join(list...)
	}
	var field *services.FieldError
	if !errors.As(err, &field) {
		return err
	}
	return services.FieldPathf(append(slices.Clip(at), field.Names()...), "%s", field.Problem)
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

// place is a handler at a path.
type place struct {
	path    string
	handler nethttp.Handler
	cores   *capacity.Cores // of the handler, or nil
	count   counters
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
	if room, ok := p.handler.(*chat.Room); ok {
		r.Room = room.Result().(*chat.RoomResult)
	}
	return r
}

// place makes the handler for a path, and the model of its cores if it has one.
func (h *Handler) place(env *services.Env, path string) (*place, error) {
	handler, err := h.build(env, path)
	if err != nil {
		return nil, err
	}
	p := &place{path: path, handler: handler}
	if h.Handler == "delay" {
		p.cores = capacity.New(env, h.Capacity, "handlers."+path+".service_time")
	}
	return p, nil
}

// build makes the handler.
func (h *Handler) build(env *services.Env, path string) (nethttp.Handler, error) {
	switch h.Handler {
	case "static":
		return h.static(env, path), nil
	case "echo":
		return nethttp.HandlerFunc(echo), nil
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
	case "chat":
		return chat.NewRoom(env, h.Room), nil
	case "websocket-echo":
		return chat.NewEcho(env), nil
	}
	return nil, fmt.Errorf("handler %q: want one of %s", h.Handler, strings.Join(handlerNames, ", "))
}
