package ladder

import "slices"

// arrow is the way of one line in the picture: from a column to one or both sides.
type arrow struct {
	start int
	sides []side // the main one first
}

// side is what an arrow does on one side of its start.
type side struct {
	step    int   // 1 to the right, -1 to the left
	through []int // columns that the packet passes, from the start on
	heads   []int // columns that it reaches and ends in
	end     end   // of the outermost head; if it isn't arrived, the arrow ends between from and to
	from,
	to int
}

// arrowOf joins the spans of a line. A line goes away from its start only: of a packet that came back over columns that it had passed,
// the nodes on the way back don't show, and if it was lost there its arrow ends at the farthest of them.
func arrowOf(spans []span) arrow {
	a := arrow{start: spans[0].from}
	for _, step := range []int{1, -1} {
		if s := sideOf(spans, a.start, step); len(s.heads) > 0 || s.end != arrived {
			a.sides = append(a.sides, s)
		}
	}
	if len(a.sides) == 0 {
		back := spans[len(spans)-1]
		s := side{step: 1, end: back.end, from: a.start, to: back.from}
		if back.from < a.start {
			s.step = -1
		}
		if s.end == arrived {
			s.heads = []int{back.from}
		}
		a.sides = append(a.sides, s)
	}
	if len(a.sides) == 2 && a.sides[1].reach(a.start) > a.sides[0].reach(a.start) {
		slices.Reverse(a.sides)
	}
	return a
}

// sideOf returns what the spans do on one side of the start.
func sideOf(spans []span, start, step int) side {
	s := side{step: step}
	for i := range spans {
		p := &spans[i]
		switch beyond := (p.to - start) * step; {
		case p.end != arrived:
			if (p.to-p.from)*step > 0 && (p.from-start)*step >= 0 {
				s.end, s.from, s.to = p.end, p.from, p.to
			}
		case beyond > 0 && leads(spans, p.to):
			s.through = append(s.through, p.to)
		case beyond > 0:
			s.heads = append(s.heads, p.to)
		}
	}
	outward := func(a, b int) int { return (a - b) * step }
	slices.SortFunc(s.heads, outward)
	slices.SortFunc(s.through, outward)
	s.heads, s.through = slices.Compact(s.heads), slices.Compact(s.through)
	if n := len(s.heads); s.end != arrived && n > 0 && (s.heads[n-1]-s.to)*step >= 0 {
		s.end = arrived // a copy came as far
	}
	reach := s.reach(start)
	s.through = slices.DeleteFunc(s.through, func(c int) bool { return (c-start)*step >= reach })
	return s
}

// leads says whether a packet went on from a column.
func leads(spans []span, column int) bool {
	return slices.ContainsFunc(spans, func(s span) bool { return s.from == column })
}

// reach is how many columns the side goes.
func (s *side) reach(start int) int {
	n := 0
	if len(s.heads) > 0 {
		n = (s.heads[len(s.heads)-1] - start) * s.step
	}
	if s.end != arrived {
		n = max(n, (s.to-start)*s.step)
	}
	return n
}

// stretch is a part of an arrow on which texts may stand: n characters from x on, in the arrow's direction.
type stretch struct {
	x, step, n int
	used       int
}

// stretches returns the parts of a side between the columns that it passes.
func (s *side) stretches(start int, xs []int) []stretch {
	var list []stretch
	at := xs[start]
	add := func(x int) {
		if n := (x-at)*s.step - 1; n > 0 {
			list = append(list, stretch{x: at + s.step, step: s.step, n: n})
		}
		at = x
	}
	last := start
	for _, c := range s.through {
		add(xs[c])
		last = c
	}
	if len(s.heads) > 0 {
		if head := s.heads[len(s.heads)-1]; (head-last)*s.step > 0 {
			add(xs[head])
		}
	}
	if s.end != arrived {
		add(xs[s.to])
	}
	return list
}

// room is how many characters of text the stretch can still take.
func (s *stretch) room() int {
	if s.used == 0 {
		return s.n - arrowEnds
	}
	return s.n - s.used - arrowEnds + 2
}

// take returns the leftmost column for a text of n characters and uses the room up.
func (s *stretch) take(n int) int {
	skip := s.used
	if skip == 0 {
		skip = 2
	}
	s.used = skip + n + 2 + 2
	if s.step > 0 {
		return s.x + skip + 1
	}
	return s.x - skip - n
}
