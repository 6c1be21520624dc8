package analysis

import (
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/captures"
	"netlab/netem"
)

// Frames come in order of time; at the same nanosecond what leaves a node comes first, and then the captures' order decides. A capture
// whose times go back keeps its order.
func TestMerge(t *testing.T) {
	type at struct {
		ns      int64
		inbound bool
	}
	var sources []*source
	for i, list := range [][]at{
		{{1, true}, {5, true}, {9, false}},
		{},
		{{1, false}, {5, true}, {4, true}, {9, true}},
		{{5, false}, {9, false}},
	} {
		s := &source{index: i}
		s.next, s.stop = iter.Pull(func(yield func(*Frame) bool) {
			for n, a := range list {
				d := netem.Outbound
				if a.inbound {
					d = netem.Inbound
				}
				if !yield(&Frame{Number: n + 1, Packet: &captures.Packet{Time: time.Unix(0, a.ns), Directed: true, Direction: d}}) {
					return
				}
			}
		})
		defer s.stop()
		sources = append(sources, s)
	}
	var got []string
	merge(sources, func(capture int, f *Frame) { got = append(got, fmt.Sprintf("%d/%d", capture, f.Number)) })
	require.Equal(t, []string{"2/1", "0/1", "3/1", "0/2", "2/2", "2/3", "0/3", "3/2", "2/4"}, got)
}

// A packet that a router took in and did not send on ended there, where the captures prove it.
func TestEndedAt(t *testing.T) {
	mac := []byte{2, 0, 0, 0, 0, 1}
	frame := func(change func(frame []byte)) []byte {
		b := udp(1, 2)
		copy(b, mac)
		if change != nil {
			change(b)
		}
		return b
	}
	type sighting struct {
		inbound bool
		comment string
	}
	for _, c := range []struct {
		name       string
		data       []byte
		seen       []sighting
		filter     string
		interfaces []string
		want       string
	}{
		{"silently dropped", frame(nil), []sighting{{true, ""}}, "", []string{"r-eth0"}, "r"},
		{"sent on", frame(nil), []sighting{{true, ""}, {false, ""}}, "", []string{"r-eth0"}, ""},
		{"sent on and lost", frame(nil), []sighting{{true, ""}, {false, "dropped: queue full on r--b"}}, "", []string{"r-eth0"}, ""},
		{"lost on arrival", frame(nil), []sighting{{true, "dropped: node down on a--r"}}, "", []string{"r-eth0"}, ""},
		{"not a router", frame(nil), []sighting{{true, ""}}, "", nil, ""},
		{"an interface was not captured", frame(nil), []sighting{{true, ""}}, "", []string{"r-eth0", "r-eth1"}, ""},
		{"some frames were captured", frame(nil), []sighting{{true, ""}}, "udp", []string{"r-eth0"}, ""},
		{"for somebody else", frame(func(b []byte) { b[5] = 9 }), []sighting{{true, ""}}, "", []string{"r-eth0"}, ""},
		{"for the router", frame(func(b []byte) { b[33] = 9 }), []sighting{{true, ""}}, "", []string{"r-eth0"}, ""},
		{"a fragment", frame(func(b []byte) { b[20] = 0x20 }), []sighting{{true, ""}}, "", []string{"r-eth0"}, ""},
		{"multicast", frame(func(b []byte) { b[30] = 224 }), []sighting{{true, ""}}, "", []string{"r-eth0"}, ""},
		{"may be cut", append(frame(nil), make([]byte, 100)...), []sighting{{true, ""}}, "", []string{"r-eth0"}, ""},
		{"must not be cut", append(frame(func(b []byte) { b[20] = 0x40 }), make([]byte, 100)...), []sighting{{true, ""}}, "", []string{"r-eth0"}, "r"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "r.pcapng")
			f, err := os.Create(path)
			require.NoError(t, err)
			defer f.Close()
			w, err := captures.NewWriter(f, captures.Section{})
			require.NoError(t, err)
			_, err = w.AddInterface(captures.InterfaceDescription{Name: "r-eth0", MAC: mac, Filter: c.filter})
			require.NoError(t, err)
			for i, s := range c.seen {
				d := netem.Outbound
				if s.inbound {
					d = netem.Inbound
				}
				require.NoError(t, w.WritePacket(&captures.Packet{Time: began.Add(time.Duration(i)), Directed: true, Direction: d, ID: 1, Data: c.data,
					Comment: s.comment}))
			}
			routers := map[string][]string{}
			if c.interfaces != nil {
				routers["r"] = c.interfaces
			}
			run, err := OpenRun([]CaptureFile{{"r", path}}, RunOptions{Name: namedWithRouter})
			require.NoError(t, err)
			require.Len(t, run.Journeys, 1)
			require.Equal(t, c.want, run.EndedAt(run.Journeys[0], routers))
		})
	}
}

// BenchmarkOpenRun joins captures of a packet's way along 4 and 400 nodes. Bytes are those of the files.
func BenchmarkOpenRun(b *testing.B) {
	const frames = 40_000
	for _, nodes := range []int{4, 400} {
		b.Run(fmt.Sprintf("%d-captures", nodes), func(b *testing.B) {
			dir := b.TempDir()
			var files []CaptureFile
			size := int64(0)
			for n := range nodes {
				path := filepath.Join(dir, fmt.Sprintf("n%d.pcapng", n))
				f, err := os.Create(path)
				require.NoError(b, err)
				w, err := captures.NewWriter(f, captures.Section{})
				require.NoError(b, err)
				_, err = w.AddInterface(captures.InterfaceDescription{Name: "eth0"})
				require.NoError(b, err)
				data := slices.Concat(udp(1, 2), make([]byte, 458))
				for i := range frames / nodes {
					require.NoError(b, w.WritePacket(&captures.Packet{
						Time: began.Add(time.Duration(i*1000 + n)), Directed: true, Direction: netem.Outbound, ID: uint64(i + 1), Data: data,
					}))
				}
				info, err := f.Stat()
				require.NoError(b, err)
				size += info.Size()
				require.NoError(b, f.Close())
				files = append(files, CaptureFile{fmt.Sprintf("n%d", n), path})
			}
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				run, err := OpenRun(files, RunOptions{})
				require.NoError(b, err)
				require.Len(b, run.Journeys, frames/nodes)
			}
			b.ReportMetric(float64(b.N)*frames/b.Elapsed().Seconds(), "frames/s")
		})
	}
}
