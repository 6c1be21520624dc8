package cdn

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"slices"
	"strconv"
	"strings"

	"netlab/services/httpcache"
	"netlab/services/upstream"
	"netlab/units"
)

// Where publishers put objects (PUT) and remove them (POST): the path of the object follows. What is below controlPath never reaches the
// origin.
const (
	controlPath = "/.cdn/"
	pushPath    = "/.cdn/objects"
	purgePath   = "/.cdn/purge"
)

// purgedField says in the response to a purge how many responses were removed.
const purgedField = "X-Purged"

// pushedFields are the header fields of a PUT that become those of the object.
var pushedFields = []string{"Cache-Control", "Cache-Tag", "Content-Digest", "Content-Encoding", "Content-Language", "Content-Type",
	"Etag", "Expires", "Last-Modified", "Surrogate-Key"}

// control carries out what a publisher wants.
func (e *edge) control(w nethttp.ResponseWriter, r *nethttp.Request, v *visit) {
	push := strings.HasPrefix(r.URL.Path, pushPath+"/")
	switch method := map[bool]string{true: nethttp.MethodPut, false: nethttp.MethodPost}[push]; {
	case !push && !strings.HasPrefix(r.URL.Path, purgePath+"/"):
		upstream.Answer(w, e.env, nethttp.StatusNotFound, "publishers have "+pushPath+" and "+purgePath)
	case r.Method != method:
		w.Header().Set("Allow", method)
		upstream.Answer(w, e.env, nethttp.StatusMethodNotAllowed, "want "+method)
	case !e.authorized(w, r):
	case push:
		e.push(w, r, v)
	default:
		e.purge(w, r, v)
	}
}

// authorized checks the token of a publisher and refuses one without.
func (e *edge) authorized(w nethttp.ResponseWriter, r *nethttp.Request) bool {
	token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if e.config.Token != "" && found && subtle.ConstantTimeCompare([]byte(token), []byte(e.config.Token)) == 1 {
		return true
	}
	e.count.add(func(r *Result) { r.Unauthorized++ })
	w.Header().Set("WWW-Authenticate", "Bearer")
	upstream.Answer(w, e.env, nethttp.StatusUnauthorized, "this needs the edge's token")
	return false
}

// object returns the request for the object that is put or removed below a path.
func (e *edge) object(r *nethttp.Request, below string) *nethttp.Request {
	out := &nethttp.Request{Method: nethttp.MethodGet, Host: e.origin.Host, Header: nethttp.Header{}}
	u := *r.URL
	u.Scheme, u.Host = e.origin.Scheme, e.origin.Host
	u.Path, u.RawPath = strings.TrimPrefix(u.Path, below), strings.TrimPrefix(u.RawPath, below)
	out.URL = &u
	return out
}

// push stores an object, here or at the server of the cluster that it belongs to.
func (e *edge) push(w nethttp.ResponseWriter, r *nethttp.Request, v *visit) {
	object := e.object(r, pushPath)
	most := int64(e.cache.MaxObject())
	body, err := io.ReadAll(nethttp.MaxBytesReader(w, r.Body, most))
	switch {
	case errors.As(err, new(*nethttp.MaxBytesError)):
		upstream.Answer(w, e.env, nethttp.StatusRequestEntityTooLarge, "the object is larger than "+units.Bytes(most).String())
		return
	case err != nil:
		upstream.Answer(w, e.env, nethttp.StatusBadRequest, "the object is incomplete")
		return
	}
	e.count.add(func(r *Result) { r.BytesPushed += units.Bytes(len(body)) })
	if !v.peer {
		if owner := e.peers.owner(httpcache.URLOf(object)); owner != nil {
			if status, _, err := e.tell(owner, r, body); err == nil {
				upstream.Answer(w, e.env, status, "so says "+owner.address)
				return
			}
		}
	}
	header := nethttp.Header{"Date": {e.env.Host.Now().UTC().Format(nethttp.TimeFormat)}, "Content-Length": {strconv.Itoa(len(body))}}
	for _, name := range slices.Concat(pushedFields, e.config.Cache.Targeted) {
		name = nethttp.CanonicalHeaderKey(name)
		if lines := r.Header[name]; len(lines) > 0 {
			header[name] = lines
		}
	}
	if !e.cache.Put(object, nethttp.StatusOK, header, body) {
		upstream.Answer(w, e.env, nethttp.StatusUnprocessableEntity, "the object's header says that it isn't to be kept, or for no time")
		return
	}
	e.count.add(func(r *Result) { r.Pushes++ })
	upstream.Answer(w, e.env, nethttp.StatusCreated, "stored")
}

// purge removes objects here and, unless it comes from there, at the other servers of the cluster. It is answered when all have done it.
func (e *edge) purge(w nethttp.ResponseWriter, r *nethttp.Request, v *visit) {
	e.count.add(func(r *Result) { r.Purges++ })
	n := 0
	url := httpcache.URLOf(e.object(r, purgePath))
	tags, prefix := r.Header["Surrogate-Key"], ""
	switch {
	case len(tags) > 0:
		for _, tag := range strings.Fields(strings.Join(tags, " ")) {
			n += e.cache.PurgeTag(tag)
		}
	case strings.HasSuffix(url, "*"):
		prefix = strings.TrimSuffix(url, "*")
		n = e.cache.PurgePrefix(prefix)
	default:
		n = e.cache.PurgeURL(url)
	}
	if !v.peer {
		more, err := e.everywhere(r)
		if n += more; err != nil {
			w.Header().Set(purgedField, strconv.Itoa(n))
			upstream.Answer(w, e.env, nethttp.StatusBadGateway, err.Error())
			return
		}
	}
	w.Header().Set(purgedField, strconv.Itoa(n))
	upstream.Answer(w, e.env, nethttp.StatusOK, fmt.Sprintf("%d removed", n))
}

// everywhere passes a purge on to the other servers of the cluster and returns how many responses they removed. The error names the first
// that didn't.
func (e *edge) everywhere(r *nethttp.Request) (n int, err error) {
	others := e.peers.others()
	type answer struct {
		purged int
		err    error
	}
	answers := make([]answer, len(others))
	done := make(chan struct{}, len(others))
	for i, to := range others {
		e.env.Go(func() {
			defer func() { done <- struct{}{} }()
			status, purged, err := e.tell(to, r, nil)
			if err == nil && status != nethttp.StatusOK {
				err = fmt.Errorf("status %d", status)
			}
			answers[i] = answer{purged, err}
		})
	}
	for range others {
		<-done
	}
	for i, a := range answers {
		if n += a.purged; a.err != nil && err == nil {
			err = fmt.Errorf("%s has not done it: %w", others[i].address, a.err)
		}
	}
	return n, err
}

// tell passes what a publisher wants on to another server of the cluster.
func (e *edge) tell(to *peer, r *nethttp.Request, body []byte) (status, purged int, err error) {
	out := r.Clone(context.WithoutCancel(r.Context())) // what has begun is completed
	out.RequestURI, out.Body, out.ContentLength = "", nethttp.NoBody, 0
	if len(body) > 0 {
		out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	response, err := e.peers.ask(to, out)
	if err != nil {
		return 0, 0, err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return 0, 0, err
	}
	purged, _ = strconv.Atoi(response.Header.Get(purgedField)) // 0 if it says nothing
	return response.StatusCode, purged, nil
}
