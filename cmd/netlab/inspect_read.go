package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"netlab/captures"
	"netlab/captures/analysis"
)

// source is a capture that the command line names.
type source struct {
	name string // as it is shown; - is standard input
	node string // in captures of a run
}

// findCaptures returns the captures that the arguments mean.
func (f *inspectFlags) findCaptures(args []string) ([]source, error) {
	var list []source
	stdin, folders := false, false
	for _, arg := range args {
		if arg == "-" {
			if stdin {
				return nil, errors.New("standard input (-) can be read only once")
			}
			stdin = true
			list = append(list, source{name: arg})
			continue
		}
		info, err := os.Stat(arg)
		switch {
		case err == nil && !info.IsDir():
			list = append(list, source{name: arg})
			continue
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
		found, err := f.capturesOf(arg)
		if err != nil {
			return nil, err
		}
		folders = true
		list = append(list, found...)
	}
	if f.node != "" && !folders {
		return nil, errors.New("--node chooses among the captures of a run: name a run's folder")
	}
	return list, nil
}

// capturesOf returns the captures of a run.
func (f *inspectFlags) capturesOf(arg string) ([]source, error) {
	folder, err := openFolder(arg)
	if err != nil {
		return nil, err
	}
	var list []source
	var nodes []string
	for _, c := range folder.Captures {
		nodes = append(nodes, c.Node)
		if f.node == "" || f.node == c.Node {
			list = append(list, source{c.Path, c.Node})
		}
	}
	switch {
	case len(nodes) == 0:
		return nil, fmt.Errorf("%s: holds no captures", folder.Dir)
	case len(list) == 0:
		hint := didYouMean(f.node, nodes, "")
		if hint == "" {
			hint = ": want one of " + strings.Join(nodes, ", ")
		}
		return nil, fmt.Errorf("%s: has no capture of node %q%s", folder.Dir, f.node, hint)
	}
	return list, nil
}

// inspect analyses a capture. If it is damaged, what precedes that is returned together with the error.
func (f *inspectFlags) inspect(c *cobra.Command, s source) (*inspected, error) {
	in, name := c.InOrStdin(), "standard input"
	if s.name != "-" {
		file, err := os.Open(s.name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in, name = file, s.name
	}
	found := &inspected{File: name, Node: s.node}
	var detail *streamDetail
	if f.stream >= 0 {
		detail = newStreamDetail()
	}
	a, err := f.analyse(in, detail)
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	if a == nil {
		return nil, err
	}
	found.Analysis = a
	if detail != nil && detail.finish(a, f.stream) {
		found.Stream = detail
	}
	return found, err
}

// analyse reads a capture to its end, or to where it is damaged.
func (f *inspectFlags) analyse(in io.Reader, detail *streamDetail) (*analysis.Analysis, error) {
	reader, err := captures.NewReader(in)
	if err != nil {
		return nil, err
	}
	reader.Reuse()
	o := analysis.Options{Applications: !f.headersOnly, KeyLog: f.secrets}
	if detail != nil {
		o.Limit = max(f.stream+1, 100_000)
		o.Frame = func(frame *analysis.Frame) { detail.frame(frame, f.stream) }
	}
	// A filter may name nodes. The names of all addresses precede the packets.
	var names captures.Capture
	var head []captures.Block
	var block captures.Block
	for {
		block, err = reader.Next()
		if _, packet := block.(*captures.Packet); packet || err != nil {
			break
		}
		if n, ok := block.(*captures.Names); ok {
			names.Names = append(names.Names, n.Names...)
		}
		head = append(head, block)
	}
	var filterErr error
	if o.Select, filterErr = f.selection(names.Names); filterErr != nil {
		return nil, filterErr
	}
	a := analysis.New(o)
	for _, b := range head {
		f.pass(a, b)
	}
	for err == nil {
		f.pass(a, block)
		block, err = reader.Next()
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return a.Finish(), err
}

// pass gives a block to the analyzer, without secrets if nothing is to be decrypted.
func (f *inspectFlags) pass(a *analysis.Analyzer, b captures.Block) {
	if _, secrets := b.(*captures.Secrets); secrets && f.noDecrypt {
		return
	}
	a.Add(b)
}

// narrowed says that some frames only are looked at.
func (f *inspectFlags) narrowed() bool { return f.filter != "" || f.from != nil || f.to != nil }

// selection returns what chooses frames, nil if all are.
func (f *inspectFlags) selection(names []captures.Name) (func(*analysis.Frame) bool, error) {
	if !f.narrowed() {
		return nil, nil
	}
	filter, err := captures.ParseFilter(f.filter, func(name string) (list []netip.Addr, ok bool) {
		for _, n := range names {
			if n.Name == name {
				list = append(list, n.Addr)
			}
		}
		return list, len(list) > 0
	})
	if err != nil {
		return nil, err
	}
	return func(frame *analysis.Frame) bool {
		return (f.from == nil || frame.At >= *f.from) && (f.to == nil || frame.At <= *f.to) && filter.MatchHeaders(frame.Headers)
	}, nil
}
