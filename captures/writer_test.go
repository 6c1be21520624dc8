package captures

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"github.com/stretchr/testify/require"

	"netlab/netem"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares with a file of testdata, byte for byte.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o777))
		require.NoError(t, os.WriteFile(path, got, 0o666))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

// sampleBlocks is a block of each kind, in the order of a file. Packets have lengths that need each amount of padding.
func sampleBlocks(t testing.TB) []Block {
	frame := tcpFrame(t, client4, server4, &layers.TCP{SrcPort: 49152, DstPort: 5001, Seq: 1, SYN: true, Window: 65535}, "data")
	at := epoch.Add(21200000)
	return []Block{
		&Section{Application: "netlab 0.1", Comments: []string{"lab retransmission", "seed 1"}},
		&InterfaceDescription{
			Name: "client-eth0", Description: "to r1, 50ms, 1% loss", MAC: clientMAC, Speed: 100_000_000,
			LinkType: LinkEthernet, Filter: "tcp",
		},
		&InterfaceDescription{Name: "client-eth1", SnapLength: 54, LinkType: LinkEthernet},
		&Names{labNames},
		&Packet{Interface: 0, Time: at, Directed: true, Direction: netem.Outbound, Length: len(frame), Data: frame},
		&Secrets{Type: SecretsTLS, Data: []byte("CLIENT_RANDOM 00 11\n")},
		&Packet{
			Interface: 0, Time: at.Add(1), Directed: true, Direction: netem.Inbound, Length: len(frame) - 1, Data: frame[:len(frame)-1],
			Comment: "dropped: random loss on r1--server",
		},
		&Packet{Interface: 1, Time: at.Add(2), Directed: true, Direction: netem.Inbound, Length: len(frame), Data: frame[:54], Comment: "ü"},
		&Packet{Interface: 1, Time: at.Add(3), Length: 1500, Data: frame[:15]},
		&Packet{Interface: 1, Time: at.Add(4), Length: 40, Data: frame[:40], Comment: "x"},
		&Statistics{Interface: 0, Time: at.Add(5), Start: epoch, End: at.Add(5), Received: 3, Accepted: 2, Dropped: 1},
		&Statistics{Interface: 1, Time: at.Add(5), Received: 3, Accepted: 3},
	}
}

// writeBlocks writes what sampleBlocks returns.
func writeBlocks(t testing.TB, blocks []Block) []byte {
	var out bytes.Buffer
	var w *Writer
	var err error
	for _, b := range blocks {
		switch b := b.(type) {
		case *Section:
			w, err = NewWriter(&out, *b)
		case *InterfaceDescription:
			_, err = w.AddInterface(*b)
		case *Packet:
			err = w.WritePacket(b)
		case *Names:
			err = w.WriteNames(b.Names)
		case *Secrets:
			err = w.WriteSecrets(*b)
		case *Statistics:
			err = w.WriteStatistics(*b)
		}
		require.NoError(t, err)
	}
	return out.Bytes()
}

func readBlocks(t testing.TB, file []byte) []Block {
	blocks, err := tryBlocks(file)
	require.NoError(t, err)
	return blocks
}

// tryBlocks returns what can be read and the error, nil at the end of the file.
func tryBlocks(file []byte) ([]Block, error) {
	r, err := NewReader(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	var blocks []Block
	for {
		b, err := r.Next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return blocks, nil
			}
			return blocks, err
		}
		blocks = append(blocks, b)
	}
}

func TestWriterRoundTrip(t *testing.T) {
	blocks := sampleBlocks(t)
	require.Equal(t, blocks, readBlocks(t, writeBlocks(t, blocks)))
}

// Other tests show that tshark, capinfos and gopacket read the same blocks.
func TestWriterGolden(t *testing.T) {
	golden(t, "sample.pcapng", writeBlocks(t, sampleBlocks(t)))
}

func TestWriterKeepsTheSnapLength(t *testing.T) {
	var out bytes.Buffer
	w, err := NewWriter(&out, Section{})
	require.NoError(t, err)
	id, err := w.AddInterface(InterfaceDescription{SnapLength: 10})
	require.NoError(t, err)
	require.NoError(t, w.WritePacket(&Packet{Interface: id, Time: epoch, Data: make([]byte, 11)}))
	p := readBlocks(t, out.Bytes())[2].(*Packet)
	require.Len(t, p.Data, 10)
	require.Equal(t, 11, p.Length)
}

func TestWriterSplitsManyNames(t *testing.T) {
	var names []Name
	addr := netip.MustParseAddr("10.0.0.0")
	for range 2500 {
		addr = addr.Next()
		names = append(names, Name{addr, "web"})
	}
	var out bytes.Buffer
	w, err := NewWriter(&out, Section{})
	require.NoError(t, err)
	require.NoError(t, w.WriteNames(names))
	blocks := readBlocks(t, out.Bytes())
	require.Len(t, blocks, 1+3)
	c, err := ReadAll(&out)
	require.NoError(t, err)
	require.Equal(t, names, c.Names)
}

func TestWriterRefuses(t *testing.T) {
	var out bytes.Buffer
	_, err := NewWriter(&out, Section{Application: strings.Repeat("x", 1<<16)})
	require.EqualError(t, err, "captures: text of the section is 65536 bytes long: want at most 65535")
	w, err := NewWriter(&out, Section{})
	require.NoError(t, err)
	iface := func(d InterfaceDescription) error { _, err := w.AddInterface(d); return err }
	require.EqualError(t, iface(InterfaceDescription{Name: "a", MAC: make([]byte, 8)}), "captures: interface a: MAC address of 8 bytes: want 6")
	require.EqualError(t, iface(InterfaceDescription{Name: "a", SnapLength: -1}), "captures: interface a: snap length -1: want 0 to 2147483647")
	require.EqualError(t, iface(InterfaceDescription{Name: "a", Speed: -1}), "captures: interface a: negative speed")
	require.EqualError(t, w.WritePacket(&Packet{}), "captures: interface 0: the file has 0")
	require.NoError(t, iface(InterfaceDescription{}))
	require.EqualError(t, w.WritePacket(&Packet{}), "captures: time 0001-01-01T00:00:00Z: want 1970 to 2262")
	require.EqualError(t, w.WritePacket(&Packet{Interface: -1}), "captures: interface -1: the file has 1")
	require.EqualError(t, w.WritePacket(&Packet{Time: epoch, Data: make([]byte, 2), Length: 1}), "captures: packet of 2 bytes was 1 bytes long on the wire")
	require.EqualError(t, w.WritePacket(&Packet{Time: epoch, Data: make([]byte, maxPacket+1)}), "captures: packet of 1048577 bytes: want at most 1048576")
	require.EqualError(t, w.WriteStatistics(Statistics{Interface: 1}), "captures: interface 1: the file has 1")
	require.EqualError(t, w.WriteNames([]Name{{Name: "a"}}), `captures: name "a" has no address`)
	require.EqualError(t, w.WriteNames([]Name{{Addr: client4}}), "captures: address 10.0.0.1 has no name")
	require.EqualError(t, w.WriteNames([]Name{{client4, "a\x00b"}}), `captures: name "a\x00b" of 10.0.0.1 holds a zero byte`)
	require.EqualError(t, w.WriteNames([]Name{{client4, strings.Repeat("x", 256)}}), "captures: name of 10.0.0.1 is 256 bytes long: want at most 255")
	require.Len(t, readBlocks(t, out.Bytes()), 2, "what was refused must leave no trace")

	w.w = brokenWriter{}
	require.EqualError(t, w.WritePacket(&Packet{Time: epoch}), "captures: write: out of paper")
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("out of paper") }

// A name with an IPv4 address in IPv6 clothes is written as the IPv4 address that it is.
func TestWriterUnmapsNames(t *testing.T) {
	var out bytes.Buffer
	w, err := NewWriter(&out, Section{})
	require.NoError(t, err)
	require.NoError(t, w.WriteNames([]Name{{netip.MustParseAddr("::ffff:10.0.0.1"), "client"}}))
	require.Equal(t, &Names{[]Name{{client4, "client"}}}, readBlocks(t, out.Bytes())[1])
}

func TestPlainWriter(t *testing.T) {
	var out bytes.Buffer
	w, err := NewPlainWriter(&out, 0)
	require.NoError(t, err)
	frame := udpFrame(t, client4, server4, 1, 2, "hello")
	at := time.Date(2000, 1, 2, 3, 4, 5, 123456789, time.UTC)
	require.NoError(t, w.WritePacket(&Packet{Time: at, Data: frame, Comment: "lost in this format"}))
	require.NoError(t, w.WritePacket(&Packet{Time: at.Add(1), Data: frame[:20], Length: len(frame)}))
	require.Equal(t, []Block{
		&InterfaceDescription{LinkType: LinkEthernet, SnapLength: plainSnapLength},
		&Packet{Time: at, Data: frame, Length: len(frame)},
		&Packet{Time: at.Add(1), Data: frame[:20], Length: len(frame)},
	}, readBlocks(t, out.Bytes()))

	_, err = NewPlainWriter(&out, -1)
	require.EqualError(t, err, "captures: snap length -1: want 0 to 262144")
	require.Error(t, w.WritePacket(&Packet{Time: time.Date(2106, 2, 8, 0, 0, 0, 0, time.UTC)}))
	require.Error(t, w.WritePacket(&Packet{Time: time.Unix(-1, 0)}))
	out.Reset()
	w, err = NewPlainWriter(&out, 10)
	require.NoError(t, err)
	require.NoError(t, w.WritePacket(&Packet{Time: at, Data: frame}))
	require.Equal(t, &Packet{Time: at, Data: frame[:10], Length: len(frame)}, readBlocks(t, out.Bytes())[1])
}

// gopacket reads what this package writes, and this package what gopacket writes.
func TestFormatsAgreeWithGopacket(t *testing.T) {
	blocks := sampleBlocks(t)
	theirs, err := pcapgo.NewNgReader(bytes.NewReader(writeBlocks(t, blocks)), pcapgo.NgReaderOptions{WantMixedLinkType: true})
	require.NoError(t, err)
	for _, b := range blocks {
		p, ok := b.(*Packet)
		if !ok {
			continue
		}
		data, info, err := theirs.ReadPacketData()
		require.NoError(t, err)
		require.Equal(t, p.Data, data)
		require.Equal(t, p.Time, info.Timestamp.UTC())
		require.Equal(t, p.Length, info.Length)
		require.Equal(t, p.Interface, info.InterfaceIndex)
	}
	require.Equal(t, "netlab 0.1", theirs.SectionInfo().Application)

	var out bytes.Buffer
	ours := blocks[4].(*Packet)
	w, err := pcapgo.NewNgWriterInterface(&out, pcapgo.NgInterface{
		Name: "eth0", LinkType: layers.LinkTypeEthernet, TimestampResolution: 9, SnapLength: 77,
	}, pcapgo.NgWriterOptions{SectionInfo: pcapgo.NgSectionInfo{Application: "gopacket"}})
	require.NoError(t, err)
	info := captureInfo(ours)
	require.NoError(t, w.WritePacket(info, ours.Data))
	require.NoError(t, w.Flush())
	c, err := ReadAll(&out)
	require.NoError(t, err)
	require.Equal(t, "gopacket", c.Section.Application)
	require.Equal(t, "eth0", c.Interfaces[0].Name)
	require.Equal(t, &Packet{Time: ours.Time, Data: ours.Data, Length: ours.Length}, c.Packets[0])
}

func TestTimestampBounds(t *testing.T) {
	for _, ns := range []int64{0, 1, math.MaxInt64} {
		got, err := timestamp(time.Unix(0, ns))
		require.NoError(t, err)
		require.Equal(t, uint64(ns), got)
	}
	for _, at := range []time.Time{time.Unix(0, -1), time.Unix(0, math.MaxInt64).Add(1)} {
		_, err := timestamp(at)
		require.Error(t, err)
	}
}

func BenchmarkWriter(b *testing.B) {
	w, err := NewWriter(discard{}, Section{})
	require.NoError(b, err)
	_, err = w.AddInterface(InterfaceDescription{})
	require.NoError(b, err)
	p := &Packet{Time: epoch, Directed: true, Data: make([]byte, 1500), Comment: "dropped: random loss on a--b"}
	b.ReportAllocs()
	b.SetBytes(1500)
	for b.Loop() {
		if err := w.WritePacket(p); err != nil {
			b.Fatal(err)
		}
	}
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
