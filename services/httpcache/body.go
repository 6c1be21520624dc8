package httpcache

import (
	"io"
	nethttp "net/http"

	"netlab/units"
)

// served says whose content it is that a client reads.
type served int

const (
	forwarded  served = iota // that of its own request
	fromOthers               // from the store, or that of another request
	unread                   // nobody's: it is a validation in the background
)

// served counts content that a client read.
func (c *Cache) served(n int64, kind served) {
	if kind == unread {
		return
	}
	c.count(func(r *Result) {
		r.BytesServed += units.Bytes(n)
		if kind == fromOthers {
			r.BytesSaved += units.Bytes(n)
		}
	})
}

// storedBody is the content of a response from the store.
type storedBody struct {
	cache *Cache
	rest  []byte
	kind  served
}

// Read implements io.Reader.
func (b *storedBody) Read(p []byte) (int, error) {
	if len(b.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	b.cache.served(int64(n), b.kind)
	return n, nil
}

// Close implements io.Closer.
func (b *storedBody) Close() error {
	b.rest = nil
	return nil
}

// passedBody is content that is passed on and not stored.
type passedBody struct {
	io.ReadCloser
	cache *Cache
	done  func()
	kind  served
}

// Read implements io.Reader.
func (b *passedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.cache.count(func(r *Result) { r.BytesForwarded += units.Bytes(n) })
	b.cache.served(int64(n), b.kind)
	return n, err
}

// Close implements io.Closer.
func (b *passedBody) Close() error {
	defer b.done()
	return b.ReadCloser.Close()
}

// pass wraps the body of a response that isn't stored. What can be written to as well, after a switch of protocols, is left alone.
// done is called when the content is closed.
func (c *Cache) pass(response *nethttp.Response, done func(), kind served) {
	if _, both := response.Body.(io.Writer); !both && response.Body != nil {
		response.Body = &passedBody{response.Body, c, done, kind}
	}
}
