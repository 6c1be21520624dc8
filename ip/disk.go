package ip

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"

	"netlab/netem"
	"netlab/units"
)

// ErrDiskFull is why something can't be written. For errors.Is it is syscall.ENOSPC too.
var ErrDiskFull error = diskFullError{}

type diskFullError struct{}

func (diskFullError) Error() string { return "the disk is full" }
func (diskFullError) Unwrap() error { return syscall.ENOSPC }

// DiskConfig says what a host's disk can do. The zero value takes no time for anything and is never full.
type DiskConfig struct {
	// Latency is how long each operation takes, besides what follows.
	Latency units.Distribution
	// Sync is how much longer a sync takes.
	Sync units.Distribution
	// Rate is how fast what is read or written is moved; 0 means at once.
	Rate units.BitRate
	// Capacity is how much the files hold together; 0 means any amount.
	Capacity units.Bytes
}

func (c DiskConfig) validate() error {
	switch {
	case c.Rate < 0:
		return fmt.Errorf("rate: found %v, want 0 or more", c.Rate)
	case c.Capacity < 0:
		return fmt.Errorf("capacity: found %v, want 0 or more", c.Capacity)
	}
	return nil
}

// DiskStats are the counters of a disk since the start of the run, over all incarnations of its host.
type DiskStats struct {
	Operations   uint64 `json:"operations"` // that were carried out, failed ones included
	Syncs        uint64 `json:"syncs"`      // of these
	Errors       uint64 `json:"errors"`     // operations that failed
	BytesRead    uint64 `json:"bytes_read"`
	BytesWritten uint64 `json:"bytes_written"`
	BytesSynced  uint64 `json:"bytes_synced"` // written and then synced
	BytesLost    uint64 `json:"bytes_lost"`   // written and not synced when the host crashed, and gone

	// What faults did.
	SyncFailures uint64 `json:"sync_failures,omitempty"` // syncs that failed with ErrSync
	SyncsSkipped uint64 `json:"syncs_skipped,omitempty"` // syncs that made nothing durable
	BytesTorn    uint64 `json:"bytes_torn,omitempty"`    // not synced when the host crashed, and there nevertheless
	Corruptions  uint64 `json:"corruptions,omitempty"`   // bits flipped
}

// Disk is a host's disk: files in memory that outlive a crash of the host as far as they were synced. Names are plain; there are no
// folders. Every method may be called by any goroutine. What [Host.Disk] returned before a crash is of no use afterwards: ask the
// host that [Host.Reborn] returned.
//
// A crash takes the content of each file back to what it was at its last Sync; a file that was never synced is empty then. That is the
// simplest honest model of a cache that is lost as a whole: a real one may have written parts of it, in any order, of which
// [Disk.SetTearWrites] shows one case. That goes for what WriteAt overwrites and for the size that Truncate gives as well. Names are
// safe at once: a file that was made, renamed or removed stays so, and Rename is atomic, as with a journal of metadata that
// is synced with each. So a store that replaces a file writes another one, syncs it and then renames it.
//
// The disk carries out one operation at a time, first come, first served. Each takes a sample of the configured latency, longer for
// what it moves and for a sync, and takes effect at its end. Latencies are drawn in the order in which operations are asked for, from the
// stream nodes.NAME.disk of the host's incarnation. Left out: reads that a cache answers, read-ahead, reordering by a scheduler, and
// checksums of the device, which would make an error of most bits that [Disk.Corrupt] flips.
//
// Faults change what it does: it may be full or slow, syncs may fail or do nothing, a crash may leave a part of what was written last,
// and bits may rot. They stay over crashes until they are taken back, and draw from a stream of their own, nodes.NAME.disk.faults, so
// that no latency depends on them.
//
// An operation whose context ends while it waits for its turn isn't carried out. One that has begun is, although nobody hears of it. One
// during which the host crashes returns [ErrHostDown] and has no effect. Other errors are of type *fs.PathError.
type Disk struct {
	host   *Host
	random *rand.Rand // made when it is first asked; guarded by the storage's mutex
}

// Disk returns the host's disk.
func (h *Host) Disk() *Disk { return &h.disk }

// SetFull makes writes fail with [ErrDiskFull], or no longer so. What was written already can be synced.
func (d *Disk) SetFull(full bool) {
	s := &d.host.machine.disk
	s.mu.Lock()
	defer s.mu.Unlock()
	s.full = full
}

// SetSlow makes operations that begin from now on take factor times as long. 1 is normal. It is an error unless the factor is a number
// above 0.
func (d *Disk) SetSlow(factor float64) error {
	if err := validFactor(factor); err != nil {
		return fmt.Errorf("host %s: disk: factor %w", d.host.name, err)
	}
	s := &d.host.machine.disk
	s.mu.Lock()
	defer s.mu.Unlock()
	s.factor = factor
	return nil
}

// Stats returns the disk's counters.
func (d *Disk) Stats() DiskStats {
	s := &d.host.machine.disk
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// storage is what the disk consists of, whatever becomes of the host.
type storage struct {
	config DiskConfig

	mu     sync.Mutex
	files  map[string]*file
	used   int64 // by the content of all files
	full   bool
	factor float64
	faults diskFaults
	queue  []*operation // the first one is being carried out
	timer  *netem.Timer // fires at its end
	stats  DiskStats
}
