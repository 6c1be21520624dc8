package captures

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
)

const (
	// maxBlock is the longest block in bytes that a reader accepts, which is Wireshark's limit too.
	maxBlock = 16 << 20
	// maxPacket is the longest packet in bytes that is written, or read from a plain pcap file.
	maxPacket = 1 << 20
	// bufferSize is how many bytes are read at once.
	bufferSize = 256 << 10
	// blockHead is the length of a block's type and length.
	blockHead = 8
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
	order binary.ByteOrder
	plain bool   // the format is pcap
	unit  uint32 // of pcap's time stamps, in nanoseconds
	// resolutions has an element for each interface described so far; those of the section at hand begin at base.
	resolutions []resolution
	base        int
	offset      int64
	body        []byte // of the block at hand
	long        []byte // holds a block that is longer than the buffer
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
	p := &Reader{in: bufio.NewReaderSize(r, bufferSize)}
	if magic, err := p.in.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		unpacked, err := gzip.NewReader(p.in)
		if err != nil {
			return nil, p.truncated(err, "the file ends within the header of its compression")
		}
		p.in = bufio.NewReaderSize(unpacked, bufferSize)
	}
	magic, err := p.in.Peek(4)
	if err != nil {
		return nil, p.truncated(err, "the file ends before it is a capture")
	}
	switch binary.BigEndian.Uint32(magic) {
	case blockSection:
		p.first, err = p.nextBlock()
	case magicMicroseconds, magicNanoseconds:
		err = p.beginPlain(binary.BigEndian)
	case bits.ReverseBytes32(magicMicroseconds), bits.ReverseBytes32(magicNanoseconds):
		err = p.beginPlain(binary.LittleEndian)
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
	if p.plain {
		b, p.err = p.nextPlain()
	} else {
		b, p.err = p.nextBlock()
	}
	if p.err != nil {
		return nil, p.err
	}
	return b, nil
}

// truncated turns the end of the file where more was wanted, and faults of its compression, into an error with the offset.
func (p *Reader) truncated(err error, problem string) error {
	var corrupt flate.CorruptInputError
	switch {
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return &FormatError{Offset: p.offset, Problem: problem, cut: true}
	case errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.As(err, &corrupt):
		return &FormatError{Offset: p.offset, Problem: "the compressed file is damaged: " + err.Error()}
	}
	return err
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

// readBlock reads a whole block, leaves what is between head and trailer in p.body and returns the type. The body is valid until
// the next call.
func (p *Reader) readBlock() (uint32, error) {
	head, err := p.in.Peek(blockHead)
	if len(head) == 0 && err == io.EOF {
		return 0, err // between blocks
	}
	if err != nil {
		return 0, p.truncated(err, "the file ends within the head of a block")
	}
	if binary.BigEndian.Uint32(head) == blockSection {
		start, err := p.in.Peek(blockHead + 4)
		if err != nil {
			return 0, p.truncated(err, "the file ends within a section header")
		}
		if p.order, err = byteOrder(start[blockHead:]); err != nil {
			return 0, &FormatError{Offset: p.offset, Problem: err.Error()}
		}
		head = start
	}
	kind, total := p.order.Uint32(head), p.order.Uint32(head[4:])
	if total < 12 || total%4 != 0 || total > maxBlock {
		return 0, &FormatError{Offset: p.offset, Problem: fmt.Sprintf("block of %d bytes: want a multiple of 4 from 12 to %d", total, maxBlock)}
	}
	block, err := p.take(int(total))
	if err != nil {
		return 0, p.truncated(err, fmt.Sprintf("the file ends within a block of %d bytes", total))
	}
	trailer := len(block) - 4
	if again := p.order.Uint32(block[trailer:]); again != total {
		return 0, &FormatError{Offset: p.offset, Problem: fmt.Sprintf("block of %d bytes says at its end that it has %d", total, again)}
	}
	p.body = block[blockHead:trailer]
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

// take returns the next n bytes of the file: in the place where they were read, if there is room for them, else in memory that grows
// as they come. They are valid until anything else is read.
func (p *Reader) take(n int) ([]byte, error) {
	if n <= p.in.Size() {
		b, err := p.in.Peek(n)
		if err != nil {
			return nil, err
		}
		_, err = p.in.Discard(n)
		return b, err
	}
	p.long = p.long[:0]
	for have := 0; have < n; have = len(p.long) {
		more := min(n-have, bufferSize)
		p.long = slices.Grow(p.long, more)[:have+more]
		if _, err := io.ReadFull(p.in, p.long[have:]); err != nil {
			return nil, err
		}
	}
	return p.long, nil
}
