package upstream

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"strings"
	"sync/atomic"

	"netlab/units"
)

// body is that of a request: what is kept of it, and where the rest comes from.
type body struct {
	kept   []byte
	source io.ReadCloser // nil if kept is all of it
	size   int64         // -1 is unknown
	// used says that a try has read from source, so that the body can't be sent again. wrong is why reading the source failed.
	used  atomic.Bool
	wrong atomic.Pointer[error]
}

// takeBody keeps what may be kept of a request's body. Nil means that there is none. The error is ErrRequestBody, with its reason.
func takeBody(r *nethttp.Request, limit int) (*body, error) {
	if r.Body == nil || r.Body == nethttp.NoBody {
		return nil, nil
	}
	b := &body{source: r.Body, size: r.ContentLength}
	if b.size == 0 {
		b.size = -1 // as net/http has it for a body that is there
	}
	switch {
	case limit == 0, b.size > int64(limit):
		return b, nil
	case b.size < 0 && r.ProtoMajor != 1:
		return b, nil // the client may wait for an answer before it goes on
	case strings.EqualFold(r.Header.Get("Expect"), "100-continue"), r.Header.Get("Upgrade") != "":
		return b, nil
	}
	var kept bytes.Buffer
	n, err := io.Copy(&kept, io.LimitReader(r.Body, int64(limit)+1))
	if err != nil {
		r.Body.Close()
		return nil, fmt.Errorf("%w: %w", ErrRequestBody, err)
	}
	b.kept = kept.Bytes()
	if n <= int64(limit) {
		r.Body.Close()
		b.source = nil
		if len(r.Trailer) == 0 { // trailers need chunks
			b.size = n
		}
	}
	return b, nil
}

// again says whether the body can be sent (again).
func (b *body) again() bool { return b == nil || b.source == nil || !b.used.Load() }

// whole says whether it can be sent several times at once.
func (b *body) whole() bool { return b == nil || b.source == nil }

// trouble returns why reading the client's body failed, nil if it didn't.
func (b *body) trouble() error {
	if b == nil {
		return nil
	}
	if err := b.wrong.Load(); err != nil {
		return fmt.Errorf("%w: %w", ErrRequestBody, *err)
	}
	return nil
}

// attach gives a try of the request its body. What is read of it is counted as sent.
func (b *body) attach(r *nethttp.Request, count *Counters) {
	if b == nil {
		r.Body, r.ContentLength = nil, 0
		return
	}
	r.ContentLength = b.size
	if b.source != nil {
		r.Body = &bodyReader{body: b, kept: bytes.NewReader(b.kept), count: count}
		return
	}
	if len(b.kept) == 0 && b.size == 0 {
		r.Body = nethttp.NoBody
		return
	}
	r.GetBody = func() (io.ReadCloser, error) {
		return &bodyReader{body: b, kept: bytes.NewReader(b.kept), count: count}, nil
	}
	r.Body, _ = r.GetBody()
}

// bodyReader reads what is kept and then the source. Closing it leaves the source open: it is the server's.
type bodyReader struct {
	body   *body
	kept   *bytes.Reader
	count  *Counters
	closed atomic.Bool
}

// errClosed is why a body can't be read any longer.
var errClosed = errors.New("the body of the request was closed")

// Read implements io.Reader.
func (r *bodyReader) Read(p []byte) (n int, err error) {
	defer func() { r.count.add(func(all *Result) { all.Sent += units.Bytes(n) }) }()
	if r.closed.Load() {
		return 0, errClosed
	}
	if r.kept.Len() > 0 || r.body.source == nil {
		return r.kept.Read(p)
	}
	r.body.used.Store(true)
	n, err = r.body.source.Read(p)
	if err != nil && err != io.EOF && !r.closed.Load() {
		r.body.wrong.CompareAndSwap(nil, &err)
	}
	return n, err
}

// Close implements io.Closer.
func (r *bodyReader) Close() error {
	r.closed.Store(true)
	return nil
}
