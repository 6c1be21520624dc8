package netlab

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// relaySize is how much is passed on at once, and how much of a connection may wait in the lab to be sent beyond its congestion
// windows: what programs outside see of their progress is that of the lab.
const relaySize = 256 << 10

// relay passes on what from sends until its stream ends, and then ends that to to. When either connection breaks, the other one
// is reset.
func relay(to, from stream) {
	// Neither side is to choose the size of the buffer.
	_, err := io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, relaySize))
	if err == nil {
		err = to.CloseWrite()
	}
	if err != nil {
		to.Abort()
		from.Abort()
	}
}

// natIdle is how long a mapping stays without a datagram: the least that RFC 4787 allows (section 4.3).
const natIdle = 2 * time.Minute

// maxDatagram is more than UDP carries.
const maxDatagram = 1 << 16

// nat passes datagrams between programs outside and one target in the lab. Each address and port outside has a socket of its own
// in the lab (RFC 4787, section 4.1), so that answers find back. What can't be passed on is lost, as on any network.
type nat struct {
	outside net.PacketConn
	dial    func() (net.Conn, error) // a socket in the lab whose peer is the target
	idle    time.Duration
	log     *slog.Logger

	mu      sync.Mutex
	sockets map[netip.AddrPort]*natSocket // by the address and port outside
	open    sync.WaitGroup
}

// natSocket is a socket in the lab.
type natSocket struct {
	net.Conn
	until time.Time // when it is given up
}

// extend puts off the time when the socket is given up.
func (s *natSocket) extend(idle time.Duration) error {
	s.until = time.Now().Add(idle)
	return s.SetReadDeadline(s.until)
}

// serve passes datagrams on until outside is closed, and returns the error of reading from it when nothing is left.
func (n *nat) serve() error {
	defer n.open.Wait()
	n.sockets = map[netip.AddrPort]*natSocket{}
	defer n.closeAll()
	buffer := make([]byte, maxDatagram)
	for {
		size, from, err := n.outside.ReadFrom(buffer)
		if err != nil {
			return err
		}
		if err := n.send(buffer[:size], from); err != nil {
			n.log.Warn("a datagram is lost", "error", err)
		}
	}
}

// send passes a datagram into the lab.
func (n *nat) send(data []byte, from net.Addr) error {
	inside, err := n.socket(from)
	if err != nil {
		return err
	}
	_, err = inside.Write(data)
	if errors.Is(err, net.ErrClosed) { // it was given up just now
		if inside, err = n.socket(from); err == nil {
			_, err = inside.Write(data)
		}
	}
	return err
}

// socket returns the socket in the lab of an address outside, and makes one if there is none.
func (n *nat) socket(from net.Addr) (*natSocket, error) {
	peer := from.(*net.UDPAddr).AddrPort()
	n.mu.Lock()
	defer n.mu.Unlock()
	if inside := n.sockets[peer]; inside != nil {
		return inside, inside.extend(n.idle)
	}
	conn, err := n.dial()
	if err != nil {
		return nil, err
	}
	inside := &natSocket{Conn: conn}
	n.sockets[peer] = inside
	n.open.Go(func() { n.answers(inside, from, peer) })
	return inside, inside.extend(n.idle)
}

// answers passes datagrams from the lab on until the socket was idle for too long or is closed.
func (n *nat) answers(inside *natSocket, to net.Addr, peer netip.AddrPort) {
	buffer := make([]byte, maxDatagram)
	for {
		size, err := inside.Read(buffer)
		var timeout net.Error
		switch {
		case err == nil:
			if _, err := n.outside.WriteTo(buffer[:size], to); err != nil {
				n.log.Warn("a datagram is lost", "error", err)
			}
			n.mu.Lock()
			_ = inside.extend(n.idle)
			n.mu.Unlock()
		case errors.Is(err, net.ErrClosed):
			return
		case errors.As(err, &timeout) && timeout.Timeout():
			if n.giveUp(inside, peer) {
				return
			}
		default: // such as ICMP's "port unreachable", which the machine has no way to tell the program
			n.log.Warn("a datagram was refused", "error", err)
		}
	}
}

// giveUp closes a socket that was idle for too long. It says whether it was: a datagram may have come just now.
func (n *nat) giveUp(inside *natSocket, peer netip.AddrPort) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if time.Now().Before(inside.until) {
		return false
	}
	delete(n.sockets, peer)
	inside.Close()
	return true
}

// closeAll closes all sockets in the lab.
func (n *nat) closeAll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, inside := range n.sockets {
		inside.Close()
	}
}
