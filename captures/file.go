package captures

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// file is one node's capture.
type file struct {
	node, path string
	interfaces []InterfaceDescription
	counters   []*counters
	extents    []extent // what waits in the buffer
	secrets    []string // what waits for the next frame
	size       int64    // what was written: whole blocks
	handle     handle   // nil while closed
	stopped    bool     // takes no more frames
	err        error    // takes no more writes
}

// handle is the part of an [os.File] that a set needs.
type handle interface {
	io.WriterAt
	io.Closer
	Truncate(size int64) error
}

// opener opens a file for writing, anew or as it was left.
type opener func(path string, create bool) (handle, error)

func osOpen(path string, create bool) (handle, error) {
	flags := os.O_WRONLY
	if create {
		flags |= os.O_CREATE | os.O_TRUNC
	}
	return os.OpenFile(path, flags, 0o666)
}

// maxOpenFiles bounds the files that a set holds open at a time.
const maxOpenFiles = 64

// handles opens files when they are needed and closes those that were not written to for the longest time.
type handles struct {
	open   opener
	limit  int
	recent []*file // the open ones, the latest used last
	failed int     // files with an error
	first  error
}

func (h *handles) create(f *file) { h.get(f, true) }

// get returns the file's handle, or nil if it can't be opened; then f.err is set.
func (h *handles) get(f *file, create bool) handle {
	if f.err != nil {
		return nil
	}
	if f.handle != nil {
		i := slices.Index(h.recent, f)
		h.recent = append(slices.Delete(h.recent, i, i+1), f)
		return f.handle
	}
	if len(h.recent) >= h.limit {
		h.close(h.recent[0])
	}
	handle, err := h.open(f.path, create)
	if err != nil {
		h.fail(f, fmt.Errorf("captures: %w", err))
		return nil
	}
	f.handle = handle
	h.recent = append(h.recent, f)
	return handle
}

// close closes an open file.
func (h *handles) close(f *file) {
	h.recent = slices.DeleteFunc(h.recent, func(o *file) bool { return o == f })
	err := f.handle.Close()
	f.handle = nil
	if err != nil {
		h.fail(f, fmt.Errorf("captures: %w", err))
	}
}

func (h *handles) closeAll() {
	for len(h.recent) > 0 {
		h.close(h.recent[0])
	}
}

// fail remembers the first error of a file, which is not written to again.
func (h *handles) fail(f *file, err error) {
	if f.err != nil {
		return
	}
	f.err = err
	h.note(err)
}

// note remembers the first error of all files.
func (h *handles) note(err error) {
	h.failed++
	if h.first == nil {
		h.first = err
	}
}

// add appends whole blocks to what waits for a file.
func (s *Set) add(f *file, blocks []byte) {
	if f.err != nil {
		return
	}
	chunk, b := s.buffer.room(len(blocks))
	s.keep(f, chunk, append(b, blocks...))
}

// keep notes that a chunk was extended by blocks of a file.
func (s *Set) keep(f *file, chunk int, b []byte) {
	e := s.buffer.keep(chunk, b)
	if n := len(f.extents); n == 0 {
		s.dirty = append(s.dirty, f)
	} else if last := &f.extents[n-1]; last.chunk == e.chunk && last.to == e.from {
		last.to = e.to
		return
	}
	f.extents = append(f.extents, e)
}

// stop ends a file early: what waits for it will be written, what comes is lost.
func (s *Set) stop(f *file, err error) {
	f.stopped = true
	s.handles.note(fmt.Errorf("%s: %w", f.path, err))
}

func (s *Set) flush() {
	for _, f := range s.dirty {
		s.flushFile(f)
	}
	s.dirty = s.dirty[:0]
	s.buffer.reset()
}

// flushFile writes what waits for a file. Blocks that lie apart in the buffer are gathered first: a system call costs
// more than a copy.
func (s *Set) flushFile(f *file) {
	var gathered []byte
	for i, e := range f.extents {
		b := s.buffer.bytes(e)
		if len(f.extents) == 1 {
			s.write(f, b)
			break
		}
		if gathered == nil {
			gathered = s.gather[:0]
		}
		gathered = append(gathered, b...)
		if len(gathered) >= chunkSize || i == len(f.extents)-1 {
			s.write(f, gathered)
			s.gather, gathered = gathered[:0], gathered[:0]
		}
	}
	f.extents = f.extents[:0]
}

// write writes whole blocks. If it comes to a part of them only, the file is cut back to the last whole block.
func (s *Set) write(f *file, b []byte) {
	h := s.handles.get(f, false)
	if h == nil {
		_, packets := s.whole(f, b, 0)
		s.lost += packets
		return
	}
	n, err := h.WriteAt(b, f.size)
	if err == nil {
		f.size += int64(n)
		return
	}
	whole, lost := s.whole(f, b, n)
	s.lost += lost
	f.size += int64(whole)
	err = fmt.Errorf("captures: %w", err)
	// Whatever n says: os.File.WriteAt doesn't count what the last of several system calls wrote before it failed.
	if cut := h.Truncate(f.size); cut != nil {
		err = errors.Join(err, fmt.Errorf("captures: %w", cut))
	}
	s.handles.fail(f, err)
}

// whole returns how many bytes of whole blocks lie within the first n bytes of b, which comes next in the file, and how
// many packets lie behind them.
func (s *Set) whole(f *file, b []byte, n int) (bytes int, lost uint64) {
	for at := 0; at < len(b); {
		var size int
		packet := true
		switch {
		case s.options.Format == Pcapng:
			size, packet = int(le.Uint32(b[at+4:])), le.Uint32(b[at:]) == blockPacket
		case f.size == 0 && at == 0:
			size, packet = plainFileHeader, false
		default:
			size = plainHeader + int(le.Uint32(b[at+8:]))
		}
		at += size
		if at <= n {
			bytes = at
		} else if packet {
			lost++
		}
	}
	return bytes, lost
}
