package httpcache

import (
	"fmt"
	nethttp "net/http"
	"strconv"
	"time"
)

// serve makes the response from an entry: 304, a part or the whole, as the request wants.
func (a *ask) serve(e *entry, now time.Time) *nethttp.Response {
	if e.unchanged(a.r) {
		return a.notModified(e, now)
	}
	if part, ok := e.rangeOf(a.r); ok {
		return a.part(e, part, now)
	}
	response := a.response(e, e.status, now)
	response.ContentLength = int64(len(e.body))
	if a.r.Method == nethttp.MethodHead {
		response.Body = nethttp.NoBody
		return response
	}
	response.Body = a.stored(e.body)
	return response
}

// stored is the content of a response from the store.
func (a *ask) stored(content []byte) *storedBody {
	kind := fromOthers
	if a.kind == unread {
		kind = unread
	}
	return &storedBody{cache: a.cache, rest: content, kind: kind}
}

// response makes a response without content from an entry's header.
func (a *ask) response(e *entry, status int, now time.Time) *nethttp.Response {
	h := e.header.Clone()
	h.Set("Age", strconv.FormatInt(int64(e.age(now)/time.Second), 10))
	r := &nethttp.Response{Status: statusText(status), StatusCode: status, Header: h, Body: nethttp.NoBody, Request: a.r,
		Proto: e.proto, ProtoMajor: 1, ProtoMinor: 1}
	if major, minor, ok := nethttp.ParseHTTPVersion(e.proto); ok {
		r.ProtoMajor, r.ProtoMinor = major, minor
	}
	return r
}

func statusText(status int) string {
	return strconv.Itoa(status) + " " + nethttp.StatusText(status)
}

// notModified tells the client that what it has is right (RFC 9110, section 15.4.5).
func (a *ask) notModified(e *entry, now time.Time) *nethttp.Response {
	response := a.response(e, nethttp.StatusNotModified, now)
	for name := range response.Header {
		switch name {
		case "Content-Length", "Content-Encoding", "Content-Range", "Content-Type", "Content-Language", "Content-Digest", "Repr-Digest":
			delete(response.Header, name)
		}
	}
	return response
}

// part answers with a part of the content, or says that there is none.
func (a *ask) part(e *entry, part span, now time.Time) *nethttp.Response {
	if part.length < 0 {
		response := a.response(e, nethttp.StatusRequestedRangeNotSatisfiable, now)
		response.Header.Set("Content-Range", fmt.Sprintf("bytes */%d", len(e.body)))
		response.Header.Set("Content-Length", "0")
		delete(response.Header, "Content-Digest")
		return response
	}
	response := a.response(e, nethttp.StatusPartialContent, now)
	response.Header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", part.start, part.start+part.length-1, len(e.body)))
	response.Header.Set("Content-Length", strconv.FormatInt(part.length, 10))
	delete(response.Header, "Content-Digest") // it is that of the whole (RFC 9530)
	response.ContentLength = part.length
	response.Body = a.stored(e.body[part.start : part.start+part.length])
	return response
}

// unavailable answers a request that wants nothing but a stored response (RFC 9111, section 5.2.1.7).
func (a *ask) unavailable() *nethttp.Response {
	a.cache.count(func(r *Result) { r.Failed++ })
	a.status.Detail = "only-if-cached"
	a.status.Forward = ""
	status := nethttp.StatusGatewayTimeout
	return &nethttp.Response{Status: statusText(status), StatusCode: status, Header: nethttp.Header{"Content-Length": {"0"}},
		Body: nethttp.NoBody, Request: a.r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
}
