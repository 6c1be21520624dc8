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

// The buffers of a TCP connection that isn't told otherwise, and the limit up to which the stack tunes them.
const (
	DefaultSendBuffer    units.Bytes = 4 << 20
	DefaultReceiveBuffer units.Bytes = 1 << 20
	MaxBuffer            units.Bytes = 16 << 20
	minBuffer            units.Bytes = 4 << 10
)

// TCPConfig holds a host's TCP settings. The zero value is the default. The congestion control is CUBIC (RFC 9438).
type TCPConfig struct {
	// NoSACK switches selective acknowledgements (RFC 2018) off.
	NoSACK bool
	// NoRACK switches RACK-TLP (RFC 8985) off.
	NoRACK bool
	// Nagle delays small segments while others are unacknowledged (RFC 896).
	Nagle bool
	// SendBuffer and ReceiveBuffer are the sizes of a connection's buffers, 4KiB to 64MiB. 0 means DefaultSendBuffer
	// and DefaultReceiveBuffer, which the stack tunes up to MaxBuffer; other sizes stay as they are.
	SendBuffer, ReceiveBuffer units.Bytes
	// KeepAlive is the idle time after which probes start; 0 means that there are none.
	KeepAlive time.Duration
	// UserTimeout is how long data may stay unacknowledged (RFC 5482); 0 means the stack's retransmission limit.
	UserTimeout time.Duration
}

func (c TCPConfig) validate() error {
	for _, b := range []units.Bytes{c.SendBuffer, c.ReceiveBuffer} {
		if b != 0 && (b < minBuffer || b > 4*MaxBuffer) {
			return fmt.Errorf("buffer of %s: want %s to %s", b, minBuffer, 4*MaxBuffer)
		}
	}
	if c.KeepAlive < 0 || c.UserTimeout < 0 {
		return errors.New("keep-alive and user timeout can't be negative")
	}
	return nil
}

func (c TCPConfig) apply(s *stack.Stack) error {
	sack := tcpip.TCPSACKEnabled(!c.NoSACK)
	recovery := tcpip.TCPRACKLossDetection
	if c.NoRACK {
		recovery = 0
	}
	moderate := tcpip.TCPModerateReceiveBufferOption(c.ReceiveBuffer == 0)
	send := tcpip.TCPSendBufferSizeRangeOption{Min: int(minBuffer), Default: int(DefaultSendBuffer), Max: int(MaxBuffer)}
	if c.SendBuffer != 0 {
		send.Default, send.Max = int(c.SendBuffer), int(c.SendBuffer)
	}
	receive := tcpip.TCPReceiveBufferSizeRangeOption{Min: int(minBuffer), Default: int(DefaultReceiveBuffer), Max: int(MaxBuffer)}
	if c.ReceiveBuffer != 0 {
		receive.Default, receive.Max = int(c.ReceiveBuffer), int(c.ReceiveBuffer)
	}
	for _, opt := range []tcpip.SettableTransportProtocolOption{&sack, &recovery, &moderate, &send, &receive} {
		if err := s.SetTransportProtocolOption(tcp.ProtocolNumber, opt); err != nil {
			return fmt.Errorf("TCP option %T: %s", opt, err)
		}
	}
	return nil
}
