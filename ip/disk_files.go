package ip

import (
	"bytes"
	"context"
	"io/fs"
	"maps"
	"math"
	"slices"

	"netlab/units"
)

// file is a file. Its content is replaced or grows, but what is there never changes in place: so synced may share its memory.
type file struct {
	data   []byte
	synced []byte // what a crash leaves
	kept   int    // how many bytes at the start of synced are those of data: nothing was written there since
}

// dirty is how many bytes follow the first one that was changed since the last sync, this one included.
func (f *file) dirty() int { return len(f.data) - f.kept }

// appended says whether the file only grew since the last sync.
func (f *file) appended() bool { return f.kept == len(f.synced) }

// settle makes data what a crash leaves.
func (f *file) settle(data []byte) {
	f.data = slices.Clip(data) // what is appended goes elsewhere
	f.synced, f.kept = f.data, len(f.data)
}

// ReadFile returns the content of a file.
func (d *Disk) ReadFile(ctx context.Context, name string) ([]byte, error) {
	return d.read(ctx, name, 0, -1)
}

// ReadAt returns n bytes of a file from an offset on, or fewer where the file ends before. Neither may be negative.
func (d *Disk) ReadAt(ctx context.Context, name string, offset, n int) ([]byte, error) {
	if offset < 0 || n < 0 {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrInvalid}
	}
	return d.read(ctx, name, offset, n)
}

// read reads up to n bytes, or all if n is negative.
func (d *Disk) read(ctx context.Context, name string, offset, n int) ([]byte, error) {
	part := func(f *file) []byte {
		b := f.data[min(offset, len(f.data)):]
		if n >= 0 {
			b = b[:min(n, len(b))]
		}
		return b
	}
	var content []byte
	err := d.do(ctx, &operation{name: "read", path: name,
		size: func(s *storage) int {
			if f := s.files[name]; f != nil {
				return len(part(f))
			}
			return 0
		},
		apply: func(s *storage) error {
			f := s.files[name]
			if f == nil {
				return fs.ErrNotExist
			}
			content = bytes.Clone(part(f))
			s.stats.BytesRead += uint64(len(content))
			return nil
		}})
	if err != nil {
		return nil, err
	}
	if content == nil {
		content = []byte{}
	}
	return content, nil
}

// Places where a write puts its data, in place of an offset.
const (
	wholeFile = -1 // in place of all that is there
	endOfFile = -2
)

// WriteFile makes data the content of a file, which is made if it doesn't exist. A write that fails changes nothing.
func (d *Disk) WriteFile(ctx context.Context, name string, data []byte) error {
	return d.write(ctx, name, wholeFile, data)
}

// Append adds data to the end of a file, which is made if it doesn't exist. A write that fails changes nothing.
func (d *Disk) Append(ctx context.Context, name string, data []byte) error {
	return d.write(ctx, name, endOfFile, data)
}

// WriteAt puts data into a file from an offset on, in place of what is there. It makes the file if it doesn't exist, and larger if it
// is too short; what lies between its end and the offset becomes zeros. A write that fails changes nothing. A crash takes back all of it,
// or nothing if it was synced. The work that this makes for the machine grows with the file: it is for few writes or small files.
func (d *Disk) WriteAt(ctx context.Context, name string, offset int, data []byte) error {
	if offset < 0 || offset > math.MaxInt-len(data) {
		return &fs.PathError{Op: "write", Path: name, Err: fs.ErrInvalid}
	}
	return d.write(ctx, name, offset, data)
}

func (d *Disk) write(ctx context.Context, name string, offset int, data []byte) error {
	data = bytes.Clone(data) // the caller may go on with it when ctx ends
	return d.do(ctx, &operation{name: "write", path: name,
		size: func(*storage) int { return len(data) },
		apply: func(s *storage) error {
			if name == "" {
				return fs.ErrInvalid
			}
			f := s.files[name]
			if f == nil {
				f = &file{}
			}
			length := len(f.data)
			switch {
			case offset == wholeFile:
				length = len(data)
			case offset == endOfFile:
				length += len(data)
			case len(data) > 0:
				length = max(length, offset+len(data))
			}
			if s.full || !s.fits(length-len(f.data)) {
				return ErrDiskFull
			}
			s.used += int64(length - len(f.data))
			switch {
			case offset == wholeFile:
				f.data, f.kept = data, 0
			case offset == endOfFile || offset == len(f.data):
				f.data = append(f.data, data...)
			case len(data) > 0:
				content := make([]byte, length)
				copy(content, f.data)
				copy(content[offset:], data)
				f.data, f.kept = content, min(f.kept, offset)
			}
			if s.files == nil {
				s.files = map[string]*file{}
			}
			s.files[name] = f
			s.stats.BytesWritten += uint64(len(data))
			return nil
		}})
}

// fits says whether there is space for so many bytes more.
func (s *storage) fits(grows int) bool {
	return grows <= 0 || s.config.Capacity == 0 || int64(grows) <= int64(s.config.Capacity)-s.used
}

// Truncate cuts a file to a size of so many bytes, or makes it as large with zeros. It takes no longer for large ones. A file that grows
// needs space. Until the next Sync a crash takes it back.
func (d *Disk) Truncate(ctx context.Context, name string, size int) error {
	if size < 0 {
		return &fs.PathError{Op: "truncate", Path: name, Err: fs.ErrInvalid}
	}
	return d.do(ctx, &operation{name: "truncate", path: name, apply: func(s *storage) error {
		f := s.files[name]
		if f == nil {
			return fs.ErrNotExist
		}
		grows := size - len(f.data)
		if grows > 0 && (s.full || !s.fits(grows)) {
			return ErrDiskFull
		}
		s.used += int64(grows)
		if grows > 0 {
			f.data = append(f.data, make([]byte, grows)...)
			return nil
		}
		f.data = slices.Clip(f.data[:size]) // what is appended goes elsewhere: synced may share what was cut off
		f.kept = min(f.kept, size)
		return nil
	}})
}

// Size returns how many bytes a file holds.
func (d *Disk) Size(ctx context.Context, name string) (int, error) {
	size := 0
	err := d.do(ctx, &operation{name: "stat", path: name, apply: func(s *storage) error {
		f := s.files[name]
		if f == nil {
			return fs.ErrNotExist
		}
		size = len(f.data)
		return nil
	}})
	if err != nil {
		return 0, err
	}
	return size, nil
}

// Sync makes what is in a file survive a crash. If it fails with [ErrSync], what the last one that succeeded has stored is still what
// survives, and a later one can succeed with all of it. (A kernel may then say so although it has forgotten what it could not
// write: Rebello et al., "Can Applications Recover from fsync Failures?", 2020. That is left out.)
func (d *Disk) Sync(ctx context.Context, name string) error {
	o := &operation{name: "sync", path: name}
	o.apply = func(s *storage) error {
		s.stats.Syncs++
		f := s.files[name]
		switch {
		case f == nil:
			return fs.ErrNotExist
		case o.fate == syncFails:
			s.stats.SyncFailures++
			return ErrSync
		case o.fate == syncSkipped:
			s.stats.SyncsSkipped++
			return nil
		}
		s.stats.BytesSynced += uint64(f.dirty())
		f.settle(f.data)
		return nil
	}
	return d.do(ctx, o)
}

// Rename gives a file another name, in place of a file that has it. A crash leaves it under one of the two names.
func (d *Disk) Rename(ctx context.Context, from, to string) error {
	return d.do(ctx, &operation{name: "rename", path: from, apply: func(s *storage) error {
		f := s.files[from]
		switch {
		case f == nil:
			return fs.ErrNotExist
		case to == "":
			return fs.ErrInvalid
		case from == to:
			return nil
		}
		if old := s.files[to]; old != nil {
			s.used -= int64(len(old.data))
		}
		delete(s.files, from)
		s.files[to] = f
		return nil
	}})
}

// Remove removes a file.
func (d *Disk) Remove(ctx context.Context, name string) error {
	return d.do(ctx, &operation{name: "remove", path: name, apply: func(s *storage) error {
		f := s.files[name]
		if f == nil {
			return fs.ErrNotExist
		}
		s.used -= int64(len(f.data))
		delete(s.files, name)
		return nil
	}})
}

// List returns the names of all files, sorted.
func (d *Disk) List(ctx context.Context) ([]string, error) {
	var names []string
	err := d.do(ctx, &operation{name: "list", apply: func(s *storage) error {
		names = slices.Sorted(maps.Keys(s.files))
		return nil
	}})
	if err != nil {
		return nil, err
	}
	return names, nil
}

// Used returns how much the files hold together.
func (d *Disk) Used() units.Bytes {
	s := &d.host.machine.disk
	s.mu.Lock()
	defer s.mu.Unlock()
	return units.Bytes(s.used)
}
