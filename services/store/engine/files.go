package engine

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"netlab/ip"
)

// diskFiles are files in memory, and the list of what was done to them that the disk doesn't know yet.
type diskFiles struct {
	vfs.FS
	disk   *ip.Disk
	prefix string

	mu      sync.Mutex
	journal []change
}

// change is something that was done to a file.
type change struct {
	what     string // create, append, sync, rename, remove
	name, to string
	data     []byte
}

// load reads the files with a prefix from a disk.
func load(ctx context.Context, disk *ip.Disk, prefix string) (*diskFiles, map[string][]byte, error) {
	f := &diskFiles{FS: vfs.NewMem(), disk: disk, prefix: prefix}
	found := map[string][]byte{}
	names, err := disk.List(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		plain, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		data, err := disk.ReadFile(ctx, name)
		if err != nil {
			return nil, nil, err
		}
		found[plain] = data
		if plain == "format" {
			continue
		}
		file, err := f.FS.Create(plain, vfs.WriteCategoryUnspecified)
		if err == nil {
			_, err = file.Write(data)
		}
		if err == nil {
			err = file.Close()
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return f, found, nil
}

// format writes down the version of the format.
func (f *diskFiles) format(ctx context.Context) error {
	if err := f.disk.WriteFile(ctx, f.prefix+"format", []byte(format)); err != nil {
		return err
	}
	return f.disk.Sync(ctx, f.prefix+"format")
}

func (f *diskFiles) note(c change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.journal); c.what == "append" && n > 0 && f.journal[n-1].what == "append" && f.journal[n-1].name == c.name {
		f.journal[n-1].data = append(f.journal[n-1].data, c.data...)
		return
	}
	f.journal = append(f.journal, c)
}

// write does to the disk what was done to the files.
func (f *diskFiles) write(ctx context.Context) error {
	f.mu.Lock()
	list := f.journal
	f.journal = nil
	f.mu.Unlock()
	for _, c := range list {
		var err error
		name := f.prefix + c.name
		switch c.what {
		case "create":
			err = f.disk.WriteFile(ctx, name, nil)
		case "append":
			err = f.disk.Append(ctx, name, c.data)
		case "sync":
			err = f.disk.Sync(ctx, name)
		case "rename":
			err = f.disk.Rename(ctx, name, f.prefix+c.to)
		case "remove":
			err = f.disk.Remove(ctx, name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Create implements vfs.FS.
func (f *diskFiles) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.Create(name, category)
	if err != nil {
		return nil, err
	}
	f.note(change{what: "create", name: name})
	return &diskFile{file, f, name}, nil
}

// OpenReadWrite implements vfs.FS.
func (f *diskFiles) OpenReadWrite(name string, category vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	file, err := f.FS.OpenReadWrite(name, category, o...)
	if err != nil {
		return nil, err
	}
	return &diskFile{file, f, name}, nil
}

// ReuseForWrite implements vfs.FS.
func (f *diskFiles) ReuseForWrite(old, name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := f.Remove(old); err != nil {
		return nil, err
	}
	return f.Create(name, category)
}

// Remove implements vfs.FS.
func (f *diskFiles) Remove(name string) error {
	if err := f.FS.Remove(name); err != nil {
		return err
	}
	f.note(change{what: "remove", name: name})
	return nil
}

// Rename implements vfs.FS.
func (f *diskFiles) Rename(from, to string) error {
	if err := f.FS.Rename(from, to); err != nil {
		return err
	}
	f.note(change{what: "rename", name: from, to: to})
	return nil
}

// Link implements vfs.FS. Pebble links files only for checkpoints and for what it takes in from outside, which isn't used.
func (f *diskFiles) Link(string, string) error { return fmt.Errorf("links aren't supported") }

// Lock implements vfs.FS: a host's disk has one user.
func (f *diskFiles) Lock(string) (io.Closer, error) { return io.NopCloser(nil), nil }

// Unwrap implements vfs.FS.
func (f *diskFiles) Unwrap() vfs.FS { return nil }

// diskFile is a file that is written.
type diskFile struct {
	vfs.File
	files *diskFiles
	name  string
}

// Write implements vfs.File.
func (f *diskFile) Write(p []byte) (int, error) {
	data := bytes.Clone(p) // the file may change p
	n, err := f.File.Write(p)
	f.files.note(change{what: "append", name: f.name, data: data[:n]})
	return n, err
}

// WriteAt implements vfs.File. Pebble writes no files in places.
func (f *diskFile) WriteAt([]byte, int64) (int, error) {
	return 0, fmt.Errorf("%s: files are only appended to", f.name)
}

// Sync implements vfs.File.
func (f *diskFile) Sync() error {
	f.files.note(change{what: "sync", name: f.name})
	return f.File.Sync()
}

// SyncData implements vfs.File.
func (f *diskFile) SyncData() error { return f.Sync() }

// SyncTo implements vfs.File: what isn't demanded isn't synced.
func (f *diskFile) SyncTo(int64) (bool, error) { return false, nil }
