package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"flag"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/captures"
)

var inspectMegabytes = flag.Int("inspect-mb", 128, "size of the capture that BenchmarkInspect reads, in MB")

// BenchmarkInspect reads captures on one core as the command does, up to the printed text; tshark reads the same files beside it. The
// metric sys-MB is all memory that the process ever had from the operating system.
func BenchmarkInspect(b *testing.B) {
	plain := filepath.Join(b.TempDir(), "bulk.pcapng")
	writeBulk(b, plain, *inspectMegabytes*1_000_000)
	encrypted := encryptedCapture(b)
	for _, test := range []struct {
		name, path string
		args       []string
	}{
		{"headers", plain, []string{"--headers-only"}},
		{"applications", plain, nil},
		{"tls-headers", encrypted, []string{"--headers-only"}},
		{"tls-no-decrypt", encrypted, []string{"--no-decrypt"}},
		{"tls", encrypted, nil},
	} {
		info, err := os.Stat(test.path)
		require.NoError(b, err)
		b.Run(test.name, func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			b.SetBytes(info.Size())
			for b.Loop() {
				c := newRoot()
				c.SetArgs(append([]string{"inspect", test.path}, test.args...))
				setOutput(c, io.Discard)
				require.NoError(b, c.Execute())
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.Sys)/1e6, "sys-MB")
		})
	}
	for _, test := range []struct{ name, path string }{{"tshark", plain}, {"tls-tshark", encrypted}} {
		b.Run(test.name, func(b *testing.B) {
			if _, err := exec.LookPath("tshark"); err != nil {
				b.Skip("tshark is not installed")
			}
			info, err := os.Stat(test.path)
			require.NoError(b, err)
			b.SetBytes(info.Size())
			for b.Loop() {
				require.NoError(b, exec.Command("tshark", "-n", "-r", test.path, "-q", "-z", "io,phs", "-z", "conv,tcp", "-z", "expert").Run())
			}
		})
	}
}

func setOutput(c *cobra.Command, w io.Writer) {
	c.SetOut(w)
	c.SetErr(w)
}

// writeBulk writes a capture of about so many bytes: ten uploads at once in frames of 1,500 bytes, each tenth acknowledged.
func writeBulk(b *testing.B, path string, size int) {
	file, err := os.Create(path)
	require.NoError(b, err)
	out := bufio.NewWriterSize(file, 1<<20)
	w, err := captures.NewWriter(out, captures.Section{Application: "benchmark"})
	require.NoError(b, err)
	_, err = w.AddInterface(captures.InterfaceDescription{Name: "eth0"})
	require.NoError(b, err)
	const streams, payload = 10, 1500 - 54
	epoch := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	at := time.Duration(0)
	write := func(stream int, up bool, flags byte, seq, ack uint32, data int) {
		frame := segment(stream, up, flags, seq, ack, data)
		at += time.Microsecond
		require.NoError(b, w.WritePacket(&captures.Packet{Time: epoch.Add(at), Data: frame}))
		size -= len(frame) + 36
	}
	for i := range streams {
		write(i, true, captures.SYN, 0, 0, 0)
		write(i, false, captures.SYN|captures.ACK, 0, 1, 0)
		write(i, true, captures.ACK, 1, 1, 0)
	}
	for seq := uint32(1); size > 0; {
		for range 10 {
			for i := range streams {
				write(i, true, captures.ACK|captures.PSH, seq, 1, payload)
			}
			seq += payload
		}
		for i := range streams {
			write(i, false, captures.ACK, 1, seq, 0)
		}
	}
	require.NoError(b, out.Flush())
	require.NoError(b, file.Close())
}

// segment is a TCP segment of a stream in an Ethernet frame.
func segment(stream int, up bool, flags byte, seq, ack uint32, data int) []byte {
	client, server := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	from, to := uint16(40000+stream), uint16(5001)
	if !up {
		client, server, from, to = server, client, to, from
	}
	f := make([]byte, 54, 54+data)
	f[12], f[14], f[22], f[23] = 8, 0x45, 64, 6
	binary.BigEndian.PutUint16(f[16:], uint16(40+data))
	copy(f[26:], client.AsSlice())
	copy(f[30:], server.AsSlice())
	binary.BigEndian.PutUint16(f[34:], from)
	binary.BigEndian.PutUint16(f[36:], to)
	binary.BigEndian.PutUint32(f[38:], seq)
	binary.BigEndian.PutUint32(f[42:], ack)
	f[46], f[47] = 5<<4, flags
	binary.BigEndian.PutUint16(f[48:], 65535)
	return append(f, bytes.Repeat([]byte{byte(seq)}, data)...)
}

// encryptedCapture is what a client saw that fetched 100 MB over HTTPS.
func encryptedCapture(b *testing.B) string {
	labs, err := netlab.Parse("fetch.json", []byte(`{
		"nodes": {
			"client": {},
			"server": { "services": { "web": { "type": "http-server", "listen": ":443", "tls": true, "objects": "100MB" } } }
		},
		"links": [{ "between": "client - server", "latency": "1ms", "rate": "1Gbit/s" }],
		"captures": { "nodes": ["client"] },
		"workloads": { "fetch": { "type": "http-fetch", "from": "client", "url": "https://server/" } }
	}`), nil)
	require.NoError(b, err)
	dir := b.TempDir()
	_, err = labs[0].Run(b.Context(), &netlab.RunOptions{Dir: dir}, nil)
	require.NoError(b, err)
	return filepath.Join(dir, "captures", "client.pcapng")
}
