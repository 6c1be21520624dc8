package netem

import (
	"encoding/binary"
	"time"
)

// Offsets in an Ethernet frame that carries IP.
const (
	etherHeader   = 14
	etherTypeAt   = 12
	EtherTypeIPv4 = 0x0800
	EtherTypeARP  = 0x0806
	EtherTypeIPv6 = 0x86dd

	frameRoom = 1536 // capacity of a pooled frame, enough for an MTU of 1500
	smallRoom = 128  // that of a small one, enough for an acknowledgement
)

// Frame is an Ethernet frame without frame check sequence. It has one owner at a time: whoever is handed it passes it on
// or releases it.
type Frame struct {
	// Data is the frame from the destination MAC address on.
	Data []byte
	// ID numbers the frames of a run from 1, in the order in which hosts and routers put them on the wire. Copies that a
	// switch floods keep it.
	ID uint64
	// Damaged says that the content is not what was sent: whoever receives it has to verify the checksums.
	Damaged bool

	e      *Engine
	room   []byte
	queued time.Duration // when it began to wait in a queue
	note   string        // what netlab did to it on the link that it is on, for a capture at the far end
	ruled  string        // what packet rules and the queue did to it on the link that it is on, for captures at both ends
}

// NewFrame returns a frame of n bytes whose content is not defined. Any goroutine may call it.
func (e *Engine) NewFrame(n int) *Frame {
	var f *Frame
	room := n
	if pool := e.pool(n); pool != nil {
		room = pool.room
		e.mu.Lock()
		if last := len(pool.free) - 1; last >= 0 {
			f = pool.free[last]
			pool.free = pool.free[:last]
		}
		e.mu.Unlock()
	}
	if f == nil {
		f = &Frame{e: e, room: make([]byte, room)}
	}
	f.Data = f.room[:n]
	f.ID, f.Damaged, f.note, f.ruled = 0, false, "", ""
	return f
}

// framePool holds frames that nobody uses.
type framePool struct {
	room int // capacity of each
	free []*Frame
}

// pool returns the pool for frames of n bytes, nil for those that are too large to be kept.
func (e *Engine) pool(n int) *framePool {
	switch {
	case n <= smallRoom:
		return &e.small
	case n <= frameRoom:
		return &e.full
	}
	return nil
}

// Clone returns a copy.
func (f *Frame) Clone() *Frame {
	c := f.e.NewFrame(len(f.Data))
	copy(c.Data, f.Data)
	c.ID, c.Damaged, c.note, c.ruled = f.ID, f.Damaged, f.note, f.ruled
	return c
}

// Release gives the frame's memory back. Nobody may use it afterwards.
func (f *Frame) Release() {
	f.Data = nil
	pool := f.e.pool(len(f.room))
	if pool == nil {
		return
	}
	f.e.mu.Lock()
	pool.free = append(pool.free, f)
	f.e.mu.Unlock()
}

// EtherType returns the type of the payload, 0 for a frame that is too short.
func (f *Frame) EtherType() uint16 {
	if len(f.Data) < etherHeader {
		return 0
	}
	return binary.BigEndian.Uint16(f.Data[etherTypeAt:])
}
