package captures

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"

	"netlab/netem"
)

// plainFile is a pcap file with packets of 0, 20 and 40 bytes, and where each begins.
func plainFile(t testing.TB) (file []byte, packets []Block, starts []int) {
	var out bytes.Buffer
	w, err := NewPlainWriter(&out, 0)
	require.NoError(t, err)
	packets = append(packets, &InterfaceDescription{LinkType: LinkEthernet, SnapLength: plainSnapLength})
	starts = append(starts, 0)
	for i := range 3 {
		starts = append(starts, out.Len())
		p := &Packet{Time: epoch.Add(time.Duration(i)), Data: make([]byte, 20*i), Length: 20 * i}
		require.NoError(t, w.WritePacket(p))
		packets = append(packets, p)
	}
	return out.Bytes(), packets, starts
}

// blockStarts returns where the blocks of a little-endian pcapng file begin.
func blockStarts(file []byte) (starts []int) {
	for at := 0; at < len(file); at += int(le.Uint32(file[at+4:])) {
		starts = append(starts, at)
	}
	return starts
}

func zip(t testing.TB, file []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(file)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

// The same packet has the same ID in all files, and none has one by accident.
func TestPacketID(t *testing.T) {
	frame := tcpFrame(t, client4, server4, &layers.TCP{SrcPort: 1, DstPort: 2, SYN: true}, "")
	var out bytes.Buffer
	w, err := NewWriter(&out, Section{})
	require.NoError(t, err)
	_, err = w.AddInterface(InterfaceDescription{})
	require.NoError(t, err)
	var packets []Block
	for i, id := range []uint64{0, 1, 1<<64 - 1} {
		for _, comment := range []string{"", "dropped: queue full on a--b"} {
			p := &Packet{Time: epoch, ID: id, Length: len(frame), Data: frame, Comment: comment, Directed: i == 1}
			require.NoError(t, w.WritePacket(p))
			packets = append(packets, p)
		}
	}
	require.Equal(t, packets, readBlocks(t, out.Bytes())[2:])

	dir := t.TempDir()
	s, err := Open(labOptions(dir))
	require.NoError(t, err)
	s.Frame(1, 0, netem.Outbound, 7, frame, "")
	s.Frame(2, 2, netem.Inbound, 7, frame, "")
	s.Frame(3, 3, netem.Outbound, 1<<40, frame, "dropped: random loss on r1--server")
	require.NoError(t, s.Close())
	require.Equal(t, uint64(7), readNode(t, dir, "client").Packets[0].ID)
	require.Equal(t, uint64(7), readNode(t, dir, "r1").Packets[0].ID)
	require.Equal(t, uint64(1<<40), readNode(t, dir, "r1").Packets[1].ID)

	o := labOptions(filepath.Join(dir, "plain"))
	o.Format = Pcap
	s, err = Open(o)
	require.NoError(t, err)
	s.Frame(1, 0, netem.Outbound, 7, frame, "")
	require.NoError(t, s.Close())
	c, err := ReadFile(filepath.Join(dir, "plain", "client.pcap"))
	require.NoError(t, err)
	require.Zero(t, c.Packets[0].ID, "pcap has no place for it")
}

// A reader that uses its memory again returns the same as one that doesn't, without allocating for a packet.
func TestReaderReuse(t *testing.T) {
	plain, _, _ := plainFile(t)
	for name, file := range map[string][]byte{"pcapng": writeBlocks(t, sampleBlocks(t)), "foreign": foreign(), "pcap": plain} {
		t.Run(name, func(t *testing.T) {
			r, err := NewReader(bytes.NewReader(file))
			require.NoError(t, err)
			r.Reuse()
			var last *Packet
			for _, want := range readBlocks(t, file) {
				got, err := r.Next()
				require.NoError(t, err)
				require.Equal(t, want, got)
				if p, ok := got.(*Packet); ok {
					require.True(t, last == nil || last == p, "the packet's memory is used again")
					last = p
				}
			}
			_, err = r.Next()
			require.Equal(t, io.EOF, err)
		})
	}
	for name, file := range map[string][]byte{"pcapng": repeated(writeBlocks(t, sampleBlocks(t)[:5])), "pcap": repeated(plain)} {
		r, err := NewReader(bytes.NewReader(file))
		require.NoError(t, err)
		r.Reuse()
		for range 5 {
			_, err = r.Next()
			require.NoError(t, err)
		}
		require.Zero(t, testing.AllocsPerRun(100, func() {
			if _, err := r.Next(); err != nil {
				t.Fatal(err)
			}
		}), name)
	}
}

// repeated appends the last packet of a file many times.
func repeated(file []byte) []byte {
	last := file[len(file)-plainHeader-40:]
	if le.Uint32(file) == blockSection {
		starts := blockStarts(file)
		last = file[starts[len(starts)-1]:]
	}
	return append(bytes.Clone(file), bytes.Repeat(last, 200)...)
}

// Without Reuse all that was returned stays as it was.
func TestReaderKeepsWhatItReturned(t *testing.T) {
	for _, file := range [][]byte{repeated(writeBlocks(t, sampleBlocks(t)[:5])), bytes.Repeat(foreign(), 5000)} {
		blocks := readBlocks(t, file)
		again := readBlocks(t, file)
		require.Equal(t, blocks, again)
	}
}

// Blocks may be longer than the reader's buffer, up to the limit, and no file makes it allocate more than it holds.
func TestReaderLongBlocks(t *testing.T) {
	secrets := &Secrets{Type: SecretsTLS, Data: bytes.Repeat([]byte("0123456789abcdef"), bufferSize/10)}
	jumbo := &Packet{Time: epoch, Length: maxPacket, Data: bytes.Repeat([]byte{7}, maxPacket)}
	blocks := []Block{&Section{}, &InterfaceDescription{LinkType: LinkEthernet}, secrets, jumbo, secrets, jumbo}
	file := writeBlocks(t, blocks)
	require.Equal(t, blocks, readBlocks(t, file))

	cut, err := tryBlocks(file[:len(file)-1])
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Equal(t, blocks[:5], cut)

	lie := bytes.Clone(file[:blockStarts(file)[2]+100])
	le.PutUint32(lie[blockStarts(file)[2]+4:], maxBlock)
	_, err = tryBlocks(lie)
	require.ErrorContains(t, err, "the file ends within a block of 16777216 bytes")
	require.Less(t, testing.AllocsPerRun(1, func() { _, _ = tryBlocks(lie) }), 50.0)
}

// Offset tells how far the file was read, and an error where the block begins that is at fault, whichever byte is missing.
func TestReaderOffsets(t *testing.T) {
	plain, _, plainStarts := plainFile(t)
	sample := writeBlocks(t, sampleBlocks(t))
	for name, test := range map[string]struct {
		file   []byte
		starts []int
	}{"pcapng": {sample, blockStarts(sample)}, "pcap": {plain, plainStarts}} {
		ends := append(test.starts[1:], len(test.file))
		r, err := NewReader(bytes.NewReader(test.file))
		require.NoError(t, err)
		for _, end := range ends {
			_, err := r.Next()
			require.NoError(t, err)
			require.Equal(t, int64(end), r.Offset(), name)
		}
		for cut := range test.file {
			start, complete := 0, 0
			for i, end := range ends {
				if end <= cut {
					start, complete = end, i+1
				}
			}
			blocks, err := tryBlocks(test.file[:cut])
			require.Len(t, blocks, complete, "%s cut at %d", name, cut)
			if start == cut && cut > 0 {
				require.NoError(t, err)
				continue
			}
			var bad *FormatError
			require.ErrorAs(t, err, &bad)
			require.Equal(t, int64(start), bad.Offset, "%s cut at %d", name, cut)
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		}
	}
}

// Whichever byte is wrong, what precedes its block is returned, and an error points at that block or a later one.
func TestReaderCorruption(t *testing.T) {
	plain, _, plainStarts := plainFile(t)
	sample := writeBlocks(t, sampleBlocks(t))
	for name, test := range map[string]struct {
		file   []byte
		starts []int
	}{"pcapng": {sample, blockStarts(sample)}, "pcap": {plain, plainStarts}} {
		whole := readBlocks(t, test.file)
		faults := 0
		for at := range test.file {
			file := bytes.Clone(test.file)
			file[at] ^= 0xff
			start, complete := 0, 0
			for i, s := range test.starts {
				if s <= at {
					start, complete = s, i
				}
			}
			blocks, err := tryBlocks(file)
			require.GreaterOrEqual(t, len(blocks), complete, "%s: byte %d", name, at)
			require.Equal(t, whole[:complete], append([]Block{}, blocks[:complete]...), "%s: byte %d", name, at)
			if err == nil {
				continue // a field that may have any value
			}
			faults++
			var bad *FormatError
			require.ErrorAs(t, err, &bad, "%s: byte %d", name, at)
			require.GreaterOrEqual(t, bad.Offset, int64(start), "%s: byte %d", name, at)
		}
		require.Greater(t, faults, 10, name)
	}
}

// A file that gzip has compressed reads like the file itself; where the compression ends or breaks, so does the capture.
func TestReaderGzip(t *testing.T) {
	plain, _, _ := plainFile(t)
	for name, file := range map[string][]byte{"pcapng": writeBlocks(t, sampleBlocks(t)), "pcap": plain} {
		t.Run(name, func(t *testing.T) {
			whole := readBlocks(t, file)
			packed := zip(t, file)
			require.Equal(t, whole, readBlocks(t, packed))
			read := 0
			for cut := 2; cut < len(packed); cut++ {
				blocks, err := tryBlocks(packed[:cut])
				require.ErrorIs(t, err, io.ErrUnexpectedEOF, cut)
				require.GreaterOrEqual(t, len(blocks), read, "more of the file shows no less")
				read = len(blocks)
				require.Equal(t, whole[:read], append([]Block{}, blocks...))
			}
			for at := range packed {
				bad := bytes.Clone(packed)
				bad[at] ^= 0x10
				var format *FormatError
				if _, err := tryBlocks(bad); err != nil {
					require.True(t, errors.As(err, &format), "byte %d: %v", at, err)
				}
			}
			bad := bytes.Clone(packed)
			bad[len(bad)-8] ^= 1
			blocks, err := tryBlocks(bad)
			require.ErrorContains(t, err, "the compressed file is damaged: gzip: invalid checksum")
			require.Equal(t, whole, blocks)
		})
	}
}

// Either byte order and either unit of time stamps.
func TestReaderPlainVariants(t *testing.T) {
	for _, magic := range []uint32{magicMicroseconds, magicNanoseconds} {
		for _, big := range []bool{false, true} {
			var file []byte
			for _, field := range []uint32{magic, 0, 0, 0, 96, LinkRaw, 12, 345_678, 3, 60} {
				if big {
					file = be.AppendUint32(file, field)
				} else {
					file = le.AppendUint32(file, field)
				}
			}
			copy(file[4:], []byte{2, 0, 4, 0})
			if big {
				copy(file[4:], []byte{0, 2, 0, 4})
			}
			at := time.Unix(12, 345_678).UTC()
			if magic == magicMicroseconds {
				at = time.Unix(12, 345_678_000).UTC()
			}
			require.Equal(t, []Block{
				&InterfaceDescription{LinkType: LinkRaw, SnapLength: 96},
				&Packet{Time: at, Length: 60, Data: []byte("abc")},
			}, readBlocks(t, append(file, "abc"...)))
		}
	}
}

func TestReaderPlainPassesReadErrors(t *testing.T) {
	gone := errors.New("device is gone")
	file, _, starts := plainFile(t)
	for _, at := range []int{10, starts[1] + 3, len(file) - 5, len(file)} {
		r, err := NewReader(io.MultiReader(bytes.NewReader(file[:at]), failingReader{gone}))
		for err == nil {
			_, err = r.Next()
		}
		require.ErrorIs(t, err, gone, at)
	}
}
