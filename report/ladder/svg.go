package ladder

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"netlab/captures/analysis"
)

// SVGOptions say how [Ladder.SVG] draws.
type SVGOptions struct {
	// Width is the picture's width in pixels; 0 means 960. It has to leave 60 pixels for each node and 200 besides.
	Width int
	// ToScale makes distances down the picture proportional to time. Otherwise each packet has a row of its own, in which the way down
	// tells how the times of its hops compare.
	ToScale bool
	// Height is how high the part with the arrows is if it is to scale; 0 means 20 pixels for each packet, 300 at least and 3000 at most.
	Height int
	// Title and Description say for those who can't see the picture what it shows. Empty means words about nodes and times.
	Title, Description string
}

// The measures of a picture in pixels.
const (
	svgWidth  = 960
	svgLeft   = 168 // of the first column: numbers, times and the lines back to originals stand before it
	svgRight  = 48
	svgTop    = 56
	svgRow    = 30
	svgSlope  = 12 // how far an arrow goes down in its row
	svgText   = 14 // a line of text
	svgGlyph  = 6.7
	svgLeast  = 60 // between two columns
	svgSpread = 13 // least distance of texts where the picture is to scale
)

// SVG draws the ladder as a picture that needs nothing else: its text can be selected, its colours follow the reader's choice of light or
// dark, each packet says on hovering what it is and in which frames it was captured. The same ladder gives the same bytes. The error is a
// [*WidthError], in pixels, if the nodes don't fit, or the writer's.
func (l *Ladder) SVG(w io.Writer, o SVGOptions) error {
	if o.Width == 0 {
		o.Width = svgWidth
	}
	gaps := len(l.columns) - 1
	if needed := svgLeft + svgRight + gaps*svgLeast; o.Width < needed {
		return &WidthError{len(l.columns), o.Width, needed}
	}
	d := &canvas{ladder: l, options: o, starts: map[*analysis.Journey][2]float64{}}
	for i := range l.columns {
		d.xs = append(d.xs, svgLeft+float64(o.Width-svgLeft-svgRight)*float64(i)/float64(gaps))
	}
	d.body()
	d.frame()
	if _, err := w.Write(append(d.head.Bytes(), d.out.Bytes()...)); err != nil {
		return fmt.Errorf("ladder: write: %w", err)
	}
	return nil
}

// canvas draws a picture.
type canvas struct {
	ladder  *Ladder
	options SVGOptions
	head    bytes.Buffer // what stands before the packets
	out     bytes.Buffer
	words   bytes.Buffer // texts that stand over all arrows, where the picture is to scale
	xs      []float64
	y       float64 // where the next row begins
	bottom  float64
	starts  map[*analysis.Journey][2]float64 // where packets begin
	// For a picture to scale: the time at the top, pixels for each second, and where the last texts stand.
	from   time.Duration
	scale  float64
	clockY float64
	labelY [2]float64
}

// body draws all lines.
func (d *canvas) body() {
	d.y = svgTop + svgText
	d.clockY, d.labelY = math.Inf(-1), [2]float64{math.Inf(-1), math.Inf(-1)}
	if d.options.ToScale {
		d.setScale()
	}
	for i := range d.ladder.lines {
		n := &d.ladder.lines[i]
		switch {
		case n.event != "":
			d.event(n)
		case n.fold != nil:
			d.fold(n)
		default:
			d.packet(n)
		}
	}
	if n := d.ladder.left; n > 0 {
		y := max(d.bottom, d.y) + svgText
		d.text(svgLeft, y, "", "dim", fmt.Sprintf("%s follow, until %s s", packets(n), seconds(d.ladder.until)))
		d.bottom = y
	}
	d.bottom = max(d.bottom, d.y) + svgText
}

// setScale finds out how many pixels a second has.
func (d *canvas) setScale() {
	lines := d.ladder.lines
	if len(lines) == 0 {
		return
	}
	d.from = lines[0].at
	end := d.from
	for i := range lines {
		end = max(end, lines[i].at)
		for _, s := range lines[i].spans {
			end = max(end, s.arrived)
		}
	}
	height := float64(d.options.Height)
	if height == 0 {
		height = float64(min(max(20*len(lines), 300), 3000))
	}
	if end > d.from {
		d.scale = height / (end - d.from).Seconds()
	}
}

// at returns where a time is in a picture to scale.
func (d *canvas) at(t time.Duration) float64 {
	return svgTop + 2*svgText + (t-d.from).Seconds()*d.scale
}

// frame writes what stands before the packets: style, names and life lines.
func (d *canvas) frame() {
	l, o := d.ladder, d.options
	title, description := o.Title, o.Description
	if title == "" {
		title = "Packets between " + strings.Join(l.columns, ", ")
	}
	if description == "" {
		description = d.describe()
	}
	h := &d.head
	fmt.Fprintf(h, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%s" viewBox="0 0 %d %s" role="img" aria-labelledby="title desc">`+"\n",
		o.Width, px(d.bottom), o.Width, px(d.bottom))
	fmt.Fprintf(h, "<title id=\"title\">%s</title>\n<desc id=\"desc\">%s</desc>\n<style>%s</style>\n", escape(title), escape(description), svgStyle)
	fmt.Fprintf(h, "<rect class=\"ground\" width=\"%d\" height=\"%s\"/>\n", o.Width, px(d.bottom))
	for i, name := range l.columns {
		x := d.xs[i]
		room := int((d.xs[1] - d.xs[0] - 12) / svgGlyph)
		name = shorten(name, room)
		half := (float64(width(name))*svgGlyph)/2 + 8
		fmt.Fprintf(h, "<path class=\"life\" d=\"M%s %d V%s\"/>\n", px(x), svgTop-12, px(d.bottom-svgText/2))
		fmt.Fprintf(h, "<rect class=\"node\" x=\"%s\" y=\"%d\" width=\"%s\" height=\"26\" rx=\"5\"/>", px(x-half), svgTop-38, px(2*half))
		fmt.Fprintf(h, "<text class=\"name\" x=\"%s\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", px(x), svgTop-21, escape(name))
	}
	fmt.Fprintf(h, "<text class=\"dim\" x=\"%d\" y=\"%d\" text-anchor=\"end\">#</text><text class=\"dim\" x=\"%d\" y=\"%d\" text-anchor=\"end\">time (s)</text>\n",
		52, svgTop-21, svgLeft-34, svgTop-21)
	if d.options.ToScale {
		d.out.Write(d.words.Bytes())
	}
	d.out.WriteString("</svg>\n")
}

// describe says in words what the picture shows.
func (d *canvas) describe() string {
	n, dropped, again := 0, 0, 0
	var first, last time.Duration
	for i := range d.ladder.lines {
		line := &d.ladder.lines[i]
		switch j := line.journey; {
		case line.fold != nil:
			n += line.fold.packets
		case j != nil && !line.later:
			n++
			if j.Lost != nil {
				dropped++
			}
			if j.Repeat != nil {
				again++
			}
		}
		if i == 0 {
			first = line.at
		}
		last = line.at
	}
	return fmt.Sprintf("Sequence diagram of %s between %s from %s to %s s: %d were lost, %d were sent again.",
		packets(n), strings.Join(d.ladder.columns, ", "), seconds(first), seconds(last), dropped, again)
}

// event draws a line across the picture.
func (d *canvas) event(n *line) {
	y := d.y + svgRow/2
	if d.options.ToScale {
		y = d.at(n.at)
	}
	d.y = y + svgRow/2
	fmt.Fprintf(&d.out, "<path class=\"event\" d=\"M%s %s H%s\"/>", px(d.xs[0]-14), px(y), px(d.xs[len(d.xs)-1]+14))
	d.clock(y, "", n.at)
	d.text(d.xs[0]+8, y-5, "", "event-text", n.event)
	d.out.WriteByte('\n')
	d.bottom = max(d.bottom, y)
}

// fold draws a stretch of packets as a band.
func (d *canvas) fold(n *line) {
	y, height := d.y, float64(svgRow-6)
	if d.options.ToScale {
		y = d.at(n.fold.first)
		height = max(d.at(n.fold.last)-y, svgText+4)
	}
	fmt.Fprintf(&d.out, "<rect class=\"fold\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\"/>",
		px(d.xs[0]), px(y), px(d.xs[len(d.xs)-1]-d.xs[0]), px(height))
	d.text((d.xs[0]+d.xs[len(d.xs)-1])/2, y+height/2+4, "middle", "dim", "… "+n.fold.String())
	d.out.WriteByte('\n')
	d.y = y + height + 6
	d.bottom = max(d.bottom, d.y)
}

// clock writes number and time beside a row.
func (d *canvas) clock(y float64, number string, at time.Duration) {
	if d.options.ToScale {
		if y-d.clockY < svgSpread {
			return
		}
		d.clockY = y
	}
	if number != "" {
		d.text(52, y+4, "end", "dim", number)
	}
	d.text(svgLeft-34, y+4, "end", "time", strconv.FormatFloat(at.Seconds(), 'f', 6, 64))
}

// text writes a text.
func (d *canvas) text(x, y float64, anchor, class, text string) {
	if anchor != "" {
		anchor = ` text-anchor="` + anchor + `"`
	}
	to := &d.out
	if d.options.ToScale {
		to = &d.words
	}
	fmt.Fprintf(to, `<text class="%s" x="%s" y="%s"%s>%s</text>`, class, px(x), px(y), anchor, escape(text))
}

// px prints a measure with at most one decimal.
func px(v float64) string {
	text := strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
	if text == "-0" {
		return "0"
	}
	return text
}

// escape makes a text fit for XML. What XML has no place for becomes a replacement character.
func escape(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a buffer takes all
	return b.String()
}
