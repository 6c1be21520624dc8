package netlab

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Forward lets programs of the machine, such as a browser, talk to a lab that runs in real time: a port of the machine's
// loopback from which connections and datagrams are passed on to a port of a host.
//
// Nothing teleports: a host of the lab takes the program's part. It opens a connection of its own for each that the program
// opens, and what comes from outside travels as its packets. Programs outside see the addresses of the machine, those in the lab
// the addresses of that host; a TCP connection has two handshakes, one outside and one in the lab. The end of a stream in either
// direction, a reset, and that nobody reads for a while are passed on.
//
// Datagrams are passed on as by a NAT (RFC 4787): a program's port has a port of its own in the lab, which is given up after
// two minutes without a datagram.
type Forward struct {
	// Network is "tcp" or "udp". Empty means tcp.
	Network string
	// Listen is the address and the port that programs outside connect to, such as "127.0.0.1:8443", "[::1]:8443" or
	// "localhost:8443", which is 127.0.0.1. Other addresses than those of the loopback are refused: the machine's neighbours
	// are not to get into a lab by accident. Port 0 lets the machine choose one.
	Listen string
	// From is the host of the lab that takes the program's part. Empty means the first one in file order that isn't the target
	// and reaches it.
	From string
	// To is the target: the name of a host and a port, such as "web:443". Its address is that of the lab's hosts table, also
	// where the lab has name servers.
	To string
}

// ForwardError is why there can't be a [Forward].
type ForwardError struct {
	Forward Forward
	Err     error
}

// Error implements error.
func (e *ForwardError) Error() string { return fmt.Sprintf("forward %s: %v", e.Forward, e.Err) }

// Unwrap returns the reason.
func (e *ForwardError) Unwrap() error { return e.Err }

// The networks of forwards.
var forwardNetworks = []string{"tcp", "udp"}

// ParseForward reads "[tcp:|udp:][ADDRESS:]PORT=[FROM@]HOST:PORT", as the flag --forward has it: "8443=web:443" or
// "udp:127.0.0.1:5353=client@ns:53". Without an address it is 127.0.0.1. Whether the lab has the hosts is another question.
func ParseForward(text string) (Forward, error) {
	fail := func(err error) (Forward, error) { return Forward{}, fmt.Errorf("%q is not a forward: %w", text, err) }
	f := Forward{Network: "tcp"}
	rest := text
	if network, after, ok := strings.Cut(text, ":"); ok && slices.Contains(forwardNetworks, network) {
		f.Network, rest = network, after
	}
	var ok bool
	if f.Listen, f.To, ok = strings.Cut(rest, "="); !ok || f.Listen == "" || f.To == "" {
		return fail(errors.New(`want [ADDRESS:]PORT=HOST:PORT, such as "8443=web:443"`))
	}
	if !strings.Contains(f.Listen, ":") {
		f.Listen = "127.0.0.1:" + f.Listen
	}
	if from, to, ok := strings.Cut(f.To, "@"); ok {
		if from == "" {
			return fail(errors.New(`want the name of a host before the @, such as "8443=client@web:443"`))
		}
		f.From, f.To = from, to
	}
	if _, err := f.read(); err != nil {
		return fail(err)
	}
	return f, nil
}

// String returns the forward as [ParseForward] reads it.
func (f Forward) String() string {
	text := f.Listen + "="
	if f.Network != "" && f.Network != "tcp" {
		text = f.Network + ":" + text
	}
	if f.From != "" {
		text += f.From + "@"
	}
	return text + f.To
}

// forwardParts are the parts of a forward, read.
type forwardParts struct {
	network string
	listen  netip.AddrPort
	host    string
	port    uint16
}

// read checks what can be checked without a lab.
func (f Forward) read() (p forwardParts, err error) {
	p.network = f.Network
	if p.network == "" {
		p.network = "tcp"
	}
	if !slices.Contains(forwardNetworks, p.network) {
		return p, fmt.Errorf("network %q: want tcp or udp", f.Network)
	}
	listen := f.Listen
	if port, ok := strings.CutPrefix(listen, "localhost:"); ok {
		listen = "127.0.0.1:" + port
	}
	if p.listen, err = netip.ParseAddrPort(listen); err != nil {
		return p, fmt.Errorf("%q is no place to listen: want an address of the loopback and a port from 0 to 65535, such as "+
			"\"127.0.0.1:8443\"", f.Listen)
	}
	if !p.listen.Addr().IsLoopback() {
		return p, fmt.Errorf("%s is not an address of the loopback, and other machines might reach the lab there: want 127.0.0.1 or [::1]",
			p.listen.Addr())
	}
	host, port, err := net.SplitHostPort(f.To)
	if err != nil || host == "" {
		return p, fmt.Errorf("%q is no target: want the name of a host and a port, such as \"web:443\"", f.To)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 {
		return p, fmt.Errorf("port %q of the target: want a number from 1 to 65535", port)
	}
	p.host, p.port = host, uint16(number)
	return p, nil
}
