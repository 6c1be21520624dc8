package captures

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/google/gopacket/pcapgo"
)

const (
	// maxBlock is the longest block in bytes that a reader accepts, which is Wireshark's limit too.
	maxBlock = 16 << 20
	// maxPacket is the longest packet in bytes that is written, or read from a plain pcap file.
	maxPacket = 1 << 20
)

// FormatError says why a file is not a capture, or where it stops being one.
type FormatError struct {
	// Offset is where the offending block or file begins, in bytes.
	Offset int64
	// Problem says what was found and what was wanted.
	Problem string

	cut bool
}

// Error returns offset and problem.
func (e *FormatError) Error() string {
	return fmt.Sprintf("captures: offset %d: %s", e.Offset, e.Problem)
}

// Is makes the error an [io.ErrUnexpectedEOF] if the file was cut short.
func (e *FormatError) Is(target error) bool { return e.cut && target == io.ErrUnexpectedEOF }

// Reader reads captures in the formats pcapng and pcap, of either byte order. It holds one block at a time, and what it
// allocates is bounded by what it has read, whatever the lengths in the file claim.
type Reader struct {
	in    *bufio.Reader
	plain *pcapgo.Reader
	order binary.ByteOrder
	// resolutions has an element for each interface described so far; those of the section at hand begin at base.
	resolutions []resolution
	base        int
	offset      int64
	body        []byte
	first       Block
	err         error
	reuse       bool
	last        Packet // what Next returns if memory is used again
}

// Reuse lets the reader use the memory of a packet again: a packet that Next returns from now on, and its Data, are valid until the
// next call only. It then reads a file of any size without allocating for each packet.
func (p *Reader) Reuse() { p.reuse = true }

// Offset is how many bytes of the file, unpacked if it is compressed, hold what was returned so far.
func (p *Reader) Offset() int64 { return p.offset }

// NewReader reads as much as is needed to tell the format. A file that gzip has compressed is unpacked. The error is a [*FormatError]
// if r is no capture or ends too early to tell; then it is an [io.ErrUnexpectedEOF] too.
func NewReader(r io.Reader) (*Reader, error) {
	p := &Reader{in: bufio.NewReaderSize(r, 64<<10)}
	if magic, err := p.in.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		unpacked, err := gzip.NewReader(p.in)
		if err != nil {
			return nil, &FormatError{Problem: "the file is compressed, but not rightly: " + err.Error()}
		}
		p.in = bufio.NewReaderSize(unpacked, 64<<10)
	}
	magic, err := p.in.Peek(4)
	if err != nil {
		return nil, p.truncated(err, "the file ends before it is a capture")
	}
	switch binary.BigEndian.Uint32(magic) {
	case blockSection:
		p.first, err = p.nextBlock()
	case 0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1:
		err = p.beginPlain()
	default:
		err = &FormatError{Problem: fmt.Sprintf("this is no capture: it begins with bytes %x", magic)}
	}
	if err != nil {
		return nil, p.truncated(err, "the file ends within its header")
	}
	return p, nil
}

// Next returns the next block. Blocks of unknown types are skipped. At the end of the file the error is [io.EOF]. Anything that
// violates the format is a [*FormatError] with the offset of the block; so is the end of the file within a block, which is an
// [io.ErrUnexpectedEOF] too. All blocks before the fault were returned then. An error is final. A plain pcap file reads as one interface and its packets.
func (p *Reader) Next() (Block, error) {
	if p.err != nil {
		return nil, p.err
	}
	if b := p.first; b != nil {
		p.first = nil
		return b, nil
	}
	var b Block
	if p.plain != nil {
		b, p.err = p.nextPlain()
	} else {
		b, p.err = p.nextBlock()
	}
	if p.err != nil {
		return nil, p.err
	}
	return b, nil
}

// truncated turns the end of the file, where more was wanted, into an error with the offset.
func (p *Reader) truncated(err error, problem string) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return &FormatError{Offset: p.offset, Problem: problem, cut: true}
	}
	return err
}

func (p *Reader) beginPlain() error {
	plain, err := pcapgo.NewReader(p.in)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return io.ErrUnexpectedEOF
	}
	if err != nil {
		return &FormatError{Problem: err.Error()}
	}
	p.plain = plain
	snap := plain.Snaplen()
	p.first = &InterfaceDescription{SnapLength: int(min(snap, 1<<31-1)), LinkType: uint16(plain.LinkType())}
	// Packets may be longer than the header says; other readers take them too. The limit here guards the memory.
	plain.SetSnaplen(maxPacket)
	p.offset = plainFileHeader
	return nil
}

func (p *Reader) nextPlain() (Block, error) {
	if _, err := p.in.Peek(1); err != nil {
		return nil, err
	}
	read := p.plain.ReadPacketData
	if p.reuse {
		read = p.plain.ZeroCopyReadPacketData
	}
	data, info, err := read()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, p.truncated(io.EOF, "the file ends within a packet")
	}
	if err != nil {
		return nil, &FormatError{Offset: p.offset, Problem: err.Error()}
	}
	p.offset += int64(plainHeader + len(data))
	packet := p.packet()
	*packet = Packet{Time: info.Timestamp, Length: info.Length, Data: data}
	return packet, nil
}

// nextBlock returns the next block of a known type.
func (p *Reader) nextBlock() (Block, error) {
	for {
		start := p.offset
		kind, err := p.readBlock()
		if err != nil {
			return nil, err
		}
		b, err := p.decode(kind)
		if err != nil {
			return nil, &FormatError{Offset: start, Problem: err.Error()}
		}
		if b != nil {
			return b, nil
		}
	}
}

// readBlock reads a whole block, leaves what is between head and trailer in p.body and returns the type.
func (p *Reader) readBlock() (uint32, error) {
	var head [8]byte
	n, err := io.ReadFull(p.in, head[:])
	if err == io.ErrUnexpectedEOF {
		return 0, p.truncated(err, "the file ends within the head of a block")
	}
	if err != nil {
		return 0, err // io.EOF between blocks
	}
	if binary.BigEndian.Uint32(head[:]) == blockSection {
		magic, err := p.in.Peek(4)
		if err != nil {
			return 0, p.truncated(err, "the file ends within a section header")
		}
		if p.order, err = byteOrder(magic); err != nil {
			return 0, &FormatError{Offset: p.offset, Problem: err.Error()}
		}
	}
	kind, total := p.order.Uint32(head[:]), p.order.Uint32(head[4:])
	if total < 12 || total%4 != 0 || total > maxBlock {
		return 0, &FormatError{Offset: p.offset, Problem: fmt.Sprintf("block of %d bytes: want a multiple of 4 from 12 to %d", total, maxBlock)}
	}
	if err := p.readBody(int(total) - n); err != nil {
		return 0, err
	}
	trailer := len(p.body) - 4
	if again := p.order.Uint32(p.body[trailer:]); again != total {
		return 0, &FormatError{Offset: p.offset, Problem: fmt.Sprintf("block of %d bytes says at its end that it has %d", total, again)}
	}
	p.body = p.body[:trailer]
	p.offset += int64(total)
	return kind, nil
}

func byteOrder(magic []byte) (binary.ByteOrder, error) {
	switch {
	case binary.LittleEndian.Uint32(magic) == byteOrderMagic:
		return binary.LittleEndian, nil
	case binary.BigEndian.Uint32(magic) == byteOrderMagic:
		return binary.BigEndian, nil
	}
	return nil, fmt.Errorf("section header with byte order %x: want 1a2b3c4d in either order", magic)
}

// readBody reads n bytes into p.body, which grows as the bytes come.
func (p *Reader) readBody(n int) error {
	const step = 64 << 10
	p.body = p.body[:0]
	for len(p.body) < n {
		have := len(p.body)
		want := min(n-have, step)
		if cap(p.body) < have+want {
			grown := make([]byte, have, max(have+want, 2*have))
			copy(grown, p.body)
			p.body = grown
		}
		p.body = p.body[:have+want]
		if _, err := io.ReadFull(p.in, p.body[have:]); err != nil {
			return p.truncated(err, fmt.Sprintf("the file ends within a block of %d bytes", n+8))
		}
	}
	return nil
}
