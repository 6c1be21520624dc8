package telemetry

import "time"

// maxAllParts is how many parts the series of all links have together. Where there are more links than that allows, each has fewer
// parts, but no fewer than minParts.
const (
	maxAllParts = 1 << 18
	minParts    = 32
)

// links takes all links down. Their parts are of the same length.
type links struct {
	all   []*linkRecorder
	limit int // of parts
	parts int // that are over
	width time.Duration
}

// linkRecorder takes a link down.
type linkRecorder struct {
	id          string
	now, before [2]Traffic // the counters as they are, and as they were when the last part ended
	series      [2]Series
}

func newLinks(ids []string) links {
	l := links{limit: MaxParts, width: FirstWidth}
	for _, id := range ids {
		l.all = append(l.all, &linkRecorder{id: id, series: [2]Series{{}, {}}})
	}
	for l.limit > minParts && l.limit*len(ids) > maxAllParts {
		l.limit /= 2
	}
	return l
}

// Due is when a part of the links' series ends: the counters as they are before anything happens then belong to it.
func (r *Recorder) Due() time.Duration { return r.links.due() }

func (l *links) due() time.Duration { return time.Duration(l.parts+1) * l.width }

// Links takes the links down. What the counters have gained since the last call belongs to the part that ends at Due; at is when
// the next thing happens, and all parts that end until then are over. read fills in the counters of a link since the start of the
// run and what waits in its queues, forward and backward.
func (r *Recorder) Links(at time.Duration, read func(link int, now *[2]Traffic)) {
	r.links.look(at, read)
}

func (l *links) look(at time.Duration, read func(link int, now *[2]Traffic)) {
	for i, link := range l.all {
		read(i, &link.now)
	}
	for l.due() <= at {
		if l.parts == l.limit {
			l.halve()
		} else {
			l.end()
		}
	}
}

// Finish takes the links down at the end of the run. What the part that isn't over has so far is the last one.
func (r *Recorder) Finish(at time.Duration, read func(link int, now *[2]Traffic)) {
	l := &r.links
	l.look(at, read)
	if l.parts == l.limit {
		l.halve()
	}
	l.end()
}

// end adds a part.
func (l *links) end() {
	for _, link := range l.all {
		for d := range link.series {
			link.series[d] = append(link.series[d], link.now[d].since(&link.before[d]))
		}
		link.before = link.now
	}
	l.parts++
}

// halve makes one of each two parts.
func (l *links) halve() {
	for _, link := range l.all {
		for d, s := range link.series {
			for i := range len(s) / 2 {
				s[i] = s[2*i].with(&s[2*i+1])
			}
			link.series[d] = s[:len(s)/2]
		}
	}
	l.parts /= 2
	l.width *= 2
}

// since returns what has been gained since earlier counters, and the queue of now.
func (t Traffic) since(before *Traffic) Traffic {
	t.Sent -= before.Sent
	t.Delivered -= before.Delivered
	t.Bytes -= before.Bytes
	t.Dropped -= before.Dropped
	return t
}

// with returns both parts as one.
func (t Traffic) with(u *Traffic) Traffic {
	return Traffic{
		Sent: t.Sent + u.Sent, Delivered: t.Delivered + u.Delivered, Bytes: t.Bytes + u.Bytes, Dropped: t.Dropped + u.Dropped,
		QueueMax: max(t.QueueMax, u.QueueMax), QueueSize: max(t.QueueSize, u.QueueSize),
	}
}

// list returns what was taken down.
func (l *links) list() []*Link {
	list := []*Link{}
	for _, link := range l.all {
		list = append(list, &Link{link.id, l.width, link.series[0], link.series[1]})
	}
	return list
}
