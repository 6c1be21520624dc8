package netlab

import (
	"context"
	"net"
	"strings"

	"netlab/ip"
	"netlab/tcp"
	"netlab/udp"
)

// Host is a host of a run, with the functions that programs expect of package net.
type Host struct {
	*ip.Host
	run *Run
}

// Dial connects to an address on network tcp, tcp4, tcp6, udp, udp4 or udp6.
func (h *Host) Dial(network, address string) (net.Conn, error) {
	return h.DialContext(context.Background(), network, address)
}

// DialContext is [Host.Dial] with a context; it fits into http.Transport.
func (h *Host) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	address, err := h.narrow(ctx, "dial", network, address)
	if err != nil {
		return nil, err
	}
	switch network {
	case "tcp", "tcp4", "tcp6":
		c, err := tcp.Dial(ctx, h.Host, address)
		if err != nil {
			return nil, err
		}
		return c, nil
	case "udp", "udp4", "udp6":
		c, err := udp.Dial(ctx, h.Host, address)
		if err != nil {
			return nil, err
		}
		return c, nil
	}
	return nil, ip.OpError("dial", network, nil, nil, net.UnknownNetworkError(network))
}

// Listen waits for TCP connections at ":port", "address:port" or "name:port".
func (h *Host) Listen(network, address string) (net.Listener, error) {
	address, err := h.narrow(context.Background(), "listen", network, address)
	if err != nil {
		return nil, err
	}
	switch network {
	case "tcp", "tcp4", "tcp6":
		l, err := tcp.Listen(h.Host, address)
		if err != nil {
			return nil, err
		}
		return l, nil
	}
	return nil, ip.OpError("listen", network, nil, nil, net.UnknownNetworkError(network))
}

// ListenPacket opens a UDP socket at ":port", "address:port" or "name:port".
func (h *Host) ListenPacket(network, address string) (net.PacketConn, error) {
	address, err := h.narrow(context.Background(), "listen", network, address)
	if err != nil {
		return nil, err
	}
	switch network {
	case "udp", "udp4", "udp6":
		c, err := udp.Listen(h.Host, address)
		if err != nil {
			return nil, err
		}
		return c, nil
	}
	return nil, ip.OpError("listen", network, nil, nil, net.UnknownNetworkError(network))
}

// narrow replaces the name in an address by its first address of the IP version that a network such as tcp4 asks for.
func (h *Host) narrow(ctx context.Context, op, network, address string) (string, error) {
	v6 := strings.HasSuffix(network, "6")
	if !v6 && !strings.HasSuffix(network, "4") {
		return address, nil
	}
	name, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", ip.OpError(op, network, nil, nil, err)
	}
	if name == "" {
		name = "0.0.0.0"
		if v6 {
			name = "::"
		}
		return net.JoinHostPort(name, port), nil
	}
	addrs, err := h.Resolve(ctx, name)
	if err != nil {
		return "", ip.OpError(op, network, nil, nil, err)
	}
	for _, a := range addrs {
		if a.Is6() == v6 {
			return net.JoinHostPort(a.String(), port), nil
		}
	}
	return "", ip.OpError(op, network, nil, nil, &net.AddrError{Err: "no address of that IP version", Addr: name})
}
