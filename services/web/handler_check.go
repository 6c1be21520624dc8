package web

import (
	"errors"
	"fmt"
	"maps"
	nethttp "net/http"
	"slices"
	"strings"

	"netlab/services"
	"netlab/units"
)

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
		{"max_size", h.MaxSize < 0 || h.MaxSize > maxFile, h.MaxSize, "1B to " + maxFile.String()},
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
		h.validateCaching(add)
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
