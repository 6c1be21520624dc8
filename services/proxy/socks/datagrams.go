package socks

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"sync/atomic"

	"netlab/services/proxy/access"
	"netlab/udp"
	"netlab/units"
)

// maxDatagram is more than the largest datagram.
const maxDatagram = 1 << 16

// association passes datagrams of a client on (RFC 1928, section 7). What comes to its port from the client's address goes to hosts, what
// comes from these goes to the client.
type association struct {
	*session
	socket *udp.Conn
	client netip.AddrPort // without a port until the client's first datagram
	// known are the hosts that the client has sent something to: from others it gets nothing.
	known map[netip.AddrPort]bool
}

// maxKnown is to how many hosts a client may send.
const maxKnown = 10_000

// associate passes datagrams on until the client's connection ends. from is where the client says that it will send from; that may be
// nothing.
func (s *session) associate(from address) {
	local := addrPort(s.conn.LocalAddr())
	socket, err := udp.Listen(s.env.Host, net.JoinHostPort(local.Addr().String(), "0"))
	if err != nil {
		s.usage.Failed = 1
		s.answer(generalFailure, netip.AddrPort{})
		return
	}
	a := &association{session: s, socket: socket, known: map[netip.AddrPort]bool{}}
	a.client = netip.AddrPortFrom(addrPort(s.conn.RemoteAddr()).Addr(), from.Port)
	s.usage.Tunnels = 1
	s.count(func(all *Result) { all.Associations++ })
	if s.answer(succeeded, addrPort(socket.LocalAddr())) != nil {
		socket.Close()
		return
	}
	var broken atomic.Bool
	done := make(chan struct{})
	s.env.Go(func() {
		defer close(done)
		if err := a.pass(); !errors.Is(err, net.ErrClosed) {
			broken.Store(true)
			s.conn.Abort()
		}
	})
	io.Copy(io.Discard, s.conn) // it ends with the client's stream
	socket.Close()
	<-done
	if broken.Load() && !s.env.Over(s.ctx) {
		s.usage.Failed = 1
	}
}

// pass passes datagrams on until the socket is closed.
func (a *association) pass() error {
	in, out := make([]byte, maxDatagram), make([]byte, 0, maxDatagram)
	for {
		n, from, err := a.socket.ReadFromAddrPort(in)
		if err != nil {
			return err
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		passed := false
		if from.Addr() == a.client.Addr() && (a.client.Port() == 0 || a.client.Port() == from.Port()) {
			a.client = from
			passed = a.up(in[:n])
		} else if a.known[from] {
			out = appendDatagram(out[:0], from, in[:n])
			_, err := a.socket.WriteToAddrPort(out, a.client)
			passed = err == nil
			a.usage.Received += units.Bytes(n)
		}
		a.count(func(all *Result) {
			if passed {
				all.Datagrams++
			} else {
				all.DatagramsDropped++
			}
		})
	}
}

// up passes a datagram from the client on and says whether it did.
func (a *association) up(datagram []byte) bool {
	to, content, err := parseDatagram(datagram)
	if err != nil || a.config.Check(access.Request{Host: to.host(), Port: to.Port}) != "" {
		return false
	}
	addr := to.Addr
	if to.Name != "" {
		ctx, cancel := a.env.WithTimeout(a.ctx, a.config.ConnectTimeout.Std())
		found, err := a.env.Host.Resolve(ctx, to.Name)
		cancel()
		if err != nil || len(found) == 0 {
			return false
		}
		addr = found[0]
	}
	target := netip.AddrPortFrom(addr.Unmap(), to.Port)
	if !a.known[target] && len(a.known) == maxKnown {
		return false
	}
	if _, err := a.socket.WriteToAddrPort(content, target); err != nil {
		return false
	}
	a.known[target] = true
	a.usage.Sent += units.Bytes(len(content))
	return true
}

// addrPort returns the address of a socket.
func addrPort(a net.Addr) netip.AddrPort {
	host, text, err := net.SplitHostPort(a.String())
	if err != nil {
		return netip.AddrPort{}
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.AddrPort{}
	}
	port, _ := strconv.ParseUint(text, 10, 16) // it is that of a socket
	return netip.AddrPortFrom(addr.Unmap(), uint16(port))
}
