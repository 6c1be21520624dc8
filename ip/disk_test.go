package ip_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/ip"
	"netlab/netem"
	"netlab/units"
)

// diskLab is a lab with a host that has a disk.
type diskLab struct {
	*testlab.Lab
	h *ip.Host
}

// withDisk runs body beside a host that is all alone and has this disk.
func withDisk(t *testing.T, c ip.DiskConfig, body func(t *testing.T, l *diskLab)) {
	testlab.Run(t, testlab.Config{}, func(t *testing.T, lab *testlab.Lab) {
		h, err := ip.NewHost(lab.Net, ip.HostConfig{Name: "store", Node: 9, IPv4: true, Names: lab.Names, Disk: c})
		require.NoError(t, err)
		do(lab, func() { require.NoError(t, h.Start(nil)) })
		l := &diskLab{lab, h}
		defer do(lab, func() { l.h.Crash() }) // ends the stack
		body(t, l)
	})
}

// restart crashes the host and starts it again.
func (l *diskLab) restart(t *testing.T) {
	do(l.Lab, func() {
		l.h.Crash()
		h, err := l.h.Reborn()
		require.NoError(t, err)
		l.h = h
	})
}

func TestDiskFiles(t *testing.T) {
	withDisk(t, ip.DiskConfig{}, func(t *testing.T, l *diskLab) {
		ctx, d := l.Context(), l.h.Disk()
		read := func(name string) string {
			b, err := d.ReadFile(ctx, name)
			require.NoError(t, err)
			return string(b)
		}
		_, err := d.ReadFile(ctx, "log")
		require.ErrorIs(t, err, fs.ErrNotExist)
		require.EqualError(t, err, "read log: file does not exist")
		for _, err := range []error{d.Sync(ctx, "log"), d.Remove(ctx, "log"), d.Rename(ctx, "log", "x")} {
			require.ErrorIs(t, err, fs.ErrNotExist)
		}
		require.ErrorIs(t, d.WriteFile(ctx, "", nil), fs.ErrInvalid)
		data := []byte("one ")
		require.NoError(t, d.Append(ctx, "log", data))
		data[0] = 'X' // the disk has its own copy
		require.NoError(t, d.Append(ctx, "log", []byte("two ")))
		require.Equal(t, "one two ", read("log"))
		require.NoError(t, d.WriteFile(ctx, "b", []byte("B")))
		require.NoError(t, d.WriteFile(ctx, "a", nil))
		require.Equal(t, "", read("a"))
		names, err := d.List(ctx)
		require.NoError(t, err)
		require.Equal(t, []string{"a", "b", "log"}, names)
		require.Equal(t, units.Bytes(9), d.Used())
		part, err := d.ReadAt(ctx, "log", 4, 3)
		require.NoError(t, err)
		require.Equal(t, "two", string(part))
		for offset, want := range map[int]string{7: " ", 8: "", 100: ""} {
			part, err = d.ReadAt(ctx, "log", offset, 3)
			require.NoError(t, err)
			require.Equal(t, want, string(part))
		}
		_, err = d.ReadAt(ctx, "log", -1, 3)
		require.ErrorIs(t, err, fs.ErrInvalid)
		require.NoError(t, d.Rename(ctx, "b", "log"))
		require.Equal(t, "B", read("log"))
		require.NoError(t, d.Rename(ctx, "log", "log"))
		require.NoError(t, d.Remove(ctx, "a"))
		require.Equal(t, units.Bytes(1), d.Used())
		require.Zero(t, l.Elapsed(), "it takes no time")
	})
}

// A crash takes the content of every file back to its last sync; names are safe at once.
func TestDiskCrash(t *testing.T) {
	withDisk(t, ip.DiskConfig{}, func(t *testing.T, l *diskLab) {
		ctx, d := l.Context(), l.h.Disk()
		for _, step := range []error{
			d.Append(ctx, "log", []byte("synced ")), d.Sync(ctx, "log"), d.Append(ctx, "log", []byte("lost")),
			d.WriteFile(ctx, "never", []byte("lost")),
			d.WriteFile(ctx, "replaced", []byte("old")), d.Sync(ctx, "replaced"), d.WriteFile(ctx, "replaced", []byte("new, longer")),
			d.WriteFile(ctx, "state.new", []byte("state")), d.Sync(ctx, "state.new"), d.WriteFile(ctx, "state", []byte("before")),
			d.Rename(ctx, "state.new", "state"),
			d.WriteFile(ctx, "gone", nil), d.Sync(ctx, "gone"), d.Remove(ctx, "gone"),
		} {
			require.NoError(t, step)
		}
		l.restart(t)
		require.ErrorIs(t, d.Sync(ctx, "log"), ip.ErrHostDown, "the old host's disk")
		d = l.h.Disk()
		names, err := d.List(ctx)
		require.NoError(t, err)
		require.Equal(t, []string{"log", "never", "replaced", "state"}, names)
		for name, want := range map[string]string{"log": "synced ", "never": "", "replaced": "old", "state": "state"} {
			got, err := d.ReadFile(ctx, name)
			require.NoError(t, err)
			require.Equal(t, want, string(got), name)
		}
		require.Equal(t, units.Bytes(7+3+5), d.Used())
		require.Equal(t, ip.DiskStats{Operations: 14 + 5, Syncs: 4, BytesRead: 15, BytesWritten: 40, BytesSynced: 15, BytesLost: 19}, d.Stats())
		// What is appended after a crash doesn't bring back what was lost.
		require.NoError(t, d.Append(ctx, "log", []byte("on")))
		got, _ := d.ReadFile(ctx, "log")
		require.Equal(t, "synced on", string(got))
		l.restart(t)
	})
}

// Operations take their turns; what a sync and moving bytes take comes on top.
func TestDiskTakesTime(t *testing.T) {
	c := ip.DiskConfig{Latency: units.Constant(ms), Sync: units.Constant(4 * ms), Rate: 8e6} // a byte in a microsecond
	withDisk(t, c, func(t *testing.T, l *diskLab) {
		ctx, d := l.Context(), l.h.Disk()
		took := func(op func() error) time.Duration {
			start := l.Elapsed()
			require.NoError(t, op())
			return (l.Elapsed() - start).Round(time.Microsecond)
		}
		require.Equal(t, 3*ms, took(func() error { return d.Append(ctx, "f", make([]byte, 2000)) }))
		require.Equal(t, 5*ms, took(func() error { return d.Sync(ctx, "f") }))
		require.Equal(t, 3*ms, took(func() error { _, err := d.ReadFile(ctx, "f"); return err }))
		require.Equal(t, 1500*time.Microsecond, took(func() error { _, err := d.ReadAt(ctx, "f", 1500, 5000); return err }))
		require.Equal(t, ms, took(func() error { _, err := d.List(ctx); return err }))
		require.NoError(t, d.SetSlow(10))
		require.Equal(t, 30*ms, took(func() error { _, err := d.ReadFile(ctx, "f"); return err }))
		require.NoError(t, d.SetSlow(1))
		require.ErrorContains(t, d.SetSlow(0), "want a number above 0")
		// A queue, first come, first served.
		start := l.Elapsed()
		var ends []time.Duration
		for range 5 {
			l.h.Go(func() {
				d.Sync(ctx, "f")
				ends = append(ends, (l.Elapsed() - start).Round(time.Microsecond))
			})
		}
		l.h.Wait()
		require.Equal(t, []time.Duration{5 * ms, 10 * ms, 15 * ms, 20 * ms, 25 * ms}, ends)
	})
}

// An operation whose context ends in the queue isn't carried out; one that has begun is.
func TestDiskContext(t *testing.T) {
	withDisk(t, ip.DiskConfig{Latency: units.Constant(10 * ms)}, func(t *testing.T, l *diskLab) {
		d := l.h.Disk()
		cause := errors.New("enough")
		results := map[string]error{}
		for i, name := range []string{"begun", "queued", "patient"} {
			l.h.Go(func() {
				ctx, cancel := context.WithCancelCause(l.Context())
				if i < 2 {
					l.Net.AfterFunc(0, netem.KindControl, 5*ms, func() { cancel(cause) })
				}
				results[name] = d.WriteFile(ctx, name, []byte("x"))
				cancel(nil)
			})
		}
		l.h.Wait()
		require.Equal(t, map[string]error{"begun": cause, "queued": cause, "patient": nil}, results)
		require.Equal(t, 20*ms, l.Elapsed().Round(time.Microsecond))
		names, err := d.List(l.Context())
		require.NoError(t, err)
		require.Equal(t, []string{"begun", "patient"}, names)
	})
}

// What is going on when the host crashes ends with an error and has no effect.
func TestDiskCrashDuringOperation(t *testing.T) {
	withDisk(t, ip.DiskConfig{Latency: units.Constant(10 * ms)}, func(t *testing.T, l *diskLab) {
		d := l.h.Disk()
		require.NoError(t, d.WriteFile(l.Context(), "f", []byte("content")))
		var count atomic.Int32
		for range 3 {
			l.h.Go(func() {
				err := d.Sync(l.Context(), "f")
				require.ErrorIs(t, err, ip.ErrHostDown)
				count.Add(1)
			})
		}
		l.Sleep(9 * ms)
		old := l.h
		l.restart(t)
		old.Wait()
		require.EqualValues(t, 3, count.Load())
		require.Less(t, l.Elapsed(), 20*ms)
		got, err := l.h.Disk().ReadFile(l.Context(), "f")
		require.NoError(t, err)
		require.Empty(t, got)
		require.Equal(t, 29*ms, l.Elapsed().Round(time.Microsecond), "the queue is empty after a crash")
	})
}

func TestDiskFull(t *testing.T) {
	withDisk(t, ip.DiskConfig{Capacity: 10}, func(t *testing.T, l *diskLab) {
		ctx, d := l.Context(), l.h.Disk()
		require.NoError(t, d.WriteFile(ctx, "a", make([]byte, 6)))
		err := d.Append(ctx, "b", make([]byte, 5))
		require.ErrorIs(t, err, ip.ErrDiskFull)
		require.ErrorIs(t, err, syscall.ENOSPC)
		require.EqualError(t, err, "write b: the disk is full")
		require.NoError(t, d.Append(ctx, "b", make([]byte, 4)))
		require.ErrorIs(t, d.Append(ctx, "b", make([]byte, 1)), ip.ErrDiskFull)
		require.NoError(t, d.WriteFile(ctx, "a", make([]byte, 3)))
		require.NoError(t, d.Append(ctx, "b", make([]byte, 3)))
		require.Equal(t, units.Bytes(10), d.Used())
		require.NoError(t, d.Remove(ctx, "b"))
		d.SetFull(true)
		require.ErrorIs(t, d.Append(ctx, "a", make([]byte, 1)), ip.ErrDiskFull)
		require.NoError(t, d.Sync(ctx, "a"))
		d.SetFull(false)
		require.NoError(t, d.Append(ctx, "a", make([]byte, 1)))
		require.EqualValues(t, 3, d.Stats().Errors)
	})
}

// Random latencies depend on the seed, the host and its incarnation alone.
func TestDiskRandom(t *testing.T) {
	latency, err := units.Exponential(ms)
	require.NoError(t, err)
	times := func() (list []time.Duration) {
		withDisk(t, ip.DiskConfig{Latency: latency}, func(t *testing.T, l *diskLab) {
			for range 2 {
				for range 3 {
					start := l.Elapsed()
					_, err := l.h.Disk().List(l.Context())
					require.NoError(t, err)
					list = append(list, l.Elapsed()-start)
				}
				l.restart(t)
			}
		})
		return list
	}
	first := times()
	require.Equal(t, first, times())
	require.NotEqual(t, first[:3], first[3:])
}

// A write-ahead log that is synced after each record loses no record that was acknowledged, whenever the host crashes.
func TestDiskWriteAheadLog(t *testing.T) {
	withDisk(t, ip.DiskConfig{Latency: units.Constant(ms), Sync: units.Constant(3 * ms)}, func(t *testing.T, l *diskLab) {
		r := rand.New(rand.NewPCG(1, 1))
		acknowledged := 0
		for range 50 {
			writer := l.h
			writer.Go(func() {
				for {
					record := fmt.Appendf(nil, "%d\n", acknowledged)
					if writer.Disk().Append(context.Background(), "wal", record) != nil {
						return
					}
					if writer.Disk().Sync(context.Background(), "wal") != nil {
						return
					}
					acknowledged++
				}
			})
			l.Sleep(time.Duration(r.Int64N(int64(50 * ms))))
			l.restart(t)
			writer.Wait()
			log, err := l.h.Disk().ReadFile(l.Context(), "wal")
			if acknowledged == 0 && err != nil {
				continue
			}
			require.NoError(t, err)
			require.Equal(t, acknowledged, bytes.Count(log, []byte("\n")))
		}
		require.Greater(t, acknowledged, 100)
	})
}

func TestDiskConfig(t *testing.T) {
	for _, c := range []ip.DiskConfig{{Rate: -1}, {Capacity: -1}} {
		_, err := ip.NewHost(netem.NewNetwork(netem.NewEngine(netem.Config{RealTime: true}), 1), ip.HostConfig{Name: "x", IPv4: true, Disk: c})
		require.ErrorContains(t, err, "host x: disk: ")
	}
}
