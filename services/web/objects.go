package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"hash/fnv"
	"io"
	nethttp "net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"netlab/services/content"
	"netlab/units"
)

// bytesPrefix begins the paths that say how long their object is.
const bytesPrefix = "/bytes/"

// digestField is the header field with the SHA-256 of a response's content (RFC 9530), which begins with digestPrefix.
const (
	digestField  = "Content-Digest"
	digestPrefix = "sha-256=:"
)

// objectSize is that of the object at a path; other is that of paths that don't say.
func objectSize(path string, other units.Bytes) (int64, bool) {
	text, ok := strings.CutPrefix(path, bytesPrefix)
	if !ok {
		return int64(other), true
	}
	n, err := strconv.ParseUint(text, 10, 63)
	return int64(n), err == nil && units.Bytes(n) <= maxObject
}

// The objects that are kept: small ones with their content, others with their digest. When there are too many all are forgotten.
const (
	keptObject  = 256 << 10
	keptObjects = 10_000
	keptBytes   = 32 << 20
)

// objects makes the objects at paths, whose content depends on the path alone.
type objects struct {
	contentType string
	modified    time.Time // zero without conditional requests

	mu    sync.Mutex
	kept  map[string]*object
	bytes int64
}

func newObjects(contentType string) *objects {
	return &objects{contentType: contentType, kept: map[string]*object{}}
}

// object is one of them. Nothing of it changes.
type object struct {
	seed   uint64
	size   int64
	data   []byte // nil if it is large
	digest string // as Content-Digest says it
}

// get returns the object of a name, which is its path and what else it depends on. The size must be the same each time.
func (s *objects) get(path string, size int64) *object {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o, ok := s.kept[path]; ok {
		return o
	}
	o := newObject(path, size)
	if len(s.kept) == keptObjects || s.bytes+int64(len(o.data)) > keptBytes {
		clear(s.kept)
		s.bytes = 0
	}
	s.kept[path] = o
	s.bytes += int64(len(o.data))
	return o
}

func newObject(path string, size int64) *object {
	h := fnv.New64a()
	io.WriteString(h, path)
	o := &object{seed: h.Sum64(), size: size}
	sum := sha256.New()
	stream := content.New(o.seed)
	if size <= keptObject {
		o.data = make([]byte, size)
		io.ReadFull(stream, o.data) // a stream never fails
		sum.Write(o.data)
	} else {
		copyContent(sum, stream, size)
	}
	o.digest = digestPrefix + base64.StdEncoding.EncodeToString(sum.Sum(nil)) + ":"
	return o
}

// plain answers with the object of a name, and knows nothing of conditions and ranges.
func (s *objects) plain(w nethttp.ResponseWriter, r *nethttp.Request, name string, size int64) {
	header := w.Header()
	header.Set("Content-Type", s.contentType)
	header.Set("Content-Length", strconv.FormatInt(size, 10))
	if r.Method == nethttp.MethodHead {
		return
	}
	o := s.get(name, size)
	header.Set(digestField, o.digest)
	w.WriteHeader(nethttp.StatusOK)
	if o.data != nil {
		w.Write(o.data)
		return
	}
	copyContent(w, content.New(o.seed), size)
}

// conditional answers with the object of a name, which was made at a time, with conditions (RFC 9110, section 13) and ranges
// (section 14).
func (s *objects) conditional(w nethttp.ResponseWriter, r *nethttp.Request, name string, modified time.Time, size int64) {
	o := s.get(name, size)
	w.Header().Set("Content-Type", s.contentType)
	w.Header().Set("ETag", strconv.Quote(o.digest[len(digestPrefix):len(o.digest)-1]))
	nethttp.ServeContent(&digestWriter{w, o.digest}, r, "", modified, o.open())
}

// digestWriter adds the digest to responses that hold all of an object.
type digestWriter struct {
	nethttp.ResponseWriter
	digest string
}

// WriteHeader implements net/http's ResponseWriter.
func (w *digestWriter) WriteHeader(status int) {
	if status == nethttp.StatusOK {
		w.Header().Set(digestField, w.digest)
	}
	w.ResponseWriter.WriteHeader(status)
}

// open returns the content.
func (o *object) open() io.ReadSeeker {
	if o.data != nil || o.size == 0 {
		return bytes.NewReader(o.data)
	}
	return &objectReader{o: o, stream: content.New(o.seed)}
}

// objectReader reads a large object.
type objectReader struct {
	o      *object
	stream *content.Stream
	made   int64 // where the stream is
	at     int64 // where the reader is
}

// Seek implements io.Seeker.
func (r *objectReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.o.size
	}
	if offset < 0 {
		return 0, errors.New("web: a seek to before the start")
	}
	r.at = offset
	return offset, nil
}

// Read implements io.Reader.
func (r *objectReader) Read(b []byte) (int, error) {
	if r.at >= r.o.size {
		return 0, io.EOF
	}
	if r.at < r.made {
		r.stream.Rewind()
		r.made = 0
	}
	for r.made < r.at {
		n := len(r.stream.Peek(r.at - r.made))
		r.stream.Advance(n)
		r.made += int64(n)
	}
	n, _ := r.stream.Read(b[:min(int64(len(b)), r.o.size-r.at)])
	r.at += int64(n)
	r.made += int64(n)
	return n, nil
}

// copyContent writes size bytes of a stream, block by block.
func copyContent(w io.Writer, stream *content.Stream, size int64) error {
	for written := int64(0); written < size; {
		n, err := w.Write(stream.Peek(size - written))
		stream.Advance(n)
		written += int64(n)
		if err != nil {
			return err
		}
	}
	return nil
}
