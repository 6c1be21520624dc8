package captures

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
)

// Capture is a whole file in memory.
type Capture struct {
	// Section is the first section header; plain pcap files have none.
	Section    Section
	Interfaces []*InterfaceDescription
	Packets    []*Packet
	Names      []Name
	Secrets    []*Secrets
	Statistics []*Statistics
}

// ReadFile reads the capture at path. If the file is cut short or damaged, it returns what precedes the fault together
// with the error.
func ReadFile(path string) (*Capture, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("captures: %w", err)
	}
	defer f.Close()
	c, err := ReadAll(f)
	if err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// ReadAll reads a capture from r. If it is cut short or damaged, what precedes the fault is returned together with the
// error of [Reader.Next].
func ReadAll(r io.Reader) (*Capture, error) {
	c := &Capture{}
	p, err := NewReader(r)
	if err != nil {
		return c, err
	}
	sections := 0
	for {
		b, err := p.Next()
		if errors.Is(err, io.EOF) {
			return c, nil
		}
		if err != nil {
			return c, err
		}
		switch b := b.(type) {
		case *Section:
			if sections == 0 {
				c.Section = *b
			}
			sections++
		case *InterfaceDescription:
			c.Interfaces = append(c.Interfaces, b)
		case *Packet:
			c.Packets = append(c.Packets, b)
		case *Names:
			c.Names = append(c.Names, b.Names...)
		case *Secrets:
			c.Secrets = append(c.Secrets, b)
		case *Statistics:
			c.Statistics = append(c.Statistics, b)
		}
	}
}

// NameFunc returns a function that looks addresses up among the file's names. It returns "" for an address without name.
func (c *Capture) NameFunc() func(netip.Addr) string {
	names := make(map[netip.Addr]string, len(c.Names))
	for _, n := range c.Names {
		if _, ok := names[n.Addr]; !ok {
			names[n.Addr] = n.Name
		}
	}
	return func(addr netip.Addr) string { return names[addr.Unmap()] }
}
