package tcp

import (
	"bytes"
	"os"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/waiter"

	"netlab/ip"
)

// SetUnsentLimit keeps little waiting to be sent, for senders that stop at a given time and don't want to leave much behind.
// It does for netlab what TCP_NOTSENT_LOWAT does on Linux. With a limit of n bytes, more than 0,
//
//   - the stack takes data in pieces of up to n bytes, while it holds less than three congestion windows, sent or not. So it
//     never runs out of data, not even while it repairs a loss, and about two windows and n bytes are not sent;
//   - Write returns when the stack has taken everything; what it has not taken at the write deadline is withdrawn and not
//     counted.
//
// The congestion window grows as it does without a limit. Where nothing is ever dropped it outgrows the peer's window, and more
// may wait, up to the largest send buffer. The size of the send buffer in the host's settings stays an upper
// bound. A piece begins a new segment, so n is best a multiple of the segment's size. 0 is no limit, the default. It must not
// be called during a Write.
func (c *Conn) SetUnsentLimit(n int) {
	b := c.backlog
	b.mu.Lock()
	defer b.mu.Unlock()
	b.piece = max(n, 0)
	b.mss = c.segment()
}

// segment is the data of a segment, or more if the peer or the path want less.
func (c *Conn) segment() int {
	local, remote := c.s.Local().Addr(), c.s.Remote().Addr()
	protocol := tcpip.NetworkProtocolNumber(ipv4.ProtocolNumber)
	if remote.Is6() {
		protocol = ipv6.ProtocolNumber
	}
	r, err := c.s.Host.Stack().FindRoute(0, tcpip.AddrFromSlice(local.AsSlice()), tcpip.AddrFromSlice(remote.AsSlice()), protocol, false)
	if err != nil {
		return header.TCPMaximumMSS
	}
	defer r.Release()
	return int(r.MTU()) - header.TCPMinimumSize
}

// limited says whether there is an unsent limit.
func (b *backlog) limited() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.piece > 0
}

// With an unsent limit the stack holds up to heldWindows times the congestion window: one window is on its way, and what is sent
// beyond it while old losses are repaired, without a word from the stack that there is room, takes up to two more. minWindow is
// the smallest window in segments that counts.
const (
	heldWindows = 3
	minWindow   = 2
)

// hand gives the stack p or, if there is an unsent limit, a piece of it. The stack knows of no such limit, so the size of its
// send buffer changes instead.
func (b *backlog) hand(p []byte) (int, tcpip.Error) {
	b.mu.Lock()
	piece, mss := b.piece, b.mss
	b.mu.Unlock()
	if piece > 0 {
		var info tcpip.TCPInfoOption
		if err := b.s.Endpoint.GetSockOpt(&info); err != nil {
			return 0, err
		}
		options := b.s.Endpoint.SocketOptions()
		most := int64(b.s.Host.TCP().SendBuffer)
		if most == 0 {
			most = int64(ip.MaxSendBuffer)
		}
		size := min(int64(max(info.SndCwnd, minWindow))*int64(heldWindows*mss), most)
		options.SetSendBufferSize(size, false)
		if b.s.Endpoint.Readiness(waiter.WritableEvents)&waiter.WritableEvents == 0 {
			// The stack says that there is room when less than half of the buffer is in use. A size above the largest it
			// would take back, and never say so.
			options.SetSendBufferSize(min(2*max(size-int64(piece), size/2), most), false)
			return 0, &tcpip.ErrWouldBlock{}
		}
		// There is room for all of the piece: one that is cut would make a short segment.
		p = p[:min(len(p), piece)]
		options.SetSendBufferSize(min(size+int64(piece), most), false)
	}
	n, err := b.s.Endpoint.Write(bytes.NewReader(p), tcpip.WriteOptions{})
	return int(n), err
}

// writeThrough writes p and waits until the stack has taken it. If it doesn't before the deadline or the end of the connection,
// the rest is withdrawn. Only one goroutine writes at a time.
func (b *backlog) writeThrough(p []byte) (int, error) {
	b.mu.Lock()
	if err := b.closedLocked(); err != nil {
		b.mu.Unlock()
		return 0, err
	}
	b.writes = append(b.writes, p)
	b.bytes += len(p)
	b.scheduleLocked()
	b.mu.Unlock()
	for {
		b.mu.Lock()
		left, err := b.bytes, b.err
		b.mu.Unlock()
		switch {
		case err != nil:
			return 0, err
		case left == 0:
			return len(p), nil
		}
		select {
		case <-b.room:
		case <-b.s.WriteDeadline().Done():
			return b.withdraw(len(p)), os.ErrDeadlineExceeded
		case <-b.s.Closed():
			return b.withdraw(len(p)), b.s.Err()
		case <-b.s.Host.Gone():
			return b.withdraw(len(p)), b.s.Err()
		}
	}
}

// withdraw takes the latest write, of size bytes, back and returns how many of them the stack took.
func (b *backlog) withdraw(size int) int {
	b.handing.Lock() // in real time the loop may just be handing it over
	defer b.handing.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	last := len(b.writes) - 1
	switch {
	case b.err != nil:
		return 0 // thrown away already
	case last < 0:
		return size
	}
	left := len(b.writes[last])
	b.writes, b.bytes = b.writes[:last], b.bytes-left
	if last == 0 {
		b.full.Store(false) // nothing waits for room any more, so that the end of the stream need not either
	}
	return size - left
}

// closedLocked returns why nothing can be written, or nil.
func (b *backlog) closedLocked() error {
	switch {
	case b.err != nil:
		return b.err
	case b.end:
		return ip.Errno(&tcpip.ErrClosedForSend{})
	}
	return nil
}
