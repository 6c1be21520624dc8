package captures

import (
	"fmt"
	"io"
	"math"
	"time"
)

// Writer writes a pcapng file: each call writes one whole block with one call of the underlying writer. It is not safe for
// use by several goroutines. Once a write failed the file may end within a block; [NewReader] reads it up to there.
type Writer struct {
	w           io.Writer
	snapLengths []int
	buf         []byte
}

// NewWriter writes the section header.
func NewWriter(w io.Writer, s Section) (*Writer, error) {
	for _, text := range append([]string{s.Application}, s.Comments...) {
		if err := checkText("text of the section", text); err != nil {
			return nil, err
		}
	}
	p := &Writer{w: w}
	return p, p.write(appendSection(nil, &s))
}

// AddInterface describes an interface and returns its number, which packets refer to.
func (p *Writer) AddInterface(d InterfaceDescription) (int, error) {
	if err := d.validate(); err != nil {
		return 0, err
	}
	if err := p.write(appendInterface(p.buf[:0], &d)); err != nil {
		return 0, err
	}
	p.snapLengths = append(p.snapLengths, d.SnapLength)
	return len(p.snapLengths) - 1, nil
}

// WritePacket writes a packet of an interface that was added before. No more than the interface's snap length is kept of
// it.
func (p *Writer) WritePacket(packet *Packet) error {
	if err := p.checkInterface(packet.Interface); err != nil {
		return err
	}
	if err := checkText("comment of a packet", packet.Comment); err != nil {
		return err
	}
	length, err := wireLength(packet)
	if err != nil {
		return err
	}
	ns, err := timestamp(packet.Time)
	if err != nil {
		return err
	}
	data := packet.Data
	if snap := p.snapLengths[packet.Interface]; snap > 0 && len(data) > snap {
		data = data[:snap]
	}
	h := packetHead{
		iface: uint32(packet.Interface), ns: ns, length: length, id: packet.ID,
		directed: packet.Directed, dir: packet.Direction, comment: packet.Comment,
	}
	p.buf = appendPacket(p.buf[:0], &h, data)
	return p.write(p.buf)
}

// WriteNames writes the names of IPv4 and IPv6 addresses.
func (p *Writer) WriteNames(names []Name) error {
	for _, n := range names {
		if err := n.validate(); err != nil {
			return err
		}
	}
	return p.write(appendNames(nil, names))
}

// WriteSecrets writes secrets. They must precede the packets that need them.
func (p *Writer) WriteSecrets(s Secrets) error {
	if s.Type == 0 {
		s.Type = SecretsTLS
	}
	if len(s.Data) > maxBlock-20 {
		return fmt.Errorf("captures: %d bytes of secrets do not fit into a block", len(s.Data))
	}
	return p.write(appendSecrets(nil, s.Type, s.Data))
}

// WriteStatistics writes what an interface counted. It belongs at the end.
func (p *Writer) WriteStatistics(s Statistics) error {
	if err := p.checkInterface(s.Interface); err != nil {
		return err
	}
	for _, at := range []time.Time{s.Time, s.Start, s.End} {
		if _, err := timestamp(at); err != nil && !at.IsZero() {
			return err
		}
	}
	if s.Time.IsZero() {
		s.Time = time.Unix(0, 0)
	}
	return p.write(appendStatistics(nil, &s))
}

func (p *Writer) checkInterface(i int) error {
	if i < 0 || i >= len(p.snapLengths) {
		return fmt.Errorf("captures: interface %d: the file has %d", i, len(p.snapLengths))
	}
	return nil
}

func (p *Writer) write(b []byte) error {
	if _, err := p.w.Write(b); err != nil {
		return fmt.Errorf("captures: write: %w", err)
	}
	return nil
}

// validate says what of a description can't be written.
func (d *InterfaceDescription) validate() error {
	if len(d.MAC) != 0 && len(d.MAC) != 6 {
		return fmt.Errorf("captures: interface %s: MAC address of %d bytes: want 6", d.Name, len(d.MAC))
	}
	if d.SnapLength < 0 || d.SnapLength > math.MaxInt32 {
		return fmt.Errorf("captures: interface %s: snap length %d: want 0 to %d", d.Name, d.SnapLength, math.MaxInt32)
	}
	if d.Speed < 0 {
		return fmt.Errorf("captures: interface %s: negative speed", d.Name)
	}
	for _, text := range []string{d.Name, d.Description, "\x00" + d.Filter} {
		if err := checkText("text of an interface", text); err != nil {
			return err
		}
	}
	return nil
}

// validate says why a name can't be written.
func (n Name) validate() error {
	if !n.Addr.IsValid() {
		return fmt.Errorf("captures: name %q has no address", n.Name)
	}
	if n.Name == "" {
		return fmt.Errorf("captures: address %s has no name", n.Addr)
	}
	for _, c := range []byte(n.Name) {
		if c == 0 {
			return fmt.Errorf("captures: name %q of %s holds a zero byte", n.Name, n.Addr)
		}
	}
	if len(n.Name) > 255 {
		return fmt.Errorf("captures: name of %s is %d bytes long: want at most 255", n.Addr, len(n.Name))
	}
	return nil
}

func checkText(what, text string) error {
	if len(text) > maxOption {
		return fmt.Errorf("captures: %s is %d bytes long: want at most %d", what, len(text), maxOption)
	}
	return nil
}

// wireLength returns the length that a packet had on the wire.
func wireLength(p *Packet) (int, error) {
	switch {
	case len(p.Data) > maxPacket:
		return 0, fmt.Errorf("captures: packet of %d bytes: want at most %d", len(p.Data), maxPacket)
	case p.Length == 0:
		return len(p.Data), nil
	case p.Length < len(p.Data) || p.Length > math.MaxInt32:
		return 0, fmt.Errorf("captures: packet of %d bytes was %d bytes long on the wire", len(p.Data), p.Length)
	}
	return p.Length, nil
}

var lastTime = time.Unix(0, math.MaxInt64)

// timestamp returns the nanoseconds since 1970.
func timestamp(at time.Time) (uint64, error) {
	if at.Before(time.Unix(0, 0)) || at.After(lastTime) {
		return 0, fmt.Errorf("captures: time %s: want 1970 to 2262", at.UTC().Format(time.RFC3339))
	}
	return uint64(at.UnixNano()), nil
}
