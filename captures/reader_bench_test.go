package captures

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"

	"netlab/netem"
)

// BenchmarkReader reads files of frames of 1,500 bytes with the reader's memory used again.
func BenchmarkReader(b *testing.B) {
	frame := tcpFrame(b, client4, server4, &layers.TCP{SrcPort: 49152, DstPort: 5001, ACK: true, Window: 65535}, string(make([]byte, 1500-54)))
	const packets = 64 << 20 / 1500
	write := func(b *testing.B, plain bool, p Packet) string {
		path := filepath.Join(b.TempDir(), "capture")
		file, err := os.Create(path)
		require.NoError(b, err)
		out := bufio.NewWriterSize(file, 1<<20)
		var w interface{ WritePacket(*Packet) error }
		if plain {
			w, err = NewPlainWriter(out, 0)
			require.NoError(b, err)
		} else {
			ng, err := NewWriter(out, Section{})
			require.NoError(b, err)
			_, err = ng.AddInterface(InterfaceDescription{})
			require.NoError(b, err)
			w = ng
		}
		p.Data = frame
		for i := range packets {
			p.Time = epoch.Add(time.Duration(i) * time.Microsecond)
			if p.Directed {
				p.ID = uint64(i + 1)
			}
			require.NoError(b, w.WritePacket(&p))
		}
		require.NoError(b, out.Flush())
		require.NoError(b, file.Close())
		return path
	}
	for _, format := range []struct {
		name   string
		plain  bool
		packet Packet
	}{
		{"pcapng", false, Packet{}},
		{"pcapng-options", false, Packet{Directed: true, Direction: netem.Inbound}},
		{"pcap", true, Packet{}},
	} {
		b.Run(format.name, func(b *testing.B) {
			path := write(b, format.plain, format.packet)
			info, err := os.Stat(path)
			require.NoError(b, err)
			b.SetBytes(info.Size())
			b.ReportAllocs()
			for b.Loop() {
				file, err := os.Open(path)
				require.NoError(b, err)
				r, err := NewReader(file)
				require.NoError(b, err)
				r.Reuse()
				n := 0
				for {
					block, err := r.Next()
					if err == io.EOF {
						break
					}
					require.NoError(b, err)
					if _, ok := block.(*Packet); ok {
						n++
					}
				}
				require.Equal(b, packets, n)
				require.NoError(b, file.Close())
			}
		})
	}
}
