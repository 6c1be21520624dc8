package netem

import "fmt"

// The directions of a link.
const (
	Forward  = 0 // from the end that was named first to the other
	Backward = 1
)

// Link joins two ports.
type Link struct {
	id   string
	net  *Network
	dirs [2]direction
}

// ID returns the link's name.
func (l *Link) ID() string { return l.id }

// Ports returns the two ends.
func (l *Link) Ports() (a, b *Port) { return l.dirs[Forward].from, l.dirs[Forward].to }

// Params returns the present properties of a direction.
func (l *Link) Params(direction int) Params { return l.dirs[direction].params }

// Stats returns the counters of a direction.
func (l *Link) Stats(direction int) LinkStats { return l.dirs[direction].stats }

// Traffic returns the most important of a direction's counters: what was sent and delivered, and how many frames were dropped. It is
// cheaper than Stats. Only the engine's loop may call it.
func (l *Link) Traffic(direction int) (sent, delivered Count, dropped uint64) {
	s := &l.dirs[direction].stats
	return s.Sent, s.Delivered, s.Dropped.Total()
}

// Set changes the properties of a direction. Frames on the wire stay as they are; those that wait in the queue are sent
// with the new properties, or dropped when the direction goes down. A smaller drop-tail queue keeps what it holds; a queue of
// another discipline takes the frames over one by one. What has a state, such as a loss in bursts, a latency with a correlation or
// a token bucket, goes on where it was while its own properties stay; a loss or a reordering that is set anew begins anew, and
// a token bucket keeps its tokens. Only the engine's loop may call it.
func (l *Link) Set(direction int, p Params) error {
	if err := p.Validate(); err != nil {
		return fmt.Errorf("link %s: %w", l.id, err)
	}
	d := &l.dirs[direction]
	was := d.params
	at := l.net.nominal
	switch {
	case p.Down && !was.Down:
		l.net.emit(Event{At: at, Kind: "link-down", Link: l.id, Dir: d.name})
		d.flushQueue(at, DropLinkDown)
	case !p.Down && was.Down:
		l.net.emit(Event{At: at, Kind: "link-up", Link: l.id, Dir: d.name})
	}
	d.configure(at, p)
	was.Down = p.Down
	if was != p {
		detail := p.describe()
		d.note = l.id + " changed: " + detail
		l.net.emit(Event{At: at, Kind: "set", Link: l.id, Dir: d.name, Detail: detail})
	}
	return nil
}

// Describe says what a direction of the link is like, in the words of the file.
func (l *Link) Describe(direction int) string { return l.dirs[direction].params.describe() }
