package http

import (
	nethttp "net/http"
	"reflect"

	"netlab/ip"
)

// waitTurn lets the handlers of HTTP/2 requests that arrive together begin one after the other, by connection and stream. net/http
// starts a goroutine for each, and which of them runs first, and so whose answer goes first on the connection they share, would be
// the Go scheduler's choice. What they write goes out together, as it would anyway. It returns at once where there is
// nothing to wait for: in real time the first turn is one's own.
func waitTurn(h *ip.Host, w nethttp.ResponseWriter, r *nethttp.Request) {
	if h == nil || r.ProtoMajor != 2 {
		return
	}
	begin := make(chan struct{}, 1)
	h.Network().Turn(r.RemoteAddr, streamOf(w), begin)
	select {
	case <-begin:
	case <-r.Context().Done():
	}
}

// streamOf returns the stream that a response belongs to, which net/http keeps to itself: w.rws.stream.id. It is 0 where net/http
// has changed, which a test notices.
func streamOf(w nethttp.ResponseWriter) uint64 {
	v := reflect.ValueOf(w)
	for _, name := range []string{"rws", "stream", "id"} {
		if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
			return 0
		}
		if v = v.Elem().FieldByName(name); !v.IsValid() {
			return 0
		}
	}
	if !v.CanUint() {
		return 0
	}
	return v.Uint()
}
