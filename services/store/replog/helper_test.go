package replog_test

import (
	"fmt"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/ip"
	"netlab/services"
	"netlab/services/store/replog"
	"netlab/units"
)

const (
	ms    = time.Millisecond
	first = "log.0000000000000001"
	all   = math.MaxUint64
	// What a segment's header and a record take on disk, besides the payload.
	headerSize, recordSize = 43, 30
)

// bench is a host with a disk in a lab.
type bench struct {
	*testlab.Lab
	t *testing.T
}

func run(t *testing.T, disk ip.DiskConfig, body func(b *bench)) {
	testlab.Run(t, testlab.Config{Disk: disk}, func(t *testing.T, l *testlab.Lab) { body(&bench{l, t}) })
}

func (b *bench) env() *services.Env {
	return services.NewEnv(b.A, slog.New(slog.DiscardHandler), services.Service, "store", 0, 1)
}

func (b *bench) open(o replog.Options) *replog.Log {
	b.t.Helper()
	l, err := replog.Open(b.Context(), b.env(), o)
	require.NoError(b.t, err)
	return l
}

// crash crashes the host, restarts it and opens its log again.
func (b *bench) crash(o replog.Options) *replog.Log {
	b.t.Helper()
	b.Crash(b.A)
	b.Restart(b.A)
	return b.open(o)
}

func (b *bench) sync(l *replog.Log) {
	b.t.Helper()
	require.NoError(b.t, l.Sync(b.Context()))
	require.False(b.t, l.Unsynced())
	require.Equal(b.t, l.Last(), l.Durable())
}

// put makes data the durable content of a file.
func (b *bench) put(file string, data []byte) {
	b.t.Helper()
	require.NoError(b.t, b.A.Disk().WriteFile(b.Context(), file, data))
	require.NoError(b.t, b.A.Disk().Sync(b.Context(), file))
}

func (b *bench) read(file string) []byte {
	b.t.Helper()
	data, err := b.A.Disk().ReadFile(b.Context(), file)
	require.NoError(b.t, err)
	return data
}

func (b *bench) files() []string {
	b.t.Helper()
	names, err := b.A.Disk().List(b.Context())
	require.NoError(b.t, err)
	return names
}

// entries makes entries with the indices from lo to hi.
func entries(epoch, lo, hi uint64) (list []replog.Entry) {
	for i := lo; i <= hi; i++ {
		list = append(list, replog.Entry{Index: i, Epoch: epoch, Kind: uint8(i % 3), Data: fmt.Appendf(nil, "entry %d", i)})
	}
	return list
}

// requireEntries compares all of a log, and what it says of it.
func requireEntries(t *testing.T, l *replog.Log, want ...[]replog.Entry) {
	t.Helper()
	var list []replog.Entry
	for _, w := range want {
		list = append(list, w...)
	}
	got := l.Entries(l.First(), l.Last()+1, all)
	require.Len(t, got, len(list))
	for i, e := range list {
		require.Equal(t, e, got[i])
		epoch, ok := l.EpochAt(e.Index)
		require.True(t, ok)
		require.Equal(t, e.Epoch, epoch)
	}
	_, ok := l.EpochAt(l.Last() + 1)
	require.False(t, ok)
}

// requireBase says that the log begins after an entry.
func requireBase(t *testing.T, l *replog.Log, index, epoch uint64) {
	t.Helper()
	require.Equal(t, index+1, l.First())
	got, ok := l.EpochAt(index)
	require.True(t, ok)
	require.Equal(t, epoch, got)
	if index > 0 {
		_, ok = l.EpochAt(index - 1)
		require.False(t, ok)
	}
}

// small makes each sync begin a segment.
var small = replog.Options{SegmentSize: units.Bytes(1)}
