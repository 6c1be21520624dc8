package replog

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"netlab/services"
	"netlab/units"
)

// Options are the settings of a log. The zero value is fine.
type Options struct {
	// Prefix is what the names of its files begin with; empty means "log.". No other log's prefix may begin with it.
	Prefix string
	// SegmentSize is how large a segment becomes before another is begun; 0 means 1 MiB. What one sync writes isn't divided.
	SegmentSize units.Bytes
	// NoSync never syncs, to see what that costs: a crash takes everything. The log itself believes that it is durable.
	NoSync bool
}

// The defaults of [Options].
const (
	defaultPrefix      = "log."
	defaultSegmentSize = 1 << 20
)

// digits is the length of the number in a segment's name.
const digits = 16

// Open reads the log of a host's disk, or begins one. Errors are those of the disk, or a [*CorruptError].
//
// What was read is durable: Open syncs the last segment, which may have been written to but not synced if the host didn't crash since.
func Open(ctx context.Context, env *services.Env, o Options) (*Log, error) {
	if o.SegmentSize < 0 {
		return nil, fmt.Errorf("replication log: segment size: found %v, wanted 0 or more", o.SegmentSize)
	}
	if o.SegmentSize == 0 {
		o.SegmentSize = defaultSegmentSize
	}
	if o.Prefix == "" {
		o.Prefix = defaultPrefix
	}
	l := &Log{disk: env.Host.Disk(), options: o, busy: make(chan struct{}, 1), lowest: math.MaxUint64}
	if err := l.load(ctx); err != nil {
		if _, corrupt := err.(*CorruptError); corrupt {
			return nil, err
		}
		return nil, fmt.Errorf("replication log: %w", err)
	}
	return l, nil
}

func (l *Log) load(ctx context.Context) error {
	sequences, err := l.list(ctx)
	if err != nil {
		return err
	}
	var r reader
	var repairs []func() error // when all was read, so that a log that is refused stays as it is
	for i, sequence := range sequences {
		file := l.file(sequence)
		if want := sequences[0] + uint64(i); sequence != want {
			return &CorruptError{File: l.file(want), Problem: "found no such file, and newer segments"}
		}
		data, err := l.disk.ReadFile(ctx, file)
		if err != nil {
			return err
		}
		if l.torn != "" && len(data) > 0 {
			return &CorruptError{File: l.torn, Offset: l.tornAt, Problem: "found the end of the file, and newer segments that aren't empty"}
		}
		last := i == len(sequences)-1
		if l.options.NoSync && len(data) == 0 {
			last = true // of those that there is anything of: all are empty after a crash
		}
		whole, err := r.segment(file, sequence, data, last)
		if err != nil {
			return err
		}
		if whole == len(data) && whole > 0 {
			if last && !l.options.NoSync {
				if err := l.disk.Sync(ctx, file); err != nil {
					return err
				}
			}
			continue
		}
		if l.torn == "" {
			l.torn, l.tornAt = file, int64(whole)
		}
		repairs = append(repairs, func() error { return l.repair(ctx, file, data[:whole]) })
	}
	for _, repair := range slices.Backward(repairs) { // the newest first, so that no gap is left
		if err := repair(); err != nil {
			return err
		}
	}
	l.content, l.segments = r.content, r.segments
	l.written, l.writtenState, l.durable = l.last(), l.state, l.last().index
	return nil
}

// list returns the numbers of the segments, in order, and removes what a crash left of a repair.
func (l *Log) list(ctx context.Context) ([]uint64, error) {
	names, err := l.disk.List(ctx)
	if err != nil {
		return nil, err
	}
	var sequences []uint64
	for _, name := range names {
		if name == l.draft() {
			if err := l.disk.Remove(ctx, name); err != nil {
				return nil, err
			}
			continue
		}
		number, ours := strings.CutPrefix(name, l.options.Prefix)
		if !ours || len(number) != digits {
			continue
		}
		if sequence, err := strconv.ParseUint(number, 10, 64); err == nil && l.file(sequence) == name {
			sequences = append(sequences, sequence)
		}
	}
	return sequences, nil
}

// repair leaves no more than this of a segment, in a way that a crash doesn't disturb.
func (l *Log) repair(ctx context.Context, file string, data []byte) error {
	if len(data) == 0 {
		return l.disk.Remove(ctx, file)
	}
	for _, step := range []func() error{
		func() error { return l.disk.WriteFile(ctx, l.draft(), data) },
		func() error { return l.disk.Sync(ctx, l.draft()) },
		func() error { return l.disk.Rename(ctx, l.draft(), file) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// file returns the name of a segment.
func (l *Log) file(sequence uint64) string {
	return fmt.Sprintf("%s%0*d", l.options.Prefix, digits, sequence)
}

// draft is the name of a segment that is being repaired.
func (l *Log) draft() string { return l.options.Prefix + "repair" }
