package ip_test

import (
	"bytes"
	"io/fs"
	"math/bits"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/ip"
	"netlab/units"
)

// content reads a file of the present host.
func (l *diskLab) content(t *testing.T, name string) string {
	b, err := l.h.Disk().ReadFile(l.Context(), name)
	require.NoError(t, err)
	return string(b)
}

// store writes a file and syncs it.
func (l *diskLab) store(t *testing.T, name, content string) {
	require.NoError(t, l.h.Disk().WriteFile(l.Context(), name, []byte(content)))
	require.NoError(t, l.h.Disk().Sync(l.Context(), name))
}

// What is written at an offset and what is cut off is back after a crash, unless it was synced.
func TestDiskWriteAtAndTruncate(t *testing.T) {
	type step func(d *ip.Disk, l *diskLab) error
	writeAt := func(offset int, data string) step {
		return func(d *ip.Disk, l *diskLab) error { return d.WriteAt(l.Context(), "f", offset, []byte(data)) }
	}
	truncate := func(size int) step {
		return func(d *ip.Disk, l *diskLab) error { return d.Truncate(l.Context(), "f", size) }
	}
	appending := func(data string) step {
		return func(d *ip.Disk, l *diskLab) error { return d.Append(l.Context(), "f", []byte(data)) }
	}
	for name, c := range map[string]struct {
		steps []step
		want  string // the file was "synced" before
	}{
		"inside":                     {[]step{writeAt(2, "NC")}, "syNCed"},
		"over the end":               {[]step{writeAt(5, "D or")}, "synceD or"},
		"at the end":                 {[]step{writeAt(6, "!")}, "synced!"},
		"behind the end":             {[]step{writeAt(8, "!")}, "synced\x00\x00!"},
		"nothing behind the end":     {[]step{writeAt(8, "")}, "synced"},
		"shorter":                    {[]step{truncate(2)}, "sy"},
		"longer":                     {[]step{truncate(8)}, "synced\x00\x00"},
		"as long":                    {[]step{truncate(6)}, "synced"},
		"shorter, and then appended": {[]step{truncate(2), appending("stem")}, "system"},
		"appended and cut again":     {[]step{appending(" and more"), truncate(10), appending("!")}, "synced and!"},
		"appended and written over":  {[]step{appending("12345"), writeAt(7, "x"), appending("6")}, "synced1x3456"},
	} {
		t.Run(name, func(t *testing.T) {
			withDisk(t, ip.DiskConfig{}, func(t *testing.T, l *diskLab) {
				for _, synced := range []bool{false, true} {
					l.store(t, "f", "synced")
					d := l.h.Disk()
					for _, s := range c.steps {
						require.NoError(t, s(d, l))
					}
					require.Equal(t, c.want, l.content(t, "f"))
					size, err := d.Size(l.Context(), "f")
					require.NoError(t, err)
					require.Equal(t, len(c.want), size)
					require.Equal(t, units.Bytes(len(c.want)), d.Used())
					after := "synced"
					if synced {
						require.NoError(t, d.Sync(l.Context(), "f"))
						after = c.want
					}
					l.restart(t)
					require.Equal(t, after, l.content(t, "f"))
					require.Equal(t, units.Bytes(len(after)), l.h.Disk().Used())
				}
			})
		})
	}
}

func TestDiskWriteAtRefuses(t *testing.T) {
	withDisk(t, ip.DiskConfig{Capacity: 10, Latency: units.Constant(ms), Rate: 8e6}, func(t *testing.T, l *diskLab) {
		ctx, d := l.Context(), l.h.Disk()
		require.ErrorIs(t, d.WriteAt(ctx, "f", -1, nil), fs.ErrInvalid)
		require.ErrorIs(t, d.Truncate(ctx, "f", -1), fs.ErrInvalid)
		require.Zero(t, l.Elapsed())
		_, err := d.Size(ctx, "f")
		require.EqualError(t, err, "stat f: file does not exist")
		require.ErrorIs(t, d.Truncate(ctx, "f", 0), fs.ErrNotExist)
		require.Equal(t, 2*ms, l.Elapsed())
		require.NoError(t, d.WriteAt(ctx, "f", 4, []byte("12345")))
		require.Equal(t, 3*ms+5*time.Microsecond, l.Elapsed(), "the bytes that are moved")
		require.ErrorIs(t, d.WriteAt(ctx, "f", 8, []byte("123")), ip.ErrDiskFull)
		require.ErrorIs(t, d.Truncate(ctx, "f", 11), ip.ErrDiskFull)
		require.NoError(t, d.Truncate(ctx, "f", 10))
		d.SetFull(true)
		require.ErrorIs(t, d.WriteAt(ctx, "f", 0, []byte("1")), ip.ErrDiskFull)
		require.NoError(t, d.Truncate(ctx, "f", 2), "a full disk can be emptied")
		require.Equal(t, units.Bytes(2), d.Used())
	})
}

// A sync that fails takes its time and stores nothing; a later one stores all of it.
func TestDiskFailingSync(t *testing.T) {
	c := ip.DiskConfig{Latency: units.Constant(ms), Sync: units.Constant(4 * ms)}
	withDisk(t, c, func(t *testing.T, l *diskLab) {
		l.store(t, "f", "synced ")
		ctx, d := l.Context(), l.h.Disk()
		require.NoError(t, d.SetSyncFailures(1))
		require.NoError(t, d.Append(ctx, "f", []byte("lost")))
		start := l.Elapsed()
		err := d.Sync(ctx, "f")
		require.ErrorIs(t, err, ip.ErrSync)
		require.ErrorIs(t, err, syscall.EIO)
		require.EqualError(t, err, "sync f: the disk could not sync")
		require.Equal(t, 5*ms, l.Elapsed()-start)
		require.ErrorIs(t, d.Sync(ctx, "none"), fs.ErrNotExist)
		l.restart(t)
		d = l.h.Disk()
		require.Equal(t, "synced ", l.content(t, "f"))
		require.NoError(t, d.Append(ctx, "f", []byte("stored")))
		require.ErrorIs(t, d.Sync(ctx, "f"), ip.ErrSync, "the fault outlives a crash")
		d.SetSkipSync(true)
		require.ErrorIs(t, d.Sync(ctx, "f"), ip.ErrSync, "a failure is heard of")
		d.SetSkipSync(false)
		require.NoError(t, d.SetSyncFailures(0))
		require.NoError(t, d.Sync(ctx, "f"))
		l.restart(t)
		require.Equal(t, "synced stored", l.content(t, "f"))
		s := l.h.Disk().Stats()
		require.Equal(t, ip.DiskStats{Operations: 11, Syncs: 6, SyncFailures: 3, Errors: 4, BytesRead: 20,
			BytesWritten: 17, BytesSynced: 13, BytesLost: 4}, s)
		for _, p := range []float64{-0.1, 1.1} {
			require.ErrorContains(t, d.SetSyncFailures(p), "want 0 to 1")
		}
	})
}

// Some of the syncs fail, the same ones in each run; latencies are those of a disk without the fault.
func TestDiskSyncsFailAtRandom(t *testing.T) {
	latency, err := units.Exponential(ms)
	require.NoError(t, err)
	try := func(p float64) (failed int, took time.Duration) {
		withDisk(t, ip.DiskConfig{Latency: latency}, func(t *testing.T, l *diskLab) {
			l.store(t, "f", "x")
			require.NoError(t, l.h.Disk().SetSyncFailures(p))
			for range 1000 {
				if l.h.Disk().Sync(l.Context(), "f") != nil {
					failed++
				}
			}
			took = l.Elapsed()
		})
		return failed, took
	}
	failed, took := try(0.3)
	require.InDelta(t, 300, failed, 4*15) // four standard deviations
	again, _ := try(0.3)
	require.Equal(t, failed, again)
	_, normal := try(0)
	require.Equal(t, normal, took)
}

// A sync that is skipped takes no time, and nobody knows until the crash.
func TestDiskSkippedSync(t *testing.T) {
	c := ip.DiskConfig{Latency: units.Constant(ms), Sync: units.Constant(4 * ms)}
	withDisk(t, c, func(t *testing.T, l *diskLab) {
		l.store(t, "f", "synced ")
		ctx := l.Context()
		round := func(word string) {
			require.NoError(t, l.h.Disk().Append(ctx, "f", []byte(word)))
			start := l.Elapsed()
			require.NoError(t, l.h.Disk().Sync(ctx, "f"))
			require.Zero(t, l.Elapsed()-start)
		}
		l.h.Disk().SetSkipSync(true)
		round("lost")
		require.ErrorIs(t, l.h.Disk().Sync(ctx, "none"), fs.ErrNotExist)
		l.restart(t)
		require.Equal(t, "synced ", l.content(t, "f"))
		round("later ")
		l.h.Disk().SetSkipSync(false)
		l.restart(t)
		require.Equal(t, "synced ", l.content(t, "f"), "the end of the fault stores nothing")
		l.h.Disk().SetSkipSync(true)
		round("later ")
		l.h.Disk().SetSkipSync(false)
		start := l.Elapsed()
		require.NoError(t, l.h.Disk().Sync(ctx, "f"))
		require.Equal(t, 5*ms, l.Elapsed()-start)
		l.restart(t)
		require.Equal(t, "synced later ", l.content(t, "f"))
		require.EqualValues(t, 3, l.h.Disk().Stats().SyncsSkipped)
		// It waits for its turn nevertheless, and one that has begun is honest.
		l.store(t, "g", "")
		require.NoError(t, l.h.Disk().Append(ctx, "g", []byte("stored")))
		begun := l.Elapsed()
		var ends []time.Duration
		for range 2 {
			l.h.Go(func() {
				require.NoError(t, l.h.Disk().Sync(ctx, "g"))
				ends = append(ends, l.Elapsed()-begun)
			})
		}
		l.Sleep(2 * ms)
		l.h.Disk().SetSkipSync(true)
		l.h.Wait()
		require.Equal(t, []time.Duration{5 * ms, 5 * ms}, ends)
		l.restart(t)
		require.Equal(t, "stored", l.content(t, "g"))
	})
}

// A crash leaves any part of what was appended, none and all included, and nothing of what was written over.
func TestDiskTornWrites(t *testing.T) {
	run := func() (lengths []int) {
		withDisk(t, ip.DiskConfig{}, func(t *testing.T, l *diskLab) {
			ctx := l.Context()
			l.store(t, "log", "")
			l.h.Disk().SetTearWrites(true)
			for range 60 {
				l.store(t, "log", "synced ")
				l.store(t, "over", "before")
				l.store(t, "cut", "before")
				d := l.h.Disk()
				before := d.Stats()
				for _, err := range []error{
					d.Append(ctx, "log", []byte("to")), d.Append(ctx, "log", []byte("rn")),
					d.WriteAt(ctx, "over", 0, []byte("after!")), d.Truncate(ctx, "cut", 2), d.Append(ctx, "cut", []byte("xyzuvw")),
				} {
					require.NoError(t, err)
				}
				l.restart(t)
				log := l.content(t, "log")
				require.True(t, strings.HasPrefix("synced torn", log) && len(log) >= len("synced "), log)
				require.Equal(t, "before", l.content(t, "over"))
				require.Equal(t, "before", l.content(t, "cut"))
				n := len(log) - len("synced ")
				lengths = append(lengths, n)
				after := l.h.Disk().Stats()
				require.EqualValues(t, n, after.BytesTorn-before.BytesTorn)
				require.EqualValues(t, 4-n+6+6, after.BytesLost-before.BytesLost)
				require.Equal(t, units.Bytes(len(log)+12), l.h.Disk().Used())
				// What was left is stored: the next crash, without the fault, takes nothing of it.
				l.h.Disk().SetTearWrites(false)
				require.NoError(t, l.h.Disk().Append(ctx, "log", []byte("lost")))
				l.restart(t)
				require.Equal(t, log, l.content(t, "log"))
				l.h.Disk().SetTearWrites(true)
			}
			// A file that was never synced has nothing to go back to.
			require.NoError(t, l.h.Disk().WriteFile(ctx, "new", bytes.Repeat([]byte("x"), 1e6)))
			l.restart(t)
			require.NotEmpty(t, l.content(t, "new"))
		})
		return lengths
	}
	first := run()
	for n := range 5 {
		require.Contains(t, first, n)
	}
	require.Equal(t, first, run())
}

// A flipped bit is there at once and after a crash. Bytes that were changed since the last sync aren't hit.
func TestDiskCorrupt(t *testing.T) {
	withDisk(t, ip.DiskConfig{}, func(t *testing.T, l *diskLab) {
		ctx, d := l.Context(), l.h.Disk()
		differs := func(a, b string) (at int) { // the one place in which a bit differs
			at = -1
			require.Equal(t, len(a), len(b))
			for i := range a {
				if n := bits.OnesCount8(a[i] ^ b[i]); n > 0 {
					require.Equal(t, 1, n)
					require.Equal(t, -1, at)
					at = i
				}
			}
			return at
		}
		_, found := d.Corrupt(nil, -1)
		require.False(t, found, "there is no file")
		require.NoError(t, d.WriteFile(ctx, "cached", []byte("cached")))
		_, found = d.Corrupt(nil, -1)
		require.False(t, found, "nothing is stored")
		l.store(t, "log.1", "stored")
		require.NoError(t, d.Append(ctx, "log.1", []byte(" and more")))
		_, found = d.Corrupt(nil, 6)
		require.False(t, found, "that byte isn't stored")
		_, found = d.Corrupt(func(name string) bool { return name == "log.2" }, -1)
		require.False(t, found)
		c, found := d.Corrupt(nil, 3)
		require.True(t, found)
		require.Equal(t, ip.Corruption{File: "log.1", Offset: 3, Bit: c.Bit}, c)
		require.Equal(t, 3, differs("stored and more", l.content(t, "log.1")))
		l.restart(t)
		d = l.h.Disk()
		rotten := l.content(t, "log.1")
		require.Equal(t, 3, differs("stored", rotten))
		require.EqualValues(t, "stored"[3]^1<<c.Bit, rotten[3])

		// Every stored byte is hit, in proportion to how many a file has.
		l.store(t, "log.1", "123456789")
		l.store(t, "log.2", "1")
		hits := map[ip.Corruption]int{}
		for range 2000 {
			c, found := d.Corrupt(nil, -1)
			require.True(t, found)
			hits[ip.Corruption{File: c.File, Offset: c.Offset}]++
		}
		require.Len(t, hits, 10)
		for c, n := range hits {
			require.InDelta(t, 200, n, 4*14, c) // four standard deviations
		}
		require.EqualValues(t, 2001, d.Stats().Corruptions)

		// Bytes behind the first one that was written over are in the cache.
		l.store(t, "log.1", "123456789")
		require.NoError(t, d.WriteAt(ctx, "log.1", 1, []byte("x")))
		c, found = d.Corrupt(func(name string) bool { return name == "log.1" }, -1)
		require.True(t, found)
		require.Zero(t, c.Offset)
		require.NoError(t, d.WriteFile(ctx, "log.1", []byte("new")))
		_, found = d.Corrupt(func(name string) bool { return name == "log.1" }, -1)
		require.False(t, found)
	})
}
