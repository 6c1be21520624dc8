package captures

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"time"
)

// What a pcap file begins with, by the unit of its time stamps.
const (
	magicMicroseconds = 0xa1b2c3d4
	magicNanoseconds  = 0xa1b23c4d
)

// plainSnapLength stands in the header of a pcap file when whole packets are kept. It is the largest that libpcap takes.
const plainSnapLength = 262144

// Sizes in bytes of a file's header and of a record's.
const (
	plainFileHeader = 24
	plainHeader     = 16
)

func appendPlainFileHeader(b []byte, snapLength int) []byte {
	b = le.AppendUint32(b, magicNanoseconds)
	b = le.AppendUint16(b, 2) // major version
	b = le.AppendUint16(b, 4) // minor version
	b = le.AppendUint32(b, 0) // time zone: UTC
	b = le.AppendUint32(b, 0) // accuracy of time stamps: always 0
	b = le.AppendUint32(b, uint32(snapLength))
	return le.AppendUint32(b, LinkEthernet)
}

func appendPlainPacket(b []byte, ns uint64, data []byte, length int) []byte {
	b = le.AppendUint32(b, uint32(ns/1e9))
	b = le.AppendUint32(b, uint32(ns%1e9))
	b = le.AppendUint32(b, uint32(len(data)))
	b = le.AppendUint32(b, uint32(length))
	return append(b, data...)
}

// PlainWriter writes a pcap file with nanosecond time stamps. Comments, directions and interfaces of packets are lost:
// the format has no place for them.
type PlainWriter struct {
	w          io.Writer
	snapLength int
	buf        []byte
}

// NewPlainWriter writes the file's header. snapLength is how many bytes of each packet are kept: 1 to 262144, or 0 for
// 262144.
func NewPlainWriter(w io.Writer, snapLength int) (*PlainWriter, error) {
	if snapLength < 0 || snapLength > plainSnapLength {
		return nil, fmt.Errorf("captures: snap length %d: want 0 to %d", snapLength, plainSnapLength)
	}
	if snapLength == 0 {
		snapLength = plainSnapLength
	}
	p := &PlainWriter{w: w, snapLength: snapLength}
	return p, p.write(appendPlainFileHeader(nil, snapLength))
}

// WritePacket writes time, length and bytes of a packet. Times lie between 1970 and 2106.
func (p *PlainWriter) WritePacket(packet *Packet) error {
	length, err := wireLength(packet)
	if err != nil {
		return err
	}
	ns, err := timestamp(packet.Time)
	if err != nil {
		return err
	}
	if ns/1e9 > math.MaxUint32 {
		return fmt.Errorf("captures: time %s does not fit into a pcap file", packet.Time)
	}
	data := packet.Data[:min(len(packet.Data), p.snapLength)]
	p.buf = appendPlainPacket(p.buf[:0], ns, data, length)
	return p.write(p.buf)
}

func (p *PlainWriter) write(b []byte) error {
	if _, err := p.w.Write(b); err != nil {
		return fmt.Errorf("captures: write: %w", err)
	}
	return nil
}

// beginPlain reads the header of a pcap file.
func (p *Reader) beginPlain(order binary.ByteOrder) error {
	head, err := p.take(plainFileHeader)
	if err != nil {
		return err
	}
	if major := order.Uint16(head[4:]); major != 2 {
		return &FormatError{Problem: fmt.Sprintf("pcap version %d: want 2", major)}
	}
	p.plain, p.order, p.unit = true, order, 1
	if order.Uint32(head) == magicMicroseconds {
		p.unit = 1000
	}
	p.first = &InterfaceDescription{SnapLength: p.length(head[16:]), LinkType: uint16(order.Uint32(head[20:]))}
	p.offset = plainFileHeader
	return nil
}

// nextPlain reads a packet of a pcap file. It may be longer than the snap length of the file's header; other readers take it too.
func (p *Reader) nextPlain() (Block, error) {
	head, err := p.in.Peek(plainHeader)
	if len(head) == 0 && err == io.EOF {
		return nil, err
	}
	if err != nil {
		return nil, p.truncated(err, "the file ends within the header of a packet")
	}
	at := time.Unix(int64(p.order.Uint32(head)), int64(p.order.Uint32(head[4:]))*int64(p.unit)).UTC()
	captured, length := p.length(head[8:]), p.length(head[12:])
	if captured > maxPacket {
		return nil, &FormatError{Offset: p.offset, Problem: fmt.Sprintf("packet of %d bytes: want at most %d", captured, maxPacket)}
	}
	if captured > length {
		return nil, &FormatError{Offset: p.offset, Problem: fmt.Sprintf("packet of %d bytes of which %d were captured", length, captured)}
	}
	record, err := p.take(plainHeader + captured)
	if err != nil {
		return nil, p.truncated(err, fmt.Sprintf("the file ends within a packet of %d bytes", captured))
	}
	p.offset += int64(len(record))
	packet := p.packet()
	*packet = Packet{Time: at, Length: length, Data: p.keep(record[plainHeader:])}
	return packet, nil
}
