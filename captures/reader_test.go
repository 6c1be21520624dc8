package captures

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"

	"netlab/netem"
)

func captureInfo(p *Packet) gopacket.CaptureInfo {
	return gopacket.CaptureInfo{Timestamp: p.Time, CaptureLength: len(p.Data), Length: p.Length, InterfaceIndex: p.Interface}
}

// Every prefix of a file yields the blocks that are complete and says that something is missing, unless it ends between
// two blocks.
func TestReaderTruncated(t *testing.T) {
	var plain bytes.Buffer
	w, err := NewPlainWriter(&plain, 0)
	require.NoError(t, err)
	var packets []Block
	packets = append(packets, &InterfaceDescription{LinkType: LinkEthernet, SnapLength: plainSnapLength})
	for i := range 3 {
		p := &Packet{Time: epoch.Add(time.Duration(i)), Data: make([]byte, 20*i), Length: 20 * i}
		require.NoError(t, w.WritePacket(p))
		packets = append(packets, p)
	}
	for name, test := range map[string]struct {
		file   []byte
		blocks []Block
		ends   []int
	}{
		"pcapng": {writeBlocks(t, sampleBlocks(t)), sampleBlocks(t), nil},
		"pcap":   {plain.Bytes(), packets, []int{24, 24 + 16, 24 + 16 + 36, 24 + 16 + 36 + 56}},
	} {
		t.Run(name, func(t *testing.T) {
			ends := test.ends
			for at := 0; name == "pcapng" && at < len(test.file); ends = append(ends, at) {
				at += int(le.Uint32(test.file[at+4:]))
			}
			require.Equal(t, len(test.file), ends[len(ends)-1])
			for cut := range test.file {
				complete := 0
				for complete < len(ends) && ends[complete] <= cut {
					complete++
				}
				blocks, err := tryBlocks(test.file[:cut])
				require.Len(t, blocks, complete, cut)
				if complete > 0 {
					require.Equal(t, test.blocks[:complete], blocks)
				}
				if complete > 0 && ends[complete-1] == cut {
					require.NoError(t, err, cut)
				} else {
					require.ErrorIs(t, err, io.ErrUnexpectedEOF, cut)
				}
			}
		})
	}
}

// foreign is a big-endian file such as other programs write: microseconds, two sections, a simple packet, unknown blocks,
// several comments.
func foreign() []byte {
	var b []byte
	block := func(kind uint32, body ...any) {
		var buf bytes.Buffer
		for _, field := range body {
			_ = binary.Write(&buf, binary.BigEndian, field) // a bytes.Buffer takes all
		}
		for buf.Len()%4 != 0 {
			buf.WriteByte(0)
		}
		total := uint32(buf.Len() + 12)
		b = binary.BigEndian.AppendUint32(b, kind)
		b = binary.BigEndian.AppendUint32(b, total)
		b = append(b, buf.Bytes()...)
		b = binary.BigEndian.AppendUint32(b, total)
	}
	section := func() { block(blockSection, uint32(byteOrderMagic), uint16(1), uint16(2), ^uint64(0)) }
	packet := func(iface, hi, lo uint32, options ...any) {
		block(blockPacket, append([]any{iface, hi, lo, uint32(4), uint32(9), []byte("abcd")}, options...)...)
	}
	section()
	block(blockInterface, uint16(101), uint16(0), uint32(0)) // microseconds by default
	packet(0, 0, 1500001, uint16(1), uint16(3), []byte("one\x00"), uint16(2), uint16(4), uint32(1), uint16(1), uint16(3), []byte("two\x00"))
	block(blockSimple, uint32(3), []byte("abc\x00"))
	block(0x0bad, uint32(7))
	section()
	block(blockInterface, uint16(1), uint16(0), uint32(0), uint16(9), uint16(1), uint32(0x8a000000), uint16(14), uint16(8), uint64(100)) // 2^-10 s, 100 s later
	packet(0, 0, 1024+512)
	return b
}

func TestReaderForeignFile(t *testing.T) {
	c, err := ReadAll(bytes.NewReader(foreign()))
	require.NoError(t, err)
	require.Len(t, c.Interfaces, 2)
	require.Equal(t, uint16(101), c.Interfaces[0].LinkType)
	require.Equal(t, []*Packet{
		{Interface: 0, Time: time.Unix(1, 500001000).UTC(), Directed: true, Direction: netem.Inbound, Length: 9, Data: []byte("abcd"), Comment: "one\ntwo"},
		{Interface: 0, Length: 3, Data: []byte("abc")},
		{Interface: 1, Time: time.Unix(101, 500000000).UTC(), Length: 9, Data: []byte("abcd")},
	}, c.Packets)
}

func TestResolution(t *testing.T) {
	stamp := []byte{0, 0, 0, 1, 0, 0, 0, 5} // 2^32 + 5 ticks
	for _, test := range []struct {
		value   byte
		seconds int64
		ns      int64
	}{
		{0, 1<<32 + 5, 0},
		{9, 4, 294967301},
		{12, 0, 4294967},
		{19, 0, 0},
		{0x80, 1<<32 + 5, 0},
		{0x80 | 32, 1, 1},
		{0x80 | 63, 0, 0},
	} {
		var r resolution
		require.NoError(t, r.set(test.value))
		require.Equal(t, time.Unix(test.seconds, test.ns).UTC(), r.time(binary.BigEndian, stamp), test.value)
	}
	var r resolution
	require.Error(t, r.set(20))
	require.Error(t, r.set(0x80|64))
}

func TestReaderRefuses(t *testing.T) {
	sample := writeBlocks(t, sampleBlocks(t))
	change := func(at int, b ...byte) []byte {
		file := bytes.Clone(sample)
		copy(file[at:], b)
		return file
	}
	first := int(le.Uint32(sample[4:])) // where the first interface begins
	second := first + int(le.Uint32(sample[first+4:]))
	names := second + int(le.Uint32(sample[second+4:]))
	packet := names + int(le.Uint32(sample[names+4:]))
	secrets := packet + int(le.Uint32(sample[packet+4:]))
	for _, test := range []struct {
		name   string
		file   []byte
		offset int
		blocks int
		want   string
	}{
		{"text", []byte("hello, world"), 0, 0, "this is no capture: it begins with bytes 68656c6c"},
		{"byte order", change(8, 1, 2, 3, 4), 0, 0, "section header with byte order 01020304: want 1a2b3c4d in either order"},
		{"version", change(12, 2), 0, 0, "pcapng version 2: want 1"},
		{"odd length", change(first+4, 33), first, 1, "block of 33 bytes: want a multiple of 4 from 12 to 16777216"},
		{"length 0", change(first+4, 0), first, 1, "block of 0 bytes: want a multiple of 4 from 12 to 16777216"},
		{"gigabytes", change(first+4, 0, 0, 0, 0xff), first, 1, "block of 4278190080 bytes: want a multiple of 4 from 12 to 16777216"},
		{"trailer", change(second-4, 0), first, 1, "block of 104 bytes says at its end that it has 0"},
		{"option", change(first+16+2, 0xff, 0xff), first, 1, "option 2 of 65535 bytes reaches beyond its block"},
		{"interface", change(packet+8, 9), packet, 4, "interface 9: the section has described 2"},
		{"packet", change(packet+20, 0xff, 0xff, 0xff, 0xff), packet, 4, "packet of 4294967295 bytes reaches beyond its block"},
		{"name", change(names+10, 0xff, 0xff), names, 3, "name record of 65535 bytes reaches beyond its block"},
		{"secrets", change(secrets+12, 0xff, 0xff, 0xff, 0xff), secrets, 5, "secrets of 4294967295 bytes reach beyond their block"},
	} {
		t.Run(test.name, func(t *testing.T) {
			blocks, err := tryBlocks(test.file)
			var bad *FormatError
			require.ErrorAs(t, err, &bad)
			require.Equal(t, int64(test.offset), bad.Offset)
			require.Len(t, blocks, test.blocks)
			require.Equal(t, test.want, bad.Problem)
		})
	}
}

// A fault on the first packet of a plain file is told with its place.
func TestReaderRefusesPlain(t *testing.T) {
	var plain bytes.Buffer
	w, err := NewPlainWriter(&plain, 0)
	require.NoError(t, err)
	require.NoError(t, w.WritePacket(&Packet{Time: epoch, Data: make([]byte, 10)}))
	file := plain.Bytes()
	copy(file[plainFileHeader+8:], []byte{0, 0, 0, 0x7f}) // a packet of two gigabytes
	_, err = tryBlocks(file)
	require.EqualError(t, err, "captures: offset 24: packet of 2130706432 bytes: want at most 1048576")
	copy(file[4:], []byte{9})
	_, err = tryBlocks(file)
	require.EqualError(t, err, "captures: offset 0: pcap version 9: want 2")
}

func TestReaderErrorIsFinal(t *testing.T) {
	r, err := NewReader(bytes.NewReader(writeBlocks(t, sampleBlocks(t))[:200]))
	require.NoError(t, err)
	for err == nil {
		_, err = r.Next()
	}
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	_, again := r.Next()
	require.Equal(t, err, again)
}

func TestReaderPassesReadErrors(t *testing.T) {
	gone := errors.New("device is gone")
	file := writeBlocks(t, sampleBlocks(t))
	r, err := NewReader(io.MultiReader(bytes.NewReader(file[:len(file)-8]), failingReader{gone}))
	require.NoError(t, err)
	for err == nil {
		_, err = r.Next()
	}
	require.ErrorIs(t, err, gone)
	_, err = NewReader(failingReader{gone})
	require.ErrorIs(t, err, gone)
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	_, err := ReadFile(filepath.Join(dir, "none.pcapng"))
	require.ErrorIs(t, err, os.ErrNotExist)

	path := filepath.Join(dir, "cut.pcapng")
	file := writeBlocks(t, sampleBlocks(t))
	require.NoError(t, os.WriteFile(path, file[:len(file)-1], 0o666))
	c, err := ReadFile(path)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.ErrorContains(t, err, path)
	require.Len(t, c.Packets, 5)
	require.Equal(t, []string{"lab retransmission", "seed 1"}, c.Section.Comments)
	require.Len(t, c.Secrets, 1)
	require.Len(t, c.Statistics, 1)
	name := c.NameFunc()
	require.Equal(t, "server", name(server6))
	require.Empty(t, name(strangerAddr))
}

var strangerAddr = server4.Next()

func FuzzReader(f *testing.F) {
	f.Add(writeBlocks(f, sampleBlocks(f)))
	f.Add(foreign())
	var plain bytes.Buffer
	w, err := NewPlainWriter(&plain, 0)
	require.NoError(f, err)
	require.NoError(f, w.WritePacket(&Packet{Time: epoch, Data: tcpFrame(f, client4, server4, &layers.TCP{}, "")}))
	f.Add(plain.Bytes())
	f.Fuzz(func(t *testing.T, file []byte) {
		c, err := ReadAll(bytes.NewReader(file))
		size := 0
		for _, p := range c.Packets {
			require.True(t, p.Interface >= 0 && p.Interface < len(c.Interfaces))
			require.GreaterOrEqual(t, p.Length, 0)
			size += len(p.Data)
		}
		require.LessOrEqual(t, size, len(file))
		var bad *FormatError
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			require.ErrorAs(t, err, &bad)
		}
	})
}

// FuzzReaderBlock puts any body into a well-formed block behind an interface, so that the decoders get to see it.
func FuzzReaderBlock(f *testing.F) {
	sample := writeBlocks(f, sampleBlocks(f))
	for at := 0; at < len(sample); {
		size := int(le.Uint32(sample[at+4:]))
		f.Add(le.Uint32(sample[at:]), sample[at+8:at+size-4])
		at += size
	}
	f.Add(uint32(blockSimple), []byte{3, 0, 0, 0, 'a', 'b', 'c', 0})
	f.Fuzz(func(t *testing.T, kind uint32, body []byte) {
		file := appendSection(nil, &Section{})
		file = appendInterface(file, &InterfaceDescription{})
		for range 2 {
			start := len(file)
			file = append(beginBlock(file, kind), body...)
			file = endBlock(appendPadding(file, len(body)), start)
		}
		blocks, err := tryBlocks(file)
		require.GreaterOrEqual(t, len(blocks), 2)
		var bad *FormatError
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) { // a section in the other byte order has another length
			require.ErrorAs(t, err, &bad)
		}
	})
}
