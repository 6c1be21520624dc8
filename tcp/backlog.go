package tcp

import (
	"bytes"
	"net"
	"os"
	"sync"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/waiter"

	"netlab/ip"
)

// backlog holds what was written to a connection and doesn't fit into the stack's send buffer yet. While it isn't empty, a
// goroutine moves it on.
type backlog struct {
	s        *ip.Socket
	capacity int

	mu       sync.Mutex
	data     []byte
	pumping  bool
	end      bool // shut down for writing when empty
	shut     bool // close the endpoint when empty
	dropped  bool
	err      error
	room     chan struct{} // gets a token when there is room again
	quitPump chan struct{} // closed by discard
}

func newBacklog(s *ip.Socket, capacity int) *backlog {
	return &backlog{s: s, capacity: capacity, room: make(chan struct{}, 1), quitPump: make(chan struct{})}
}

// write takes as much of b as there is room for and waits when there is none.
func (b *backlog) write(p []byte) (int, error) {
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
			return 0, net.ErrClosed
		}
	}
}

func (b *backlog) tryWrite(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return 0, b.err
	}
	if b.end {
		return 0, ip.Errno(&tcpip.ErrClosedForSend{})
	}
	taken := 0
	if !b.pumping {
		n, err := b.s.Endpoint.Write(bytes.NewReader(p), tcpip.WriteOptions{})
		if _, block := err.(*tcpip.ErrWouldBlock); err != nil && !block {
			return int(n), ip.Errno(err)
		}
		taken = int(n)
	}
	n := min(len(p)-taken, b.capacity-len(b.data))
	if n > 0 {
		b.data = append(b.data, p[taken:taken+n]...)
		if !b.pumping {
			b.pumping = true
			b.s.Host.Go(b.pump)
		}
	}
	return taken + n, nil
}

// pump moves the backlog into the stack until it is empty.
func (b *backlog) pump() {
	entry, ready := waiter.NewChannelEntry(waiter.WritableEvents | waiter.EventErr | waiter.EventHUp)
	b.s.Queue.EventRegister(&entry)
	defer b.s.Queue.EventUnregister(&entry)
	for b.step() {
		select {
		case <-ready:
		case <-b.quitPump:
		case <-b.s.Host.Gone():
			b.fail(net.ErrClosed)
			return
		}
	}
}

// step hands over what the stack takes and says whether to go on.
func (b *backlog) step() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.data) > 0 && !b.dropped {
		n, err := b.s.Endpoint.Write(bytes.NewReader(b.data), tcpip.WriteOptions{})
		b.data = b.data[n:]
		if _, block := err.(*tcpip.ErrWouldBlock); block {
			b.signal()
			return true
		}
		if err != nil {
			b.err = ip.Errno(err)
			b.data = nil
		}
	}
	b.data = nil
	b.pumping = false
	b.signal()
	switch {
	case b.dropped:
	case b.shut:
		b.s.Endpoint.Close()
		b.s.Host.Kick()
	case b.end:
		b.s.Endpoint.Shutdown(tcpip.ShutdownWrite)
	}
	return false
}

func (b *backlog) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err, b.data, b.pumping = err, nil, false
	b.signal()
}

func (b *backlog) signal() {
	select {
	case b.room <- struct{}{}:
	default:
	}
}

// finish lets nothing more in and says whether the pump will end the stream, and with shut the connection; otherwise
// the caller has to.
func (b *backlog) finish(shut bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.end = true
	b.shut = b.shut || shut
	return b.pumping
}

// discard throws the backlog away.
func (b *backlog) discard() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.dropped {
		b.dropped = true
		close(b.quitPump)
	}
}
