package story

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"netlab/captures/analysis"
	"netlab/captures/telemetry"
)

// window tells what sending a segment again did to the sender's congestion window, where telemetry shows that it became smaller.
func (t *teller) window(r *analysis.Repeat) string {
	if r.Kind != analysis.Fast && r.Kind != analysis.Timeout {
		return ""
	}
	c := t.telemetryOf(r.Stream, r.From)
	if c == nil {
		return ""
	}
	before, after, ok := shrunk(c.Points, c.Width, r.At)
	if !ok {
		return ""
	}
	return fmt.Sprintf(" The congestion window of %s fell from %s to %s.", host(r.Stream, r.From), segments(before), thousands(after))
}

// segments writes a size in segments: figures are compared, so they stay figures.
func segments(n int) string {
	if n == 1 {
		return "1 segment"
	}
	return thousands(n) + " segments"
}

// telemetryOf returns what was taken down of an end of a connection, nil if nothing was.
func (t *teller) telemetryOf(s *analysis.Stream, side int) *telemetry.Connection {
	if t.folder == nil || t.folder.Telemetry == nil {
		return nil
	}
	v := &s.Views[s.End(t.run, side)]
	local, remote := v.End(side), v.End(1-side)
	k := connectionKey{local.Name, netip.AddrPortFrom(local.Addr, local.Port).String(), netip.AddrPortFrom(remote.Addr, remote.Port).String()}
	if t.controls == nil {
		t.controls = map[connectionKey][]*telemetry.Connection{}
		for _, c := range t.folder.Telemetry.Connections {
			k := connectionKey{c.Node, c.Local, c.Remote}
			t.controls[k] = append(t.controls[k], c)
		}
	}
	// Ports may be used again: the connection that began last before this one was seen.
	var found *telemetry.Connection
	for _, c := range t.controls[k] {
		if c.Start <= v.First {
			found = c
		}
	}
	return found
}

// connectionKey finds a connection in the telemetry.
type connectionKey struct{ node, local, remote string }

// shrunk returns the congestion window before and after a time at which it became smaller, in segments. Where points have become one, with
// parts of that width, they are the extremes of the part in which the time lies.
func shrunk(points telemetry.Points, width, at time.Duration) (before, after int, ok bool) {
	part := func(t time.Duration) time.Duration {
		if width > 0 {
			return t / width
		}
		return t
	}
	i, _ := slices.BinarySearchFunc(points, at, func(p telemetry.Point, at time.Duration) int { return cmp.Compare(part(p.T), part(at)) })
	if i == 0 || i == len(points) || part(points[i].T) != part(at) {
		return 0, 0, false
	}
	before, after = points[i-1].Cwnd, points[i].Cwnd
	if width > 0 {
		before, after = max(before, points[i].MaxCwnd), points[i].MinCwnd
	}
	return before, after, after < before
}
