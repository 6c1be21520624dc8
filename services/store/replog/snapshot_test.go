package replog_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/ip"
	"netlab/services/store/replog"
	"netlab/units"
)

func TestReset(t *testing.T) {
	for _, o := range []replog.Options{{}, small} {
		for _, index := range []uint64{0, 5, 100} {
			run(t, ip.DiskConfig{}, func(b *bench) {
				l := b.open(o)
				l.SetState([]byte("state"))
				l.Append(entries(1, 1, 5)...)
				b.sync(l)
				l.Append(entries(1, 6, 9)...)
				b.sync(l)
				l.Append(entries(1, 10, 12)...) // dropped
				require.NoError(t, l.Reset(b.Context(), index, 7))
				require.Len(t, b.files(), 1)
				for range 2 {
					requireBase(t, l, index, 7)
					requireEntries(t, l)
					require.Equal(t, index, l.Last())
					require.Equal(t, index, l.Durable())
					require.False(t, l.Unsynced())
					require.Equal(t, "state", string(l.State()))
					l = b.crash(o)
				}
				want := fmt.Sprintf("replog: append of entry %d, want %d to %d", index, index+1, index+1)
				require.PanicsWithValue(t, want, func() { l.Append(entries(7, index, index)...) })
				l.Append(entries(8, index+1, index+3)...)
				b.sync(l)
				require.NoError(t, l.Compact(b.Context(), index+1))
				l = b.crash(o)
				requireBase(t, l, index, 7) // nothing was removed
				requireEntries(t, l, entries(8, index+1, index+3))
			})
		}
	}
}

// A crash during a reset leaves the log as it was before or after, whenever it happens.
func TestCrashDuringReset(t *testing.T) {
	for at := range time.Duration(12) {
		run(t, ip.DiskConfig{Latency: units.Constant(2 * ms)}, func(b *bench) {
			l, host := b.open(small), b.A
			for i := range uint64(3) {
				l.Append(entries(1, i+1, i+1)...)
				b.sync(l)
			}
			host.Go(func() { l.Reset(b.Context(), 50, 4) })
			b.Sleep(at*ms + ms/2)
			l = b.crash(small)
			if at < 4 { // a write and a sync
				requireEntries(t, l, entries(1, 1, 3))
				requireBase(t, l, 0, 0)
				return
			}
			requireEntries(t, l)
			requireBase(t, l, 50, 4)
			l.Append(entries(4, 51, 51)...)
			b.sync(l)
			require.NoError(t, l.Compact(b.Context(), 50))
			require.LessOrEqual(t, len(b.files()), 2)
			requireEntries(t, b.crash(small), entries(4, 51, 51))
		})
	}
}

func TestCompact(t *testing.T) {
	run(t, ip.DiskConfig{}, func(b *bench) {
		l := b.open(small)
		for i := range uint64(10) {
			l.Append(entries(i, 2*i+1, 2*i+2)...)
			b.sync(l)
		}
		require.Len(t, b.files(), 10)
		size := l.Size()
		require.NoError(t, l.Compact(b.Context(), 7)) // entry 8 is in the fourth segment
		require.Len(t, b.files(), 7)
		require.Less(t, l.Size(), size)
		requireBase(t, l, 7, 3)
		require.Equal(t, entries(3, 8, 8), l.Entries(8, 9, all))
		require.NoError(t, l.Compact(b.Context(), 3), "gone already")
		l = b.crash(small)
		requireBase(t, l, 6, 2)
		require.EqualValues(t, 20, l.Last())
		require.NoError(t, l.Compact(b.Context(), 20))
		require.Len(t, b.files(), 1)
		requireBase(t, l, 20, 9)
		require.EqualValues(t, 20, l.Last())
		l.Append(entries(9, 21, 21)...)
		b.sync(l)
		requireEntries(t, l, entries(9, 21, 21))
		l = b.crash(small)
		requireBase(t, l, 18, 8)
		requireEntries(t, l, entries(9, 19, 21))
	})
}

// Segments that others depend on stay: those whose entries a truncation has brought to the end again, and those whose entries a
// truncation dropped that isn't durable.
func TestCompactAfterTruncation(t *testing.T) {
	run(t, ip.DiskConfig{}, func(b *bench) {
		l := b.open(small)
		l.Append(entries(1, 1, 10)...)
		b.sync(l)
		l.Append(entries(1, 11, 20)...)
		b.sync(l)
		l.Append(entries(2, 6, 8)...)
		require.NoError(t, l.Compact(b.Context(), 7))
		require.Len(t, b.files(), 2)
		requireEntries(t, b.crash(small), entries(1, 1, 20))
		l = b.open(small)
		l.Append(entries(2, 6, 8)...)
		b.sync(l)
		require.NoError(t, l.Compact(b.Context(), 4))
		require.Len(t, b.files(), 3)
		l = b.crash(small)
		requireEntries(t, l, entries(1, 1, 5), entries(2, 6, 8))
		require.NoError(t, l.Compact(b.Context(), 5))
		require.Len(t, b.files(), 1)
		l = b.crash(small) // of which the header says that it follows entry 20
		requireBase(t, l, 5, 1)
		requireEntries(t, l, entries(2, 6, 8))
		l.Append(entries(3, 9, 9)...)
		b.sync(l)
		requireEntries(t, b.crash(small), entries(2, 6, 8), entries(3, 9, 9))
	})
}

// model is what a log should hold.
type model struct {
	entries map[uint64]replog.Entry // all that were never truncated, compacted ones too
	last    uint64
	floor   uint64 // the base of the last reset
	upTo    uint64 // compacted
	state   []byte
}

func (m model) clone() model {
	m.entries = maps.Clone(m.entries)
	return m
}

// Whatever is done, in whatever order, a crash takes the log back to the last sync, with perhaps some entries that were compacted.
func TestRandomOperations(t *testing.T) {
	for seed := range uint64(100) {
		run(t, ip.DiskConfig{}, func(b *bench) {
			r := rand.New(rand.NewPCG(seed, 1))
			o := replog.Options{SegmentSize: units.Bytes(1 + r.IntN(400))}
			l, now := b.open(o), model{entries: map[uint64]replog.Entry{0: {}}}
			durable := now.clone()
			check := func(m model) {
				require.Equal(t, m.last, l.Last())
				require.Equal(t, string(m.state), string(l.State()))
				require.LessOrEqual(t, l.First(), m.upTo+1)
				require.Greater(t, l.First(), m.floor)
				for _, e := range l.Entries(l.First(), l.Last()+1, all) {
					require.Equal(t, m.entries[e.Index], e)
				}
				for i := l.First() - 1; i <= l.Last(); i++ {
					epoch, ok := l.EpochAt(i)
					require.True(t, ok)
					require.Equal(t, m.entries[i].Epoch, epoch)
				}
			}
			for step := range uint64(300) {
				switch r.IntN(12) {
				case 0, 1, 2:
					list := entries(step, now.last+1, now.last+uint64(r.IntN(5)))
					l.Append(list...)
					for _, e := range list {
						now.entries[e.Index], now.last = e, e.Index
					}
				case 3: // overwrite some, truncate
					if now.last == l.First()-1 {
						break
					}
					from := l.First() + r.Uint64N(now.last-l.First()+1)
					now.last = from - 1
					if r.IntN(2) == 0 {
						l.Truncate(from)
						break
					}
					e := entries(step, from, from)
					l.Append(e...)
					now.entries[from], now.last = e[0], from
				case 4:
					now.state = fmt.Append(nil, step)
					l.SetState(now.state)
				case 5, 6, 7, 8:
					b.sync(l)
					durable = now.clone()
				case 9: // what is durable
					if l.Durable() < l.First() {
						break
					}
					upTo := l.First() + r.Uint64N(l.Durable()-l.First()+1)
					require.NoError(t, l.Compact(b.Context(), upTo))
					now.upTo, durable.upTo = upTo, upTo
				case 10:
					if r.IntN(4) > 0 {
						break
					}
					index := r.Uint64N(100)
					require.NoError(t, l.Reset(b.Context(), index, step))
					now.entries = map[uint64]replog.Entry{index: {Epoch: step}}
					now.last, now.floor, now.upTo = index, index, index
					durable = now.clone()
				case 11:
					if r.IntN(4) > 0 {
						break
					}
					l, now = b.crash(o), durable.clone()
					now.upTo = l.First() - 1
					check(durable)
					durable.upTo = now.upTo
				}
				check(now)
			}
		})
	}
}
