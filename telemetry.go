package netlab

import (
	"net/netip"
	"slices"
	"time"

	"netlab/captures/telemetry"
	"netlab/ip"
)

// recording takes a run down for telemetry.json. A nil one takes nothing down. It looks on only: connections between the engine's
// events, links before time moves on, so that the run is the same with and without it.
type recording struct {
	world    *world
	nodes    []string
	probe    *ip.Probe
	recorder *telemetry.Recorder
	over     bool
}

// newRecording returns what takes down the run of a world that is about to be built, nil if the topology wants nothing.
func newRecording(w *world) (*recording, error) {
	t := w.lab.topology.Telemetry
	if t == nil || len(t.Nodes) == 0 {
		return nil, nil
	}
	var links []string
	for i := range w.lab.topology.Links {
		links = append(links, w.lab.topology.Links[i].Name)
	}
	recorder, err := telemetry.NewRecorder(telemetry.Options{Points: t.Points}, links)
	if err != nil {
		return nil, err
	}
	rec := &recording{world: w, nodes: t.Nodes, recorder: recorder}
	rec.probe = ip.NewProbe(rec.begin)
	return rec, nil
}

// probeOf returns what looks at the connections of a host, nil if nothing does.
func (rec *recording) probeOf(node string) *ip.Probe {
	if rec == nil || !slices.Contains(rec.nodes, node) {
		return nil
	}
	return rec.probe
}

// begin takes a connection down.
func (rec *recording) begin(h *ip.Host, local, remote netip.AddrPort) func(ip.TCPState) {
	c := rec.recorder.Begin(rec.world.engine.Elapsed(), h.Name(), local.String(), remote.String())
	if c == nil {
		return nil
	}
	return func(s ip.TCPState) {
		at := rec.world.engine.Elapsed()
		c.State(at, s.State, s.Congestion)
		c.MSS(s.MSS)
		if s.Congestion != "" {
			c.Point(telemetry.Point{T: at, Cwnd: s.Cwnd, Ssthresh: s.Ssthresh, RTT: s.RTT, RTTVar: s.RTTVar, RTO: s.RTO, InFlight: s.InFlight})
		}
	}
}

// betweenEvents looks at the connections that the last event may have changed.
func (rec *recording) betweenEvents() {
	if rec != nil && !rec.over {
		rec.probe.Look()
	}
}

// before looks at the links before anything happens at a time.
func (rec *recording) before(at time.Duration) {
	if rec != nil && !rec.over && at >= rec.recorder.Due() {
		rec.recorder.Links(at, rec.links)
	}
}

// finish ends the recording with what is now.
func (rec *recording) finish() {
	if rec == nil || rec.over {
		return
	}
	rec.probe.Look()
	rec.recorder.Finish(rec.world.engine.Elapsed(), rec.links)
	rec.over = true
}

// file returns what was taken down, nil if there is nothing or the run didn't get to its end.
func (rec *recording) file() *telemetry.File {
	if rec == nil || !rec.over {
		return nil
	}
	return rec.recorder.File()
}

// links reads the counters of a link.
func (rec *recording) links(i int, now *[2]telemetry.Traffic) {
	l := rec.world.net.Links()[i]
	for d := range now {
		sent, delivered, dropped := l.Traffic(d)
		frames, bytes := l.Waiting(d)
		now[d] = telemetry.Traffic{
			Sent: sent.Frames, Delivered: delivered.Frames, Bytes: uint64(delivered.Bytes), Dropped: dropped, QueueMax: frames, QueueSize: int(bytes),
		}
	}
}
