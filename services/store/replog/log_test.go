package replog_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/ip"
	"netlab/netem"
	"netlab/services/store/replog"
	"netlab/units"
)

func TestEmpty(t *testing.T) {
	run(t, ip.DiskConfig{}, func(b *bench) {
		for range 2 {
			l := b.crash(replog.Options{})
			requireBase(t, l, 0, 0)
			requireEntries(t, l)
			b.sync(l)
			require.Nil(t, l.State())
			require.NoError(t, l.Err())
			require.Zero(t, l.Size())
			require.Empty(t, b.files())
			_, _, torn := l.Torn()
			require.False(t, torn)
		}
	})
}

func TestAppendAndRead(t *testing.T) {
	run(t, ip.DiskConfig{}, func(b *bench) {
		l := b.open(replog.Options{})
		l.Append(entries(1, 1, 3)...)
		l.Append(entries(2, 4, 5)...)
		require.True(t, l.Unsynced())
		require.EqualValues(t, 5, l.Last())
		require.Zero(t, l.Durable())
		b.sync(l)
		list := entries(1, 1, 3)
		requireEntries(t, l, list, entries(2, 4, 5))
		require.Equal(t, list[1:3], l.Entries(2, 4, all))
		require.Equal(t, list[1:2], l.Entries(2, 4, 0), "at least one")
		require.Equal(t, list[:2], l.Entries(1, 6, 14), "of 7 bytes each")
		require.Equal(t, list[:1], l.Entries(1, 6, 13))
		require.Empty(t, l.Entries(6, 6, all))
		require.Equal(t, units.Bytes(headerSize+5*(recordSize+7)), l.Size())
		require.Equal(t, int(l.Size()), len(b.read(first)))
		for want, f := range map[string]func(){
			"replog: entries from 0 to before 2, want within 1 and 6": func() { l.Entries(0, 2, all) },
			"replog: entries from 2 to before 7, want within 1 and 6": func() { l.Entries(2, 7, all) },
			"replog: append of entry 7, want 1 to 6":                  func() { l.Append(entries(2, 7, 7)...) },
			"replog: append of entry 0, want 1 to 6":                  func() { l.Append(entries(2, 0, 0)...) },
			"replog: truncation from entry 0, want 1 or more":         func() { l.Truncate(0) },
			"replog: compaction up to entry 6, want at most 5":        func() { l.Compact(b.Context(), 6) },
		} {
			require.PanicsWithValue(t, want, f)
		}
		b.sync(l) // a panic holds nothing up
		l.Truncate(6)
		require.False(t, l.Unsynced(), "nothing to truncate")
	})
}

// What was synced is there after a crash, all of it and no more.
func TestCrash(t *testing.T) {
	for _, o := range []replog.Options{{}, small, {Prefix: "raft-"}} {
		for k := range uint64(6) {
			run(t, ip.DiskConfig{}, func(b *bench) {
				l := b.open(o)
				for i := uint64(1); i <= k; i++ {
					l.Append(entries(i, i, i)...)
					l.SetState([]byte{byte(i)})
					b.sync(l)
				}
				l.Append(entries(9, k+1, k+3)...)
				l.SetState([]byte("lost"))
				l = b.crash(o)
				require.Equal(t, k, l.Last())
				require.Equal(t, k, l.Durable())
				var want []replog.Entry
				for i := uint64(1); i <= k; i++ {
					want = append(want, entries(i, i, i)...)
				}
				requireEntries(t, l, want)
				if k == 0 {
					require.Nil(t, l.State())
				} else {
					require.Equal(t, []byte{byte(k)}, l.State())
				}
				_, _, torn := l.Torn()
				require.False(t, torn)
				l.Append(entries(9, k+1, k+3)...) // it goes on
				b.sync(l)
				requireEntries(t, b.crash(o), want, entries(9, k+1, k+3))
			})
		}
	}
}

// A host that crashes at any time has what was acknowledged, and at most what was being written.
func TestCrashAtAnyTime(t *testing.T) {
	run(t, ip.DiskConfig{Latency: units.Constant(ms), Sync: units.Constant(3 * ms)}, func(b *bench) {
		o := replog.Options{SegmentSize: 200}
		acknowledged, asked := uint64(0), uint64(0)
		for i := range 40 {
			l, host := b.open(o), b.A
			host.Go(func() {
				for {
					l.Append(entries(uint64(i), l.Last()+1, l.Last()+2)...)
					asked = l.Last()
					if l.Sync(b.Context()) != nil {
						return
					}
					if acknowledged = l.Last(); acknowledged%8 == 0 && l.Compact(b.Context(), acknowledged-6) != nil {
						return
					}
				}
			})
			b.Sleep(time.Duration(i)*1700*time.Microsecond + 100*time.Microsecond)
			b.Crash(host)
			host.Wait()
			b.Restart(host)
			l = b.open(o)
			require.Contains(t, []uint64{acknowledged, asked}, l.Last())
			require.LessOrEqual(t, l.First(), acknowledged+1)
		}
		require.Greater(t, acknowledged, uint64(200))
		require.Less(t, b.open(o).Size(), units.Bytes(1500))
	})
}

func TestTruncateAndOverwrite(t *testing.T) {
	for _, o := range []replog.Options{{}, small} {
		run(t, ip.DiskConfig{}, func(b *bench) {
			l := b.open(o)
			l.Append(entries(1, 1, 10)...)
			b.sync(l)
			old := l.Entries(1, 11, all)
			l.Truncate(8)
			require.EqualValues(t, 7, l.Last())
			require.EqualValues(t, 7, l.Durable())
			requireEntries(t, b.crash(o), entries(1, 1, 10)) // wasn't synced
			l = b.open(o)
			l.Truncate(8)
			b.sync(l)
			l = b.crash(o)
			requireEntries(t, l, entries(1, 1, 7))
			l.Append(entries(2, 5, 6)...)
			require.EqualValues(t, 4, l.Durable())
			l.Append(entries(3, 6, 9)...)
			b.sync(l)
			require.Equal(t, entries(1, 1, 10), old, "what was read stays")
			for range 2 {
				requireEntries(t, l, entries(1, 1, 4), entries(2, 5, 5), entries(3, 6, 9))
				l = b.crash(o)
			}
			l.Truncate(1)
			b.sync(l)
			l = b.crash(o)
			requireEntries(t, l)
			requireBase(t, l, 0, 0)
		})
	}
}

// The state is in each segment, and as old as the entries there if it wasn't set again.
func TestState(t *testing.T) {
	run(t, ip.DiskConfig{}, func(b *bench) {
		l := b.open(small)
		data := []byte("one")
		l.SetState(data)
		data[0] = 'X'
		require.True(t, l.Unsynced())
		require.Equal(t, "one", string(l.State()))
		b.sync(l)
		l.SetState([]byte("two"))
		l = b.crash(small)
		require.Equal(t, "one", string(l.State()))
		for i := range uint64(3) {
			l.Append(entries(1, i+1, i+1)...)
			b.sync(l)
		}
		require.NoError(t, l.Compact(b.Context(), 3))
		l = b.crash(small)
		require.Equal(t, "one", string(l.State()))
		requireBase(t, l, 2, 1)
		l.SetState(nil)
		b.sync(l)
		require.Equal(t, []byte{}, b.crash(small).State())
	})
}

// A sync takes a write and a sync of the disk, however much there is, also at the beginning of a segment.
func TestSyncTakesExactly(t *testing.T) {
	c := ip.DiskConfig{Latency: units.Constant(ms), Sync: units.Constant(4 * ms), Rate: 8e6} // a byte in a microsecond
	for _, o := range []replog.Options{{}, small, {NoSync: true}} {
		run(t, c, func(b *bench) {
			l := b.open(o)
			for i := range uint64(3) {
				l.Append(entries(1, 3*i+1, 3*i+3)...)
				l.SetState([]byte("state"))
				start, size := b.Elapsed(), l.Size()
				b.sync(l)
				want := ms + time.Duration(l.Size()-size)*time.Microsecond
				if !o.NoSync {
					want += 5 * ms
				}
				require.Equal(t, want, (b.Elapsed() - start).Round(time.Microsecond), "sync %d", i)
				start = b.Elapsed()
				b.sync(l)
				require.Equal(t, start, b.Elapsed())
			}
		})
	}
}

// What is appended during a sync belongs to the next one, and what is truncated then isn't durable.
func TestAppendDuringSync(t *testing.T) {
	run(t, ip.DiskConfig{Sync: units.Constant(10 * ms)}, func(b *bench) {
		l := b.open(replog.Options{})
		l.Append(entries(1, 1, 4)...)
		done := make(chan error, 2)
		b.A.Go(func() { done <- l.Sync(b.Context()) })
		b.Sleep(5 * ms)
		require.False(t, l.Unsynced())
		l.Append(entries(1, 5, 6)...)
		l.Append(entries(2, 4, 4)...)
		require.Zero(t, l.Durable())
		b.A.Go(func() { done <- l.Sync(b.Context()) }) // waits for the first
		require.NoError(t, <-done)
		require.EqualValues(t, 3, l.Durable())
		require.EqualValues(t, 4, l.Last())
		require.NoError(t, <-done)
		require.EqualValues(t, 4, l.Durable())
		require.Equal(t, 20*ms, b.Elapsed().Round(time.Microsecond))
		requireEntries(t, b.crash(replog.Options{}), entries(1, 1, 3), entries(2, 4, 4))
	})
}

// Without syncs all is lost in a crash, and nothing else.
func TestNoSync(t *testing.T) {
	o := small
	o.NoSync = true
	run(t, ip.DiskConfig{}, func(b *bench) {
		l := b.open(o)
		for i := range uint64(4) {
			l.Append(entries(1, i+1, i+1)...)
			b.sync(l)
		}
		l = b.open(o)
		requireEntries(t, l, entries(1, 1, 4))
		_, _, torn := l.Torn()
		require.False(t, torn)
		require.Zero(t, b.A.Disk().Stats().Syncs)
		l = b.crash(o)
		requireBase(t, l, 0, 0)
		requireEntries(t, l)
		file, offset, torn := l.Torn()
		require.True(t, torn)
		require.Equal(t, first, file)
		require.Zero(t, offset)
		require.Empty(t, b.files())
		l.Append(entries(1, 1, 1)...)
		b.sync(l)
	})
}

// After an error of the disk nobody knows what is on it: the log says so from then on.
func TestBroken(t *testing.T) {
	calls := map[string]func(b *bench, l *replog.Log) error{
		"sync":    func(b *bench, l *replog.Log) error { return l.Sync(b.Context()) },
		"reset":   func(b *bench, l *replog.Log) error { return l.Reset(b.Context(), 9, 9) },
		"compact": func(b *bench, l *replog.Log) error { return l.Compact(b.Context(), 2) },
	}
	run(t, ip.DiskConfig{Sync: units.Constant(10 * ms)}, func(b *bench) {
		for _, name := range []string{"sync", "reset"} {
			l := b.open(replog.Options{Prefix: name})
			l.Append(entries(1, 1, 2)...)
			b.sync(l)
			l.Append(entries(1, 3, 3)...)
			b.A.Disk().SetFull(true)
			err := calls[name](b, l)
			require.ErrorIs(t, err, ip.ErrDiskFull)
			require.ErrorContains(t, err, "replication log: write "+name+"000000000000000")
			b.A.Disk().SetFull(false)
			require.EqualValues(t, 2, l.Durable())
			for _, again := range []string{"sync", "reset", "compact"} {
				require.Equal(t, err, calls[again](b, l))
			}
			require.Equal(t, err, l.Err())
			requireEntries(t, b.open(replog.Options{Prefix: name}), entries(1, 1, 2))
		}
		// A sync that fails; what was written is there without a crash, and opening it makes it durable.
		l := b.open(replog.Options{})
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(b.Context())
		l.Append(entries(1, 1, 2)...)
		b.Net.AfterFunc(0, netem.KindControl, 5*ms, func() { cancel(cause) })
		err := l.Sync(ctx)
		require.ErrorIs(t, err, cause)
		require.Equal(t, err, l.Sync(b.Context()))
		require.Zero(t, l.Durable())
		require.EqualValues(t, 2, b.open(replog.Options{}).Durable())
		requireEntries(t, b.crash(replog.Options{}), entries(1, 1, 2))
		// A context that has ended before breaks nothing.
		l = b.open(replog.Options{})
		l.Append(entries(1, 3, 3)...)
		require.Equal(t, cause, l.Sync(ctx))
		b.sync(l)
		b.Crash(b.A)
		l.Append(entries(1, 4, 4)...)
		require.ErrorIs(t, l.Sync(b.Context()), ip.ErrHostDown)
		require.EqualValues(t, 3, l.Durable())
	})
}
