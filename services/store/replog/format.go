package replog

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
)

// The format, as the package's comment has it.
const (
	magic        = "netlab-log"
	version      = 1
	headerSize   = len(magic) + 4 + 1 + 3*8 + 4
	recordHeader = 4 + 1 + 1 + 2*8 + 4
	checksumSize = 4
	flagReset    = 1
	// maxPayload keeps lengths far from the end of 32 bits.
	maxPayload = 1 << 30
)

// The types of records.
const (
	typeEntry    = 1
	typeTruncate = 2
	typeState    = 3
)

var (
	order      = binary.LittleEndian
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// position is an entry's index and epoch.
type position struct{ index, epoch uint64 }

// appendHeader appends a segment's header.
func appendHeader(b []byte, sequence uint64, reset bool, base position) []byte {
	start := len(b)
	b = append(b, magic...)
	b = order.AppendUint32(b, version)
	if reset {
		b = append(b, flagReset)
	} else {
		b = append(b, 0)
	}
	b = order.AppendUint64(b, sequence)
	b = order.AppendUint64(b, base.index)
	b = order.AppendUint64(b, base.epoch)
	return order.AppendUint32(b, checksum(b[start:]))
}

// appendRecord appends a record.
func appendRecord(b []byte, typ, kind uint8, at position, payload []byte) []byte {
	if len(payload) > maxPayload {
		panic(fmt.Sprintf("replog: record of %d bytes, want at most %d", len(payload), maxPayload))
	}
	b = slices.Grow(b, recordHeader+len(payload)+checksumSize)
	start := len(b)
	b = order.AppendUint32(b, uint32(len(payload)))
	b = append(b, typ, kind)
	b = order.AppendUint64(b, at.index)
	b = order.AppendUint64(b, at.epoch)
	b = order.AppendUint32(b, checksum(b[start:]))
	b = append(b, payload...)
	return order.AppendUint32(b, checksum(payload))
}

// CorruptError says where a log is damaged.
type CorruptError struct {
	File string
	// Offset is where the header or the record begins that is wrong, in bytes.
	Offset int64
	// Problem says what was found and what was wanted.
	Problem string
}

// Error implements error.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("replication log: %s: offset %d: %s", e.File, e.Offset, e.Problem)
}

// segment is a file of the log. The last one is being written.
type segment struct {
	sequence uint64
	size     int64
	last     uint64 // no entry of it that is in the log on disk has a higher index
}

// content is what is in a log.
type content struct {
	base    position // before the first entry
	entries []Entry
	state   []byte
}

// last returns where the log ends.
func (c *content) last() position {
	if n := len(c.entries); n > 0 {
		return position{c.entries[n-1].Index, c.entries[n-1].Epoch}
	}
	return c.base
}

// cut drops the entries after an index that isn't below the base. What was read of the entries before stays as it is.
func (c *content) cut(last uint64) {
	n := last - c.base.index
	c.entries = c.entries[:n:n]
}

// reader reads segments, oldest first.
type reader struct {
	content
	segments []segment
}

// segment reads a segment, and returns how many of its bytes are a header and whole records, 0 if not even the header is whole. That can be
// fewer than there are only in the last segment.
func (r *reader) segment(file string, sequence uint64, data []byte, last bool) (whole int, err error) {
	fail := func(offset int, format string, args ...any) (int, error) {
		return 0, &CorruptError{File: file, Offset: int64(offset), Problem: fmt.Sprintf(format, args...)}
	}
	if n := min(len(data), len(magic)); string(data[:n]) != magic[:n] {
		return fail(0, "found %q, wanted %q", data[:n], magic)
	}
	if len(data) >= len(magic)+4 {
		if v := order.Uint32(data[len(magic):]); v != version {
			return fail(0, "found version %d, wanted %d", v, version)
		}
	}
	if len(data) < headerSize {
		if !last {
			return fail(0, "found %d bytes, wanted a header of %d: newer segments follow", len(data), headerSize)
		}
		return 0, nil
	}
	if found, want := order.Uint32(data[headerSize-checksumSize:]), checksum(data[:headerSize-checksumSize]); found != want {
		return fail(0, "header has checksum %08x, wanted %08x", found, want)
	}
	flags, fields := data[len(magic)+4], data[len(magic)+5:]
	number, base := order.Uint64(fields), position{order.Uint64(fields[8:]), order.Uint64(fields[16:])}
	switch {
	case flags&^flagReset != 0:
		return fail(0, "found flags %#x, wanted 0 or %d", flags, flagReset)
	case number != sequence:
		return fail(0, "found segment number %d, wanted %d", number, sequence)
	case len(r.segments) == 0:
		r.base = base
	case flags&flagReset != 0:
		r.base, r.entries = base, nil
		r.lower(0)
	case base != r.last():
		return fail(0, "follows entry %d of epoch %d, wanted %d of epoch %d", base.index, base.epoch, r.last().index, r.last().epoch)
	}
	at := headerSize
	for at < len(data) {
		n, problem := r.record(data[at:])
		if problem != "" {
			return fail(at, "%s", problem)
		}
		if n == 0 {
			if !last {
				return fail(at, "found the end within a record: newer segments follow")
			}
			break
		}
		at += n
	}
	r.segments = append(r.segments, segment{sequence: sequence, size: int64(at), last: r.last().index})
	return at, nil
}

// record reads the record that b begins with and returns its length, or 0 if b ends within it, or what is wrong with it.
func (r *reader) record(b []byte) (n int, problem string) {
	if len(b) < recordHeader {
		return 0, ""
	}
	if found, want := order.Uint32(b[recordHeader-checksumSize:]), checksum(b[:recordHeader-checksumSize]); found != want {
		return 0, fmt.Sprintf("record's header has checksum %08x, wanted %08x", found, want)
	}
	length := order.Uint32(b)
	if length > maxPayload {
		return 0, fmt.Sprintf("record of %d bytes, wanted at most %d", length, maxPayload)
	}
	end := recordHeader + int(length)
	if len(b) < end+checksumSize {
		return 0, ""
	}
	payload := b[recordHeader:end:end]
	if found, want := order.Uint32(b[end:]), checksum(payload); found != want {
		return 0, fmt.Sprintf("record's payload has checksum %08x, wanted %08x", found, want)
	}
	at, last := position{order.Uint64(b[6:]), order.Uint64(b[14:])}, r.last().index
	switch b[4] {
	case typeEntry:
		if last == math.MaxUint64 || at.index != last+1 {
			return 0, fmt.Sprintf("found entry %d, wanted one after %d", at.index, last)
		}
		r.entries = append(r.entries, Entry{Index: at.index, Epoch: at.epoch, Kind: b[5], Data: payload})
	case typeTruncate:
		if at.index > last {
			return 0, fmt.Sprintf("found a truncation after entry %d, wanted at most %d", at.index, last)
		}
		if at.index <= r.base.index { // below the base, if the entries until there were in a segment that is gone
			r.base, r.entries = at, nil
		}
		r.cut(at.index)
		r.lower(at.index)
	case typeState:
		r.state = bytes.Clone(payload)
	default:
		return 0, fmt.Sprintf("found a record of type %d, wanted 1 to 3", b[4])
	}
	return end + checksumSize, ""
}

// lower notes that the entries after an index are void.
func (r *reader) lower(last uint64) { lower(r.segments, last) }

func lower(segments []segment, last uint64) {
	for i := range segments {
		segments[i].last = min(segments[i].last, last)
	}
}
