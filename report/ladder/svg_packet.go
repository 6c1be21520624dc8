package ladder

import (
	"fmt"
	"math"
	"strings"
	"time"

	"netlab/captures/analysis"
)

// svgClasses are the classes of styles.
var svgClasses = [...]string{styleNone: "plain", styleDim: "ack", styleOpen: "open", styleClose: "close", styleReset: "reset", styleAgain: "again",
	styleLost: "lost", styleApplication: "app", styleLookup: "lookup", styleControl: "control"}

// svgStyle is the style sheet of a picture.
const svgStyle = `
svg{--ground:#fff;--ink:#1f2328;--dim:#656d76;--rule:#d0d7de;--node:#f6f8fa;--open:#1a7f37;--close:#0e7490;--reset:#cf222e;--again:#9a6700;--lost:#cf222e;--app:#0969da;--lookup:#8250df;--control:#bf3989}
@media(prefers-color-scheme:dark){svg{--ground:#0d1117;--ink:#e6edf3;--dim:#8b949e;--rule:#3d444d;--node:#161b22;--open:#3fb950;--close:#39c5cf;--reset:#ff7b72;--again:#d29922;--lost:#ff7b72;--app:#58a6ff;--lookup:#bc8cff;--control:#f778ba}}
.ground{fill:var(--ground)}.life{stroke:var(--rule);stroke-width:1.5;fill:none}.node{fill:var(--node);stroke:var(--rule)}
text{font:11px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:var(--ink);stroke:var(--ground);stroke-width:3px;paint-order:stroke;stroke-linejoin:round;white-space:pre}
.name{font-weight:600;stroke:none}.dim,.time{fill:var(--dim)}.event{stroke:var(--ink);stroke-width:1.5;stroke-dasharray:6 4}.event-text{font-weight:600}
.fold{fill:var(--node)}.way{fill:none;stroke:currentColor;stroke-width:1.4}.tip{fill:currentColor}.cross{stroke:currentColor;stroke-width:2;fill:none}.pass{fill:var(--ground);stroke:currentColor;stroke-width:1.4}
.back{fill:none;stroke:var(--again);stroke-width:1;stroke-dasharray:3 3;opacity:.8}
g{color:var(--ink)}.plain{color:var(--ink)}.ack{color:var(--dim)}.open{color:var(--open)}.close{color:var(--close)}.reset{color:var(--reset)}.again{color:var(--again)}.lost{color:var(--lost)}.app{color:var(--app)}.lookup{color:var(--lookup)}.control{color:var(--control)}
g text.label{fill:currentColor}g text.why{fill:var(--lost)}g text.note{fill:var(--again)}g:hover .way{stroke-width:2.6}
`

// packet draws a packet hop by hop.
func (d *canvas) packet(n *line) {
	j := n.journey
	step := 1.0
	if n.spans[0].to < n.spans[0].from {
		step = -1
	}
	x := d.xs[n.spans[0].from]
	edge := d.xs[len(d.xs)-1]
	if step < 0 {
		edge = d.xs[0]
	}
	texts := d.texts(n, int((math.Abs(edge-x)-16)/svgGlyph))
	y := d.y + float64(len(texts)-1)*svgText + svgText
	if d.options.ToScale {
		y = d.at(n.at)
	}
	class := svgClasses[styleOf(j)]
	fmt.Fprintf(&d.out, "<g class=\"%s\"><title>%s</title>", class, escape(d.ladder.tooltip(j)))
	fmt.Fprintf(&d.words, "<g class=\"%s\">", class)
	bottom := d.way(n, y)
	d.clock(y, number(j), n.at)
	d.back(j, x, y)
	if d.readable(y, step, len(texts)) {
		for i, t := range texts {
			anchor := ""
			if step < 0 {
				anchor = "end"
			}
			d.text(x+8*step, y-5-float64(len(texts)-1-i)*svgText, anchor, t.class, t.text)
		}
	}
	d.out.WriteString("</g>\n")
	d.words.WriteString("</g>\n")
	if _, ok := d.starts[j]; !ok {
		d.starts[j] = [2]float64{x, y}
	}
	d.y = y + svgRow - svgText
	d.bottom = max(d.bottom, bottom)
}

// readable says whether there is room for texts above a height where the picture is to scale, and takes it.
func (d *canvas) readable(y, step float64, lines int) bool {
	if !d.options.ToScale {
		return true
	}
	side := 0
	if step < 0 {
		side = 1
	}
	if y-float64(lines-1)*svgText-d.labelY[side] < svgSpread {
		return false
	}
	d.labelY[side] = y
	return true
}

// svgLine is a line of text above an arrow.
type svgLine struct{ text, class string }

// texts returns what is to be said of a packet in so many characters a line.
func (d *canvas) texts(n *line, room int) []svgLine {
	list := []svgLine{{d.ladder.labelOf(n.journey).line(room), "label"}}
	if n.later {
		return list
	}
	if t := repeatNote(n.journey); t != nil {
		text := t.within(room)
		if text == "" {
			text = shorten(t[0], room)
		}
		list = append([]svgLine{{text, "note"}}, list...)
	}
	if t := d.ladder.commentNote(n); t != nil {
		list = append([]svgLine{{shorten(t[0], room), "dim"}}, list...)
	}
	return list
}

// way draws the spans of a packet from a height on and returns where it ends.
func (d *canvas) way(n *line, y float64) (bottom float64) {
	first, last := n.spans[0].sent, n.spans[0].sent
	for _, s := range n.spans {
		last = max(last, s.arrived)
	}
	at := func(t time.Duration) float64 {
		switch {
		case d.options.ToScale:
			return d.at(t)
		case last == first:
			return y
		}
		return y + svgSlope*float64(t-first)/float64(last-first)
	}
	bottom = y
	for _, s := range n.spans {
		x0, x1, y0, y1 := d.xs[s.from], d.xs[s.to], at(s.sent), at(s.arrived)
		if s.end != arrived {
			x1 = x0 + (x1-x0)*0.6
		}
		fmt.Fprintf(&d.out, `<path class="way" d="M%s %s L%s %s"/>`, px(x0), px(y0), px(x1), px(y1))
		switch {
		case s.end == lost:
			fmt.Fprintf(&d.out, `<path class="cross lost" d="M%s %s l10 10 m0 -10 l-10 10"/>`, px(x1-5), px(y1-5))
			d.reason(n.journey, x1, y1, x1 > x0)
		case s.end == stopped:
			fmt.Fprintf(&d.out, `<circle class="tip" cx="%s" cy="%s" r="4"/>`, px(x1), px(y1))
		case leads(n.spans, s.to):
			fmt.Fprintf(&d.out, `<circle class="pass" cx="%s" cy="%s" r="3"/>`, px(x1), px(y1))
		default:
			angle := math.Atan2(y1-y0, x1-x0) * 180 / math.Pi
			fmt.Fprintf(&d.out, `<path class="tip" transform="translate(%s %s) rotate(%s)" d="M0 0 L-9 -4 V4 Z"/>`, px(x1), px(y1), px(angle))
		}
		bottom = max(bottom, y0, y1)
	}
	return bottom
}

// reason says beside the cross why a packet was lost.
func (d *canvas) reason(j *analysis.Journey, x, y float64, right bool) {
	t := lossNote(j)
	if t == nil {
		return
	}
	step, anchor, edge := -1.0, "end", 0.0
	if right {
		step, anchor, edge = 1, "", float64(d.options.Width)
	}
	room := int((math.Abs(edge-x) - 14) / svgGlyph)
	text := t.within(room)
	if text == "" {
		text = shorten(t[0], room)
	}
	d.text(x+step*10, y+svgText-5, anchor, "why", text) // a line below the label, which may be as long as the arrow
}

// back draws a thin line from a packet that was sent again to its original.
func (d *canvas) back(j *analysis.Journey, x, y float64) {
	if j.Repeat == nil || j.Repeat.Original == nil {
		return
	}
	to, ok := d.starts[j.Repeat.Original]
	if !ok {
		return
	}
	bend := -26.0
	if x == d.xs[len(d.xs)-1] {
		bend = 26
	}
	fmt.Fprintf(&d.out, `<path class="back" d="M%s %s C%s %s %s %s %s %s"/>`,
		px(x), px(y), px(x+bend), px(y), px(to[0]+bend), px(to[1]), px(to[0]), px(to[1]))
}

// tooltip says all of a packet: what it is, what became of it, and in which frames it was captured.
func (l *Ladder) tooltip(j *analysis.Journey) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s at %.6f s, %s to %s\n%s", number(j), j.At.Seconds(), j.From, j.To, j.Text)
	if j.Message != "" && !strings.Contains(j.Text, j.Message) {
		b.WriteString("\n" + j.Message)
	}
	if t := lossNote(j); t != nil {
		fmt.Fprintf(&b, "\nlost at %.6f s: %s", j.Lost.At.Seconds(), t[0])
	}
	if t := repeatNote(j); t != nil {
		b.WriteString("\n" + t[0])
		if j.Repeat.Text != "" {
			b.WriteString(": " + j.Repeat.Text)
		}
	}
	for _, c := range j.Comments {
		b.WriteString("\n" + c)
	}
	b.WriteString("\nframes:")
	for i := range j.Hops {
		h := &j.Hops[i]
		fmt.Fprintf(&b, " %s %d", l.nodeOf(h), h.Frame)
		if i+1 < len(j.Hops) {
			b.WriteByte(',')
		}
	}
	return b.String()
}
