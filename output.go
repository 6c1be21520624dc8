package netlab

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"netlab/captures"
	"netlab/captures/telemetry"
	"netlab/netem"
	"netlab/report"
)

// The files of a run in its folder, beside the folder of captures.
const (
	capturesDir  = report.CapturesDir
	resultsFile  = report.ResultsFile
	eventsFile   = report.EventsFile
	resolvedFile = report.TopologyFile

	telemetryFile = report.TelemetryFile
)

// AuthorityFile is the file of a run in real time with the certificate of the lab's authority in PEM, for programs outside that
// are to trust servers in the lab.
const AuthorityFile = "ca.pem"

// flushAt is how many bytes wait in memory before they are written. A run that keeps pace with the machine's clock writes what it
// has every flushEvery.
const (
	flushAt    = 1 << 20
	flushEvery = 500 * time.Millisecond
)

// output is the folder of a run. A nil folder name writes nothing.
type output struct {
	dir      string
	lab      *Lab
	captures *captures.Set
	events   *eventLog
	// telemetry is what was taken down of the run, nil if nothing was.
	telemetry *telemetry.File
	err       error // the first write that failed
	paced     bool  // the run keeps pace with the machine's clock
	flushed   time.Duration
}

// openOutput makes the folder and clears it of what an earlier run left.
func openOutput(l *Lab, o *RunOptions) (*output, error) {
	out := &output{dir: o.Dir, lab: l, paced: o.RealTime || o.Speed > 0}
	if o.Dir == "" {
		return out, nil
	}
	if err := os.MkdirAll(o.Dir, 0o777); err != nil {
		return nil, err
	}
	for _, name := range []string{resultsFile, eventsFile, resolvedFile, telemetryFile, report.PageFile, AuthorityFile} {
		if err := os.Remove(filepath.Join(o.Dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	for _, pattern := range []string{"*.pcapng", "*.pcap"} {
		old, err := filepath.Glob(filepath.Join(o.Dir, capturesDir, pattern))
		if err != nil {
			return nil, err
		}
		for _, name := range old {
			if err := os.Remove(name); err != nil {
				return nil, err
			}
		}
	}
	if err := os.WriteFile(filepath.Join(o.Dir, resolvedFile), l.topology.JSON(), 0o666); err != nil {
		return nil, err
	}
	for _, name := range l.topology.NamedFiles() { // so that the resolved file can be run where it is
		to := filepath.Join(o.Dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
			return nil, err
		}
		if err := os.WriteFile(to, l.topology.NamedFile(name), 0o666); err != nil {
			return nil, err
		}
	}
	f, err := os.Create(filepath.Join(o.Dir, eventsFile))
	if err != nil {
		return nil, err
	}
	out.events = &eventLog{file: f}
	return out, nil
}

// writeAuthority writes the certificate of the lab's authority, for programs outside that talk to the lab.
func (out *output) writeAuthority(pem []byte) error {
	if out.dir == "" {
		return nil
	}
	return os.WriteFile(filepath.Join(out.dir, AuthorityFile), pem, 0o666)
}

// openCaptures opens the files of the captured nodes.
func (out *output) openCaptures(w *world) error {
	c := out.lab.topology.Captures
	if out.dir == "" || c == nil || len(c.Nodes) == 0 {
		return nil
	}
	o := captures.Options{
		Dir:         filepath.Join(out.dir, capturesDir),
		Application: "netlab " + Version(),
		Comments:    []string{fmt.Sprintf("lab %s, seed %d", out.lab.topology.Name, out.lab.topology.Seed)},
		Epoch:       w.engine.Epoch(),
	}
	if c.Format == "pcap" {
		o.Format = captures.Pcap
	}
	if c.SnapLength != nil {
		o.SnapLength = c.SnapLength.Int()
	}
	if c.Filter != "" {
		filter, err := captures.ParseFilter(c.Filter, func(name string) ([]netip.Addr, bool) {
			addrs := w.names.Lookup(name)
			return addrs, addrs != nil
		})
		if err != nil {
			return err
		}
		o.Filter = filter
	}
	for _, name := range w.names.All() {
		for _, a := range w.names.Lookup(name) {
			o.Names = append(o.Names, captures.Name{Addr: a, Name: name})
		}
	}
	o.Interfaces = capturedInterfaces(w, c.Nodes, c.Interfaces)
	set, err := captures.Open(o)
	out.captures = set
	return err
}

// capturedInterfaces describes those ports of the named nodes that are among the named interfaces.
func capturedInterfaces(w *world, nodes, interfaces []string) []captures.Interface {
	wanted := map[string]bool{}
	for _, n := range nodes {
		wanted[n] = true
	}
	chosen := map[string]bool{}
	for _, i := range interfaces {
		chosen[i] = true
	}
	var list []captures.Interface
	for _, p := range w.net.Ports() {
		link := p.Link()
		if link == nil || !wanted[p.Host()] || len(chosen) > 0 && !chosen[p.Name()] {
			continue
		}
		out, in := netem.Forward, netem.Backward
		if a, _ := link.Ports(); a != p {
			out, in = in, out
		}
		mac := p.MAC()
		list = append(list, captures.Interface{
			Port: p.ID(), Node: p.Host(), Name: p.Name(), MAC: net.HardwareAddr(mac[:]), Speed: link.Params(out).Rate.Fixed(),
			Description: fmt.Sprintf("%s; out: %s; in: %s", link.ID(), link.Describe(out), link.Describe(in)),
		})
	}
	return list
}

// flush writes what waits in memory, if it is enough to be worth it.
func (out *output) flush() {
	least := flushAt
	if out.paced && out.dir != "" {
		if now := machineClock(); now-out.flushed >= flushEvery {
			out.flushed, least = now, 1
		}
	}
	if out.captures != nil && out.captures.Pending() >= least {
		out.keep(out.captures.Flush())
	}
	if out.events != nil {
		out.keep(out.events.flush(least))
	}
}

func (out *output) keep(err error) {
	if out.err == nil {
		out.err = err
	}
}

// close writes the results, if there are any, and closes all files. It returns the first error of the run's files.
func (out *output) close(results *Results) error {
	if out.captures != nil {
		out.keep(out.captures.Close())
	}
	if out.events != nil {
		out.keep(out.events.flush(0))
		out.keep(out.events.file.Close())
	}
	if results != nil && out.dir != "" {
		data, err := json.MarshalIndent(results, "", "  ")
		out.keep(err)
		out.writeWhole(resultsFile, data)
	}
	if out.telemetry != nil && out.dir != "" {
		data, err := json.Marshal(out.telemetry)
		out.keep(err)
		out.writeWhole(telemetryFile, data)
	}
	return out.err
}

// writeWhole writes a file that makes no sense in part.
func (out *output) writeWhole(name string, data []byte) {
	if data == nil {
		return
	}
	file := filepath.Join(out.dir, name)
	if err := os.WriteFile(file, append(data, '\n'), 0o666); err != nil {
		os.Remove(file)
		out.keep(err)
	}
}
