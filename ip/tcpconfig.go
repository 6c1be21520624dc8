package ip

import (
	"errors"
	"fmt"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"

	"netlab/units"
)

// The buffers of a TCP connection that isn't told otherwise, and the limits up to which the stack tunes them.
const (
	DefaultSendBuffer    units.Bytes = 4 << 20
	DefaultReceiveBuffer units.Bytes = 512 << 10
	MaxSendBuffer        units.Bytes = 16 << 20
	MaxReceiveBuffer     units.Bytes = 8 << 20
	minBuffer            units.Bytes = 4 << 10
	maxBuffer            units.Bytes = 64 << 20
)

// overhead is by how much the stack's receive buffer is larger than the data that it holds: it offers half of it as window, and
// the other half is for what each segment weighs besides. Linux doubles SO_RCVBUF for the same reason.
const overhead = 2

// TCPConfig holds a host's TCP settings. The zero value is the default. The congestion control is CUBIC (RFC 9438).
type TCPConfig struct {
	// NoSACK switches selective acknowledgements (RFC 2018) off.
	NoSACK bool
	// NoRACK switches RACK-TLP (RFC 8985) off.
	NoRACK bool
	// Nagle delays small segments while others are unacknowledged (RFC 896).
	Nagle bool
	// SendBuffer limits the data that is sent and not acknowledged yet, or waits in the stack to be sent, 4KiB to 64MiB. A
	// full buffer is filled up again when less than half of it is left. 0 means DefaultSendBuffer, which the stack tunes up
	// to MaxSendBuffer; other sizes stay as they are.
	SendBuffer units.Bytes
	// ReceiveBuffer limits the data that has arrived and was not read yet, and so the window that is offered, 4KiB to
	// 64MiB. 0 means DefaultReceiveBuffer, which the stack tunes up to MaxReceiveBuffer; other sizes stay as they are.
	ReceiveBuffer units.Bytes
	// KeepAlive is the time without a segment from the peer after which a probe is sent, and that between unanswered
	// probes. After nine of them the connection is given up. 0 means that there are none.
	KeepAlive time.Duration
	// UserTimeout is how long data may stay unacknowledged (RFC 5482); 0 means the stack's limit of 15 retransmissions. With
	// RACK-TLP, the time of a single segment counts from its tail loss probe.
	UserTimeout time.Duration
	// Backlog is how many connections of a listener may be half-open, and how many may wait to be accepted, 1 to 65536. 0 means
	// DefaultBacklog.
	Backlog int
	// SYNCookies says what happens when so many are half-open. Empty means CookiesAuto.
	SYNCookies SYNCookies
}

func (c TCPConfig) validate() error {
	for _, b := range []units.Bytes{c.SendBuffer, c.ReceiveBuffer} {
		if b != 0 && (b < minBuffer || b > maxBuffer) {
			return fmt.Errorf("buffer of %s: want %s to %s", b, minBuffer, maxBuffer)
		}
	}
	if c.KeepAlive < 0 || c.UserTimeout < 0 {
		return errors.New("keep-alive and user timeout can't be negative")
	}
	return c.validateListen()
}

func (c TCPConfig) apply(s *stack.Stack) error {
	sack := tcpip.TCPSACKEnabled(!c.NoSACK)
	recovery := tcpip.TCPRACKLossDetection
	if c.NoRACK {
		recovery = 0
	}
	moderate := tcpip.TCPModerateReceiveBufferOption(c.ReceiveBuffer == 0)
	send := tcpip.TCPSendBufferSizeRangeOption{Min: int(minBuffer), Default: int(DefaultSendBuffer), Max: int(MaxSendBuffer)}
	if c.SendBuffer != 0 {
		send.Default, send.Max = int(c.SendBuffer), int(c.SendBuffer)
	}
	receive := tcpip.TCPReceiveBufferSizeRangeOption{Min: int(overhead * minBuffer), Default: int(overhead * DefaultReceiveBuffer),
		Max: int(overhead * MaxReceiveBuffer)}
	if c.ReceiveBuffer != 0 {
		receive.Default, receive.Max = int(overhead*c.ReceiveBuffer), int(overhead*c.ReceiveBuffer)
	}
	cookies := tcpip.TCPAlwaysUseSynCookies(c.SYNCookies == CookiesAlways)
	for _, opt := range []tcpip.SettableTransportProtocolOption{&sack, &recovery, &moderate, &send, &receive, &cookies} {
		if err := s.SetTransportProtocolOption(tcp.ProtocolNumber, opt); err != nil {
			return fmt.Errorf("TCP option %T: %s", opt, err)
		}
	}
	return nil
}
