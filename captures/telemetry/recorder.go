package telemetry

import (
	"fmt"
	"time"
)

// The limits of what is taken down unless [Options] say otherwise.
const (
	DefaultPoints      = 512
	DefaultConnections = 2000
	// MinPoints is the least that makes a series.
	MinPoints = 16
)

// Options limit what a [Recorder] takes down. The zero value holds the defaults.
type Options struct {
	// Points is how many points a connection's series has at most, MinPoints or more. 0 means DefaultPoints.
	Points int
	// Connections is how many connections are taken down. 0 means DefaultConnections.
	Connections int
}

// Recorder takes a run down. It is not safe for use by several goroutines at once.
type Recorder struct {
	options     Options
	connections []*ConnectionRecorder
	left        int
	links       links
}

// NewRecorder returns a recorder for the links with these IDs, in file order. The error says which option makes no sense.
func NewRecorder(o Options, linkIDs []string) (*Recorder, error) {
	if o.Points == 0 {
		o.Points = DefaultPoints
	}
	if o.Points < MinPoints {
		return nil, fmt.Errorf("%d points: want %d or more", o.Points, MinPoints)
	}
	if o.Connections == 0 {
		o.Connections = DefaultConnections
	}
	if o.Connections < 0 {
		return nil, fmt.Errorf("%d connections: want 0 or more", o.Connections)
	}
	return &Recorder{options: o, links: newLinks(linkIDs)}, nil
}

// Begin takes a connection down that has begun. It is nil, which takes nothing down, if there are too many. Whoever calls it puts
// connections that begin at one instant in order.
func (r *Recorder) Begin(at time.Duration, node, local, remote string) *ConnectionRecorder {
	if len(r.connections) == r.options.Connections {
		r.left++
		return nil
	}
	c := &ConnectionRecorder{
		limit: r.options.Points,
		c:     Connection{Node: node, Local: local, Remote: remote, Start: at, Points: Points{}, States: []State{}},
	}
	r.connections = append(r.connections, c)
	return c
}

// File returns what was taken down.
func (r *Recorder) File() *File {
	f := &File{Connections: []*Connection{}, Left: r.left, Links: r.links.list()}
	for _, c := range r.connections {
		f.Connections = append(f.Connections, &c.c)
	}
	return f
}
