package netlab

// FramesUnderWay returns how many frames are in queues or on the wire: after the links' counters, and as the network counts them.
func (r *Run) FramesUnderWay() (links, network int) {
	for _, l := range r.net.Links() {
		for d := range 2 {
			s := l.Stats(d)
			links += int(int64(s.InFlight()))
		}
	}
	return links, r.net.InFlight()
}
