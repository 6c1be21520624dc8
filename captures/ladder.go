package captures

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// LadderOptions says how [Ladder] draws.
type LadderOptions struct {
	// Nodes are the columns from left to right. Empty means all that the packets name, in order of appearance.
	Nodes []string
	// Name returns the name of an address; see [Describer] and [Capture.NameFunc]. Addresses without name, and all if
	// Name is nil, stand for themselves.
	Name func(netip.Addr) string
	// Start is the time that counts as 0. The zero value is the time of the first packet.
	Start time.Time
	// Width is the longest line in columns; 0 is 100. It has to leave room for the nodes.
	Width int
	// ASCII draws with - > < | x instead of box-drawing characters.
	ASCII bool
}

// Ladder draws packets as a sequence diagram in plain text: time in seconds to the left, a column for each node, an arrow
// for each packet with its description. A packet that was dropped on its way has an arrow that ends in ✗. A packet's
// comment stands beside or below its arrow.
//
// The packets have to come from one vantage point, in the order of their times, and should come from a single interface:
// a router sees each packet on two. Packets from or to others than the nodes are left out, and their number is told at
// the end.
func Ladder(w io.Writer, packets []*Packet, o LadderOptions) error {
	l, err := newLadder(packets, o)
	if err != nil {
		return err
	}
	l.w = bufio.NewWriter(w)
	l.head()
	left := 0
	for _, p := range packets {
		if !l.packet(p) {
			left++
		}
	}
	if left > 0 {
		fmt.Fprintf(l.w, "(not shown: %d from or to others)\n", left)
	}
	if err := l.w.Flush(); err != nil {
		return fmt.Errorf("captures: write: %w", err)
	}
	return nil
}

// ladderMargin is the column of the leftmost node.
const ladderMargin = 14

// minimumSpan is the least distance between two nodes.
const minimumSpan = 8

// strokes are the characters of a drawing.
type strokes struct{ node, shaft, right, left, lost, cut rune }

var (
	boxStrokes   = strokes{'│', '─', '→', '←', '✗', '…'}
	asciiStrokes = strokes{'|', '-', '>', '<', 'x', '~'}
)

type ladder struct {
	strokes
	w         *bufio.Writer
	options   LadderOptions
	columns   []int // where the nodes stand
	describer Describer
	ports     bool // there are several connections to tell apart
}

func newLadder(packets []*Packet, o LadderOptions) (*ladder, error) {
	if o.Width == 0 {
		o.Width = 100
	}
	if o.Start.IsZero() && len(packets) > 0 {
		o.Start = packets[0].Time
	}
	l := &ladder{strokes: boxStrokes, options: o, describer: Describer{Name: o.Name}}
	if o.ASCII {
		l.strokes = asciiStrokes
	}
	l.survey(packets)
	nodes := l.options.Nodes
	if len(nodes) < 2 {
		return nil, errors.New("captures: a ladder needs at least two nodes")
	}
	span := o.Width - 1 - ladderMargin
	if span < minimumSpan*(len(nodes)-1) {
		return nil, fmt.Errorf("captures: %d nodes do not fit into %d columns", len(nodes), o.Width)
	}
	for i := range nodes {
		l.columns = append(l.columns, ladderMargin+span*i/(len(nodes)-1))
	}
	return l, nil
}

// survey looks through the packets for nodes and connections.
func (l *ladder) survey(packets []*Packet) {
	flows := map[flow]bool{}
	all := len(l.options.Nodes) == 0
	for _, p := range packets {
		var v view
		v.dissect(p.Data)
		from, to, ok := l.ends(&v)
		if !ok {
			continue
		}
		for _, name := range []string{from, to} {
			if all && !slices.Contains(l.options.Nodes, name) {
				l.options.Nodes = append(l.options.Nodes, name)
			}
		}
		if v.hasPorts && slices.Contains(l.options.Nodes, from) && slices.Contains(l.options.Nodes, to) {
			a, b := netip.AddrPortFrom(v.src, v.srcPort), netip.AddrPortFrom(v.dst, v.dstPort)
			if b.Compare(a) < 0 {
				a, b = b, a
			}
			flows[flow{a, b}] = true
		}
	}
	l.ports = len(flows) > 1
}

// ends returns between which nodes a packet goes. One that looks for a neighbour goes to the one it looks for.
func (l *ladder) ends(v *view) (from, to string, ok bool) {
	dst := v.dst
	if target, ok := v.neighbourTarget(); ok && dst.IsMulticast() {
		dst = target
	}
	if !v.src.IsValid() || !dst.IsValid() {
		return "", "", false
	}
	return l.describer.addr(v.src), l.describer.addr(dst), true
}

// packet draws a packet, unless one of its ends is not in the picture.
func (l *ladder) packet(p *Packet) bool {
	var v view
	v.dissect(p.Data)
	d := l.describer.line(&v)
	fromName, toName, ok := l.ends(&v)
	from, to := slices.Index(l.options.Nodes, fromName), slices.Index(l.options.Nodes, toName)
	if !ok || from < 0 || to < 0 || from == to {
		return false
	}
	comment := strings.ReplaceAll(p.Comment, "\n", "; ")
	at := fmt.Sprintf("%12.6f", p.Time.Sub(l.options.Start).Seconds())
	l.arrow(at, l.columns[from], l.columns[to], l.label(&v, &d, l.columns[max(from, to)]-l.columns[min(from, to)]-1, comment), comment)
	return true
}

// arrowEnds is how many characters of an arrow's shaft are left beside its label.
const arrowEnds = 6

// lost says whether a comment tells that the packet didn't arrive.
func lost(comment string) bool { return strings.HasPrefix(comment, "dropped") }

// textWidth is how many characters a text on a line of its own has room for.
func (l *ladder) textWidth() int { return l.options.Width - ladderMargin - 2 }

// arrow draws one arrow, with label and comment on it where they fit, else on lines of their own.
func (l *ladder) arrow(at string, from, to int, label, comment string) {
	lost := lost(comment)
	room := max(from, to) - min(from, to) - 1
	shaft := room
	inline, beside := width(label)+arrowEnds <= room, false
	if !inline {
		l.text(at, min(from, to)+2, label)
		at, label = "", ""
	}
	if lost {
		shaft = room * 2 / 3
		if inline {
			shaft = max(shaft, width(label)+arrowEnds)
		}
		// Room for the comment may be had by a shorter arrow.
		least := max(width(label)+arrowEnds, minimumSpan/2)
		if want := room - width(comment) - 2; comment != "" && want >= least {
			shaft, beside = min(shaft, want), true
		}
	}
	row := l.row(at)
	l.shaft(row, from, to, shaft, label, lost)
	if beside {
		if from < to {
			put(row, from+shaft+2, comment)
		} else {
			put(row, from-shaft-1-width(comment), comment)
		}
	}
	l.write(row)
	if comment != "" && !beside {
		l.text("", min(from, to)+2, comment)
	}
}

// shaft draws an arrow of n characters between two columns.
func (l *ladder) shaft(row []rune, from, to, n int, label string, lost bool) {
	step, head := 1, l.right
	if to < from {
		step, head = -1, l.left
	}
	if lost {
		head = l.lost
	}
	for i := 1; i <= n; i++ {
		row[from+i*step] = l.strokes.shaft
	}
	row[from+n*step] = head
	if label == "" {
		return
	}
	label = " " + label + " "
	if step > 0 {
		put(row, from+3, label)
	} else {
		put(row, from-2-width(label), label)
	}
}

// text writes a line with a text at a column, or further left if it is long.
func (l *ladder) text(at string, column int, text string) {
	row := l.row(at)
	text = cut(text, l.textWidth(), l.cut)
	column = max(min(column, l.options.Width-1-width(text)), ladderMargin+2)
	put(row, column, text)
	l.write(row)
}

// head writes the names of the nodes over their columns, the outer ones flush with the margins.
func (l *ladder) head() {
	row := []rune(strings.Repeat(" ", l.options.Width))
	put(row, 4, "time (s)")
	for i, name := range l.options.Nodes {
		if n := l.columns[1] - l.columns[0] - 1; width(name) > n {
			name = string([]rune(name)[:n-1]) + string(l.cut)
		}
		switch i {
		case 0:
			put(row, l.columns[0], name)
		case len(l.options.Nodes) - 1:
			put(row, l.columns[i]+1-width(name), name)
		default:
			put(row, l.columns[i]-width(name)/2, name)
		}
	}
	l.write(row)
}

// row returns a line with a time and the nodes' life lines.
func (l *ladder) row(at string) []rune {
	row := []rune(strings.Repeat(" ", l.options.Width))
	put(row, 0, at)
	for _, c := range l.columns {
		row[c] = l.node
	}
	return row
}

func (l *ladder) write(row []rune) {
	// The writer keeps its first error until Flush returns it.
	_, _ = l.w.WriteString(strings.TrimRight(string(row), " ") + "\n")
}

// put copies a text into a row, as far as the row goes. Control characters, which a foreign file may hold, become dots.
func put(row []rune, column int, text string) {
	for _, r := range text {
		if column >= len(row) {
			return
		}
		if unicode.IsControl(r) {
			r = '.'
		}
		row[column] = r
		column++
	}
}

// width is how many columns a text takes.
func width(text string) int { return utf8.RuneCountInString(text) }
