package captures

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"

	"netlab/netem"
	"netlab/units"
)

// Interface is a port whose frames are captured.
type Interface struct {
	// Port is the number by which the network calls the tap.
	Port netem.PortID
	// Node is the node that the port belongs to. All interfaces of a node share one file.
	Node string
	// Name, Description, MAC and Speed go into the file's interface description; see [InterfaceDescription].
	Name        string
	Description string
	MAC         net.HardwareAddr
	Speed       units.BitRate
}

// Options says what a [Set] captures and where to.
type Options struct {
	// Dir is the folder of the files, made if it is missing. A node's file is Dir/<node>.pcapng, or .pcap.
	Dir string
	// Application and Comments go into the section header; see [Section].
	Application string
	Comments    []string
	// Epoch is the time of day at which the run starts: a frame's time stamp is Epoch plus the virtual time. The zero
	// value is the beginning of 1970.
	Epoch time.Time
	// Format is the format of all files.
	Format Format
	// SnapLength is how many bytes of each frame are kept; 0 is all of them.
	SnapLength int
	// Filter chooses frames; nil chooses all.
	Filter *Filter
	// Names are the names of all addresses, written into each file.
	Names []Name
	// Interfaces are the ports to capture. Frames of other ports are ignored.
	Interfaces []Interface
}

// prepare checks the options and builds the tables.
func (s *Set) prepare() error {
	o := &s.options
	if o.Epoch.IsZero() {
		o.Epoch = time.Unix(0, 0)
	}
	epoch, err := timestamp(o.Epoch)
	if err != nil {
		return err
	}
	s.epoch = epoch
	if o.Format != Pcapng && o.Format != Pcap {
		return fmt.Errorf("captures: unknown format %d", o.Format)
	}
	if o.SnapLength < 0 || o.SnapLength > plainSnapLength {
		return fmt.Errorf("captures: snap length %d: want 0 to %d", o.SnapLength, plainSnapLength)
	}
	for _, text := range append([]string{o.Application}, o.Comments...) {
		if err := checkText("text of the section", text); err != nil {
			return err
		}
	}
	for _, n := range o.Names {
		if err := n.validate(); err != nil {
			return err
		}
	}
	for i := range o.Interfaces {
		if err := s.addInterface(&o.Interfaces[i]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Set) addInterface(i *Interface) error {
	if i.Node == "" || i.Node != filepath.Base(i.Node) || i.Node == "." || i.Node == ".." || strings.ContainsRune(i.Node, '\\') {
		return fmt.Errorf("captures: node %q can't be the name of a file", i.Node)
	}
	if i.Port < 0 {
		return fmt.Errorf("captures: interface %s: port %d is negative", i.Name, i.Port)
	}
	f := s.byNode[i.Node]
	if f == nil {
		f = &file{node: i.Node, path: filepath.Join(s.options.Dir, i.Node+"."+s.options.Format.String())}
		s.byNode[i.Node] = f
		s.files = append(s.files, f)
	}
	d := InterfaceDescription{
		Name: i.Name, Description: i.Description, MAC: i.MAC, Speed: i.Speed, SnapLength: s.options.SnapLength,
		Filter: s.options.Filter.String(),
	}
	if err := d.validate(); err != nil {
		return err
	}
	if n := int(i.Port) + 1 - len(s.ports); n > 0 {
		s.ports = append(s.ports, make([]port, n)...)
	}
	if s.ports[i.Port].file != nil {
		return fmt.Errorf("captures: interface %s: port %d is captured already", i.Name, i.Port)
	}
	count := &counters{}
	s.ports[i.Port] = port{file: f, iface: count, index: uint32(len(f.interfaces))}
	f.interfaces = append(f.interfaces, d)
	f.counters = append(f.counters, count)
	return nil
}
