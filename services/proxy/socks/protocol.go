package socks

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
)

const (
	version     = 5 // RFC 1928
	authVersion = 1 // of RFC 1929
)

// The methods of authentication (RFC 1928, section 3).
const (
	noAuthentication = 0x00
	userPassword     = 0x02
	noneAcceptable   = 0xff
)

// command is what a client wants (RFC 1928, section 4).
type command byte

const (
	connect      command = 1
	bind         command = 2
	udpAssociate command = 3
)

// reply says how it went (RFC 1928, section 6).
type reply byte

const (
	succeeded          reply = 0
	generalFailure     reply = 1
	notAllowed         reply = 2
	networkUnreachable reply = 3
	hostUnreachable    reply = 4
	connectionRefused  reply = 5
	ttlExpired         reply = 6
	commandUnknown     reply = 7
	addressTypeUnknown reply = 8
)

// The types of addresses (RFC 1928, section 5).
const (
	typeIPv4 = 1
	typeName = 3
	typeIPv6 = 4
)

// maxName is how long a name may be: its length is a byte.
const maxName = 255

var (
	errVersion     = errors.New("the client doesn't speak SOCKS version 5")
	errAddressType = errors.New("the type of the address is unknown")
	errName        = errors.New("the name is no name of a host")
	errFragment    = errors.New("the datagram is a fragment")
	errShort       = errors.New("the datagram is too short")
)

// address is a host and a port. Either Addr is valid, or Name is not empty.
type address struct {
	Name string
	Addr netip.Addr
	Port uint16
}

// host returns the name, or the address as a text.
func (a address) host() string {
	if a.Name != "" {
		return a.Name
	}
	return a.Addr.String()
}

// String returns "host:port".
func (a address) String() string { return net.JoinHostPort(a.host(), strconv.Itoa(int(a.Port))) }

// append writes an address as messages have it.
func (a address) append(b []byte) []byte {
	switch {
	case a.Name != "":
		b = append(b, typeName, byte(len(a.Name)))
		b = append(b, a.Name...)
	case a.Addr.Is4():
		b = append(b, typeIPv4)
		b = append(b, a.Addr.AsSlice()...)
	default:
		b = append(b, typeIPv6)
		b = append(b, a.Addr.AsSlice()...)
	}
	return append(b, byte(a.Port>>8), byte(a.Port))
}

// readGreeting reads the methods of authentication that a client offers. It reads no byte too many, and neither do the others.
func readGreeting(r io.Reader) (methods []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	if head[0] != version {
		return nil, errVersion
	}
	methods = make([]byte, head[1])
	_, err = io.ReadFull(r, methods)
	return methods, err
}

// readLogin reads a user's name and password (RFC 1929).
func readLogin(r io.Reader) (name, password string, err error) {
	var head [1]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return "", "", err
	}
	if head[0] != authVersion {
		return "", "", fmt.Errorf("found version %d of the login, wanted %d", head[0], authVersion)
	}
	if name, err = readText(r); err != nil {
		return "", "", err
	}
	password, err = readText(r)
	return name, password, err
}

// readText reads a text behind its length.
func readText(r io.Reader) (string, error) {
	var length [1]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return "", err
	}
	text := make([]byte, length[0])
	_, err := io.ReadFull(r, text)
	return string(text), err
}

// readRequest reads what a client wants. A command may be one that there isn't.
func readRequest(r io.Reader) (command, address, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, address{}, err
	}
	if head[0] != version {
		return 0, address{}, errVersion
	}
	a, err := readAddress(r, head[3])
	return command(head[1]), a, err
}

// readAddress reads an address of a type.
func readAddress(r io.Reader, kind byte) (a address, err error) {
	size := 0
	switch kind {
	case typeIPv4:
		size = 4
	case typeIPv6:
		size = 16
	case typeName:
		if a.Name, err = readText(r); err != nil {
			return address{}, err
		}
	default:
		return address{}, errAddressType
	}
	b := make([]byte, size+2)
	if _, err := io.ReadFull(r, b); err != nil {
		return address{}, err
	}
	a.Port = uint16(b[size])<<8 | uint16(b[size+1])
	if kind != typeName {
		a.Addr, _ = netip.AddrFromSlice(b[:size])
		a.Addr = a.Addr.Unmap()
		return a, nil
	}
	return a.named()
}

// named checks the name of an address. One that is an address as a text becomes one.
func (a address) named() (address, error) {
	if addr, err := netip.ParseAddr(a.Name); err == nil && addr.Zone() == "" {
		return address{Addr: addr.Unmap(), Port: a.Port}, nil
	}
	for _, c := range []byte(a.Name) {
		if c <= ' ' || c >= 0x7f || c == ':' || c == '/' || c == '[' || c == ']' {
			return address{}, errName
		}
	}
	if a.Name == "" {
		return address{}, errName
	}
	return a, nil
}

// appendReply writes an answer to a request, with the address that the proxy uses for it.
func appendReply(b []byte, r reply, bound netip.AddrPort) []byte {
	b = append(b, version, byte(r), 0)
	addr := bound.Addr().Unmap()
	if !addr.IsValid() {
		addr = netip.IPv4Unspecified()
	}
	return address{Addr: addr, Port: bound.Port()}.append(b)
}

// parseDatagram takes a datagram from a client apart (RFC 1928, section 7). Fragments are refused, as the RFC allows.
func parseDatagram(b []byte) (to address, content []byte, err error) {
	const head = 4
	if len(b) < head {
		return address{}, nil, errShort
	}
	if b[2] != 0 {
		return address{}, nil, errFragment
	}
	rest := &rest{b[head:]}
	if to, err = readAddress(rest, b[3]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			err = errShort
		}
		return address{}, nil, err
	}
	return to, rest.b, nil
}

// appendDatagram writes the header of a datagram to a client, with where it came from.
func appendDatagram(b []byte, from netip.AddrPort, content []byte) []byte {
	b = append(b, 0, 0, 0)
	b = address{Addr: from.Addr().Unmap(), Port: from.Port()}.append(b)
	return append(b, content...)
}

// rest is what is left to read of some bytes.
type rest struct{ b []byte }

// Read implements io.Reader.
func (r *rest) Read(b []byte) (int, error) {
	if len(r.b) == 0 && len(b) > 0 {
		return 0, io.EOF
	}
	n := copy(b, r.b)
	r.b = r.b[n:]
	return n, nil
}
