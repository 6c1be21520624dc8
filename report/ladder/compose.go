package ladder

// placed is a text at a column.
type placed struct {
	x     int
	text  string
	style style
}

// drawing is what stands on, above and below an arrow.
type drawing struct {
	style  style
	texts  []placed
	above  string
	reason placed // beside the end of a packet that was lost
	below  []placed
	marks  []int // for each side how long the shaft of a packet is that didn't arrive, behind the last node that it passed
}

// compose finds places for the texts of an arrow.
func (p *pen) compose(n *line, a *arrow) *drawing {
	j := n.journey
	d := &drawing{style: styleOf(j), marks: make([]int, len(a.sides))}
	var parts []stretch
	last := make([]int, len(a.sides)) // the stretch in which the side's packet is lost, -1 if it isn't
	for i := range a.sides {
		s := &a.sides[i]
		parts = append(parts, s.stretches(a.start, p.xs)...)
		last[i] = -1
		if s.end != arrived {
			last[i] = len(parts) - 1
			parts[len(parts)-1].n-- // the mark is not beside the node
		}
	}
	label := p.ladder.labelOf(j)
	inline := p.inline(parts, label)
	if inline != "" {
		d.put(parts, inline, d.style)
	} else if !n.later {
		d.above = label.line(p.width - 1 - p.textColumn)
	}
	if !n.later {
		for _, t := range []note{repeatNote(j), p.ladder.commentNote(n)} {
			if t == nil {
				continue
			}
			if text := p.fitting(parts, t); text != "" {
				d.put(parts, text, d.style)
			} else {
				d.below = append(d.below, placed{text: t[0], style: d.style})
			}
		}
	}
	for i := range a.sides {
		if last[i] >= 0 {
			p.mark(d, i, &a.sides[i], &parts[last[i]], lossNote(j))
		}
	}
	return d
}

// inline returns the longest form of a label that fits on one of the stretches, or "".
func (p *pen) inline(parts []stretch, label label) string {
	most := 0
	for i := range parts {
		most = max(most, parts[i].room())
	}
	text, _ := label.within(most)
	return text
}

// fitting returns the longest form of a note that fits, or "".
func (p *pen) fitting(parts []stretch, t note) string {
	most := 0
	for i := range parts {
		most = max(most, parts[i].room())
	}
	return t.within(most)
}

// put places a text on the first stretch that has room for it.
func (d *drawing) put(parts []stretch, text string, s style) {
	for i := range parts {
		if n := width(text); parts[i].room() >= n {
			d.texts = append(d.texts, placed{parts[i].take(n), text, s})
			return
		}
	}
}

// mark finds out how long the shaft is that ends where a packet was lost, and where the reason stands: beside the mark if a shorter
// shaft makes room for it, else below.
func (p *pen) mark(d *drawing, side int, s *side, part *stretch, reason note) {
	room := part.n // the last one but one before the far column
	least := leastGap / 2
	if part.used > 0 {
		least = part.used + 1
	}
	n := max(room*2/3, least)
	if s.end != lost {
		d.marks[side] = min(n, room)
		return
	}
	if text := reason.within(room - least - 2); text != "" {
		w := width(text)
		n = max(min(n, room-w-2), least)
		x := p.xs[s.from] + (n+2)*s.step
		if s.step < 0 {
			x -= w - 1
		}
		d.reason = placed{x, text, styleLost}
	} else if len(reason) > 0 {
		d.below = append(d.below, placed{text: reason[0], style: styleLost})
	}
	d.marks[side] = min(n, room)
}
