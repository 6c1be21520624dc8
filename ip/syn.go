package ip

import (
	"fmt"

	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// SYNCookies says when a listener answers SYNs with cookies (RFC 4987, section 3.6): sequence numbers that say all that it has to know of
// a connection, so that it keeps nothing until the peer has proved that it is there. Such connections have neither window scaling nor
// SACK.
type SYNCookies string

const (
	// CookiesAuto sends cookies while the queue of half-open connections is full. It is the default.
	CookiesAuto SYNCookies = "auto"
	// CookiesAlways sends nothing else.
	CookiesAlways SYNCookies = "always"
	// CookiesNever drops SYNs while the queue is full.
	CookiesNever SYNCookies = "never"
)

// DefaultBacklog is how many connections may be half-open, and how many may wait to be accepted, as net.core.somaxconn of Linux.
const DefaultBacklog = 4096

const maxBacklog = 1 << 16

func (c TCPConfig) validateListen() error {
	if c.Backlog < 0 || c.Backlog > maxBacklog {
		return fmt.Errorf("backlog of %d: want 1 to %d", c.Backlog, maxBacklog)
	}
	switch c.SYNCookies {
	case "", CookiesAuto, CookiesAlways, CookiesNever:
		return nil
	}
	return fmt.Errorf("SYN cookies %q: want %s, %s or %s", c.SYNCookies, CookiesAuto, CookiesAlways, CookiesNever)
}

// ListenBacklog is how many connections of a listener may be half-open, and how many may wait to be accepted.
func (c TCPConfig) ListenBacklog() int {
	if c.Backlog == 0 {
		return DefaultBacklog
	}
	return c.Backlog
}

// SendSYN sends the first segment of a TCP connection from any source, which need not be the host: that is what an attacker does who
// wants half-open connections. It goes the way that the host's routes say, without options. A packet without a route vanishes.
func (h *Host) SendSYN(flow Flow, sequence uint32) {
	h.Later(uint64(flow.Source.Port()), func() {
		if !h.Alive() {
			return
		}
		w := h.forwards()
		w.router.segment(h.net.Elapsed(), fromNetip(flow.Source.Addr()), fromNetip(flow.Destination.Addr()), &header.TCPFields{
			SrcPort: flow.Source.Port(), DstPort: flow.Destination.Port(), SeqNum: sequence, Flags: header.TCPFlagSyn,
			DataOffset: header.TCPMinimumSize, WindowSize: 65535})
	})
}
