// Package engine is the storage engine of a store's member: Pebble (an LSM tree, O'Neil et al. 1996) on the disk of a simulated host.
//
// Pebble's own write-ahead log is off: the member's replication log is the log, and the position of the last entry that was applied is
// kept in the same batch as the data. What was applied is in memory until Flush; after a crash the engine is what it was at its last
// flush, and says at which position that was.
//
// Pebble works on files in memory, and what it did to them is done to the host's disk, in the same order, when Flush says so: with the
// disk's latencies, and with its failures, which Flush returns. So reads take no time once the engine is open: the page cache is as large as
// the disk. Compactions are made within Flush, when there are many files, so that they always happen at the same place of a run.
package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"netlab/services"
	"netlab/units"
)

// Options change an engine. The zero value is the default.
type Options struct {
	// Prefix is what the names of files on the disk begin with, "data." if empty.
	Prefix string
	// MemTableSize is how much is held in memory before Pebble makes a file of it, 4 MiB if 0.
	MemTableSize units.Bytes
}

// format is what the file PREFIXformat says.
const format = "netlab-store 1\n"

// compactAt is how many files of the first level are too many.
const compactAt = 4

var positionKey = []byte("mposition")

// Engine is a storage engine. Several goroutines may read; one at a time writes.
type Engine struct {
	disk  *diskFiles
	db    *pebble.DB
	cache *pebble.Cache

	mu      sync.Mutex
	applied uint64
	durable uint64
	err     error
}

// Open opens the engine on the disk of env's host, or makes a new one.
func Open(ctx context.Context, env *services.Env, o Options) (*Engine, error) {
	if o.Prefix == "" {
		o.Prefix = "data."
	}
	if o.MemTableSize == 0 {
		o.MemTableSize = 4 << 20
	}
	files, found, err := load(ctx, env.Host.Disk(), o.Prefix)
	if err != nil {
		return nil, err
	}
	if text, ok := found["format"]; !ok || len(text) == 0 && len(found) == 1 {
		if len(found) > 1 {
			return nil, fmt.Errorf("%sformat: missing, and there are other files: this is no store", o.Prefix)
		}
		if err := files.format(ctx); err != nil {
			return nil, err
		}
	} else if string(text) != format {
		return nil, fmt.Errorf("%sformat: found %q, wanted %q: another version of netlab wrote this", o.Prefix, text, format)
	}
	e := &Engine{disk: files, cache: pebble.NewCache(1 << 20)}
	opts := &pebble.Options{
		FS: files, Cache: e.cache, DisableWAL: true, DisableAutomaticCompactions: true, MemTableSize: uint64(o.MemTableSize),
		MemTableStopWritesThreshold: 1 << 10, L0StopWritesThreshold: 1 << 20, L0CompactionThreshold: 1 << 20, MaxOpenFiles: 1000,
		FormatMajorVersion: pebble.FormatNewest, Logger: quiet{env.Log},
	}
	opts.CompactionConcurrencyRange = func() (int, int) { return 1, 1 }
	opts.DisableTableStats = true
	if e.db, err = pebble.Open("", opts); err != nil {
		e.cache.Unref()
		return nil, fmt.Errorf("%s: %w", o.Prefix, err)
	}
	b, ok, err := e.get(e.db, positionKey)
	if err == nil && ok && len(b) != 8 {
		err = errors.New("the position is damaged")
	}
	if err == nil {
		if ok {
			e.applied = binary.BigEndian.Uint64(b)
		}
		e.durable = e.applied
		e.db.TestOnlyWaitForCleaning()
		err = files.write(ctx)
	}
	if err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

// quiet takes what Pebble logs. Its files are in memory, so that it never has reason to give up.
type quiet struct{ log *slog.Logger }

func (q quiet) Infof(string, ...any)                   {}
func (q quiet) Errorf(f string, args ...any)           { q.log.Debug("pebble: " + fmt.Sprintf(f, args...)) }
func (q quiet) Fatalf(f string, args ...any)           { panic("pebble: " + fmt.Sprintf(f, args...)) }
func (q quiet) Eventf(context.Context, string, ...any) {}

// Applied is the position of the last batch.
func (e *Engine) Applied() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.applied
}

// Durable is the position that a crash leaves.
func (e *Engine) Durable() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.durable
}

// Err is why the engine can't go on: an error of the disk.
func (e *Engine) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

func userKey(key []byte) []byte { return append([]byte{'d'}, key...) }

// reader is what a database, a batch and a snapshot have in common.
type reader interface {
	Get(key []byte) ([]byte, io.Closer, error)
	NewIter(o *pebble.IterOptions) (*pebble.Iterator, error)
}

func (e *Engine) get(r reader, key []byte) ([]byte, bool, error) {
	value, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	defer closer.Close()
	return bytes.Clone(value), true, nil
}

func (e *Engine) scan(r reader, from, to []byte, fn func(key, value []byte) bool) error {
	o := &pebble.IterOptions{LowerBound: userKey(from), UpperBound: []byte{'d' + 1}}
	if to != nil {
		o.UpperBound = userKey(to)
	}
	it, err := r.NewIter(o)
	if err != nil {
		return err
	}
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return errors.Join(err, it.Close())
		}
		if !fn(it.Key()[1:], value) {
			break
		}
	}
	return it.Close()
}

// Get returns a copy of a value.
func (e *Engine) Get(key []byte) (value []byte, ok bool, err error) { return e.get(e.db, userKey(key)) }

// Scan calls fn for the keys from ≤ key < to in order, until it returns false. A nil to means the end. What fn is given holds only while it
// runs.
func (e *Engine) Scan(from, to []byte, fn func(key, value []byte) bool) error {
	return e.scan(e.db, from, to, fn)
}

// Batch is a set of changes. What it reads includes them.
type Batch struct {
	engine *Engine
	batch  *pebble.Batch
}

// NewBatch returns an empty batch.
func (e *Engine) NewBatch() *Batch { return &Batch{e, e.db.NewIndexedBatch()} }

// Get returns a copy of a value.
func (b *Batch) Get(key []byte) (value []byte, ok bool, err error) {
	return b.engine.get(b.batch, userKey(key))
}

// Scan is [Engine.Scan] with the changes.
func (b *Batch) Scan(from, to []byte, fn func(key, value []byte) bool) error {
	return b.engine.scan(b.batch, from, to, fn)
}

// Set sets a key.
func (b *Batch) Set(key, value []byte) error { return b.batch.Set(userKey(key), value, nil) }

// Delete removes a key.
func (b *Batch) Delete(key []byte) error { return b.batch.Delete(userKey(key), nil) }

// Close drops a batch that isn't committed.
func (b *Batch) Close() error { return b.batch.Close() }

// Commit makes the changes, in memory, and takes down the position. One that isn't beyond the position before panics, unless it is equal.
func (e *Engine) Commit(b *Batch, position uint64) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if position < e.applied {
		panic(fmt.Sprintf("engine: position %d after %d", position, e.applied))
	}
	if err := b.batch.Set(positionKey, binary.BigEndian.AppendUint64(nil, position), nil); err != nil {
		return err
	}
	if err := b.batch.Commit(pebble.NoSync); err != nil {
		return err
	}
	e.applied = position
	return b.batch.Close()
}

// Flush makes everything durable that was committed before. After an error of the disk the engine can't go on.
func (e *Engine) Flush(ctx context.Context) error {
	e.mu.Lock()
	applied, err := e.applied, e.err
	e.mu.Unlock()
	if err != nil {
		return err
	}
	if err := e.flush(ctx); err != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.err = fmt.Errorf("storage engine: %w", err)
		return e.err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.durable = max(e.durable, applied)
	return nil
}

func (e *Engine) flush(ctx context.Context) error {
	if err := e.db.Flush(); err != nil {
		return err
	}
	if m := e.db.Metrics(); m.Levels[0].TablesCount >= compactAt {
		if err := e.db.Compact(context.Background(), []byte{0}, []byte{0xff}, false); err != nil {
			return err
		}
	}
	e.db.TestOnlyWaitForCleaning() // files that aren't needed any more go in the background, and must be in the list by now
	return e.disk.write(ctx)
}

// Clear removes all data, and the position.
func (e *Engine) Clear() error {
	b := e.db.NewBatch()
	if err := b.DeleteRange([]byte{'d'}, []byte{'d' + 1}, nil); err != nil {
		return err
	}
	if err := b.Delete(positionKey, nil); err != nil {
		return err
	}
	if err := b.Commit(pebble.NoSync); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.applied = 0
	return b.Close()
}

// Snapshot is the state at one position.
type Snapshot struct {
	engine   *Engine
	snapshot *pebble.Snapshot
	position uint64
}

// Snapshot returns the state as it is. It is to be closed.
func (e *Engine) Snapshot() *Snapshot {
	e.mu.Lock()
	defer e.mu.Unlock()
	return &Snapshot{e, e.db.NewSnapshot(), e.applied}
}

// Applied is its position.
func (s *Snapshot) Applied() uint64 { return s.position }

// Get returns a copy of a value.
func (s *Snapshot) Get(key []byte) (value []byte, ok bool, err error) {
	return s.engine.get(s.snapshot, userKey(key))
}

// Scan is [Engine.Scan].
func (s *Snapshot) Scan(from, to []byte, fn func(key, value []byte) bool) error {
	return s.engine.scan(s.snapshot, from, to, fn)
}

// Close ends it.
func (s *Snapshot) Close() error { return s.snapshot.Close() }

// Close closes the engine, whether or not the host is still there. What isn't flushed is lost.
func (e *Engine) Close() error {
	err := e.db.Close()
	e.cache.Unref()
	return err
}
