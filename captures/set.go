package captures

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"netlab/netem"
)

// Set is the captures of a run: one file for each node. It implements [netem.Tap].
//
// Frame and Secrets copy into memory and never call the operating system. Flush and Close write; the engine calls Flush
// between events, when Pending has grown enough to be worth it. When frames are flushed does not change what is in the
// files.
//
// If a file can't be written (a full disk, a removed folder) the error is kept and returned by Flush, Close and Err. The file
// ends after the last whole block that was written, so it can be read; its later frames are counted by Lost but not kept.
// Other files go on.
//
// Frame, Flush and Close belong to the engine; Secrets may be called by any goroutine.
type Set struct {
	mu      sync.Mutex
	options Options
	epoch   uint64
	ports   []port // by PortID
	files   []*file
	byNode  map[string]*file
	dirty   []*file // files that have something in the buffer
	buffer  buffer
	gather  []byte // for flushFile
	handles handles
	last    time.Duration // the time of the latest frame
	lost    uint64
	closed  bool
}

var _ netem.Tap = (*Set)(nil)

// port is where a frame goes. The zero value is a port that is not captured.
type port struct {
	file  *file
	iface *counters
	index uint32
}

// counters are for an interface's statistics.
type counters struct{ received, accepted uint64 }

// Open makes the folder and the files and writes the files' headers, so that a node without packets has a readable file
// too.
func Open(o Options) (*Set, error) {
	return open(o, osOpen)
}

func open(o Options, opener opener) (*Set, error) {
	s := &Set{options: o, byNode: map[string]*file{}, handles: handles{open: opener, limit: maxOpenFiles}}
	if err := s.prepare(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o777); err != nil {
		return nil, fmt.Errorf("captures: %w", err)
	}
	for _, f := range s.files {
		s.writeHeader(f)
		s.handles.create(f)
		s.flushFile(f)
		if f.err != nil {
			s.handles.closeAll()
			return nil, f.err
		}
		s.buffer.reset()
		s.dirty = s.dirty[:0]
	}
	return s, nil
}

// writeHeader puts into the buffer what precedes the packets.
func (s *Set) writeHeader(f *file) {
	o := &s.options
	var b []byte
	if o.Format == Pcap {
		b = appendPlainFileHeader(b, s.snapLength())
	} else {
		b = appendSection(b, &Section{Application: o.Application, Comments: append(slices.Clone(o.Comments), startComment(o.Epoch))})
		for i := range f.interfaces {
			b = appendInterface(b, &f.interfaces[i])
		}
		b = appendNames(b, o.Names)
	}
	s.add(f, b)
}

// snapLength is how many bytes of a frame are kept.
func (s *Set) snapLength() int {
	if s.options.SnapLength == 0 {
		return plainSnapLength
	}
	return s.options.SnapLength
}

// Frame implements [netem.Tap]. It copies the frame, or as much of it as the snap length allows. The frame's number becomes the
// packet's ID.
func (s *Set) Frame(at time.Duration, port netem.PortID, dir netem.Direction, id uint64, data []byte, comment string) {
	if uint(port) >= uint(len(s.ports)) {
		return
	}
	p := &s.ports[port]
	f := p.file
	if f == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p.iface.received++
	s.last = max(s.last, at)
	if !s.options.Filter.Match(data) {
		return
	}
	p.iface.accepted++
	if f.err != nil || f.stopped || s.closed {
		s.lost++
		return
	}
	ns := s.epoch + uint64(at)
	if err := s.check(ns, comment); err != nil {
		s.stop(f, err)
		s.lost++
		return
	}
	if len(f.secrets) > 0 {
		s.writeSecrets(f)
	}
	kept := data[:min(len(data), s.snapLength())]
	if s.options.Format == Pcap {
		chunk, b := s.buffer.room(plainHeader + len(kept))
		s.keep(f, chunk, appendPlainPacket(b, ns, kept, len(data)))
		return
	}
	h := packetHead{iface: p.index, ns: ns, length: len(data), id: id, directed: true, dir: dir, comment: comment}
	chunk, b := s.buffer.room(h.size(len(kept)))
	s.keep(f, chunk, appendPacket(b, &h, kept))
}

// check finds the frames that the format can't hold.
func (s *Set) check(ns uint64, comment string) error {
	if len(comment) > maxOption {
		return checkText("comment of a packet", comment)
	}
	if s.options.Format == Pcap && ns/1e9 > 1<<32-1 || ns > 1<<63-1 {
		return errors.New("captures: virtual time exceeds what the file format can hold")
	}
	return nil
}

// Secrets adds a line of a TLS key log, with or without its line feed, to the node's file, or to all files if node is
// empty. Lines are put before the next frame that is captured there, in alphabetical order, so that it does not matter
// which of two goroutines came first. A node that is not captured, and a plain pcap file, take no secrets.
func (s *Set) Secrets(node string, line []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.options.Format == Pcap || s.closed {
		return
	}
	text := strings.TrimRight(string(line), "\r\n") + "\n"
	if node == "" {
		for _, f := range s.files {
			f.secrets = append(f.secrets, text)
		}
	} else if f := s.byNode[node]; f != nil {
		f.secrets = append(f.secrets, text)
	}
}

func (s *Set) writeSecrets(f *file) {
	slices.Sort(f.secrets)
	s.add(f, appendSecrets(nil, SecretsTLS, []byte(strings.Join(f.secrets, ""))))
	f.secrets = nil
}

// Pending returns how many bytes wait to be flushed. It is what the buffers hold in memory, give or take a chunk of 64 KiB.
func (s *Set) Pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buffer.used
}

// Lost returns how many frames were captured but not kept, because their file could not be written.
func (s *Set) Lost() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

// Flush writes all that is pending. It returns [Set.Err].
func (s *Set) Flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flush()
	return s.err()
}

// Close writes what is pending and the statistics, and closes the files. It returns [Set.Err]. Further calls do nothing
// else.
func (s *Set) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return s.err()
	}
	s.closed = true
	for _, f := range s.files {
		if s.options.Format == Pcapng && f.err == nil {
			s.writeTail(f)
		}
	}
	s.flush()
	s.handles.closeAll()
	return s.err()
}

// writeTail puts into the buffer what follows the packets.
func (s *Set) writeTail(f *file) {
	if len(f.secrets) > 0 {
		s.writeSecrets(f)
	}
	end := s.options.Epoch.Add(s.last)
	var b []byte
	for i, c := range f.counters {
		b = appendStatistics(b, &Statistics{
			Interface: i, Time: end, Start: s.options.Epoch, End: end, Received: c.received, Accepted: c.accepted,
		})
	}
	s.add(f, b)
}

// Err returns the first error, nil if all is well. It says how many other files failed.
func (s *Set) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err()
}

func (s *Set) err() error {
	if s.handles.failed > 1 {
		return fmt.Errorf("%w (and %d more capture files failed)", s.handles.first, s.handles.failed-1)
	}
	return s.handles.first
}
