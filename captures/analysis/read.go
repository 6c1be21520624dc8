package analysis

import (
	"errors"
	"io"
	"os"

	"netlab/captures"
)

// ReadFile analyses a capture in the formats pcapng and pcap, compressed by gzip or not. See [Read] for errors.
func ReadFile(path string, o Options) (*Analysis, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Read(f, o)
}

// Read analyses a capture of any size while it reads it. If the capture ends within a packet or is damaged, it returns the analysis of
// everything before that together with the error, a [*captures.FormatError], which holds the offset. What is no capture at all gives
// no analysis.
func Read(r io.Reader, o Options) (*Analysis, error) {
	reader, err := captures.NewReader(r)
	if err != nil {
		return nil, err
	}
	reader.Reuse()
	a := New(o)
	for {
		block, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return a.Finish(), nil
		}
		if err != nil {
			return a.Finish(), err
		}
		a.Add(block)
	}
}
