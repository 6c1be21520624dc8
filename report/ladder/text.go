package ladder

import (
	"bufio"
	"fmt"
	"io"
)

// DefaultWidth is how wide a text is if nothing else is said.
const DefaultWidth = 100

// TextOptions say how [Ladder.Text] draws.
type TextOptions struct {
	// Width is the longest line in characters; 0 means [DefaultWidth]. It has to leave room for the nodes.
	Width int
	// ASCII draws with - > < | x instead of box-drawing characters.
	ASCII bool
	// Color marks kinds of packets with ANSI escape sequences.
	Color bool
	// Hint is what to do about packets beyond the limit, in the words of whoever draws; it stands after their number at the end.
	Hint string
}

// Text draws the ladder in lines of text: number and time of each packet to the left, columns for nodes, an arrow for each packet with
// its description. What doesn't fit on the arrow is shortened, or stands on a line of its own above it; what became of the packet stands
// beside or below it. The error is a [*WidthError] if the nodes don't fit into the width, or the writer's.
func (l *Ladder) Text(w io.Writer, o TextOptions) error {
	if o.Width == 0 {
		o.Width = DefaultWidth
	}
	y, err := l.layOut(o.Width)
	if err != nil {
		return err
	}
	p := &pen{ladder: l, layout: y, options: o, strokes: boxStrokes, w: bufio.NewWriter(w)}
	if o.ASCII {
		p.strokes = asciiStrokes
	}
	p.head()
	for i := range l.lines {
		p.line(&l.lines[i])
	}
	p.foot()
	if err := p.w.Flush(); err != nil {
		return fmt.Errorf("ladder: write: %w", err)
	}
	return nil
}

// pen draws lines of text.
type pen struct {
	*layout
	strokes
	ladder  *Ladder
	options TextOptions
	w       *bufio.Writer
}

// head writes the names of the nodes over their columns, the outer ones flush with the margins.
func (p *pen) head() {
	r := newRow(p.width, p.options.ASCII)
	r.put(p.numbers-1, "#", styleNone)
	r.put(p.margin-2-len("time (s)"), "time (s)", styleNone)
	last := len(p.xs) - 1
	for i, name := range p.ladder.columns {
		room := p.width
		if i > 0 {
			room = p.xs[i] - p.xs[i-1] - 1
		}
		if i < last {
			room = min(room, p.xs[i+1]-p.xs[i]-1)
		}
		name = shorten(name, room)
		switch i {
		case 0:
			r.put(p.xs[i], name, styleEvent)
		case last:
			r.put(p.xs[i]+1-width(name), name, styleEvent)
		default:
			r.put(p.xs[i]-width(name)/2, name, styleEvent)
		}
	}
	p.write(r)
}

// foot tells how many packets are not in the picture.
func (p *pen) foot() {
	if n := p.ladder.others; n > 0 {
		fmt.Fprintf(p.w, "(not shown: %s between other nodes)\n", packets(n))
	}
	if n := p.ladder.left; n > 0 {
		hint := ""
		if p.options.Hint != "" {
			hint = "; " + p.options.Hint
		}
		fmt.Fprintf(p.w, "(not shown: %s that follow, until %s s%s)\n", packets(n), seconds(p.ladder.until), hint)
	}
}

// packets counts packets in words.
func packets(n int) string {
	if n == 1 {
		return "1 packet"
	}
	return thousands(n) + " packets"
}

// row returns a line with a number, a time and the nodes' life lines.
func (p *pen) row(number, at string, life rune) *row {
	r := newRow(p.width, p.options.ASCII)
	r.put(p.numbers-len(number), number, styleDim)
	r.put(p.margin-2-len(at), at, styleNone)
	for _, x := range p.xs {
		r.set(x, life, styleNone)
	}
	return r
}

func (p *pen) write(r *row) {
	// The writer keeps its first error until Flush returns it.
	_, _ = p.w.WriteString(r.text(p.options.Color) + "\n")
}

func (p *pen) line(n *line) {
	switch {
	case n.event != "":
		p.event(n)
	case n.fold != nil:
		r := p.row("", "", p.folded)
		text := shorten("… "+n.fold.String(), p.width-p.textColumn)
		r.put(p.textColumn, text, styleDim)
		r.set(p.textColumn-1, ' ', styleNone)
		if end := p.textColumn + width(text); end < p.width {
			r.set(end, ' ', styleNone)
		}
		p.write(r)
	default:
		p.packet(n)
	}
}

// event draws a line across the picture.
func (p *pen) event(n *line) {
	r := p.row("", clock(n), p.node)
	for x := p.margin; x <= p.xs[len(p.xs)-1]; x++ {
		r.set(x, p.strokes.event, styleEvent)
	}
	r.put(p.margin+3, " "+shorten(n.event, p.width-p.margin-8)+" ", styleEvent)
	p.write(r)
}

// text writes a line with a text at a column, or further left if it is long.
func (p *pen) text(number, at string, column int, text string, s style) {
	r := p.row(number, at, p.node)
	text = shorten(text, p.width-1-p.textColumn)
	r.put(max(min(column, p.width-1-width(text)), p.textColumn), text, s)
	p.write(r)
}

// packet draws an arrow, with its texts on it where they fit, else on lines of their own.
func (p *pen) packet(n *line) {
	j := n.journey
	a := arrowOf(n.spans)
	num, at := number(j), clock(n)
	d := p.compose(n, &a)
	if d.above != "" {
		p.text(num, at, p.leftmost(&a)+2, d.above, d.style)
		num, at = "", ""
	}
	r := p.row(num, at, p.node)
	for i := range a.sides {
		p.shaft(r, &a, &a.sides[i], d.marks[i], d.style)
	}
	for _, t := range d.texts {
		r.put(t.x-1, " "+t.text+" ", t.style)
	}
	if d.reason.text != "" {
		r.put(d.reason.x, d.reason.text, d.reason.style)
	}
	p.write(r)
	for _, text := range d.below {
		p.text("", "", p.leftmost(&a)+2, text.text, text.style)
	}
}

// leftmost returns the column of text where an arrow's left end is.
func (p *pen) leftmost(a *arrow) int {
	x := p.xs[a.start]
	for i := range a.sides {
		s := &a.sides[i]
		for _, h := range s.heads {
			x = min(x, p.xs[h])
		}
		if s.end != arrived {
			x = min(x, p.xs[s.from], p.xs[s.to])
		}
	}
	return x
}

// shaft draws one side of an arrow. mark is how many characters of it there are behind the last node that the packet passed, if it didn't
// arrive.
func (p *pen) shaft(r *row, a *arrow, s *side, mark int, st style) {
	end := p.xs[a.start]
	if len(s.heads) > 0 {
		end = p.xs[s.heads[len(s.heads)-1]]
	}
	if s.end != arrived {
		if x := p.xs[s.from] + (mark+1)*s.step; (x-end)*s.step > 0 {
			end = x
		}
	}
	for x := p.xs[a.start] + s.step; (end-x)*s.step > 0; x += s.step {
		if r.cells[x] != p.node {
			r.set(x, p.strokes.shaft, st)
		}
	}
	for _, c := range s.through {
		r.set(p.xs[c], p.through, st)
	}
	head := p.right
	if s.step < 0 {
		head = p.left
	}
	for _, h := range s.heads {
		r.set(p.xs[h]-s.step, head, st)
	}
	switch s.end {
	case lost:
		r.set(p.xs[s.from]+mark*s.step, p.lost, styleLost)
	case stopped:
		r.set(p.xs[s.from]+mark*s.step, p.stopped, st)
	}
}
