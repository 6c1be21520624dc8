package web

import (
	"fmt"
	"maps"
	nethttp "net/http"
	"slices"
	"strconv"
	"strings"
)

// request is the handler "request": it answers with what the server saw, so that the doings of proxies on the way show. The first
// line is the request's, the next ones name the client's address and the host, then the header fields follow by name.
func request(w nethttp.ResponseWriter, r *nethttp.Request) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s\nclient: %s\nhost: %s\n", r.Method, r.RequestURI, r.Proto, r.RemoteAddr, r.Host)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, value := range r.Header[name] {
			fmt.Fprintf(&b, "%s: %s\n", strings.ToLower(name), value)
		}
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.Header().Set("Cache-Control", "no-store")
	w.Write([]byte(b.String()))
}
