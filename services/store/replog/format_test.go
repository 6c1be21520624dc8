package replog_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/ip"
	"netlab/services/store/replog"
	"netlab/units"
)

// The bytes of a log, written down once: a change of them needs another version.
func TestFormat(t *testing.T) {
	run(t, ip.DiskConfig{}, func(b *bench) {
		l := b.open(replog.Options{})
		l.Append(replog.Entry{Index: 1, Epoch: 2, Kind: 3, Data: []byte("abc")})
		b.sync(l)
		require.Equal(t, "6e65746c61622d6c6f67"+"01000000"+"00"+"0100000000000000"+"0000000000000000"+"0000000000000000"+"CRC"+
			"03000000"+"01"+"03"+"0100000000000000"+"0200000000000000"+"CRC"+"616263"+"b73f4b36",
			mask(fmt.Sprintf("%x", b.read(first)), 2*39, 2*(43+22)))
	})
}

// mask hides checksums of headers, at these offsets.
func mask(s string, offsets ...int) string {
	for _, at := range slices.Backward(offsets) {
		s = s[:at] + "CRC" + s[at+8:]
	}
	return s
}

// A last segment that ends at any byte of its last record is cut where that begins.
func TestTorn(t *testing.T) {
	run(t, ip.DiskConfig{}, func(b *bench) {
		l := b.open(replog.Options{SegmentSize: 100})
		l.SetState([]byte("state"))
		l.Append(entries(1, 1, 2)...)
		b.sync(l)
		l.Append(entries(1, 3, 4)...)
		b.sync(l)
		second := "log.0000000000000002"
		require.Equal(t, []string{first, second}, b.files())
		whole := b.read(second)
		state := headerSize + recordSize + 5
		require.Len(t, whole, state+2*(recordSize+7))
		for n := range len(whole) {
			at, left := 0, entries(1, 1, 2)
			switch {
			case n >= state+recordSize+7:
				at, left = state+recordSize+7, entries(1, 1, 3)
			case n >= state:
				at = state
			case n >= headerSize:
				at = headerSize
			}
			b.put(second, whole[:n])
			l := b.open(replog.Options{SegmentSize: 100})
			file, offset, torn := l.Torn()
			require.Equal(t, n != at || n == 0, torn, n)
			if torn {
				require.Equal(t, second, file)
				require.EqualValues(t, at, offset)
			}
			for range 2 {
				requireEntries(t, l, left)
				require.Equal(t, "state", string(l.State()))
				l = b.crash(replog.Options{SegmentSize: 100})
				_, _, torn = l.Torn()
				require.False(t, torn, "it is repaired")
			}
			if at == 0 {
				require.Equal(t, []string{first}, b.files())
			} else {
				require.Equal(t, whole[:at], b.read(second))
			}
			last := l.Last()
			l.Append(entries(2, last+1, last+2)...)
			b.sync(l)
			requireEntries(t, b.crash(replog.Options{}), left, entries(2, last+1, last+2))
			require.NoError(t, b.A.Disk().Remove(b.Context(), b.files()[len(b.files())-1]))
		}
	})
}

// A crash during the repair leaves a log that is repaired next time.
func TestCrashDuringRepair(t *testing.T) {
	for at := range time.Duration(14) {
		run(t, ip.DiskConfig{Latency: units.Constant(2 * ms)}, func(b *bench) {
			l := b.open(replog.Options{})
			l.Append(entries(1, 1, 2)...)
			b.sync(l)
			data := b.read(first)
			b.put(first, data[:len(data)-1])
			env := b.env()
			done := make(chan error, 1)
			b.A.Go(func() {
				_, err := replog.Open(b.Context(), env, replog.Options{})
				done <- err
			})
			b.Sleep(at*ms + ms/2)
			l = b.crash(replog.Options{})
			if err := <-done; at < 10 { // it lists, reads, writes, syncs and renames
				require.ErrorIs(t, err, ip.ErrHostDown)
			} else {
				require.NoError(t, err)
			}
			_, _, torn := l.Torn()
			require.Equal(t, at < 10, torn)
			requireEntries(t, l, entries(1, 1, 1))
			require.Equal(t, []string{first}, b.files())
		})
	}
}

// A wrong bit in any byte of what isn't the end is found, and where.
func TestDamage(t *testing.T) {
	run(t, ip.DiskConfig{}, func(b *bench) {
		l := b.open(replog.Options{})
		l.SetState([]byte("state"))
		l.Append(entries(1, 1, 2)...)
		l.Truncate(2)
		l.Append(entries(2, 2, 3)...)
		b.sync(l)
		data := b.read(first)
		starts := []int{0, headerSize}
		for _, payload := range []int{5, 7, 7, 0, 7} {
			starts = append(starts, starts[len(starts)-1]+recordSize+payload)
		}
		require.Len(t, data, starts[len(starts)-1]+recordSize+7)
		for i := range data {
			damaged := bytes.Clone(data)
			damaged[i] ^= 1 << (i % 8)
			b.put(first, damaged)
			_, err := replog.Open(b.Context(), b.env(), replog.Options{})
			var corrupt *replog.CorruptError
			require.ErrorAs(t, err, &corrupt, i)
			require.Equal(t, first, corrupt.File)
			start, _ := slices.BinarySearch(starts, i+1)
			require.EqualValues(t, starts[start-1], corrupt.Offset, i)
			require.ErrorContains(t, err, fmt.Sprintf("%s: offset %d: ", first, corrupt.Offset))
			require.Equal(t, damaged, b.read(first), "it is left as it is")
		}
	})
}

// What is wrong with a log of three segments.
func TestRefused(t *testing.T) {
	name := func(i int) string { return fmt.Sprintf("log.%016d", i) }
	cases := []struct {
		name   string
		change func(b *bench)
		want   string
	}{
		{"version", func(b *bench) {
			data := b.read(name(2))
			binary.LittleEndian.PutUint32(data[10:], 2)
			b.put(name(2), data)
		}, "log.0000000000000002: offset 0: found version 2, wanted 1"},
		{"another file", func(b *bench) { b.put(name(3), []byte("hello")) },
			`log.0000000000000003: offset 0: found "hello", wanted "netlab-log"`},
		{"empty", func(b *bench) { b.put(name(2), nil) },
			"log.0000000000000002: offset 0: found 0 bytes, wanted a header of 43: newer segments follow"},
		{"early end", func(b *bench) { b.put(name(2), b.read(name(2))[:headerSize+9]) },
			"log.0000000000000002: offset 43: found the end within a record: newer segments follow"},
		{"records missing", func(b *bench) { b.put(name(2), b.read(name(2))[:headerSize]) },
			"log.0000000000000003: offset 0: follows entry 4 of epoch 2, wanted 2 of epoch 1"},
		{"segment missing", func(b *bench) { require.NoError(b.t, b.A.Disk().Remove(b.Context(), name(2))) },
			"log.0000000000000002: offset 0: found no such file, and newer segments"},
		{"renamed", func(b *bench) { require.NoError(b.t, b.A.Disk().Rename(b.Context(), name(3), name(2))) },
			"log.0000000000000002: offset 0: found segment number 3, wanted 2"},
		{"record twice", func(b *bench) {
			data := b.read(name(3))
			b.put(name(3), append(data, data[headerSize:]...))
		}, "log.0000000000000003: offset 117: found entry 5, wanted one after 6"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			run(t, ip.DiskConfig{}, func(b *bench) {
				l := b.open(small)
				for i := range uint64(3) {
					l.Append(entries(i+1, 2*i+1, 2*i+2)...)
					b.sync(l)
				}
				c.change(b)
				_, err := replog.Open(b.Context(), b.env(), small)
				require.EqualError(t, err, "replication log: "+c.want)
			})
		})
	}
	run(t, ip.DiskConfig{}, func(b *bench) {
		_, err := replog.Open(b.Context(), b.env(), replog.Options{SegmentSize: -1})
		require.EqualError(t, err, "replication log: segment size: found -1B, wanted 0 or more")
		for _, other := range []string{"log.", "log.1", "log.000000000000001x", "data"} { // not ours
			b.put(other, []byte("x"))
		}
		requireEntries(t, b.open(replog.Options{}))
	})
}

// BenchmarkSync measures appending an entry of 100 bytes and syncing it, on a disk that takes no time.
func BenchmarkSync(b *testing.B) {
	const syncs = 10000
	for b.Loop() {
		run(&testing.T{}, ip.DiskConfig{}, func(lab *bench) {
			l, err := replog.Open(lab.Context(), lab.env(), replog.Options{SegmentSize: units.Bytes(64 << 10)})
			if err != nil {
				panic(err)
			}
			data := make([]byte, 100)
			for i := range uint64(syncs) {
				l.Append(replog.Entry{Index: i + 1, Epoch: 1, Data: data})
				if err := l.Sync(lab.Context()); err != nil {
					panic(err)
				}
			}
		})
	}
	b.ReportMetric(syncs*float64(b.N)/b.Elapsed().Seconds(), "syncs/s")
}
