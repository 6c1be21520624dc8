package netlab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"

	"netlab/tcp"
	"netlab/topology"
	"netlab/topology/plan"
	"netlab/udp"
)

// While services start, in the first startTime of a run, a connection that is refused is tried again every retryPause.
const (
	startTime  = time.Second
	retryPause = 10 * time.Millisecond
)

// acceptPause is how long a forward waits when the machine has no room for another connection, for one to end.
const acceptPause = 10 * time.Millisecond

// forward is a [Forward] that is open.
type forward struct {
	Forward
	forwardParts
	from, to int     // nodes
	families [2]bool // the IP versions by which the one reaches the other

	connections *net.TCPListener // one of these is set
	datagrams   *net.UDPConn
}

// openForwards listens on the machine. When it fails nothing is left open.
func openForwards(list []*forward) error {
	for _, f := range list {
		if err := f.open(); err != nil {
			closeForwards(list)
			return &ForwardError{f.Forward, err}
		}
	}
	return nil
}

func closeForwards(list []*forward) {
	for _, f := range list {
		f.close()
	}
}

func (f *forward) open() (err error) {
	var local net.Addr
	if f.network == "udp" {
		if f.datagrams, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(f.listen)); err != nil {
			return err
		}
		local = f.datagrams.LocalAddr()
	} else {
		if f.connections, err = net.ListenTCP("tcp", net.TCPAddrFromAddrPort(f.listen)); err != nil {
			return err
		}
		local = f.connections.Addr()
	}
	f.Listen = local.String()
	return nil
}

// close stops listening. It may be called again.
func (f *forward) close() {
	if f.connections != nil {
		f.connections.Close()
	}
	if f.datagrams != nil {
		f.datagrams.Close()
	}
}

// Forwards returns the forwards of the run, with the ports that the machine chose and the hosts that were.
func (r *Run) Forwards() []Forward {
	var list []Forward
	for _, f := range r.forwards {
		list = append(list, f.Forward)
	}
	return list
}

// startForwards lets programs outside in.
func (r *Run) startForwards() {
	for _, f := range r.forwards {
		r.services.Add(1)
		go func() {
			defer r.services.Done()
			r.guard("the forward "+f.String(), func() error {
				defer context.AfterFunc(r.ctx, f.close)()
				if f.network == "udp" {
					return r.forwardDatagrams(f)
				}
				return r.forwardConnections(f)
			})
		}()
		if r.options.Forwarding != nil {
			r.options.Forwarding(f.Forward)
		}
	}
}

// forwardConnections accepts connections until the run ends and passes on what travels on them.
func (r *Run) forwardConnections(f *forward) error {
	var open sync.WaitGroup
	defer open.Wait()
	for {
		outside, err := f.connections.AcceptTCP()
		switch {
		case err == nil:
			open.Go(func() { r.guard("the forward "+f.String(), func() error { return r.forwardConnection(f, outside) }) })
		case r.ctx.Err() != nil:
			return nil
		case isExhausted(err):
			r.log.Warn("forward "+f.String(), "error", err)
			_ = r.Sleep(acceptPause)
		default:
			return fmt.Errorf("forward %s: %w", f, err)
		}
	}
}

// isExhausted says whether an error of accept passes when connections end.
func isExhausted(err error) bool {
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// forwardConnection connects to the target and passes on what travels either way until both streams have ended, one of the
// connections breaks, or the run ends. What goes wrong with a connection is no error of the run's.
func (r *Run) forwardConnection(f *forward, outside *net.TCPConn) error {
	out := outsideConn{outside}
	defer outside.Close()
	inside, err := r.dialForward(f)
	if err != nil {
		r.log.Warn("forward "+f.String(), "error", err)
		out.Abort()
		return nil
	}
	defer inside.Close()
	inside.SetUnsentLimit(relaySize)
	defer context.AfterFunc(r.ctx, func() {
		inside.Abort()
		out.Abort()
	})()
	var back sync.WaitGroup
	back.Go(func() { r.guard("the forward "+f.String(), func() error { relay(out, inside); return nil }) })
	relay(inside, out)
	back.Wait()
	return nil
}

// dialForward connects the host that takes the part of a program outside to the target.
func (r *Run) dialForward(f *forward) (*tcp.Conn, error) {
	for {
		var first error
		for _, a := range r.forwardAddresses(f) {
			c, err := tcp.Dial(r.ctx, r.nodes[f.from].host(), a)
			if err == nil {
				return c, nil
			}
			if first == nil {
				first = err
			}
		}
		if !errors.Is(first, syscall.ECONNREFUSED) || r.Elapsed() > startTime {
			return nil, first
		}
		if err := r.Sleep(retryPause); err != nil {
			return nil, err
		}
	}
}

// forwardDatagrams passes datagrams on until the run ends.
func (r *Run) forwardDatagrams(f *forward) error {
	n := &nat{outside: f.datagrams, idle: natIdle, log: r.log.With("forward", f.String()),
		dial: func() (net.Conn, error) {
			c, err := udp.Dial(r.ctx, r.nodes[f.from].host(), r.forwardAddresses(f)[0])
			if err != nil {
				return nil, err
			}
			return c, nil
		}}
	err := n.serve()
	if r.ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("forward %s: %w", f, err)
}

// forwardAddresses returns the addresses of a forward's target that the host that connects may try, best first. There is at
// least one, because it reaches the target.
func (r *Run) forwardAddresses(f *forward) []string {
	var preferred, others []string
	for _, a := range r.names.Lookup(r.nodes[f.to].name) {
		text := net.JoinHostPort(a.String(), strconv.Itoa(int(f.port)))
		switch {
		case a.Is4() && !f.families[plan.IPv4], a.Is6() && !f.families[plan.IPv6]:
		case a.Is6() == (r.nodes[f.from].config.Prefer == topology.IPv6Only):
			preferred = append(preferred, text)
		default:
			others = append(others, text)
		}
	}
	return append(preferred, others...)
}

// stream is a connection whose directions end one by one.
type stream interface {
	net.Conn
	CloseWrite() error
	// Abort resets the connection.
	Abort() error
}

var (
	_ stream = outsideConn{}
	_ stream = (*tcp.Conn)(nil)
)

// outsideConn is a connection of the machine.
type outsideConn struct{ *net.TCPConn }

// Abort implements stream.
func (c outsideConn) Abort() error {
	_ = c.SetLinger(0)
	return c.Close()
}
