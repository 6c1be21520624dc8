package analysis

import (
	"slices"
	"sort"
	"time"
)

const (
	// maxPieces bounds what is remembered of a side's segments, maxAcknowledged what of that is acknowledged already.
	maxPieces       = 1 << 15
	maxAcknowledged = 256
)

// piece is a range of sequence numbers that was sent as one, with what is known of the latest segment that carried its first number.
type piece struct {
	from, to int64
	frame    int
	at       time.Duration
	first    time.Duration // when it was sent for the first time
	id       uint64        // of the packet
	why      string        // it was dropped
	sent     int           // how often
	sacked   bool
	// again is the latest time that it was sent again, nil if it wasn't.
	again *Retransmission
}

// pieces are what a side has sent, in the order of sequence numbers, without overlaps.
type pieces struct {
	list []piece
	// floor is the number below which nothing is remembered. All of that counts as sent.
	floor int64
	acked int // how many of the first are acknowledged
}

// search returns the index of the first piece that ends behind n.
func (p *pieces) search(n int64) int {
	if last := len(p.list) - 1; last < 0 || p.list[last].to <= n {
		return len(p.list)
	}
	return sort.Search(len(p.list), func(i int) bool { return p.list[i].to > n })
}

// find returns the piece that holds n, or nil.
func (p *pieces) find(n int64) *piece {
	if i := p.search(n); i < len(p.list) && p.list[i].from <= n {
		return &p.list[i]
	}
	return nil
}

// add takes down that the range of what was sent, and returns how many of its numbers were not sent before.
func (p *pieces) add(what piece) (fresh int64) {
	what.from = max(what.from, p.floor)
	if what.from >= what.to {
		return 0
	}
	i := p.search(what.from)
	if i == len(p.list) {
		p.append(what)
		return what.to - what.from
	}
	i = p.split(i, what.from)
	for at := what.from; at < what.to; i++ {
		if i == len(p.list) || p.list[i].from > at {
			gap := what
			gap.from, gap.sent = at, 1
			if i < len(p.list) {
				gap.to = min(what.to, p.list[i].from)
			}
			p.insert(i, gap)
			fresh += gap.to - gap.from
			at = gap.to
			continue
		}
		if p.list[i].to > what.to {
			p.split(i, what.to)
		}
		old := &p.list[i]
		old.frame, old.at, old.id, old.why, old.again = what.frame, what.at, what.id, what.why, what.again
		old.sent++
		at = old.to
	}
	p.trim()
	return fresh
}

func (p *pieces) append(what piece) {
	what.sent = 1
	p.list = append(p.list, what)
	p.trim()
}

// insert puts a piece before that with index i.
func (p *pieces) insert(i int, what piece) {
	if i < p.acked {
		p.acked++
	}
	p.list = slices.Insert(p.list, i, what)
}

// split cuts the piece with index i at n and returns the index of the one that begins there. It does nothing if n is not within.
func (p *pieces) split(i int, n int64) int {
	if p.list[i].from >= n || p.list[i].to <= n {
		return i
	}
	head := p.list[i]
	head.to = n
	p.list[i].from = n
	p.insert(i, head)
	return i + 1
}

// acknowledge takes down that everything below n has arrived. It calls f for each piece of which that was not known.
func (p *pieces) acknowledge(n int64, f func(*piece)) {
	for p.acked < len(p.list) && p.list[p.acked].to <= n {
		f(&p.list[p.acked])
		p.acked++
	}
	p.trim()
}

// trim forgets what is not needed any more. It does so seldom, and then much of it.
func (p *pieces) trim() {
	drop := 0
	if p.acked > 2*maxAcknowledged {
		drop = p.acked - maxAcknowledged
	}
	if len(p.list) > maxPieces {
		drop = max(drop, maxPieces/4)
	}
	if drop == 0 {
		return
	}
	p.forget(drop)
}

// forget drops the first n pieces.
func (p *pieces) forget(n int) {
	p.floor = p.list[n-1].to
	rest := copy(p.list, p.list[n:])
	clear(p.list[rest:])
	p.list = p.list[:rest]
	p.acked = max(p.acked-n, 0)
}

// shrink keeps what late copies of a connection's last segments need, and gives the memory of the others back.
func (p *pieces) shrink() {
	const last = 16
	if n := len(p.list) - last; n > 0 {
		p.forget(n)
		p.list = slices.Clone(p.list)
	}
}
