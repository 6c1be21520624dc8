package analysis

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/gopacket/pcapgo"
	"github.com/stretchr/testify/require"

	"netlab/captures"
)

// capture returns the bytes of a script as pcapng.
func (s script) capture(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := captures.NewWriter(&b, captures.Section{
		Application: "netlab 0.1", Comments: []string{"lab", "the run began at 1970-01-01T00:00:00Z"},
	})
	require.NoError(t, err)
	_, err = w.AddInterface(captures.InterfaceDescription{Name: "a-eth0", Description: "a--b"})
	require.NoError(t, err)
	for _, l := range s.lines(t) {
		require.NoError(t, w.WritePacket(&l.packet))
	}
	return b.Bytes()
}

const exchange = open + `
	60   > PA 1+1000 ack 1
	110  < PA 1+1000 ack 1001
	160  > FA 1001 ack 1001
	210  < FA 1001 ack 1002
`

func TestRead(t *testing.T) {
	data := script(exchange).capture(t)
	a, err := Read(bytes.NewReader(data), Options{})
	require.NoError(t, err)
	require.Equal(t, 7, a.Frames)
	require.Equal(t, "netlab 0.1", a.Application)
	require.Equal(t, time.Unix(0, 0).UTC(), a.Start)
	require.Equal(t, 210*ms, a.Last)
	require.Equal(t, Interface{Name: "a-eth0", Description: "a--b", LinkType: captures.LinkEthernet, Frames: 7, Bytes: a.Bytes}, a.Interfaces[0])

	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err = z.Write(data)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	again, err := Read(&packed, Options{})
	require.NoError(t, err)
	require.Equal(t, a, again)

	path := filepath.Join(t.TempDir(), "a.pcapng")
	require.NoError(t, os.WriteFile(path, data, 0o666))
	again, err = ReadFile(path, Options{})
	require.NoError(t, err)
	require.Equal(t, a, again)
	_, err = ReadFile(path+"x", Options{})
	require.ErrorIs(t, err, os.ErrNotExist)

	again, err = Read(bytes.NewReader(data), Options{Start: time.Unix(-1, 0)})
	require.NoError(t, err)
	require.Equal(t, time.Second+210*ms, again.Last)
}

// Everything before a fault is analysed, wherever the file is cut off or damaged.
func TestReadFaults(t *testing.T) {
	data := script(exchange).capture(t)
	frames := 0
	for n := range data {
		a, err := Read(bytes.NewReader(data[:n]), Options{})
		if a == nil {
			require.Error(t, err)
			require.Zero(t, frames)
			continue
		}
		if err != nil {
			var format *captures.FormatError
			require.ErrorAs(t, err, &format)
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			require.LessOrEqual(t, format.Offset, int64(n))
		}
		require.GreaterOrEqual(t, a.Frames, frames)
		frames = a.Frames
	}
	require.Equal(t, 6, frames)

	broken := bytes.Clone(data)
	copy(broken[len(broken)-4:], "nope")
	a, err := Read(bytes.NewReader(broken), Options{})
	require.ErrorContains(t, err, "offset ")
	require.Equal(t, 6, a.Frames)
	_, err = Read(bytes.NewReader([]byte("this is no capture")), Options{})
	require.ErrorContains(t, err, "this is no capture")
}

// FuzzAnalyze feeds files of any bytes to the analyzer, with all that it can do.
func FuzzAnalyze(f *testing.F) {
	for _, s := range scripts {
		f.Add(s.text.capture(f))
	}
	f.Add(script(exchange).capture(f)[:700])
	f.Fuzz(func(t *testing.T, data []byte) {
		frames := 0
		a, _ := Read(bytes.NewReader(data), Options{Applications: true, Limit: 50, Frame: func(f *Frame) {
			frames++
			require.Equal(t, frames, f.Number)
			if f.Stream != nil {
				require.Less(t, f.Stream.Index, frames)
			}
		}})
		if a == nil {
			return
		}
		require.Equal(t, frames, a.Frames)
		for _, n := range []int{len(a.TCP), len(a.UDP), len(a.Notes), len(a.Endpoints), len(a.Conversations)} {
			require.LessOrEqual(t, n, 50)
		}
		for _, s := range a.TCP {
			require.Nil(t, s.state, "it is done")
			for _, side := range s.Sides {
				require.LessOrEqual(t, side.Unique, side.Bytes)
			}
		}
	})
}

// bulk is a plain pcap file of a connection that sends n full segments, with an ACK for every second one.
func bulk(b *testing.B, n int) []byte {
	var file bytes.Buffer
	w := pcapgo.NewWriterNanos(&file)
	require.NoError(b, w.WriteFileHeader(1<<16, 1))
	templates := (script(open) + "60 > A 1+1446 ack 1\n 110 < A 1 ack 1").lines(b)
	write := func(l line, seq, ack uint32, at time.Time) {
		data := bytes.Clone(l.packet.Data)
		tcp := data[34:]
		be32(tcp[4:], seq)
		be32(tcp[8:], ack)
		require.NoError(b, w.WritePacket(captureInfo(at, len(data)), data))
	}
	at := time.Unix(0, 0)
	for _, l := range templates[:3] {
		require.NoError(b, w.WritePacket(captureInfo(at, len(l.packet.Data)), l.packet.Data))
	}
	seq := uint32(clientISN)
	seq++
	for i := range n {
		at = at.Add(time.Microsecond)
		write(templates[3], seq, serverISN+1, at)
		seq += 1446
		if i%2 == 1 {
			write(templates[4], serverISN+1, seq, at)
		}
	}
	return file.Bytes()
}

// BenchmarkAnalyze measures the analysis of headers. MB are those of the file.
func BenchmarkAnalyze(b *testing.B) {
	file := bulk(b, 20_000)
	for name, o := range map[string]Options{"headers": {}, "applications": {Applications: true}} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(file)))
			b.ReportAllocs()
			for b.Loop() {
				a, err := Read(bytes.NewReader(file), o)
				require.NoError(b, err)
				require.Equal(b, 30_003, a.Frames)
				require.Zero(b, a.Marks["retransmission"]+a.Marks["lost_segment"])
			}
		})
	}
}

// The analysis of a segment allocates nothing.
func TestNoAllocations(t *testing.T) {
	a := New(Options{})
	a.Add(&captures.InterfaceDescription{LinkType: captures.LinkEthernet})
	lines := script(open + "60 > A 1+1000 ack 1\n 110 < A 1 ack 1").lines(t)
	for _, l := range lines[:3] {
		a.Add(&l.packet)
	}
	data, ack := lines[3].packet, lines[4].packet
	seq := uint32(clientISN)
	seq++
	require.LessOrEqual(t, testing.AllocsPerRun(5000, func() {
		be32(data.Data[38:], seq)
		a.Add(&data)
		seq += 1000
		be32(ack.Data[42:], seq)
		a.Add(&ack)
	}), 0.01)
	require.Zero(t, a.Finish().Marks["lost_segment"])
}
