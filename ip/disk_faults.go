package ip

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"syscall"

	"netlab/internal/random"
)

// ErrSync is why a sync has failed. For errors.Is it is syscall.EIO too.
var ErrSync error = syncError{}

type syncError struct{}

func (syncError) Error() string { return "the disk could not sync" }
func (syncError) Unwrap() error { return syscall.EIO }

// diskFaults is what is wrong with a disk, beside what it always was.
type diskFaults struct {
	syncFailures float64 // probability
	skipSync     bool
	tear         bool
	random       *rand.Rand // made when it is first asked
}

// syncFate is what becomes of a sync.
type syncFate uint8

const (
	syncs syncFate = iota
	syncFails
	syncSkipped
)

// SetSyncFailures makes syncs that begin from now on fail with [ErrSync], each with a probability, after the time that they take otherwise.
// They make nothing durable. 0 is normal. It is an error unless the probability is a number from 0 to 1.
func (d *Disk) SetSyncFailures(probability float64) error {
	if !(probability >= 0 && probability <= 1) {
		return fmt.Errorf("host %s: disk: probability of a failing sync: found %v, want 0 to 1", d.host.name, probability)
	}
	s := &d.host.machine.disk
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.syncFailures = probability
	return nil
}

// SetSkipSync makes syncs that begin from now on succeed as soon as it is their turn, without making anything durable, or no longer so: a
// device that lies about its cache, or an fsync that is turned off. What was written meanwhile is lost in a crash, unless a sync
// stores it afterwards. Those that SetSyncFailures lets fail do fail.
func (d *Disk) SetSkipSync(skip bool) {
	s := &d.host.machine.disk
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.skipSync = skip
}

// SetTearWrites makes a crash leave, of each file that only grew since its last sync, a part of what came to it: its first bytes, any
// number from none to all with equal probability. It is durable from then on. Files that were otherwise changed go back to their last sync.
func (d *Disk) SetTearWrites(tear bool) {
	s := &d.host.machine.disk
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.tear = tear
}

// Corruption is a bit that was flipped.
type Corruption struct {
	File   string
	Offset int // of the byte
	Bit    int // of the byte, from 0 for the lowest
}

// Corrupt flips one bit that is stored in a file, at once: later reads see it, and a crash doesn't undo it. It may hit a file whose name
// the function accepts, nil for any: with a negative offset each of their bytes is as likely as any other, else it is the byte at that
// offset in one of those that have it. Bytes from the first one on that was changed since a file's last sync aren't hit: a cache has
// them, which replaces what is stored. If there is no such byte, found is false.
func (d *Disk) Corrupt(accepts func(name string) bool, offset int) (c Corruption, found bool) {
	s := &d.host.machine.disk
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	var bytes int64 // of which one is hit, in all files
	count := func(f *file) int64 {
		switch {
		case offset < 0:
			return int64(f.kept)
		case offset < f.kept:
			return 1
		}
		return 0
	}
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		if n := count(s.files[name]); n > 0 && (accepts == nil || accepts(name)) {
			names = append(names, name)
			bytes += n
		}
	}
	if names == nil {
		return c, false
	}
	r := s.faultStream(d.host)
	place := r.Int64N(bytes)
	c.Bit = r.IntN(8)
	for _, c.File = range names {
		n := count(s.files[c.File])
		if place < n {
			break
		}
		place -= n
	}
	if c.Offset = offset; offset < 0 {
		c.Offset = int(place)
	}
	f := s.files[c.File]
	flip := func(b []byte) []byte {
		b = slices.Clone(b)
		b[c.Offset] ^= 1 << c.Bit
		return b
	}
	f.data, f.synced = flip(f.data), flip(f.synced)
	s.stats.Corruptions++
	return c, true
}

// syncFate says what becomes of a sync that begins now. The mutex is held, as for what follows.
func (s *storage) syncFate(h *Host) syncFate {
	switch p := s.faults.syncFailures; {
	case p == 1 || p > 0 && s.faultStream(h).Float64() < p:
		return syncFails
	case s.faults.skipSync:
		return syncSkipped
	}
	return syncs
}

// tear makes a part of what was appended durable.
func (s *storage) tear(h *Host) {
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		if f := s.files[name]; f.appended() && f.dirty() > 0 {
			n := s.faultStream(h).IntN(f.dirty() + 1)
			s.stats.BytesTorn += uint64(n)
			f.synced = f.data[:f.kept+n]
			f.kept += n
		}
	}
}

// faultStream is where faults draw from. It is the same for all incarnations of the host.
func (s *storage) faultStream(h *Host) *rand.Rand {
	if s.faults.random == nil {
		s.faults.random = random.Stream(h.net.Seed(), "nodes."+h.name+".disk.faults", 0)
	}
	return s.faults.random
}
