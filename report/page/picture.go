package page

import (
	"fmt"
	"html"
	"html/template"
	"slices"
	"strings"
)

// mostDrawn is how many cards a picture has at most: beyond them it says nothing any more.
const mostDrawn = 400

// picture draws the topology as SVG. It is empty if there are too many nodes even if those that are alike are drawn as one.
func picture(g *graph, title, description string) template.HTML {
	g = g.gather()
	if len(g.nodes) == 0 || len(g.nodes) > mostDrawn {
		return ""
	}
	width, height := g.layout()
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="topology" viewBox="0 0 %s %s" width="%s" height="%s" style="min-width:%.0fpx" role="img" aria-labelledby="topology-title topology-text">`,
		coordinate(width), coordinate(height), coordinate(width), coordinate(height), width*0.6)
	fmt.Fprintf(&b, "\n<title id=\"topology-title\">%s</title><desc id=\"topology-text\">%s</desc>\n", html.EscapeString(title), html.EscapeString(description))
	parallel := map[[2]*vertex]int{}
	for _, e := range g.links {
		key := [2]*vertex{e.a, e.b}
		if o := [2]*vertex{e.b, e.a}; parallel[o] > 0 {
			key = o
		}
		drawLink(&b, e, parallel[key])
		parallel[key]++
	}
	for _, v := range g.nodes {
		drawNode(&b, v)
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

// coordinate prints one with at most a decimal.
func coordinate(f float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", f), ".0") }

// drawNode draws a card: a shape and a sign for the kind, the name, addresses and services.
func drawNode(b *strings.Builder, v *vertex) {
	x, y := v.x-v.width/2, v.y-v.height/2
	whole := strings.TrimSpace(v.Kind + " " + v.Name)
	for _, more := range []string{strings.Join(v.Addresses, ", "), strings.Join(v.Services, ", "), v.Location} {
		if more != "" {
			whole += "; " + more
		}
	}
	fmt.Fprintf(b, `<g class="node %s" data-node="%s"><title>%s</title>`, html.EscapeString(v.Kind), html.EscapeString(v.Name), html.EscapeString(whole))
	radius := map[string]float64{"host": 8, "router": v.height / 2, "switch": 0}[v.Kind]
	if v.Members != nil {
		fmt.Fprintf(b, `<rect class="card" x="%s" y="%s" width="%s" height="%s" rx="%s"/>`,
			coordinate(x+4), coordinate(y+4), coordinate(v.width), coordinate(v.height), coordinate(radius))
	}
	fmt.Fprintf(b, `<rect class="card" x="%s" y="%s" width="%s" height="%s" rx="%s"/>`,
		coordinate(x), coordinate(y), coordinate(v.width), coordinate(v.height), coordinate(radius))
	fmt.Fprintf(b, `<g class="sign" transform="translate(%s %s)">%s</g>`, coordinate(x+20), coordinate(v.y), signs[v.Kind])
	text := func(class string, dy float64, length int, words string) {
		if words != "" {
			fmt.Fprintf(b, `<text class="%s" x="%s" y="%s">%s</text>`, class, coordinate(x+38), coordinate(v.y+dy), html.EscapeString(short(words, length)))
		}
	}
	address := ""
	if len(v.Addresses) > 0 {
		address = v.Addresses[0]
	}
	if n := len(v.Addresses); n > 1 && v.Members == nil {
		address += fmt.Sprintf(" +%d", n-1)
	}
	switch services := strings.Join(v.Services, ", "); {
	case v.compact:
		name := short(v.Name, 20)
		fmt.Fprintf(b, `<text x="%s" y="%s"><tspan class="name">%s</tspan>`, coordinate(x+38), coordinate(v.y+4), html.EscapeString(name))
		first, _, _ := strings.Cut(address, " +")
		for _, text := range []string{address, first} { // as much of it as there is room for
			if 44+8.2*float64(len([]rune(name)))+6.2*float64(len([]rune(text))) < v.width-4 {
				fmt.Fprintf(b, ` <tspan class="small">%s</tspan>`, html.EscapeString(text))
				break
			}
		}
		b.WriteString("</text>")
	case services != "" && address != "":
		text("name", -6, 18, v.Name)
		text("small", 5, 25, address)
		text("small", 16, 25, services)
	case services+address != "":
		text("name", -2, 18, v.Name)
		text("small", 12, 25, address+services)
	default:
		text("name", 4, 18, v.Name)
	}
	b.WriteString("</g>\n")
}

// signs are small drawings around 0, 0.
var signs = map[string]template.HTML{
	"host":   `<rect x="-9" y="-8" width="18" height="12" rx="1.5"/><path d="M-5 8h10M0 4v4"/>`,
	"router": `<circle r="9"/><path d="M-5 0h10M2-3l3 3-3 3M-2-3l-3 3 3 3"/>`,
	"switch": `<rect x="-10" y="-8" width="20" height="16"/><path d="M-6-3h12M3-6l3 3-3 3M6 4h-12M-3 1l-3 3 3 3"/>`,
}

// drawLink draws a link with what it does and what it lost. nth counts those between the same two nodes.
func drawLink(b *strings.Builder, e *edge, nth int) {
	a, z := e.a, e.b
	class := "link"
	if e.Forward.Lost+e.Backward.Lost > 0 {
		class += " lossy"
	}
	whole := e.ID + ": " + e.a.Name + " – " + e.b.Name
	if e.Count > 1 {
		whole = plural(e.Count, "link")
	}
	for _, more := range append([]string{e.Params, e.Queue}, e.lost(0)...) {
		if more != "" {
			whole += "; " + more
		}
	}
	fmt.Fprintf(b, `<g class="%s" data-link="%s"><title>%s</title>`, class, html.EscapeString(e.ID), html.EscapeString(whole))
	// The label is at the middle of a part that runs from left to right: beside the leaf, if one end is.
	var path string
	var x, y float64
	room := float64(gapX)
	switch {
	case (leaf(a) || leaf(z)) && a.x != z.x:
		hub, end := a, z
		if leaf(a) {
			hub, end = z, a
		}
		switch {
		case end.side == below:
			hubX := hub.x - cardWidth*0.42
			path = fmt.Sprintf("M%s %sV%sH%s", coordinate(hubX), coordinate(hub.y+hub.height/2), coordinate(end.y), coordinate(end.x-end.width/2))
			x, y, room = end.x-12, end.y-end.height/2+2, cardWidth
		default:
			s := 1.0
			if end.x < hub.x {
				s = -1
			}
			near, far := hub.x+s*hub.width/2, end.x-s*end.width/2
			bend := near + s*34
			path = fmt.Sprintf("M%s %s", coordinate(near), coordinate(hub.y))
			x, y, room = (bend+far)/2, end.y, gapX-34
			column := hub.x + s*(cardWidth+gapX)
			for _, lower := range end.through {
				path += fmt.Sprintf("L%s %sH%s", coordinate(bend), coordinate(end.y+lower), coordinate(column+s*(compactWidth/2+4)))
				bend = column + s*(compactWidth/2+14)
				column += s * (compactWidth + columnGap)
				x, room = (bend+far)/2, columnGap-14
			}
			path += fmt.Sprintf("L%s %sH%s", coordinate(bend), coordinate(end.y), coordinate(far))
		}
	case a.x == z.x: // in one column
		out := max(a.width, z.width)/2 + 40 + 14*float64(nth)
		path = fmt.Sprintf("M%s %sC%s %s %s %s %s %s", coordinate(a.x+a.width/2), coordinate(a.y), coordinate(a.x+out), coordinate(a.y),
			coordinate(a.x+out), coordinate(z.y), coordinate(z.x+z.width/2), coordinate(z.y))
		x, y, room = a.x+a.width/2+34, (a.y+z.y)/2, 80
	default:
		if a.x > z.x {
			a, z = z, a
		}
		shift := float64(nth) * 26 // beside one another, if there are several
		from, to := a.x+a.width/2, z.x-z.width/2
		path = fmt.Sprintf("M%s %sC%s %s %s %s %s %s", coordinate(from), coordinate(a.y), coordinate((from+to)/2), coordinate(a.y+shift*1.3),
			coordinate((from+to)/2), coordinate(z.y+shift*1.3), coordinate(to), coordinate(z.y))
		x, y = (from+to)/2, (a.y+z.y)/2+shift
	}
	fmt.Fprintf(b, `<path d="%s"/>`, path)
	runes := int(room / 5.6)
	top := y - 4
	for _, line := range slices.Backward(wrapped(e.Params, runes)) {
		fmt.Fprintf(b, `<text class="small" x="%s" y="%s">%s</text>`, coordinate(x), coordinate(top), html.EscapeString(line))
		top -= 11
	}
	bottom := y + 12
	for _, line := range e.lost(int(room / 6.6)) {
		fmt.Fprintf(b, `<text class="small lost" x="%s" y="%s">%s</text>`, coordinate(x), coordinate(bottom), html.EscapeString(line))
		bottom += 11
	}
	b.WriteString("</g>\n")
}

// wrapped is what a link does in lines of so many runes, each direction on lines of its own.
func wrapped(params string, runes int) []string {
	var lines []string
	for i, direction := range strings.Split(params, "  ← ") {
		if i > 0 {
			direction = "← " + direction
		}
		line := ""
		for _, part := range strings.Split(direction, " · ") {
			switch whole := line + " · " + part; {
			case line == "":
				line = part
			case len([]rune(whole)) <= runes:
				line = whole
			default:
				lines = append(lines, short(line, runes))
				line = part
			}
		}
		if line != "" {
			lines = append(lines, short(line, runes))
		}
	}
	return lines
}

// describe tells the topology in a sentence, for those who don't see the picture.
func (g *graph) describe() string {
	kinds := map[string]int{}
	for _, v := range g.nodes {
		kinds[v.Kind]++
	}
	var parts []string
	for _, kind := range []string{"host", "router", "switch"} {
		switch n := kinds[kind]; {
		case n == 1:
			parts = append(parts, "1 "+kind)
		case n > 1:
			parts = append(parts, printCount(n)+" "+ofKind(kind))
		}
	}
	lost := uint64(0)
	for _, e := range g.links {
		lost += e.Forward.Lost + e.Backward.Lost
	}
	text := strings.Join(parts, ", ") + " and " + plural(len(g.links), "link")
	if lost > 0 {
		text += ", which lost " + plural(lost, "frame")
	}
	return text + "."
}
