package netem

import (
	"math/bits"
	"time"

	"netlab/units"
)

// priority is strict priority: a band is served only while those before it are empty. A packet's DSCP (RFC 2474) chooses the band;
// what isn't IP, such as ARP, goes in the first. Each band is a drop-tail queue of its own with the whole limit.
type priority struct {
	bands   []fifo
	table   [64]uint8
	waiting uint64 // bit i: band i holds frames
	frames  int
	bytes   int
	limit   units.QueueLimit
	out     outlet
}

// DefaultBands is the table of a priority queue for which none is given, with three bands, after the service classes of RFC 4594 and
// RFC 8622: the first has network control (CS6, CS7), signalling (CS5), telephony (EF) and admitted voice (VA, RFC 5865); the
// last the lower effort (LE, and CS1, which was used for it before); the second everything else. Assured forwarding
// is there beside the default class, because RFC 4594 wants a share of the rate for it and not that it starves others.
func DefaultBands() (bands [64]uint8) {
	const (
		cs1, cs5, cs6, cs7 = 8, 40, 48, 56
		va, ef             = 44, 46
		le                 = 1
	)
	for dscp := range bands {
		switch dscp {
		case cs5, cs6, cs7, va, ef:
			bands[dscp] = 0
		case le, cs1:
			bands[dscp] = 2
		default:
			bands[dscp] = 1
		}
	}
	return bands
}

func newPriority(p *Params, out outlet) *priority {
	return &priority{bands: make([]fifo, p.Queue.BandCount), table: p.Queue.Bands, limit: p.Queue.Limit, out: out}
}

func (q *priority) tune(_ time.Duration, p *Params) bool {
	if p.Queue.Bands != q.table || p.Queue.BandCount != len(q.bands) {
		return false
	}
	q.limit = p.Queue.Limit
	return true
}

func (q *priority) enqueue(at time.Duration, f *Frame) {
	i := uint8(0)
	if t := f.EtherType(); t == EtherTypeIPv4 || t == EtherTypeIPv6 {
		i = q.table[trafficClass(f)>>2]
	}
	band := &q.bands[i]
	if !band.fits(q.limit, f) {
		q.out.drop(at, f, DropQueueFull)
		return
	}
	band.push(f)
	q.waiting |= 1 << i
	q.frames++
	q.bytes += len(f.Data)
}

func (q *priority) dequeue(time.Duration) *Frame {
	if q.waiting == 0 {
		return nil
	}
	return q.pop(bits.TrailingZeros64(q.waiting))
}

// pop removes the oldest frame of a band, which must hold one.
func (q *priority) pop(i int) *Frame {
	f := q.bands[i].pop()
	if q.bands[i].count == 0 {
		q.waiting &^= 1 << i
	}
	q.frames--
	q.bytes -= len(f.Data)
	return f
}

func (q *priority) empty(time.Duration) *Frame {
	oldest := -1
	for rest := q.waiting; rest != 0; rest &= rest - 1 {
		if i := bits.TrailingZeros64(rest); oldest < 0 || q.bands[i].oldest().queued < q.bands[oldest].oldest().queued {
			oldest = i
		}
	}
	if oldest < 0 {
		return nil
	}
	return q.pop(oldest)
}

func (q *priority) len() int  { return q.frames }
func (q *priority) size() int { return q.bytes }
