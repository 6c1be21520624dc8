package captures

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"

	"netlab/netem"
)

// labOptions captures a client with one port and a router with two. Port 1 is nobody's.
func labOptions(dir string) Options {
	return Options{
		Dir: dir, Application: "netlab test", Comments: []string{"lab two hosts", "seed 1"}, Epoch: epoch, Names: labNames,
		Interfaces: []Interface{
			{Port: 0, Node: "client", Name: "client-eth0", Description: "to r1, 50ms", MAC: clientMAC, Speed: 10_000_000},
			{Port: 2, Node: "r1", Name: "r1-eth0"},
			{Port: 3, Node: "r1", Name: "r1-eth1"},
		},
	}
}

func readNode(t testing.TB, dir, node string) *Capture {
	t.Helper()
	c, err := ReadFile(filepath.Join(dir, node+".pcapng"))
	require.NoError(t, err)
	return c
}

func TestSet(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "captures")
	o := labOptions(dir)
	var err error
	o.Filter, err = ParseFilter("tcp", nil)
	require.NoError(t, err)
	s, err := Open(o)
	require.NoError(t, err)
	require.Zero(t, s.Pending())
	require.Len(t, readNode(t, dir, "r1").Interfaces, 2, "the headers are there before any packet")

	frame := tcpFrame(t, client4, server4, &layers.TCP{SrcPort: 1, DstPort: 2, SYN: true}, "")
	s.Frame(time.Second, 0, netem.Outbound, 0, frame, "")
	s.Frame(time.Second+1, 1, netem.Inbound, 0, frame, "port 1 is not captured")
	s.Frame(time.Second+2, 99, netem.Inbound, 0, frame, "nor is port 99")
	s.Frame(time.Second+3, 2, netem.Inbound, 0, frame, "")
	s.Frame(time.Second+3, 2, netem.Inbound, 0, arpFrame(t, 1, client4, server4), "")
	s.Frame(time.Second+4, 3, netem.Outbound, 0, frame, "dropped: queue full on r1--server")
	require.Equal(t, 3*(&packetHead{directed: true}).size(len(frame))+4+36, s.Pending())
	require.NoError(t, s.Flush())
	require.Zero(t, s.Pending())
	s.Frame(2*time.Second, 0, netem.Inbound, 0, frame, "")
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	require.NoError(t, s.Err())
	require.Zero(t, s.Lost())

	start, end := epoch, epoch.Add(2*time.Second)
	require.Equal(t, &Capture{
		Section: Section{Application: "netlab test", Comments: []string{"lab two hosts", "seed 1", "the run began at 2000-01-01T00:00:00Z"}},
		Interfaces: []*InterfaceDescription{
			{Name: "client-eth0", Description: "to r1, 50ms", MAC: clientMAC, Speed: 10_000_000, LinkType: LinkEthernet, Filter: "tcp"},
		},
		Names: labNames,
		Packets: []*Packet{
			{Time: epoch.Add(time.Second), Directed: true, Direction: netem.Outbound, Length: len(frame), Data: frame},
			{Time: epoch.Add(2 * time.Second), Directed: true, Direction: netem.Inbound, Length: len(frame), Data: frame},
		},
		Statistics: []*Statistics{{Time: end, Start: start, End: end, Received: 2, Accepted: 2}},
	}, readNode(t, dir, "client"))

	r1 := readNode(t, dir, "r1")
	require.Len(t, r1.Packets, 2)
	require.Equal(t, 1, r1.Packets[1].Interface)
	require.Equal(t, "dropped: queue full on r1--server", r1.Packets[1].Comment)
	require.Equal(t, []*Statistics{
		{Interface: 0, Time: end, Start: start, End: end, Received: 2, Accepted: 1},
		{Interface: 1, Time: end, Start: start, End: end, Received: 1, Accepted: 1},
	}, r1.Statistics)
}

func TestSetPlainAndSnapped(t *testing.T) {
	dir := t.TempDir()
	o := labOptions(dir)
	o.Format, o.SnapLength, o.Epoch = Pcap, 20, time.Time{}
	s, err := Open(o)
	require.NoError(t, err)
	s.Secrets("client", []byte("there is no room for them"))
	s.Frame(1234567890123456789, 0, netem.Outbound, 0, make([]byte, 60), "nor for this")
	require.NoError(t, s.Close())
	c, err := ReadFile(filepath.Join(dir, "client.pcap"))
	require.NoError(t, err)
	require.Equal(t, []*Packet{{Time: time.Unix(0, 1234567890123456789).UTC(), Length: 60, Data: make([]byte, 20)}}, c.Packets)
	c, err = ReadFile(filepath.Join(dir, "r1.pcap"))
	require.NoError(t, err)
	require.Empty(t, c.Packets)
	require.Equal(t, 20, c.Interfaces[0].SnapLength)
}

// play lets frames and secrets of several nodes come, flushes after every nth call and returns the files.
func play(t testing.TB, nodes, every int, o Options, opener opener) map[string][]byte {
	o.Dir = t.TempDir()
	o.Interfaces = nil
	for i := range nodes {
		o.Interfaces = append(o.Interfaces, Interface{Port: netem.PortID(i), Node: fmt.Sprintf("host%d", i), Name: "eth0"})
	}
	s, err := open(o, opener)
	require.NoError(t, err)
	for i := range 2000 {
		node := i * i % 31 % nodes
		if i%50 == 0 {
			s.Secrets(fmt.Sprintf("host%d", node), fmt.Appendf(nil, "CLIENT_RANDOM %d 00\n", 5000-i))
		}
		frame := make([]byte, 14+i*7%1500)
		if i%500 == 0 {
			frame = make([]byte, 70_000) // does not fit into a chunk
		}
		s.Frame(time.Duration(i), netem.PortID(node), netem.Outbound, 0, frame, strings.Repeat("c", i%5))
		if every > 0 && i%every == 0 {
			require.NoError(t, s.Flush())
			require.LessOrEqual(t, len(s.handles.recent), s.handles.limit)
		}
	}
	require.NoError(t, s.Close())
	files := map[string][]byte{}
	for _, f := range s.files {
		files[f.node], err = os.ReadFile(f.path)
		require.NoError(t, err)
	}
	return files
}

// When frames are written does not show in the files, however many are open.
func TestSetFlushesDoNotShow(t *testing.T) {
	for _, format := range []Format{Pcapng, Pcap} {
		o := Options{Format: format, Epoch: epoch}
		want := play(t, 7, 0, o, osOpen)
		for name, file := range want {
			_, err := ReadAll(bytes.NewReader(file))
			require.NoError(t, err, name)
		}
		for _, every := range []int{1, 10, 999} {
			require.Equal(t, want, play(t, 7, every, o, osOpen), every)
		}
	}
}

func TestSetBoundsOpenFiles(t *testing.T) {
	open, most := 0, 0
	counting := func(path string, create bool) (handle, error) {
		h, err := osOpen(path, create)
		open++
		most = max(most, open)
		return countedHandle{h, &open}, err
	}
	files := play(t, 200, 10, Options{Epoch: epoch}, counting)
	require.Len(t, files, 200)
	require.Equal(t, maxOpenFiles, most)
	require.Zero(t, open)
	for name, file := range files {
		c, err := ReadAll(bytes.NewReader(file))
		require.NoError(t, err, name)
		require.Len(t, c.Statistics, 1)
	}
}

type countedHandle struct {
	handle
	open *int
}

func (h countedHandle) Close() error {
	*h.open--
	return h.handle.Close()
}

// Lines stand before the first frame after them, sorted among themselves.
func TestSetSecrets(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(labOptions(dir))
	require.NoError(t, err)
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() { s.Secrets("client", fmt.Appendf(nil, "LABEL %02d 00\n", i)) })
	}
	group.Wait()
	s.Secrets("", []byte("ALL 00 00"))
	s.Secrets("stranger", []byte("NONE 00 00\n"))
	require.NoError(t, s.Flush())
	s.Frame(1, 0, netem.Outbound, 0, make([]byte, 60), "")
	s.Frame(2, 0, netem.Outbound, 0, make([]byte, 60), "")
	s.Secrets("client", []byte("LATE 00 00\n"))
	require.NoError(t, s.Close())

	file, err := os.ReadFile(filepath.Join(dir, "client.pcapng"))
	require.NoError(t, err)
	var order []string
	for _, b := range readBlocks(t, file) {
		switch b := b.(type) {
		case *Packet:
			order = append(order, "packet")
		case *Secrets:
			require.Equal(t, uint32(SecretsTLS), b.Type)
			order = append(order, string(b.Data))
		}
	}
	first := "ALL 00 00\n"
	for i := range 20 {
		first += fmt.Sprintf("LABEL %02d 00\n", i)
	}
	require.Equal(t, []string{first, "packet", "packet", "LATE 00 00\n"}, order)
	require.Equal(t, []byte("ALL 00 00\n"), readNode(t, dir, "r1").Secrets[0].Data)
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	blocked := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(blocked, nil, 0o666))
	for _, test := range []struct {
		want   string
		change func(o *Options)
	}{
		{"not a directory", func(o *Options) { o.Dir = filepath.Join(blocked, "captures") }},
		{`node "../client" can't be the name of a file`, func(o *Options) { o.Interfaces[0].Node = "../client" }},
		{`node ".." can't be the name of a file`, func(o *Options) { o.Interfaces[0].Node = ".." }},
		{`node "" can't be the name of a file`, func(o *Options) { o.Interfaces[0].Node = "" }},
		{"port -1 is negative", func(o *Options) { o.Interfaces[0].Port = -1 }},
		{"port 2 is captured already", func(o *Options) { o.Interfaces[0].Port = 2 }},
		{"MAC address of 3 bytes", func(o *Options) { o.Interfaces[0].MAC = clientMAC[:3] }},
		{"time 1969-12-31T23:59:59Z: want 1970 to 2262", func(o *Options) { o.Epoch = time.Unix(-1, 0) }},
		{"snap length -1", func(o *Options) { o.SnapLength = -1 }},
		{"unknown format 7", func(o *Options) { o.Format = 7 }},
		{"has no name", func(o *Options) { o.Names = []Name{{Addr: client4}} }},
		{"text of the section is 70000 bytes long", func(o *Options) { o.Comments = []string{strings.Repeat("x", 70000)} }},
		{"is a directory", func(o *Options) { require.NoError(t, os.MkdirAll(filepath.Join(o.Dir, "r1.pcapng"), 0o777)) }},
	} {
		t.Run(test.want, func(t *testing.T) {
			o := labOptions(filepath.Join(dir, "captures"))
			test.change(&o)
			_, err := Open(o)
			require.ErrorContains(t, err, test.want)
		})
	}
}

// brittleHandle writes until the disk is full.
type brittleHandle struct {
	handle
	free *int
}

func (h brittleHandle) WriteAt(b []byte, at int64) (int, error) {
	if len(b) <= *h.free {
		*h.free -= len(b)
		return h.handle.WriteAt(b, at)
	}
	n, err := h.handle.WriteAt(b[:*h.free], at)
	*h.free = 0
	return n, errors.Join(err, syscall.ENOSPC)
}

// Wherever the disk gets full, the file holds the whole blocks before that, and every frame is either in it or counted.
func TestSetDiskFull(t *testing.T) {
	const frames = 6
	for _, format := range []Format{Pcapng, Pcap} {
		for free := range 1500 {
			room := 1 << 20
			o := labOptions(t.TempDir())
			o.Format = format
			o.Interfaces = o.Interfaces[:1]
			s, err := open(o, func(path string, create bool) (handle, error) {
				h, err := osOpen(path, create)
				return brittleHandle{h, &room}, err
			})
			require.NoError(t, err)
			room = free
			s.Secrets("client", []byte("CLIENT_RANDOM 00 00"))
			for i := range frames / 2 {
				s.Frame(time.Duration(i), 0, netem.Outbound, 0, make([]byte, 60+i), "comment")
			}
			_ = s.Flush() // fails for some values of free; Close says so
			for i := range frames / 2 {
				s.Frame(time.Duration(frames+i), 0, netem.Outbound, 0, make([]byte, 160+i), "")
			}
			err = s.Close()
			path := filepath.Join(o.Dir, "client."+format.String())
			c, broken := ReadFile(path)
			require.NoError(t, broken, free)
			require.Equal(t, frames, len(c.Packets)+int(s.Lost()), free)
			if err == nil {
				require.Len(t, c.Packets, frames)
				continue
			}
			require.ErrorIs(t, err, syscall.ENOSPC)
			require.Equal(t, err, s.Err())
			require.Equal(t, err, s.Flush())
			require.Empty(t, c.Statistics)
		}
	}
}

// A file that fails does not take the others with it.
func TestSetFilesFailAlone(t *testing.T) {
	dir := t.TempDir()
	o := labOptions(dir)
	for i := range 3 {
		o.Interfaces = append(o.Interfaces, Interface{Port: netem.PortID(10 + i), Node: fmt.Sprintf("h%d", i)})
	}
	s, err := Open(o)
	require.NoError(t, err)
	s.handles.closeAll() // as if the files had not been used for long
	require.NoError(t, os.Remove(filepath.Join(dir, "h1.pcapng")))
	for i := range 3 {
		s.Frame(1, netem.PortID(10+i), netem.Outbound, 0, make([]byte, 60), "")
	}
	require.ErrorIs(t, s.Flush(), os.ErrNotExist)
	require.EqualValues(t, 1, s.Lost())
	s.Frame(2, 11, netem.Outbound, 0, make([]byte, 60), "")
	require.EqualValues(t, 2, s.Lost())
	require.NoError(t, os.Remove(filepath.Join(dir, "h2.pcapng")))
	s.handles.closeAll()
	err = s.Close()
	require.ErrorContains(t, err, "h1.pcapng: no such file or directory (and 1 more capture files failed)")
	require.Len(t, readNode(t, dir, "h0").Packets, 1)
	require.Len(t, readNode(t, dir, "client").Statistics, 1)
}

func TestSetFullDevice(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("this system has no /dev/full")
	}
	dir := t.TempDir()
	require.NoError(t, os.Symlink("/dev/full", filepath.Join(dir, "r1.pcapng")))
	_, err := Open(labOptions(dir))
	require.ErrorIs(t, err, syscall.ENOSPC)
}

// A comment that no option can hold ends the file, but what came before is kept.
func TestSetStopsAtWhatDoesNotFit(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(labOptions(dir))
	require.NoError(t, err)
	s.Frame(1, 0, netem.Outbound, 0, make([]byte, 60), "")
	s.Frame(2, 0, netem.Outbound, 0, make([]byte, 60), strings.Repeat("x", 1<<16))
	s.Frame(3, 0, netem.Outbound, 0, make([]byte, 60), "")
	require.ErrorContains(t, s.Close(), "client.pcapng: captures: comment of a packet is 65536 bytes long")
	require.EqualValues(t, 2, s.Lost())
	require.Len(t, readNode(t, dir, "client").Packets, 1)
}

func TestSetAfterClose(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(labOptions(dir))
	require.NoError(t, err)
	require.NoError(t, s.Close())
	before, err := os.ReadFile(filepath.Join(dir, "client.pcapng"))
	require.NoError(t, err)
	s.Frame(1, 0, netem.Outbound, 0, make([]byte, 60), "")
	s.Secrets("client", []byte("LATE"))
	require.NoError(t, s.Flush())
	require.EqualValues(t, 1, s.Lost())
	after, err := os.ReadFile(filepath.Join(dir, "client.pcapng"))
	require.NoError(t, err)
	require.Equal(t, before, after)
}

// Between two flushes frames cost no allocation, once the buffers are there.
func TestSetFrameAllocatesNothing(t *testing.T) {
	for _, format := range []Format{Pcapng, Pcap} {
		o := labOptions(t.TempDir())
		o.Format = format
		s, err := Open(o)
		require.NoError(t, err)
		frame := make([]byte, 1514)
		round := func() {
			for i := range 1000 {
				s.Frame(time.Duration(i), netem.PortID(i%4), netem.Outbound, 0, frame, "dropped: random loss on a--b")
			}
		}
		round()
		require.NoError(t, s.Flush())
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		round()
		runtime.ReadMemStats(&after)
		// The runtime itself allocates now and then.
		require.Less(t, after.Mallocs-before.Mallocs, uint64(20))
		require.NoError(t, s.Close())
	}
}

func BenchmarkSetFrame(b *testing.B) {
	for _, nodes := range []int{1, 64, 1000} {
		for _, size := range []int{66, 1514} {
			b.Run(fmt.Sprintf("nodes=%d/bytes=%d", nodes, size), func(b *testing.B) {
				o := Options{Dir: b.TempDir(), Epoch: epoch}
				for i := range nodes {
					o.Interfaces = append(o.Interfaces, Interface{Port: netem.PortID(i), Node: fmt.Sprintf("host%d", i)})
				}
				s, err := open(o, func(string, bool) (handle, error) { return nullHandle{}, nil })
				require.NoError(b, err)
				frame := make([]byte, size)
				b.ReportAllocs()
				b.SetBytes(int64(size))
				i := 0
				for b.Loop() {
					s.Frame(time.Duration(i), netem.PortID(i%nodes), netem.Outbound, 0, frame, "")
					if i++; i%1000 == 0 {
						if err := s.Flush(); err != nil {
							b.Fatal(err)
						}
					}
				}
			})
		}
	}
}

type nullHandle struct{}

func (nullHandle) WriteAt(b []byte, _ int64) (int, error) { return len(b), nil }
func (nullHandle) Close() error                           { return nil }
func (nullHandle) Truncate(int64) error                   { return nil }
