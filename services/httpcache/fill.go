package httpcache

import (
	"context"
	"io"
	"slices"
	"sync"

	"netlab/units"
)

// fill is content on its way from the next server to one client or several, and into the store. The client that has read furthest reads
// from the server, so that it comes no faster than somebody takes it.
type fill struct {
	cache  *Cache
	entry  *entry
	flight *flight
	source io.ReadCloser
	want   int64  // length of the content, -1 if the header doesn't say
	cancel func() // ends the request, so that a client that waits for the server's next bytes gets on

	mu       sync.Mutex
	data     []byte
	base     int64 // of data in the content
	keep     bool  // it may still be stored: data is the whole
	stored   bool  // it has been
	pulling  bool  // a reader waits for the server
	complete bool
	err      error // io.EOF after the end, or why it broke off
	readers  []*fillReader
	waiting  []chan struct{}
}

// fillReader is the body of one client's response.
type fillReader struct {
	fill   *fill
	ctx    context.Context
	at     int64
	kind   served
	closed error       // why it can't be read any more
	forget func() bool // takes back that the end of ctx closes it
}

// reader adds a client, before anybody has begun to read or while the beginning is still there. The end of ctx closes it.
func (f *fill) reader(ctx context.Context, kind served) *fillReader {
	r := &fillReader{fill: f, ctx: ctx, kind: kind}
	f.readers = append(f.readers, r)
	r.forget = context.AfterFunc(ctx, func() { r.leave(context.Cause(ctx)) })
	return r
}

// join is reader for a client that comes later. It returns nil if the beginning isn't there any more.
func (f *fill) join(ctx context.Context) *fillReader {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.keep && !f.stored {
		return nil
	}
	return f.reader(ctx, fromOthers)
}

// Read implements io.Reader.
func (r *fillReader) Read(p []byte) (n int, err error) {
	f := r.fill
	for {
		f.mu.Lock()
		switch {
		case r.closed != nil:
			defer f.mu.Unlock()
			return 0, r.closed
		case r.at < f.base+int64(len(f.data)):
			n = copy(p, f.data[r.at-f.base:])
			r.took(n)
			f.mu.Unlock()
			return n, nil
		case f.complete:
			f.mu.Unlock()
			return 0, f.err
		case !f.pulling:
			f.pulling = true
			f.mu.Unlock()
			f.pull(p)
			continue
		}
		wake := make(chan struct{}, 1)
		f.waiting = append(f.waiting, wake)
		f.mu.Unlock()
		<-wake // also when this reader leaves
	}
}

// took counts what a reader has read. The caller holds the mutex.
func (r *fillReader) took(n int) {
	r.at += int64(n)
	r.fill.trim()
	r.fill.cache.served(int64(n), r.kind)
}

// trim forgets what all readers have read if it isn't to be stored.
func (f *fill) trim() {
	if f.keep || f.stored {
		return
	}
	least := f.base + int64(len(f.data))
	for _, r := range f.readers {
		least = min(least, r.at)
	}
	f.data = f.data[:copy(f.data, f.data[least-f.base:])]
	f.base = least
}

// pull reads once from the server. Nobody else does meanwhile.
func (f *fill) pull(p []byte) {
	n, err := f.source.Read(p)
	f.cache.count(func(r *Result) { r.BytesForwarded += units.Bytes(n) })
	f.mu.Lock()
	f.data = append(f.data, p[:n]...)
	total := f.base + int64(len(f.data))
	if f.keep && int64(len(f.data)) > f.cache.config.maxObject() {
		f.keep = false
		f.cache.abandon(f)
	}
	if err == nil && total == f.want {
		f.store()
	}
	if err != nil {
		f.end(err)
	}
	f.pulling = false
	wake := f.waiting
	f.waiting = nil
	f.mu.Unlock()
	f.cache.wake(wake)
}

// end notes that nothing more comes. The caller holds the mutex.
func (f *fill) end(err error) {
	if f.complete {
		return
	}
	total := f.base + int64(len(f.data))
	if err == io.EOF && f.want >= 0 && total != f.want {
		err = io.ErrUnexpectedEOF
	}
	f.complete, f.err = true, err
	if err == io.EOF {
		f.store()
	}
	if f.keep {
		f.keep = false
		f.cache.abandon(f)
	}
}

// store stores the content, which is complete. The caller holds the mutex.
func (f *fill) store() {
	if !f.keep {
		return
	}
	f.keep, f.stored = false, true
	f.cache.landed(f, f.data[:len(f.data):len(f.data)])
}

// Close implements io.Closer. When the last client goes and the content isn't complete, the request is broken off.
func (r *fillReader) Close() error {
	r.forget()
	return r.leave(errClosed)
}

// leave ends the reading for a reason.
func (r *fillReader) leave(reason error) error {
	f := r.fill
	f.mu.Lock()
	if r.closed != nil {
		f.mu.Unlock()
		return nil
	}
	r.closed = reason
	i := slices.Index(f.readers, r)
	f.readers = slices.Delete(f.readers, i, i+1)
	last := len(f.readers) == 0
	if last && !f.complete {
		f.end(reason)
	}
	wake := f.waiting
	f.waiting = nil
	f.mu.Unlock()
	f.cache.wake(wake)
	if !last {
		return nil
	}
	f.cancel()
	return f.source.Close()
}
