package analysis

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"netlab/captures"
)

// CaptureFile names a capture of a run and the node at which it was taken.
type CaptureFile struct{ Node, Path string }

// RunOptions say what [OpenRun] looks at. The zero value is ready for use.
type RunOptions struct {
	// Limit is how many journeys are kept; 0 means 1,000,000. A million of them with four hops each take about 850 MB of memory.
	Limit int
	// KeyLog holds TLS secrets in the format of NSS key logs, beside those in the captures.
	KeyLog []byte
	// Nodes are those whose captures are read; empty means all.
	Nodes []string
	// Name returns the name of an address, or "" if it has none. Names that stand in a capture before its packets come first. It may
	// be nil.
	Name func(netip.Addr) string
	// Frame, if it isn't nil, is called for each frame of all captures, in order of time. capture is the index in Run.Captures.
	Frame func(capture int, f *Frame)
}

// defaultJourneys is how many journeys are kept where the options don't say.
const defaultJourneys = 1_000_000

// OpenFile is [OpenRun] for a single capture of any origin, in the formats pcapng and pcap, also packed with gzip. The node is called
// as the file is.
func OpenFile(path string, o RunOptions) (*Run, error) {
	node, _, _ := strings.Cut(filepath.Base(path), ".")
	o.Nodes = nil
	return OpenRun([]CaptureFile{{node, path}}, o)
}

// OpenRun reads the captures of a run side by side, in order of time, and joins what they saw of the same packet, which
// [captures.Packet.ID] tells. It keeps the journeys and what the analyses of the captures keep, not the packets.
//
// Captures without IDs can't be joined: of several such only the first is used, and beside captures that have them none; Run.Notes says
// so. If a capture is damaged or was cut short, the error says where, and the run holds all that precedes the fault.
func OpenRun(files []CaptureFile, o RunOptions) (*Run, error) {
	if o.Limit < 0 {
		return nil, fmt.Errorf("analysis: a limit of %d journeys: want 0 or more", o.Limit)
	}
	files, err := chooseNodes(files, o.Nodes)
	if err != nil {
		return nil, err
	}
	list, notes, failed := surveyFiles(files)
	if len(list) == 0 {
		return nil, failed
	}
	run := &Run{Notes: notes, Start: runStart(list)}
	j := newJoiner(run, list, cmp.Or(o.Limit, defaultJourneys), o.Name)
	sources := make([]*source, len(list))
	for i, s := range list {
		c := &Capture{Node: s.Node, Path: s.Path}
		run.Captures = append(run.Captures, c)
		options := Options{Name: j.name, Start: run.Start, Applications: true, KeyLog: o.KeyLog}
		sources[i] = &source{index: i}
		sources[i].next, sources[i].stop = iter.Pull(framesOf(c, options, &sources[i].err))
		defer sources[i].stop()
	}
	merge(sources, func(capture int, f *Frame) {
		j.frame(capture, f)
		if o.Frame != nil {
			o.Frame(capture, f)
		}
	})
	for i, s := range sources {
		if s.err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", list[i].Path, s.err))
		}
	}
	if slices.ContainsFunc(run.Captures, func(c *Capture) bool { return c.Analysis == nil }) {
		return nil, failed
	}
	j.finish()
	return run, failed
}

// chooseNodes returns the files of these nodes, in the order of the files.
func chooseNodes(files []CaptureFile, nodes []string) ([]CaptureFile, error) {
	if len(files) == 0 {
		return nil, errors.New("analysis: there are no captures")
	}
	if len(nodes) == 0 {
		return files, nil
	}
	for _, n := range nodes {
		if !slices.ContainsFunc(files, func(f CaptureFile) bool { return f.Node == n }) {
			return nil, fmt.Errorf("analysis: there is no capture of a node %q", n)
		}
	}
	return slices.DeleteFunc(slices.Clone(files), func(f CaptureFile) bool { return !slices.Contains(nodes, f.Node) }), nil
}

// surveyed is what the beginning of a capture tells.
type surveyed struct {
	CaptureFile
	start    time.Time // of the run, zero if the file doesn't say
	first    time.Time // of the first packet, zero if there is none
	numbered bool      // the first packet has an ID
	names    map[netip.Addr]string
	// macs are the addresses of the interfaces by number, nil of those of which only some frames were captured.
	macs []net.HardwareAddr
}

// surveyFiles looks at the beginning of each file and leaves out what can't be joined. The error tells of files that are no captures.
func surveyFiles(files []CaptureFile) (list []surveyed, notes []string, failed error) {
	for _, f := range files {
		s, err := survey(f)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		list = append(list, s)
	}
	if len(list) < 2 {
		return list, nil, failed
	}
	plain := func(s surveyed) bool { return !s.numbered && !s.first.IsZero() }
	numbered := slices.ContainsFunc(list, func(s surveyed) bool { return s.numbered })
	first := slices.IndexFunc(list, plain)
	if first < 0 {
		return list, nil, failed
	}
	var kept []surveyed
	var left []string
	for i, s := range list {
		if plain(s) && (numbered || i != first) {
			left = append(left, filepath.Base(s.Path))
			continue
		}
		kept = append(kept, s)
	}
	if len(left) > 0 {
		notes = append(notes, fmt.Sprintf("left out, because packets without identifiers can't be joined: %s", strings.Join(left, ", ")))
	}
	return kept, notes, failed
}

// survey reads a capture up to its first packet.
func survey(file CaptureFile) (surveyed, error) {
	s := surveyed{CaptureFile: file, names: map[netip.Addr]string{}}
	f, err := os.Open(file.Path)
	if err != nil {
		return s, err
	}
	defer f.Close()
	r, err := captures.NewReader(f)
	if err != nil {
		return s, fmt.Errorf("%s: %w", file.Path, err)
	}
	for {
		b, err := r.Next()
		if err != nil {
			return s, nil // whoever reads the file tells of the fault
		}
		switch b := b.(type) {
		case *captures.Section:
			if start, ok := b.Start(); ok && s.start.IsZero() {
				s.start = start
			}
		case *captures.InterfaceDescription:
			mac := b.MAC
			if b.Filter != "" {
				mac = nil
			}
			s.macs = append(s.macs, mac)
		case *captures.Names:
			for _, n := range b.Names {
				if _, ok := s.names[n.Addr]; !ok {
					s.names[n.Addr] = n.Name
				}
			}
		case *captures.Packet:
			s.first, s.numbered = b.Time, b.ID != 0
			return s, nil
		}
	}
}

// runStart is when the run began, as a capture says, else when the first packet came.
func runStart(list []surveyed) time.Time {
	var first time.Time
	for _, s := range list {
		if !s.start.IsZero() {
			return s.start
		}
		if !s.first.IsZero() && (first.IsZero() || s.first.Before(first)) {
			first = s.first
		}
	}
	return first
}

// namesOf returns the names of all captures; where they differ, those of the first.
func namesOf(list []surveyed) map[netip.Addr]string {
	names := map[netip.Addr]string{}
	for _, s := range slices.Backward(list) {
		maps.Copy(names, s.names)
	}
	return names
}

// framesOf analyses a capture and gives each frame as it passes. When it has ended, c has its analysis and *failed says what was wrong.
func framesOf(c *Capture, o Options, failed *error) iter.Seq[*Frame] {
	return func(yield func(*Frame) bool) {
		f, err := os.Open(c.Path)
		if err != nil {
			*failed = err
			return
		}
		defer f.Close()
		going := true
		o.Frame = func(f *Frame) { going = going && yield(f) }
		c.Analysis, *failed = Read(f, o)
	}
}
