package netem

import "time"

// judge shows a frame to the rules that were added after the one numbered after, and then to the transmitter.
func (d *direction) judge(at time.Duration, f *Frame, after uint64) {
	for _, r := range d.rules {
		if r.seq > after && !r.removed && r.hits(d, f) && r.act(r, at, d, f) {
			return
		}
	}
	d.admit(at, f)
}

// hits counts a frame, and says whether the rule acts on it.
func (r *Rule) hits(d *direction, f *Frame) bool {
	c := &r.config
	if r.own && !d.own(f) || c.Match != nil && !c.Match(f.Data) || c.Action == ActReset && !resettable(f) {
		return false
	}
	match := r.matchCount.Add(1)
	if !r.chooses(match) || c.Limit > 0 && r.hitCount.Load() >= uint64(c.Limit) {
		return false
	}
	r.hitCount.Add(1)
	r.bytes.Add(uint64(len(f.Data)))
	return true
}

// chooses says whether a match, counted from 1, is a hit but for the limit.
func (r *Rule) chooses(match uint64) bool {
	c := &r.config
	switch {
	case c.First > 0:
		return match <= uint64(c.First)
	case c.Nth > 0:
		return match == uint64(c.Nth)
	case c.EveryNth > 0:
		return match%uint64(c.EveryNth) == 0
	case c.Share > 0:
		return r.share.Float64() < float64(c.Share) // always drawn, also beyond the limit
	}
	return true
}

// own says whether a frame comes from the node at the near end itself; see RuleConfig.Own.
func (d *direction) own(f *Frame) bool {
	src, _ := endpoints(f)
	if node, ok := d.link.net.partitions.nodes[src]; ok {
		return node == d.from.node
	}
	if src.IsValid() && !src.IsUnspecified() && !src.IsLinkLocalUnicast() {
		return false // forwarded for somebody outside
	}
	return len(f.Data) >= etherHeader && [6]byte(f.Data[6:12]) == d.from.mac
}
