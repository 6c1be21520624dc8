package tcp

import (
	"bytes"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/waiter"

	"netlab/ip"
)

const (
	// backlogLimit is how many bytes a connection takes beyond what the stack's send buffer holds.
	backlogLimit = 4 << 20
	// corkLimit is the size up to which writes are joined.
	corkLimit = 64 << 10
)

// backlog holds what was written to a connection until the engine's loop hands it to the stack. So a Write only copies, and what
// the stack does with it happens when every goroutine is blocked.
//
// The stack begins a segment with each write that it is handed. The first write of an instant is handed over as it is, and what
// is written behind it before the network gets to it is joined, as Linux does with small writes while a packet waits in the
// queue of the interface (automatic corking, tcp_autocorking). Otherwise each frame that a program of HTTP/2 writes would be a
// segment, and thirty small ones fill the initial window three times.
type backlog struct {
	s      *ip.Socket
	key    uint64
	room   chan struct{} // gets a token when there is room again
	full   atomic.Bool   // the stack has no room
	failed atomic.Bool   // the connection is no more

	handing sync.Mutex // held while the stack takes a write; the loop alone does that

	mu        sync.Mutex
	writes    [][]byte
	bytes     int
	piece     int // the unsent limit, or 0
	mss       int // with a limit
	scheduled bool
	end       bool // shut down for writing when empty
	shut      bool // close the endpoint when empty
	err       error
}

func newBacklog(s *ip.Socket) *backlog {
	b := &backlog{s: s, key: uint64(s.Local().Port()), room: make(chan struct{}, 1)}
	entry := waiter.NewFunctionEntry(waiter.WritableEvents|waiter.EventErr|waiter.EventHUp, b.notify)
	s.Queue.EventRegister(&entry)
	return b
}

// notify hears of the endpoint that it has room or is no more. The stack calls it with its locks held.
func (b *backlog) notify(events waiter.EventMask) {
	gone := events&(waiter.EventErr|waiter.EventHUp) != 0 && b.failed.CompareAndSwap(false, true)
	if b.full.CompareAndSwap(true, false) || gone {
		b.s.Host.Later(b.key, b.push)
	}
}

// write takes as much of p as there is room for and waits when there is none.
func (b *backlog) write(p []byte) (int, error) {
	if b.limited() {
		return b.writeThrough(p)
	}
	for {
		n, err := b.tryWrite(p)
		if n > 0 || err != nil {
			return n, err
		}
		select {
		case <-b.room:
		case <-b.s.WriteDeadline().Done():
			return 0, os.ErrDeadlineExceeded
		case <-b.s.Closed():
			return 0, b.s.Err()
		case <-b.s.Host.Gone():
			return 0, b.s.Err()
		}
	}
}

func (b *backlog) tryWrite(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.closedLocked(); err != nil {
		return 0, err
	}
	n := min(len(p), backlogLimit-b.bytes)
	if n > 0 {
		// The first one may be on its way into the stack.
		if last := len(b.writes) - 1; last > 0 && len(b.writes[last])+n <= corkLimit {
			b.writes[last] = append(b.writes[last], p[:n]...)
		} else {
			b.writes = append(b.writes, bytes.Clone(p[:n]))
		}
		b.bytes += n
		b.scheduleLocked()
	}
	return n, nil
}

func (b *backlog) scheduleLocked() {
	if !b.scheduled && !b.full.Load() {
		b.scheduled = true
		b.s.Host.Later(b.key, b.push)
	}
}

// next returns the oldest write that isn't handed over yet, or nil.
func (b *backlog) next() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.writes) == 0 {
		return nil
	}
	return b.writes[0]
}

// took notes that the stack took n bytes.
func (b *backlog) took(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.writes) == 0 {
		return // thrown away meanwhile
	}
	b.bytes -= n
	b.writes[0] = b.writes[0][n:]
	if len(b.writes[0]) == 0 {
		b.writes[0] = nil
		b.writes = b.writes[1:]
	}
}

// push hands over what the stack takes, and ends the stream when all is handed over and nothing more may come. The engine's
// loop calls it.
func (b *backlog) push() {
	b.mu.Lock()
	b.scheduled = false
	b.mu.Unlock()
	if errors.Is(b.s.Host.Err(), ip.ErrHostDown) {
		return
	}
	for p := b.next(); p != nil; p = b.next() {
		b.full.Store(true) // before trying, so that no word of new room is missed
		b.handing.Lock()
		n, err := b.hand(p)
		b.took(n)
		b.handing.Unlock()
		if _, block := err.(*tcpip.ErrWouldBlock); block {
			b.signal()
			return
		}
		b.full.Store(false)
		if err != nil {
			b.fail(ip.Errno(err))
		}
	}
	if b.failed.Load() {
		// The stack tells why a connection broke only once: to whom it tells it has to keep it for others.
		if _, err := b.s.Endpoint.Write(bytes.NewReader(nil), tcpip.WriteOptions{}); err != nil {
			b.fail(ip.Errno(err))
		}
	}
	b.signal()
	b.finish()
}

// finish ends the stream or closes the endpoint if that is due.
func (b *backlog) finish() {
	b.mu.Lock()
	empty, shut, end := len(b.writes) == 0, b.shut, b.end
	b.mu.Unlock()
	switch {
	case !empty:
	case shut:
		b.s.Endpoint.Close()
		b.s.Host.Kick()
	case end:
		b.s.Endpoint.Shutdown(tcpip.ShutdownWrite)
	}
}

func (b *backlog) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.err = err
	}
	b.writes, b.bytes = nil, 0
}

// broken returns why the connection broke, or nil if it didn't or was closed.
func (b *backlog) broken() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil || b.err == syscall.EPIPE || b.err == net.ErrClosed {
		return nil
	}
	return b.err
}

func (b *backlog) signal() {
	b.mu.Lock()
	room := b.bytes <= backlogLimit/2
	if b.piece > 0 {
		room = b.bytes == 0
	}
	b.mu.Unlock()
	if room {
		b.s.Host.Network().Wake(b.room)
	}
}

// shutdown lets nothing more in and has the stream ended when all is handed over; with shut the connection is closed then.
func (b *backlog) shutdown(shut bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.end = true
	b.shut = b.shut || shut
	b.scheduleLocked()
}

// discard throws away what isn't handed over.
func (b *backlog) discard() { b.fail(net.ErrClosed) }
