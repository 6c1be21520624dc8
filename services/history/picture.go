package history

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// mostShown is how many operations a picture or a table shows, the last ones if there are more.
const mostShown = 60

// Measures of the picture, in pixels.
const (
	pictureWidth = 960
	laneLeft     = 120 // where time begins
	laneRight    = 930 // where it ends
	rowHeight    = 34
	laneGap      = 10
	headHeight   = 44
	barHeight    = 10
	letterWidth  = 7
)

// shown returns the operations to show and how many are left out.
func (v *Verdict) shown() ([]Operation, int) {
	ops := slices.Clone(v.Prefix)
	less := max(len(ops)-mostShown, 0)
	if less == 0 {
		return ops, 0
	}
	rank := func(o Operation) time.Duration { // what the verdict is about stays
		if o.Index == v.Culprit {
			return never
		}
		return min(o.Completed, never-1)
	}
	slices.SortStableFunc(ops, func(a, b Operation) int { return cmp.Compare(rank(a), rank(b)) })
	ops = ops[less:]
	sortOperations(ops)
	return ops, less
}

// box is where an operation is drawn.
type box struct {
	op         *Operation
	left, end  float64
	text       string
	textX, row int
}

// lane is what one client did.
type lane struct {
	client int
	host   string
	boxes  []box
	rows   int
}

// SVG draws the operations of the prefix over time: a lane for each client, a bar from invocation to completion, coloured by outcome, and
// a frame around the one with which it became a violation. An arrow stands for an end that isn't known. Where nothing happens for long, time
// is cut short between two dashed lines. Without a prefix it is only a title.
func (v Verdict) SVG() string {
	ops, less := v.shown()
	times := newAxis(ops)
	lanes := layOut(ops, times.place)
	height := headHeight
	for _, l := range lanes {
		height += l.rows*rowHeight + laneGap
	}
	bottom := height
	height += 44
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="system-ui, sans-serif" font-size="12" role="img">`+"\n",
		pictureWidth, height, pictureWidth, height)
	title := v.Model + ": " + v.Result
	fmt.Fprintf(&b, "<title>%s</title>\n", html.EscapeString(clip(title+". "+v.Reason, 1000)))
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", pictureWidth, height)
	fmt.Fprintf(&b, `<text x="12" y="20" font-size="14" font-weight="600" fill="#1f2328">%s</text>`+"\n", html.EscapeString(clip(title, 100)))
	if less > 0 {
		fmt.Fprintf(&b, `<text x="%d" y="20" text-anchor="end" fill="#57606a">%s earlier not shown</text>`+"\n", laneRight, plural(less, "operation"))
	}
	if len(ops) > 0 {
		times.draw(&b, bottom)
		y := headHeight
		for _, l := range lanes {
			l.draw(&b, y, v.Culprit)
			y += l.rows*rowHeight + laneGap
		}
		drawLegend(&b, height-10)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// layOut divides operations into lanes, and each lane into as many rows as keep the texts apart.
func layOut(ops []Operation, place func(time.Duration) float64) []*lane {
	byClient := map[int]*lane{}
	var lanes []*lane
	for i := range ops {
		o := &ops[i]
		l := byClient[o.Client]
		if l == nil {
			l = &lane{client: o.Client, host: o.Host}
			byClient[o.Client], lanes = l, append(lanes, l)
		}
		x := box{op: o, left: place(o.Invoked), end: place(o.Completed), text: clip(o.label(), 48)}
		x.end = max(x.end, x.left+3)
		x.textX = min(int(x.left), laneRight-letterWidth*utf8.RuneCountInString(x.text))
		l.boxes = append(l.boxes, x)
	}
	slices.SortFunc(lanes, func(a, b *lane) int { return cmp.Compare(a.client, b.client) })
	for _, l := range lanes {
		var taken []float64 // up to where each row is
		for i := range l.boxes {
			x := &l.boxes[i]
			right := max(x.end, float64(x.textX+letterWidth*utf8.RuneCountInString(x.text))) + 8
			for x.row = 0; x.row < len(taken) && taken[x.row] > min(x.left, float64(x.textX)); x.row++ {
			}
			if x.row == len(taken) {
				taken = append(taken, 0)
			}
			taken[x.row] = right
		}
		l.rows = len(taken)
	}
	return lanes
}

// outcomeColour is the fill of a bar by outcome.
func outcomeColour(o Outcome) string {
	switch o {
	case OK:
		return "#1a7f37"
	case Fail:
		return "#8c959f"
	}
	return "#d4a72c"
}

// draw draws a lane below y.
func (l *lane) draw(b *strings.Builder, y, culprit int) {
	height := l.rows * rowHeight
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" fill="#f6f8fa" fill-opacity="0.7"/>`+"\n", laneLeft-4, y, laneRight-laneLeft+8, height)
	fmt.Fprintf(b, `<text x="12" y="%d" fill="#1f2328">client %d</text>`+"\n", y+16, l.client)
	if l.host != "" {
		fmt.Fprintf(b, `<text x="12" y="%d" font-size="11" fill="#57606a">%s</text>`+"\n", y+30, html.EscapeString(clip(l.host, 16)))
	}
	for i := range l.boxes {
		x := &l.boxes[i]
		top := y + x.row*rowHeight + 18
		colour, weight := outcomeColour(x.op.Outcome), ""
		if x.op.Index == culprit {
			weight = ` font-weight="600"`
			fmt.Fprintf(b, `<rect x="%s" y="%d" width="%s" height="%d" rx="4" fill="none" stroke="#cf222e" stroke-width="2"/>`+"\n",
				pixels(x.left-4), top-4, pixels(x.end-x.left+8), barHeight+8)
		}
		tip := x.op.String()
		if x.op.Server != "" {
			tip += ", server " + x.op.Server
		}
		if x.op.Error != "" {
			tip += ": " + x.op.Error
		}
		fmt.Fprintf(b, `<g><title>%s</title><rect x="%s" y="%d" width="%s" height="%d" rx="2" fill="%s"/>`,
			html.EscapeString(clip(tip, 300)), pixels(x.left), top, pixels(x.end-x.left), barHeight, colour)
		if x.op.Outcome == Unknown {
			fmt.Fprintf(b, `<path d="M%s %d l9 5 l-9 5 z" fill="%s"/>`, pixels(x.end), top, colour)
		}
		fmt.Fprintf(b, `<text x="%d" y="%d"%s fill="#1f2328">%s</text></g>`+"\n", x.textX, top-6, weight, html.EscapeString(x.text))
	}
}

// drawLegend says what the colours mean.
func drawLegend(b *strings.Builder, y int) {
	x := laneLeft
	for _, o := range []Outcome{OK, Unknown, Fail} {
		fmt.Fprintf(b, `<rect x="%d" y="%d" width="14" height="%d" rx="2" fill="%s"/><text x="%d" y="%d" font-size="11" fill="#57606a">%s</text>`+"\n",
			x, y-9, barHeight, outcomeColour(o), x+20, y, o)
		x += 90
	}
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="14" height="%d" rx="3" fill="none" stroke="#cf222e" stroke-width="2"/>`+
		`<text x="%d" y="%d" font-size="11" fill="#57606a">with this it is a violation</text>`+"\n", x, y-9, barHeight, x+20, y)
}

// pixels writes a coordinate with a tenth of a pixel.
func pixels(x float64) string { return strconv.FormatFloat(math.Round(x*10)/10, 'f', -1, 64) }

// clip shortens a text to some letters; what isn't text in XML becomes a question mark.
func clip(text string, letters int) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0xfffe || r == 0xffff {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if runes := []rune(text); len(runes) > letters {
		return string(runes[:letters-1]) + "…"
	}
	return text
}

// Text writes the verdict for a terminal: the result, the reason, and the operations of the prefix as a table with their times, the one with
// which it became a violation marked by a >.
func (v Verdict) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", v.Model, v.Result)
	if v.Reason != "" {
		fmt.Fprintf(&b, "  %s\n", clip(v.Reason, 1000))
	}
	ops, less := v.shown()
	if len(ops) == 0 {
		return b.String()
	}
	rows := [][]string{{"", "invoked", "completed", "client", "server", "operation", "outcome"}}
	for i := range ops {
		o := &ops[i]
		mark, until := "", "never"
		if o.Index == v.Culprit {
			mark = ">"
		}
		if o.Completed != never {
			until = millis(o.Completed)
		}
		client := strconv.Itoa(o.Client)
		if o.Host != "" {
			client += " " + clip(o.Host, 20)
		}
		outcome := string(o.Outcome)
		if o.Error != "" {
			outcome += ": " + clip(o.Error, 40)
		}
		rows = append(rows, []string{mark, millis(o.Invoked), until, client, clip(o.Server, 20), clip(o.label(), 60), outcome})
	}
	b.WriteByte('\n')
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		line := ""
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			switch {
			case i == 1 || i == 2:
				line += pad + cell
			default:
				line += cell + pad
			}
			line += "  "
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	if less > 0 {
		fmt.Fprintf(&b, "\n%s earlier not shown\n", plural(less, "operation"))
	}
	return b.String()
}

// millis writes a time in milliseconds.
func millis(d time.Duration) string {
	return strconv.FormatFloat(float64(d)/1e6, 'f', 3, 64) + " ms"
}
