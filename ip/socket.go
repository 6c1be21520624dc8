package ip

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/waiter"

	"netlab/netem"
)

// Socket is an endpoint of a host's stack together with what waiting for it needs. Packages tcp and udp build their
// connections on it.
//
// Nothing here holds a mutex while it waits: a goroutine that did would stop virtual time for good, since synctest doesn't
// count those that queue on the mutex as idle.
type Socket struct {
	Host     *Host
	Endpoint tcpip.Endpoint
	Queue    *waiter.Queue

	read, write Deadline
	closing     sync.Once
	closed      chan struct{}
}

// NewSocket makes an endpoint of a transport protocol over IPv4 or IPv6.
func (h *Host) NewSocket(transport tcpip.TransportProtocolNumber, v6 bool) (*Socket, error) {
	return h.newSocket(func(q *waiter.Queue) (tcpip.Endpoint, tcpip.Error) {
		return h.stack.NewEndpoint(transport, networkProtocol(v6), q)
	})
}

func (h *Host) newSocket(open func(q *waiter.Queue) (tcpip.Endpoint, tcpip.Error)) (*Socket, error) {
	if err := h.Err(); err != nil {
		return nil, err
	}
	if h.stack == nil {
		return nil, net.ErrClosed
	}
	q := &waiter.Queue{}
	ep, err := open(q)
	if err != nil {
		return nil, Errno(err)
	}
	return h.Wrap(ep, q), nil
}

// Wrap makes a socket of an endpoint that exists already, such as an accepted one.
func (h *Host) Wrap(ep tcpip.Endpoint, q *waiter.Queue) *Socket {
	s := &Socket{Host: h, Endpoint: ep, Queue: q, closed: make(chan struct{})}
	s.read.init(h)
	s.write.init(h)
	return s
}

func networkProtocol(v6 bool) tcpip.NetworkProtocolNumber {
	if v6 {
		return ipv6.ProtocolNumber
	}
	return ipv4.ProtocolNumber
}

// Closed is closed when the socket is.
func (s *Socket) Closed() <-chan struct{} { return s.closed }

// IsClosed says whether Close was called.
func (s *Socket) IsClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// Err says why nothing can be done with the socket any more: net.ErrClosed after Close, [Host.Err] when the host is gone. It is nil
// otherwise.
func (s *Socket) Err() error {
	if s.IsClosed() {
		return net.ErrClosed
	}
	return s.Host.Err()
}

// Close closes the endpoint and wakes everybody who waits on the socket. It says whether it was the first to do so.
func (s *Socket) Close() bool {
	first := s.Release()
	if first {
		s.Endpoint.Close()
		s.Host.Kick()
	}
	return first
}

// Release wakes everybody who waits on the socket, as Close does, but leaves the endpoint to the caller.
func (s *Socket) Release() (first bool) {
	s.closing.Do(func() {
		first = true
		close(s.closed)
		s.read.stop()
		s.write.stop()
	})
	return first
}

// ReadDeadline and WriteDeadline are the socket's deadlines.
func (s *Socket) ReadDeadline() *Deadline  { return &s.read }
func (s *Socket) WriteDeadline() *Deadline { return &s.write }

// Do calls try until it returns something other than would-block; between the calls it waits for events. It returns
// [Socket.Err] when the socket or the host goes, os.ErrDeadlineExceeded after the deadline.
func (s *Socket) Do(events waiter.EventMask, d *Deadline, try func() tcpip.Error) error {
	if err := s.Err(); err != nil {
		return err
	}
	if d.Expired() {
		return os.ErrDeadlineExceeded
	}
	err := try()
	if _, block := err.(*tcpip.ErrWouldBlock); !block {
		return Errno(err)
	}
	ready, done := s.Watch(events)
	defer done()
	for {
		// Again after registering: it may have become ready in between.
		err := try()
		if _, block := err.(*tcpip.ErrWouldBlock); !block {
			return Errno(err)
		}
		if err := s.wait(ready, d); err != nil {
			return err
		}
	}
}

// Watcher waits for events of a socket over and over, for one goroutine at a time: what [Socket.Do] does, without registering anew.
type Watcher struct {
	s     *Socket
	ready chan struct{}
	waits atomic.Bool // somebody wants to hear of the next event
	entry waiter.Entry
}

// NewWatcher returns a watcher of these events.
func (s *Socket) NewWatcher(events waiter.EventMask) *Watcher {
	w := &Watcher{s: s, ready: make(chan struct{}, 1)}
	w.entry = waiter.NewFunctionEntry(events, w.notify)
	s.Queue.EventRegister(&w.entry)
	return w
}

// notify hears of an event. The stack calls it with its locks held.
func (w *Watcher) notify(waiter.EventMask) {
	if w.waits.CompareAndSwap(true, false) {
		w.s.Host.net.Wake(w.ready)
	}
}

// Do is [Socket.Do].
func (w *Watcher) Do(d *Deadline, try func() tcpip.Error) error {
	if err := w.s.Err(); err != nil {
		return err
	}
	if d.Expired() {
		return os.ErrDeadlineExceeded
	}
	defer w.waits.Store(false)
	for {
		w.waits.Store(true) // before trying, so that no event is missed
		err := try()
		if _, block := err.(*tcpip.ErrWouldBlock); !block {
			return Errno(err)
		}
		if err := w.s.wait(w.ready, d); err != nil {
			return err
		}
	}
}

// Watch returns a channel that gets a token when one of the events happens, until done is called.
func (s *Socket) Watch(events waiter.EventMask) (ready <-chan struct{}, done func()) {
	c := make(chan struct{}, 1)
	return c, s.Notify(events, c)
}

// Notify makes c, which has room for one, get a token when one of the events happens, until done is called.
func (s *Socket) Notify(events waiter.EventMask, c chan<- struct{}) (done func()) {
	entry := waiter.NewFunctionEntry(events, func(waiter.EventMask) { s.Host.net.Wake(c) })
	s.Queue.EventRegister(&entry)
	return func() { s.Queue.EventUnregister(&entry) }
}

func (s *Socket) wait(ready <-chan struct{}, d *Deadline) error {
	select {
	case <-ready:
		return nil
	case <-d.Done():
		return os.ErrDeadlineExceeded
	case <-s.closed:
	case <-s.Host.gone:
	}
	return s.Err()
}

// Acquire takes a semaphore (a channel of capacity 1), as Do would wait for an event.
func (s *Socket) Acquire(semaphore chan struct{}, d *Deadline) error {
	if err := s.Err(); err != nil {
		return err
	}
	if d.Expired() {
		return os.ErrDeadlineExceeded
	}
	select {
	case semaphore <- struct{}{}:
		return nil
	default:
	}
	select {
	case semaphore <- struct{}{}:
		return nil
	case <-d.Done():
		return os.ErrDeadlineExceeded
	case <-s.closed:
	case <-s.Host.gone:
	}
	return s.Err()
}

// Local returns the endpoint's own address.
func (s *Socket) Local() netip.AddrPort {
	a, err := s.Endpoint.GetLocalAddress()
	if err != nil {
		return netip.AddrPort{}
	}
	return AddrPort(a)
}

// Remote returns the address of the endpoint's peer, invalid when there is none.
func (s *Socket) Remote() netip.AddrPort {
	a, err := s.Endpoint.GetRemoteAddress()
	if err != nil {
		return netip.AddrPort{}
	}
	return AddrPort(a)
}

// Deadline is a point in time on the engine's queue after which a socket's operations fail.
type Deadline struct {
	host  *Host
	mu    sync.Mutex
	timer *netem.Timer
	done  chan struct{} // closed at the deadline
	past  bool
}

func (d *Deadline) init(h *Host) {
	d.host = h
	d.done = make(chan struct{})
}

// Done returns a channel that is closed at the deadline as it is set now. A caller that waits while the deadline is moved
// sees the new one.
func (d *Deadline) Done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.done
}

// Expired says whether the deadline has passed.
func (d *Deadline) Expired() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.past
}

// Set moves the deadline; the zero time means that there is none.
func (d *Deadline) Set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
	}
	if d.past {
		d.done, d.past = make(chan struct{}), false
	}
	if t.IsZero() {
		return
	}
	at := t.Sub(d.host.net.Epoch())
	if time.Until(t) <= 0 {
		d.expireLocked()
		return
	}
	if d.timer == nil {
		d.timer = d.host.net.NewTimer(d.host.owner, netem.KindDeadline, d.fire)
	}
	d.timer.ResetAt(at)
}

func (d *Deadline) fire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.expireLocked()
}

func (d *Deadline) expireLocked() {
	if !d.past {
		d.past = true
		close(d.done)
	}
}

func (d *Deadline) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
	}
}
