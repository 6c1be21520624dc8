package web

import (
	"bytes"
	"errors"
	"io"
	nethttp "net/http"
	"strconv"
	"strings"
	"time"

	"netlab/services"
	"netlab/services/content"
	"netlab/units"
)

// maxEcho is the largest body that is sent back: it is held in memory.
const maxEcho = 64 << 20

// defaultType is the media type of content that has none.
const defaultType = "application/octet-stream"

// static returns the handler "static".
func (h *Handler) static(env *services.Env, path string) nethttp.Handler {
	objects := newObjects(or(h.ContentType, defaultType))
	objects.modified = env.Host.Now().Truncate(time.Second)
	size := int64(h.size(10_000))
	return nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		if !readOnly(w, r) {
			return
		}
		if h.Count > 0 && !numbered(strings.TrimPrefix(r.URL.Path, path), h.Count) {
			fail(w, nethttp.StatusNotFound)
			return
		}
		now := env.Host.Now()
		h.caching(w.Header(), now)
		name, modified := h.version(r, now, objects.modified)
		if h.Conditional != nil && !*h.Conditional {
			objects.plain(w, r, name, size)
			return
		}
		objects.conditional(w, r, name, modified, size)
	})
}

// numbered says whether name is a number from 1 to n, written as numbers usually are.
func numbered(name string, n int) bool {
	i, err := strconv.Atoi(name)
	return err == nil && i >= 1 && i <= n && strconv.Itoa(i) == name
}

// echo is the handler "echo".
func echo(w nethttp.ResponseWriter, r *nethttp.Request) {
	body, err := io.ReadAll(nethttp.MaxBytesReader(w, r.Body, maxEcho))
	if err != nil {
		var tooLarge *nethttp.MaxBytesError
		if errors.As(err, &tooLarge) {
			fail(w, nethttp.StatusRequestEntityTooLarge)
		} else {
			fail(w, nethttp.StatusBadRequest)
		}
		return
	}
	w.Header().Set("Content-Type", or(r.Header.Get("Content-Type"), defaultType))
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body)
}

// fixed returns a handler that always answers with a status, and content if that may be.
func (h *Handler) fixed(status int) nethttp.HandlerFunc {
	size := int64(h.size(0))
	return func(w nethttp.ResponseWriter, r *nethttp.Request) {
		if status == nethttp.StatusNoContent || status == nethttp.StatusNotModified {
			w.WriteHeader(status)
			return
		}
		w.Header().Set("Content-Type", defaultType)
		w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
		w.WriteHeader(status)
		if r.Method != nethttp.MethodHead && size > 0 {
			copyContent(w, content.New(0), size)
		}
	}
}

// statuses returns the handler "status".
func (h *Handler) statuses(env *services.Env, path string) nethttp.Handler {
	errors := newChance(env, "handlers."+path+".errors", h.ErrorRate, h.ErrorStatus)
	usual := h.fixed(or(h.Status, nethttp.StatusOK))
	return nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		if errors.hit() {
			fail(w, errors.status)
			return
		}
		usual(w, r)
	})
}

// maxPiece is the largest piece of a stream.
const maxPiece units.Bytes = 16 << 20

// stream returns the handler "stream": a body of unknown length, in pieces that are sent as soon as they are due.
func (h *Handler) stream(env *services.Env) nethttp.Handler {
	total, piece := int64(h.size(100_000)), int64(or(h.Piece, 1000))
	due := func(sent int64) time.Duration {
		return time.Duration(sent/piece) * or(h.Interval, units.Duration(100*time.Millisecond)).Std()
	}
	if h.Rate > 0 {
		due = func(sent int64) time.Duration { return h.Rate.TransmitTime(int(sent)) }
	}
	return nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		if !readOnly(w, r) {
			return
		}
		w.Header().Set("Content-Type", or(h.ContentType, defaultType))
		w.WriteHeader(nethttp.StatusOK)
		if r.Method == nethttp.MethodHead {
			return
		}
		start := env.Elapsed()
		data := content.New(0)
		flush := nethttp.NewResponseController(w)
		for sent := int64(0); sent < total; sent += piece {
			if env.SleepUntil(r.Context(), start+due(sent)) != nil ||
				copyContent(w, data, min(piece, total-sent)) != nil || flush.Flush() != nil {
				panic(nethttp.ErrAbortHandler) // so that the end is no proper one
			}
		}
	})
}

// events returns the handler "events": server-sent events (WHATWG HTML, section 9.2), numbered from 1, each with the time since
// the start of the run at which it was sent, by the host's date.
func (h *Handler) events(env *services.Env) nethttp.Handler {
	filler := bytes.Repeat([]byte{'.'}, int(h.size(100)))
	interval := or(h.Interval, units.Duration(time.Second)).Std()
	return nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		if !readOnly(w, r) {
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(nethttp.StatusOK)
		flush := nethttp.NewResponseController(w)
		if r.Method == nethttp.MethodHead || flush.Flush() != nil {
			return
		}
		start := env.Elapsed()
		for i := 1; h.Count == 0 || i <= h.Count; i++ {
			at := start + time.Duration(i)*interval
			if env.SleepUntil(r.Context(), at) != nil {
				return // there is no proper end: clients come back after every one
			}
			data := append(strconv.AppendInt(nil, int64(env.Host.Now().Sub(env.Host.Network().Epoch())), 10), ' ')
			if pad := len(filler) - len(data); pad > 0 {
				data = append(data, filler[:pad]...)
			}
			event := append([]byte("id: "+strconv.Itoa(i)+"\nevent: tick\ndata: "), data...)
			if _, err := w.Write(append(event, "\n\n"...)); err != nil || flush.Flush() != nil {
				return
			}
		}
	})
}
