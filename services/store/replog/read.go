package replog

import (
	"bytes"
	"fmt"

	"netlab/units"
)

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
