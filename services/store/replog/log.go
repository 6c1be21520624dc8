package replog

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"netlab/ip"
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

// Log is a log. Its methods may be called by several goroutines: those that use the disk wait for each other, the others don't wait for
// the disk. What is appended, truncated or set while Sync waits for the disk belongs to the next Sync.
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

// Append adds entries to what the next Sync writes. An entry that has the index of one in the log drops that one and all after it.
// Append panics at a gap, and at an index below First.
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
// it returns at once. After an error of the disk nobody knows what is on it: the log is broken, and each further call returns that
// error. So it is when ctx ends while the disk works; if it ends before, Sync returns its cause and breaks nothing.
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
