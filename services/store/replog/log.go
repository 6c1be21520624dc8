package replog

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"netlab/ip"
	"netlab/units"
)

// Entry is an entry of the log.
type Entry struct {
	// Index counts the entries from 1 on, without gaps.
	Index uint64
	// Epoch is when it was proposed: Raft's term, or the epoch of a leader.
	Epoch uint64
	// Kind and Data are the owner's. Data is not copied: it must not change once it is in the log.
	Kind uint8
	Data []byte
}

// Log is a log. One goroutine at a time writes to it; others may read at any time, and append while Sync waits for the disk.
type Log struct {
	disk    *ip.Disk
	options Options
	torn    string // the file that was, if any
	tornAt  int64
	busy    chan struct{} // holds an element while somebody uses the disk

	mu sync.Mutex // not held while the disk works
	content
	err    error
	buffer []byte
	spare  []byte // for the next buffer
	lowest uint64 // last entry that the truncations in the buffer leave
	// durable is what survives a crash, flight what will when the sync that is under way has succeeded. Both are below what was
	// truncated since.
	durable, flight uint64

	// What is on disk, or will be after the sync that is under way.
	segments     []segment
	written      position
	writtenState []byte
}

// Append adds entries to what the next Sync writes. An entry that has the index of one in the log drops that one and all after it. It panics at
// a gap, and at an index below First.
func (l *Log) Append(entries ...Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range entries {
		last := l.last().index
		if e.Index > last+1 || e.Index <= l.base.index {
			panic(fmt.Sprintf("replog: append of entry %d, want %d to %d", e.Index, l.base.index+1, last+1))
		}
		l.truncate(e.Index)
		l.buffer = appendRecord(l.buffer, typeEntry, e.Kind, position{e.Index, e.Epoch}, e.Data)
		l.entries = append(l.entries, e)
	}
}

// Truncate drops the entries from an index on, if there are any, with the next Sync. It panics at an index below First.
func (l *Log) Truncate(from uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if from <= l.base.index {
		panic(fmt.Sprintf("replog: truncation from entry %d, want %d or more", from, l.base.index+1))
	}
	l.truncate(from)
}

func (l *Log) truncate(from uint64) {
	if from > l.last().index {
		return
	}
	l.cut(from - 1)
	last := l.last()
	l.lowest, l.durable, l.flight = min(l.lowest, last.index), min(l.durable, last.index), min(l.flight, last.index)
	l.buffer = appendRecord(l.buffer, typeTruncate, 0, last, nil)
}

// SetState replaces the state with the next Sync.
func (l *Log) SetState(data []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = append([]byte{}, data...)
	l.buffer = appendRecord(l.buffer, typeState, 0, position{}, l.state)
}

// Sync makes all that was appended, truncated and set before durable: it takes one write and one sync of the disk. If there is nothing
// it returns at once. After an error of the disk nobody knows what is on it: the log is broken, and each further call returns the error. The
// disk may not be asked at all if ctx has ended; that breaks nothing.
func (l *Log) Sync(ctx context.Context) error {
	if err := l.acquire(ctx); err != nil {
		return err
	}
	defer l.release()
	l.mu.Lock()
	if l.err != nil || len(l.buffer) == 0 {
		defer l.mu.Unlock()
		return l.err
	}
	data := l.buffer
	n := len(l.segments)
	begin := n == 0 || l.segments[n-1].size >= int64(l.options.SegmentSize)
	if begin {
		data = append(l.begin(false, l.written), data...)
	}
	s := &l.segments[len(l.segments)-1]
	lowest := l.lowest
	l.buffer, l.spare, l.lowest = l.spare[:0], nil, math.MaxUint64
	l.written, l.writtenState = l.last(), l.state
	l.flight = l.written.index
	last := l.flight
	l.mu.Unlock()

	err := l.write(ctx, l.file(s.sequence), data)

	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err = err; err != nil {
		return err
	}
	lower(l.segments, lowest)
	s.size += int64(len(data))
	s.last = last
	l.durable = l.flight
	if cap(data) <= defaultSegmentSize {
		l.spare = data[:0]
	}
	return nil
}

// begin adds a segment and returns what it begins with. The mutex is held.
func (l *Log) begin(reset bool, base position) []byte {
	sequence := uint64(1)
	if n := len(l.segments); n > 0 {
		sequence = l.segments[n-1].sequence + 1
	}
	l.segments = append(l.segments, segment{sequence: sequence})
	data := appendHeader(nil, sequence, reset, base)
	if l.writtenState != nil {
		data = appendRecord(data, typeState, 0, position{}, l.writtenState)
	}
	return data
}

// write appends to a file and syncs it.
func (l *Log) write(ctx context.Context, file string, data []byte) error {
	err := l.disk.Append(ctx, file, data)
	if err == nil && !l.options.NoSync {
		err = l.disk.Sync(ctx, file)
	}
	return wrap(err)
}

// Reset makes the log empty, as if it had been compacted up to an entry of this index and epoch: a snapshot took its place. What is
// buffered is dropped, but the state is kept. It is durable when Reset returns; an error breaks the log.
func (l *Log) Reset(ctx context.Context, index, epoch uint64) error {
	if err := l.acquire(ctx); err != nil {
		return err
	}
	defer l.release()
	l.mu.Lock()
	if l.err != nil {
		defer l.mu.Unlock()
		return l.err
	}
	l.base, l.entries = position{index, epoch}, nil
	l.written, l.writtenState = l.base, l.state
	l.buffer, l.lowest = l.buffer[:0], math.MaxUint64
	l.durable, l.flight = min(l.durable, index), index
	data := l.begin(true, l.base)
	s := &l.segments[len(l.segments)-1]
	l.mu.Unlock()

	err := l.write(ctx, l.file(s.sequence), data)

	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err = err; err != nil {
		return err
	}
	lower(l.segments, 0)
	s.size, s.last = int64(len(data)), index
	l.durable = l.flight
	return l.remove(ctx, len(l.segments)-1)
}

// Compact lets entries up to an index go, which a snapshot holds: First is the next one then, and EpochAt still knows that index. Segments
// in which there is nothing else that is durable are removed from the disk. After a crash First may be lower again. It does nothing if
// the entries are gone already, and panics if there is no such entry yet. An error breaks the log.
func (l *Log) Compact(ctx context.Context, upTo uint64) error {
	if err := l.acquire(ctx); err != nil {
		return err
	}
	defer l.release()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	if last := l.last().index; upTo > last {
		panic(fmt.Sprintf("replog: compaction up to entry %d, want at most %d", upTo, last))
	}
	if upTo > l.base.index {
		n := upTo - l.base.index
		l.base = position{upTo, l.entries[n-1].Epoch}
		l.entries = l.entries[n:]
		if n > uint64(len(l.entries)) { // so what is gone doesn't stay in memory
			l.entries = slices.Clone(l.entries)
		}
	}
	limit, count := min(upTo, l.durable), 0
	for count < len(l.segments)-1 && l.segments[count].last <= limit {
		count++
	}
	return l.remove(ctx, count)
}

// remove removes the oldest segments. The mutex is held, but not while the disk works.
func (l *Log) remove(ctx context.Context, count int) error {
	for range count {
		file := l.file(l.segments[0].sequence)
		l.mu.Unlock()
		err := l.disk.Remove(ctx, file)
		l.mu.Lock()
		if l.err = wrap(err); err != nil {
			return l.err
		}
		l.segments = slices.Delete(l.segments, 0, 1)
	}
	return nil
}

// acquire waits until nobody else uses the disk.
func (l *Log) acquire(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	select {
	case l.busy <- struct{}{}:
		return nil
	default:
	}
	select {
	case l.busy <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (l *Log) release() { <-l.busy }

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("replication log: %w", err)
}

// Unsynced says whether there is anything for Sync to write.
func (l *Log) Unsynced() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.buffer) > 0
}

// First returns the index of the first entry, or that of the next one if the log is empty. It is at least 1.
func (l *Log) First() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.base.index + 1
}

// Last returns the index of the last entry, First-1 if the log is empty.
func (l *Log) Last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last().index
}

// Durable returns the highest index up to which the log survives a crash, as far as it knows.
func (l *Log) Durable() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.durable
}

// EpochAt returns the epoch of an entry from First-1 to Last. Before the very first entry, 0, it is 0.
func (l *Log) EpochAt(index uint64) (epoch uint64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case index == l.base.index:
		return l.base.epoch, true
	case index < l.base.index || index > l.last().index:
		return 0, false
	}
	return l.entries[index-l.base.index-1].Epoch, true
}

// Entries returns the entries from lo on and before hi, as many as have no more than maxBytes of data together, but at least one if there
// are any. It panics unless First ≤ lo ≤ hi ≤ Last+1. Nobody may change what it returns; the log doesn't either.
func (l *Log) Entries(lo, hi uint64, maxBytes uint64) []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := l.base.index + 1
	if lo < first || lo > hi || hi > l.last().index+1 {
		panic(fmt.Sprintf("replog: entries from %d to before %d, want within %d and %d", lo, hi, first, l.last().index+1))
	}
	list := l.entries[lo-first : hi-first : hi-first]
	size := uint64(0)
	for i := range list {
		size += uint64(len(list[i].Data))
		if i > 0 && size > maxBytes {
			return list[:i:i]
		}
	}
	return list
}

// State returns a copy of the state, nil if it was never set.
func (l *Log) State() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.state)
}

// Err returns why the log is broken, or nil.
func (l *Log) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Size returns how much the log takes on the disk.
func (l *Log) Size() units.Bytes {
	l.mu.Lock()
	defer l.mu.Unlock()
	size := int64(0)
	for _, s := range l.segments {
		size += s.size
	}
	return units.Bytes(size)
}

// Torn says where Open found that a crash had cut off what was being written, and that it left that out.
func (l *Log) Torn() (file string, offset int64, ok bool) { return l.torn, l.tornAt, l.torn != "" }
