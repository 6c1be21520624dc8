package ladder

import (
	"fmt"
	"slices"
	"strconv"
)

// leastGap is the least distance between two columns, arrowEnds how many characters of an arrow's shaft are left beside its label.
const (
	leastGap  = 8
	arrowEnds = 6
)

// WidthError says that the columns need more room than there is.
type WidthError struct{ Nodes, Width, Needed int }

// Error says how much room there is and how much is needed.
func (e *WidthError) Error() string {
	return fmt.Sprintf("%d nodes need a width of %d, and it is %d", e.Nodes, e.Needed, e.Width)
}

// layout is where things stand in a line of text.
type layout struct {
	width      int
	numbers    int // the width of the packets' numbers
	times      int // and of the times
	margin     int // the column of the leftmost node
	xs         []int
	textColumn int // the leftmost column of a text on a line of its own
}

// layOut spreads the columns over a width. All distances are alike if the labels fit then; otherwise the one that most packets cross is
// wide enough for most of them, if that leaves room for the others.
func (l *Ladder) layOut(room int) (*layout, error) {
	y := &layout{width: room, numbers: 3, times: 10}
	for i := range l.lines {
		if j := l.lines[i].journey; j != nil {
			y.numbers = max(y.numbers, len(number(j)))
		}
		y.times = max(y.times, len(clock(&l.lines[i])))
	}
	y.margin = y.numbers + 1 + y.times + 2
	y.textColumn = y.margin + 2
	gaps := len(l.columns) - 1
	if needed := y.margin + gaps*leastGap + 1; room < needed {
		return nil, &WidthError{len(l.columns), room, needed}
	}
	total := room - 1 - y.margin
	y.xs = []int{y.margin}
	want, busiest := l.demand()
	if gaps > 1 && total/gaps < want {
		// The names over the other columns want room, too.
		other := leastGap
		for _, name := range l.columns {
			other = max(other, min(width(name)+2, 14))
		}
		if wide := min(want, total*3/5, total-other*(gaps-1)); wide > total/gaps {
			rest := total - wide
			x, k := y.margin, 0
			for i := range gaps {
				if i == busiest {
					x += wide
				} else {
					x += rest*(k+1)/(gaps-1) - rest*k/(gaps-1)
					k++
				}
				y.xs = append(y.xs, x)
			}
			return y, nil
		}
	}
	for i := range gaps {
		y.xs = append(y.xs, y.margin+total*(i+1)/gaps)
	}
	return y, nil
}

// demand returns the room that nine labels in ten need and the gap that most packets cross.
func (l *Ladder) demand() (want, busiest int) {
	crossed := make([]int, len(l.columns)-1)
	var widths []int
	for i := range l.lines {
		n := &l.lines[i]
		if n.journey == nil {
			continue
		}
		forms := l.labelOf(n.journey).forms
		widths = append(widths, width(forms[min(1, len(forms)-1)])+arrowEnds+1)
		lo, hi := len(l.columns), 0
		for _, s := range n.spans {
			lo, hi = min(lo, s.from, s.to), max(hi, s.from, s.to)
		}
		for g := max(lo, 0); g < min(hi, len(crossed)); g++ {
			crossed[g]++
		}
	}
	if widths == nil {
		return 0, 0
	}
	slices.Sort(widths)
	return widths[len(widths)*9/10], slices.Index(crossed, slices.Max(crossed))
}

// clock prints the time of a line.
func clock(n *line) string { return strconv.FormatFloat(n.at.Seconds(), 'f', 6, 64) }
