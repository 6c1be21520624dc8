package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"net"
	nethttp "net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"netlab/ip"
	"netlab/services"
	"netlab/units"
)

// maxFile is the largest limit of what a PUT stores, and defaultMaxFile that of a handler that doesn't say: it is held in memory.
const (
	maxFile        units.Bytes = 1 << 30
	defaultMaxFile units.Bytes = 64 << 20
)

// FilesResult is what a handler "files" reports.
type FilesResult struct {
	// Stored counts files that were stored and answered for, StoredBytes their content.
	Stored      uint64      `json:"stored"`
	StoredBytes units.Bytes `json:"stored_bytes"`
	// Read counts files that were read, Missing requests for some that aren't there, Deleted files that were deleted.
	Read    uint64 `json:"read"`
	Missing uint64 `json:"missing"`
	Deleted uint64 `json:"deleted"`
	// Full counts files that the disk had no room for, TooLarge those that are larger than the handler allows.
	Full     uint64 `json:"full"`
	TooLarge uint64 `json:"too_large"`
}

// files is the handler "files": it stores what is PUT (RFC 9110, section 9.3.4) on the disk of the host, a file for each path, and
// gives it to GET and HEAD, with an ETag, conditions and ranges. Nothing is kept in memory but counts.
//
// A file begins with a line that holds the media type. With sync it is written under another name, synced and then renamed, so that
// nobody ever reads what a crash could take away, and the file before stays until the new one is safe. Without, it is replaced in
// place: a crash takes it back to what was synced, nothing for a file that never was.
type files struct {
	disk  *ip.Disk
	owner string // the service, whose name those of its files begin with
	sync  bool
	most  int64
	count *filesCount
}

// filesCount counts over all incarnations of the host.
type filesCount struct {
	mu     sync.Mutex
	result FilesResult
	writes uint64 // names files that are being written
}

// files returns the handler "files".
func (h *Handler) files(env *services.Env) *files {
	return &files{disk: env.Host.Disk(), owner: env.Name, sync: h.Sync == nil || *h.Sync, most: int64(or(h.MaxSize, defaultMaxFile)),
		count: &filesCount{}}
}

// again returns the handler on the next incarnation of its host, which has the disk of the one before. What was being written in the
// crash is removed first.
func (f *files) again(ctx context.Context, env *services.Env) (*files, error) {
	next := *f
	next.disk = env.Host.Disk()
	names, err := next.disk.List(ctx)
	for _, name := range names {
		if err == nil && strings.HasPrefix(name, f.fresh("")) {
			err = next.disk.Remove(ctx, name)
		}
	}
	return &next, err
}

// stored is the name of the file of a path, fresh that of one that is being written. A path begins with a slash.
func (f *files) stored(path string) string  { return f.owner + ":" + path }
func (f *files) fresh(number string) string { return f.owner + ":new " + number }

func (f *files) result() *FilesResult {
	f.count.mu.Lock()
	defer f.count.mu.Unlock()
	result := f.count.result
	return &result
}

func (f *files) note(change func(r *FilesResult)) {
	f.count.mu.Lock()
	defer f.count.mu.Unlock()
	change(&f.count.result)
}

// ServeHTTP implements net/http's Handler.
func (f *files) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	// What has begun is completed even if the client goes.
	ctx := context.WithoutCancel(r.Context())
	name := f.stored(r.URL.Path)
	switch {
	case strings.HasSuffix(r.URL.Path, "/"):
		f.missing(w) // a folder: there are none
	case r.Method == nethttp.MethodGet, r.Method == nethttp.MethodHead:
		f.get(ctx, w, r, name)
	case r.Method == nethttp.MethodPut:
		f.put(ctx, w, r, name)
	case r.Method == nethttp.MethodDelete:
		f.remove(ctx, w, name)
	default:
		w.Header().Set("Allow", "GET, HEAD, PUT, DELETE")
		fail(w, nethttp.StatusMethodNotAllowed)
	}
}

func (f *files) missing(w nethttp.ResponseWriter) {
	f.note(func(r *FilesResult) { r.Missing++ })
	fail(w, nethttp.StatusNotFound)
}

// failed answers when the disk has failed.
func (f *files) failed(w nethttp.ResponseWriter, err error) {
	switch {
	case errors.Is(err, net.ErrClosed): // the host went: there is nobody who could answer
		w.(*recorder).err = err
		panic(nethttp.ErrAbortHandler)
	case errors.Is(err, fs.ErrNotExist):
		f.missing(w)
	case errors.Is(err, ip.ErrDiskFull):
		f.note(func(r *FilesResult) { r.Full++ })
		fail(w, nethttp.StatusInsufficientStorage) // RFC 4918, section 11.5
	default:
		fail(w, nethttp.StatusInternalServerError)
	}
}

// get answers with a file.
func (f *files) get(ctx context.Context, w nethttp.ResponseWriter, r *nethttp.Request, name string) {
	media, body, err := f.read(ctx, name)
	if err != nil {
		f.failed(w, err)
		return
	}
	f.note(func(r *FilesResult) { r.Read++ })
	sum := sha256.Sum256(body)
	digest := base64.StdEncoding.EncodeToString(sum[:])
	w.Header().Set("Content-Type", media)
	w.Header().Set("ETag", strconv.Quote(digest))
	nethttp.ServeContent(&digestWriter{w, digestPrefix + digest + ":"}, r, "", time.Time{}, bytes.NewReader(body))
}

// read reads a file. One without a media type is what is left of a file that was never synced: it is not there.
func (f *files) read(ctx context.Context, name string) (media string, body []byte, err error) {
	data, err := f.disk.ReadFile(ctx, name)
	if err != nil {
		return "", nil, err
	}
	line, body, found := bytes.Cut(data, []byte{'\n'})
	if !found {
		return "", nil, fs.ErrNotExist
	}
	return string(line), body, nil
}

// put stores the body of a request.
func (f *files) put(ctx context.Context, w nethttp.ResponseWriter, r *nethttp.Request, name string) {
	if r.Header.Get("Content-Range") != "" {
		fail(w, nethttp.StatusBadRequest) // parts can't be stored (RFC 9110, section 14.5)
		return
	}
	body, err := io.ReadAll(nethttp.MaxBytesReader(w, r.Body, f.most))
	if err != nil {
		if errors.As(err, new(*nethttp.MaxBytesError)) {
			f.note(func(r *FilesResult) { r.TooLarge++ })
			fail(w, nethttp.StatusRequestEntityTooLarge)
		} else {
			fail(w, nethttp.StatusBadRequest)
		}
		return
	}
	media := or(r.Header.Get("Content-Type"), defaultType)
	known, err := f.write(ctx, name, append([]byte(media+"\n"), body...))
	if err != nil {
		f.failed(w, err)
		return
	}
	f.note(func(r *FilesResult) {
		r.Stored++
		r.StoredBytes += units.Bytes(len(body))
	})
	if known {
		w.WriteHeader(nethttp.StatusNoContent)
		return
	}
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(nethttp.StatusCreated)
}

// write stores a file and says whether there was one of that name.
func (f *files) write(ctx context.Context, name string, data []byte) (known bool, err error) {
	if known, err = f.exists(ctx, name); err != nil {
		return false, err
	}
	if !f.sync {
		return known, f.disk.WriteFile(ctx, name, data)
	}
	f.count.mu.Lock()
	f.count.writes++
	fresh := f.fresh(strconv.FormatUint(f.count.writes, 10))
	f.count.mu.Unlock()
	if err := f.disk.WriteFile(ctx, fresh, data); err != nil {
		return known, err // and there is no such file
	}
	if err := f.disk.Sync(ctx, fresh); err != nil {
		return known, err
	}
	return known, f.disk.Rename(ctx, fresh, name)
}

// exists says whether there is a file, and not just what is left of one that was never synced: that is empty.
func (f *files) exists(ctx context.Context, name string) (bool, error) {
	first, err := f.disk.ReadAt(ctx, name, 0, 1)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return len(first) > 0, err
}

// remove deletes a file.
func (f *files) remove(ctx context.Context, w nethttp.ResponseWriter, name string) {
	known, err := f.exists(ctx, name)
	if err == nil && known {
		err = f.disk.Remove(ctx, name)
	}
	switch {
	case err != nil:
		f.failed(w, err)
	case !known:
		f.missing(w)
	default:
		f.note(func(r *FilesResult) { r.Deleted++ })
		w.WriteHeader(nethttp.StatusNoContent)
	}
}
