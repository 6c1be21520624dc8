// Package proxyprotocol writes and reads the header with which a proxy tells a server who its client is: the PROXY protocol of HAProxy
// (Tarreau, "The PROXY protocol", versions 1 and 2, 2020). The header is the first thing on a connection, before anything of the
// client's; a server has to expect it, and must do so from proxies that it trusts only.
//
// Version 1 is a line of text, version 2 is binary. Only TCP is told of; of version 2 the additional fields (TLVs) are passed over.
package proxyprotocol

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
)

// The versions, as a file names them. "" is none.
const (
	V1 = "v1"
	V2 = "v2"
)

// signature begins a header of version 2.
const signature = "\r\n\r\n\x00\r\nQUIT\n"

const (
	maxLine  = 107 // of version 1, with its end
	maxTLVs  = 4096
	commandL = 0x20 // LOCAL: the proxy speaks for itself
	commandP = 0x21 // PROXY
	tcp4     = 0x11
	tcp6     = 0x21
)

// ErrHeader is returned for what is no header.
var ErrHeader = errors.New("not a PROXY protocol header")

// Validate returns an error unless version is "", V1 or V2.
func Validate(version string) error {
	switch version {
	case "", V1, V2:
		return nil
	}
	return fmt.Errorf("%q is not one of %s, %s", version, V1, V2)
}

// Encode returns the header of a version for a connection from source to destination: nothing for version "". Addresses of IPv4 in
// IPv6 are those of IPv4. Both must be of one IP version.
func Encode(version string, source, destination netip.AddrPort) ([]byte, error) {
	if err := Validate(version); err != nil || version == "" {
		return nil, err
	}
	from, to := source.Addr().Unmap(), destination.Addr().Unmap()
	if !from.IsValid() || from.Is4() != to.Is4() || !to.IsValid() {
		return nil, fmt.Errorf("a PROXY protocol header can't tell of a connection from %s to %s", source, destination)
	}
	if version == V1 {
		family := "TCP4"
		if from.Is6() {
			family = "TCP6"
		}
		return fmt.Appendf(nil, "PROXY %s %s %s %d %d\r\n", family, from, to, source.Port(), destination.Port()), nil
	}
	b := append([]byte(signature), commandP, tcp4)
	if from.Is6() {
		b[13] = tcp6
	}
	b = binary.BigEndian.AppendUint16(b, uint16(2*len(from.AsSlice())+4))
	b = append(b, from.AsSlice()...)
	b = append(b, to.AsSlice()...)
	b = binary.BigEndian.AppendUint16(b, source.Port())
	return binary.BigEndian.AppendUint16(b, destination.Port()), nil
}

// Read takes a header of either version from the beginning of a stream. source is invalid where the header tells of none: then the
// connection is the proxy's own, as for a health check. Anything else than a header is [ErrHeader].
func Read(r *bufio.Reader) (source, destination netip.AddrPort, err error) {
	first, err := r.Peek(1)
	switch {
	case err != nil:
		return source, destination, err
	case first[0] == signature[0]:
		return read2(r)
	}
	return read1(r)
}

func read1(r *bufio.Reader) (source, destination netip.AddrPort, err error) {
	var line []byte
	for {
		c, err := r.ReadByte()
		if err != nil {
			return source, destination, unexpected(err)
		}
		if line = append(line, c); c == '\n' {
			break
		}
		if len(line) == maxLine {
			return source, destination, ErrHeader
		}
	}
	text, ok := strings.CutSuffix(string(line), "\r\n")
	if !ok {
		return source, destination, ErrHeader
	}
	f := strings.Split(text, " ")
	if len(f) < 2 || f[0] != "PROXY" {
		return source, destination, ErrHeader
	}
	if f[1] == "UNKNOWN" {
		return source, destination, nil
	}
	if len(f) != 6 || f[1] != "TCP4" && f[1] != "TCP6" {
		return source, destination, ErrHeader
	}
	source, ok = endpoint(f[2], f[4], f[1] == "TCP4")
	if !ok {
		return netip.AddrPort{}, netip.AddrPort{}, ErrHeader
	}
	if destination, ok = endpoint(f[3], f[5], f[1] == "TCP4"); !ok {
		return netip.AddrPort{}, netip.AddrPort{}, ErrHeader
	}
	return source, destination, nil
}

func endpoint(address, port string, v4 bool) (netip.AddrPort, bool) {
	a, err := netip.ParseAddr(address)
	n, failed := strconv.ParseUint(port, 10, 16)
	if err != nil || failed != nil || a.Is4() != v4 || a.Zone() != "" || strconv.FormatUint(n, 10) != port {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(a, uint16(n)), true
}

func read2(r *bufio.Reader) (source, destination netip.AddrPort, err error) {
	var head [16]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return source, destination, unexpected(err)
	}
	command, family, size := head[12], head[13], int(binary.BigEndian.Uint16(head[14:]))
	if string(head[:12]) != signature || command != commandL && command != commandP || size > maxTLVs {
		return source, destination, ErrHeader
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		return source, destination, unexpected(err)
	}
	if command == commandL {
		return source, destination, nil
	}
	n := 4
	switch family {
	case tcp4:
	case tcp6:
		n = 16
	default:
		return source, destination, nil // not TCP: the header is skipped, as the specification wants it
	}
	if size < 2*n+4 {
		return source, destination, ErrHeader
	}
	from, _ := netip.AddrFromSlice(body[:n])
	to, _ := netip.AddrFromSlice(body[n : 2*n])
	return netip.AddrPortFrom(from, binary.BigEndian.Uint16(body[2*n:])), netip.AddrPortFrom(to, binary.BigEndian.Uint16(body[2*n+2:])), nil
}

// unexpected says that a stream ended within a header.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
