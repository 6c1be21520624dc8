package page

import (
	"cmp"
	"slices"
)

// flank is where a leaf is placed, seen from its neighbour.
type flank int

const (
	right flank = iota
	left
	below
)

// Measures of the picture, in its own units: pixels where it is drawn as large as it is.
const (
	cardWidth, cardHeight     = 176, 44
	compactWidth, compactHigh = 204, 26
	gapX                      = 190 // between cards side by side: room for what a link does
	gapY                      = 18
	manyLeaves                = 14 // from here on leaves are drawn compact
	margin                    = 12

	columnRows = 18  // leaves in a column, if there are not more than four columns of them
	maxColumns = 4   // of leaves
	columnGap  = 160 // between columns of leaves
)

// layout places the nodes. A path of nodes, to which leaves are attached, is drawn from left to right, with the leaves of its ends on
// their outer sides and those between below; a single one with leaves has them on both sides. Everything else is drawn in layers from
// the node in the middle. Parts that are not connected are placed below each other. It returns the picture's size.
func (g *graph) layout() (width, height float64) {
	y := float64(margin)
	seen := map[*vertex]bool{}
	for _, v := range g.nodes {
		if seen[v] {
			continue
		}
		part := reach(v, nil)
		for _, p := range part {
			seen[p] = true
		}
		part = slices.DeleteFunc(slices.Clone(g.nodes), func(n *vertex) bool { return !slices.Contains(part, n) })
		if spine := spineOf(part); spine != nil {
			layoutSpine(spine)
		} else {
			layoutLayers(part)
		}
		minX, minY, maxX, maxY := bounds(part)
		for _, p := range part {
			p.x += margin - minX
			p.y += y - minY
		}
		width = max(width, maxX-minX+2*margin)
		y += maxY - minY + 2*gapY
	}
	return max(width, cardWidth+2*margin), y - 2*gapY + margin
}

// reach returns the nodes that can be reached from v over nodes for which ok holds, nearest first.
func reach(v *vertex, ok func(*vertex) bool) []*vertex {
	list := []*vertex{v}
	seen := map[*vertex]bool{v: true}
	for i := 0; i < len(list); i++ {
		for _, e := range list[i].edges {
			if o := e.other(list[i]); !seen[o] && (ok == nil || ok(o)) {
				seen[o] = true
				list = append(list, o)
			}
		}
	}
	return list
}

// neighbours are the nodes beside v, each once.
func neighbours(v *vertex) []*vertex {
	var list []*vertex
	for _, e := range v.edges {
		if o := e.other(v); o != v && !slices.Contains(list, o) {
			list = append(list, o)
		}
	}
	return list
}

// leaf says whether a node has one neighbour, which has others.
func leaf(v *vertex) bool {
	n := neighbours(v)
	return len(n) == 1 && len(neighbours(n[0])) > 1
}

// spineOf returns the nodes that are no leaves in their order if they form a path, else nil.
func spineOf(part []*vertex) []*vertex {
	inner := slices.DeleteFunc(slices.Clone(part), leaf)
	isInner := func(v *vertex) bool { return slices.Contains(inner, v) }
	var end *vertex
	degrees := 0
	for _, v := range inner {
		d := len(slices.DeleteFunc(neighbours(v), func(o *vertex) bool { return !isInner(o) }))
		if d > 2 {
			return nil
		}
		if d < 2 && end == nil {
			end = v
		}
		degrees += d
	}
	if end == nil || degrees != 2*(len(inner)-1) {
		return nil // a ring
	}
	return reach(end, isInner)
}

// fitCards sets how large cards are drawn.
func fitCards(list []*vertex) {
	for _, v := range list {
		v.compact = len(list) > manyLeaves
		v.width, v.height = cardWidth, cardHeight
		if v.compact {
			v.width, v.height = compactWidth, compactHigh
		}
	}
}

// stack places cards in a column around the height y.
func stack(list []*vertex, x, y float64) {
	total := -float64(gapY)
	for _, v := range list {
		total += v.height + gap(v)
	}
	y -= total / 2
	for _, v := range list {
		v.x, v.y = x, y+v.height/2
		y += v.height + gap(v)
	}
}

// gap is the room below a card.
func gap(v *vertex) float64 {
	if v.compact {
		return gapY / 2
	}
	return gapY
}

func leavesOf(v *vertex) []*vertex {
	return slices.DeleteFunc(neighbours(v), func(o *vertex) bool { return !leaf(o) })
}

// layoutSpine draws a path with leaves.
func layoutSpine(spine []*vertex) {
	for _, v := range spine {
		v.width, v.height = cardWidth, cardHeight
	}
	if len(spine) == 1 {
		hub := spine[0]
		onLeft, onRight := halves(leavesOf(hub))
		attach(hub, onLeft, left)
		attach(hub, onRight, right)
		return
	}
	x := 0.0
	for i, v := range spine {
		v.x, v.y = x, 0
		switch leaves := leavesOf(v); i {
		case 0:
			attach(v, leaves, left)
		case len(spine) - 1:
			attach(v, leaves, right)
		default:
			if len(leaves) > 0 {
				fitCards(leaves)
				depth := v.y + cardHeight/2 + 3*gapY
				for _, l := range leaves {
					l.side = below
					l.x, l.y = v.x+cardWidth*0.62, depth+l.height/2
					depth += l.height + gapY
				}
				x += cardWidth / 2
			}
		}
		x += cardWidth + gapX
	}
}

// attach places leaves on a side of their neighbour: in a column, or if they are many in several. Each column is half a row lower than
// the one before, so that links to those farther out run through the gaps between cards.
func attach(v *vertex, leaves []*vertex, s flank) {
	fitCards(leaves)
	outwards := 1.0
	if s == left {
		outwards = -1
	}
	x := v.x + outwards*(cardWidth+gapX)
	const pitch = compactHigh + gapY/2
	rows := max(columnRows, (len(leaves)+maxColumns-1)/maxColumns)
	columns := (len(leaves) + rows - 1) / rows
	rows = (len(leaves) + columns - 1) / max(columns, 1)
	column := 0
	for list := range slices.Chunk(leaves, max(rows, 1)) {
		stack(list, x+outwards*float64(column)*(compactWidth+columnGap), v.y)
		if columns > 1 {
			top := v.y + (float64(column%2)-float64(rows-1))*pitch/2
			for i, l := range list {
				l.y = top + float64(i)*pitch
			}
		}
		for _, l := range list {
			l.side = s
			for before := range column {
				offset := float64(column-before-1) * 2 // links in one gap are told apart
				if (column-before)%2 == 0 {
					offset += pitch / 2
				}
				l.through = append(l.through, offset)
			}
		}
		column++
	}
}

// halves parts the leaves of a star: hosts with services are on the right if that doesn't make one side much longer than the other.
func halves(leaves []*vertex) (onLeft, onRight []*vertex) {
	sorted := slices.Clone(leaves)
	serves := func(v *vertex) int { return min(len(v.Services), 1) }
	slices.SortStableFunc(sorted, func(a, b *vertex) int { return cmp.Compare(serves(a), serves(b)) })
	cut := len(sorted)
	for cut > 0 && serves(sorted[cut-1]) > 0 {
		cut--
	}
	if cut == 0 || cut == len(sorted) || max(cut, len(sorted)-cut) > manyLeaves {
		cut = (len(sorted) + 1) / 2
	}
	return sorted[:cut], sorted[cut:]
}

// layoutLayers draws nodes in columns by their distance from the one in the middle.
func layoutLayers(part []*vertex) {
	root := middle(part)
	depth := map[*vertex]int{root: 0}
	var layers [][]*vertex
	for _, v := range reach(root, nil) {
		for _, o := range neighbours(v) {
			if _, ok := depth[o]; !ok {
				depth[o] = depth[v] + 1
			}
		}
		if depth[v] == len(layers) {
			layers = append(layers, nil)
		}
		layers[depth[v]] = append(layers[depth[v]], v)
	}
	// From the layer with the most nodes on, each node is placed in the middle of its neighbours in the layer beside.
	longest := 0
	for i, layer := range layers {
		fitCards(layer)
		if len(layer) >= len(layers[longest]) {
			longest = i
		}
	}
	stack(layers[longest], 0, 0)
	for i := longest - 1; i >= 0; i-- {
		align(layers[i], func(o *vertex) bool { return depth[o] == i+1 })
	}
	for i := longest + 1; i < len(layers); i++ {
		align(layers[i], func(o *vertex) bool { return depth[o] == i-1 })
	}
	for i, layer := range layers {
		for _, v := range layer {
			v.x = float64(i) * (cardWidth + gapX)
			if leaf(v) {
				v.side = right
			}
		}
	}
}

// align places a layer's cards at the mean height of their neighbours in another layer, without overlap, in that order.
func align(layer []*vertex, beside func(*vertex) bool) {
	for _, v := range layer {
		sum, n := 0.0, 0
		for _, o := range neighbours(v) {
			if beside(o) {
				sum += o.y
				n++
			}
		}
		v.y = sum / float64(max(n, 1))
	}
	slices.SortStableFunc(layer, func(a, b *vertex) int { return cmp.Compare(a.y, b.y) })
	wanted := 0.0
	for _, v := range layer {
		wanted += v.y
	}
	for i := 1; i < len(layer); i++ {
		before := layer[i-1]
		layer[i].y = max(layer[i].y, before.y+before.height/2+gap(before)+layer[i].height/2)
	}
	found := 0.0
	for _, v := range layer {
		found += v.y
	}
	for _, v := range layer { // back to where they were on the whole
		v.y -= (found - wanted) / float64(len(layer))
	}
}

// middle is the node from which the farthest one is nearest: of several the one with the most links, then the first.
func middle(part []*vertex) *vertex {
	best, least := part[0], len(part)+1
	for _, v := range part {
		far := map[*vertex]int{v: 0}
		list := reach(v, nil)
		for _, o := range list {
			for _, n := range neighbours(o) {
				if _, ok := far[n]; !ok {
					far[n] = far[o] + 1
				}
			}
		}
		if d := far[list[len(list)-1]]; d < least || d == least && len(v.edges) > len(best.edges) {
			best, least = v, d
		}
	}
	return best
}

// bounds is the rectangle around cards.
func bounds(part []*vertex) (minX, minY, maxX, maxY float64) {
	minX, minY, maxX, maxY = part[0].x, part[0].y, part[0].x, part[0].y
	for _, v := range part {
		minX, maxX = min(minX, v.x-v.width/2), max(maxX, v.x+v.width/2)
		minY, maxY = min(minY, v.y-v.height/2), max(maxY, v.y+v.height/2)
	}
	return minX, minY, maxX, maxY
}
