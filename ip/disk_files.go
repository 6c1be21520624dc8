package ip

import (
	"bytes"
	"context"
	"io/fs"
	"maps"
	"slices"

	"netlab/units"
)

// file is a file. Its content is replaced or grows, but what is there never changes in place: so synced may share its memory.
type file struct {
	data      []byte
	synced    []byte // what a crash leaves
	rewritten bool   // data doesn't begin with synced
}

// dirty is how many bytes were written since the last sync.
func (f *file) dirty() int {
	if f.rewritten {
		return len(f.data)
	}
	return len(f.data) - len(f.synced)
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

// WriteFile makes data the content of a file, which is made if it doesn't exist. A write that fails changes nothing.
func (d *Disk) WriteFile(ctx context.Context, name string, data []byte) error {
	return d.write(ctx, name, data, true)
}

// Append adds data to the end of a file, which is made if it doesn't exist. A write that fails changes nothing.
func (d *Disk) Append(ctx context.Context, name string, data []byte) error {
	return d.write(ctx, name, data, false)
}

func (d *Disk) write(ctx context.Context, name string, data []byte, replace bool) error {
	data = bytes.Clone(data) // the caller may go on with it when ctx ends
	return d.do(ctx, &operation{name: "write", path: name,
		size: func(*storage) int { return len(data) },
		apply: func(s *storage) error {
			if name == "" {
				return fs.ErrInvalid
			}
			f := s.files[name]
			grows := int64(len(data))
			if f != nil && replace {
				grows -= int64(len(f.data))
			}
			if s.full || s.config.Capacity > 0 && grows > 0 && s.used+grows > int64(s.config.Capacity) {
				return ErrDiskFull
			}
			if f == nil {
				f = &file{}
				if s.files == nil {
					s.files = map[string]*file{}
				}
				s.files[name] = f
			}
			if replace {
				f.data, f.rewritten = data, true
			} else {
				f.data = append(f.data, data...)
			}
			s.used += grows
			s.stats.BytesWritten += uint64(len(data))
			return nil
		}})
}

// Sync makes what is in a file survive a crash.
func (d *Disk) Sync(ctx context.Context, name string) error {
	return d.do(ctx, &operation{name: "sync", path: name, apply: func(s *storage) error {
		s.stats.Syncs++
		f := s.files[name]
		if f == nil {
			return fs.ErrNotExist
		}
		s.stats.BytesSynced += uint64(f.dirty())
		f.synced, f.rewritten = slices.Clip(f.data), false
		return nil
	}})
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
